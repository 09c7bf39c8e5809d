"""What was found of a model, for a reader at the end of a day: the previously treated first, intervals beside the values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from models.risk import RiskModel
from training.comparing.by_chance import off_by_chance
from training.comparing.strata import primary_of
from training.diagnosis.learned_from import NO_EVIDENCE, WITHHELD, learned_from
from training.validate import TREATED

Found = Mapping[str, Any]


def judgement_text(model: RiskModel, found: Found) -> str:
    """A judgement in the shape of `evaluate --json`."""
    lines = [found["example"]] if "example" in found else []
    lines.append(f"{model.name} on {found['cohort']}: {found['n']} patients")
    if "diagnosis" in found and learned_from(found["diagnosis"]) == "yes":
        lines.append(NO_EVIDENCE)
        found = _withheld(found)
    if TREATED in found:
        treated = found[TREATED]
        lines.append(f" {TREATED}, {treated['n']} patients")
        lines += evaluation_lines(treated) if treated["horizons"] else ["  too few died, or are known to live, at any horizon"]
        lines.append(" everybody")
    lines += evaluation_lines(found)
    if "inside" in found:
        inside, outside = found["inside"], found["population"]["outside"]
        lines += ["", f"inside the development population ({inside['n']}; {outside} outside)", *table_lines(inside)]
    return "\n".join([*lines, *recalibrated_lines(found)])


def _withheld(found: Found) -> Found:
    """The same without an answer to whether simple models are beaten."""
    told = {**found, "beats_them": WITHHELD}
    return told | ({TREATED: {**found[TREATED], "beats_them": WITHHELD}} if TREATED in found else {})


def evaluation_lines(found: Found) -> list[str]:
    """An evaluation: its table, the comparators with the answer whether it beats them, and where it is weakest."""
    return [*table_lines(found), *comparator_lines(found), *strata_lines(found)]


def table_lines(found: Found) -> list[str]:
    """One line a horizon."""
    lines = [f"  {'day':>4} {'deaths':>6}  {'AUC':<20} {'IPA':<22} {'slope':<20} {'O:E':<20}"]
    for day, one in found["horizons"].items():
        calibration = one["calibration"]
        cells = (one["auc"], one["ipa"], calibration["slope"], calibration["observed_expected"])
        row = f"  {day:>4} {one['deaths']:>6}  " + " ".join(f"{interval(cell):<20}" for cell in cells)
        lines.append(row.rstrip())
    if found["uno_c"]:
        lines.append(f"  Uno's C to day {found['uno_c']['tau']:g}: {interval(found['uno_c'])}")
    return lines + [f"  {day:>4} refused: {why}" for day, why in found["refused"].items()]


def comparator_lines(found: Found) -> list[str]:
    """Whether it beats the simple models; every comparator at the primary horizon; and why others are not available."""
    day, beside = _primary(found), found.get("comparators", ())
    if day is None or not beside:
        return []
    judged = [one for one in beside if day in one["horizons"]]
    heads = f"{'its AUC':<20} {'AUC gained':<24} {'IPA gained':<24}"
    lines = [f"  {found['beats_them']}", f"  {f'beside it, by day {day}':<36} {'n':>8}  {heads}".rstrip()]
    for one in judged:
        at, gained = one["horizons"][day], one["horizons"][day]["difference"]
        row = f"  {one['label']:<36} {one['n']:>8}  {interval(at['auc']):<20} {gain(gained['auc']):<24} {gain(gained['ipa']):<24}"
        lines.append(row.rstrip())
    return lines + [f"  {one['label']:<36} {one['why'] or 'not judged at this horizon'}" for one in beside if one not in judged]


def strata_lines(found: Found) -> list[str]:
    """The groups in which the deaths are not those expected, and in how many that would be so by chance."""
    off, said = off_by_chance(found.get("strata", ()))
    cells = (f"{one['by']} {one['level']} {interval(one['observed_expected'])}" for one in off)
    return [f"  {said}: " + "; ".join(cells)] if off else []


def recalibrated_lines(found: Found) -> list[str]:
    """What recalibration on this cohort makes of it, at the primary horizon."""
    lines = []
    for how, one in found.get("recalibrated", {}).items():
        if "refused" in one:
            lines.append(f"recalibrated here ({how}): refused: {one['refused']}")
            continue
        for day, at in one["horizons"].items():
            fit = f"IPA {interval(at['ipa'])}, O:E {interval(at['calibration']['observed_expected'])}"
            lines.append(f"recalibrated here ({how}, cross-fitted), day {day}: {fit}")
    return ["", *lines] if lines else []


def split_lines(splits: Mapping[str, Found]) -> list[str]:
    """Later patients by earlier ones, and each site by the others: at every horizon, or why not."""
    lines = []
    for name, one in splits.items():
        if isinstance(one.get("refused"), str):
            lines.append(f" {name}: refused: {one['refused']}")
        else:
            lines += [f" {name}, {one['n']} patients: {one['how']}", *evaluation_lines(one)]
    return lines


def transport_lines(rows: Sequence[Found]) -> list[str]:
    """The transport table: a line for each cohort and horizon, as the model is and after recalibration there."""
    heads = ("AUC", "O:E as it is", "IPA as it is", "O:E shifted", "IPA shifted", "IPA, shift and slope")
    widths = [max(len(row["cohort"]) for row in rows), 6, 5, 7, *(20 for _ in heads)]
    lines = [_row(("cohort", "n", "day", "deaths", *heads), widths)]
    for row in rows:
        cells = [interval(row[name]) if row[name] else "-" for name in TRANSPORTED]
        lines.append(_row((row["cohort"], row["n"], row["day"], row["deaths"], *cells), widths))
    return lines


TRANSPORTED = ("auc", "observed_expected", "ipa", "shifted_observed_expected", "shifted_ipa", "sloped_ipa")


def _row(cells: Sequence[object], widths: Sequence[int]) -> str:
    return "  ".join(f"{cell!s:<{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip()


def _primary(found: Found) -> str | None:
    day = primary_of([float(day) for day in found["horizons"]])
    return None if day is None else f"{day:g}"


def interval(cell: Found) -> str:
    """A value with its interval, "-" where there is none."""
    value, low, high = (cell[name] for name in ("value", "low", "high"))
    if value is None:
        return "-"
    return f"{value:.3f}" if low is None or high is None else f"{value:.3f} ({low:.3f}-{high:.3f})"


def gain(cell: Found) -> str:
    """A difference with its interval, signed."""
    value, low, high = (cell[name] for name in ("value", "low", "high"))
    if value is None:
        return "-"
    return f"{value:+.3f}" if low is None or high is None else f"{value:+.3f} ({low:+.3f} to {high:+.3f})"
