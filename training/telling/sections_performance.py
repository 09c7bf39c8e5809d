"""What is told of the performance: discrimination, overall fit, calibration, decisions; the previously treated first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from training.statistics.estimates import LEAST_RESAMPLES
from training.telling.blocks import Block, Heading, Picture, Words, interval, number, points, table
from training.telling.evidence import EVALUATION, RISKS
from training.telling.pointers import Evidence

PRIMARY = 90.0  # days

Facts = Mapping[str, Any]


def shown_day(days: Mapping[str, Any]) -> str | None:
    """The horizon that is shown where only one is: 90 days or the one nearest to it."""
    return min(days, key=lambda day: abs(float(day) - PRIMARY), default=None)


def slug(name: str) -> str:
    """A name as it stands in the name of a picture."""
    return name.replace(" ", "-")


def performance(evidence: Evidence) -> list[Block]:
    """The statistics of every population at every horizon, with what is refused."""
    told = evidence[EVALUATION]
    blocks: list[Block] = [Heading("Performance"), *few_resamples(told), Words(_how(told))]
    for name, found in told["evaluations"].items():
        blocks += [Heading(f"{name.capitalize()}: {found['n']} patients", 3), *statistics(found), *_uno(found["uno_c"])]
        blocks += [*_fold_means(found, told.get("fold_means", {}).get(name, {})), *_gains(told, name, found)]
        blocks += points("Refused:", (f"day {day}: {why}" for day, why in found["refused"].items()))
    return blocks


def few_resamples(told: Facts) -> list[Block]:
    """A warning where the intervals of an evaluation rest on too few resamples to be quoted."""
    resamples = _resamples(told)
    if resamples is None or resamples >= LEAST_RESAMPLES:
        return []
    if resamples == 0:
        return [Words("No resamples were drawn: no figure below has an interval, and none may be quoted.", "warning")]
    said = f"Only {resamples} resamples, and {LEAST_RESAMPLES} are needed: the ends of the intervals below are single draws"
    return [Words(f"{said}, and a value may lie outside its own interval. None of these figures may be quoted.", "warning")]


def _resamples(told: Facts) -> int | None:
    found = (told.get("scheme") or {}).get("resamples", told.get("resamples"))
    return None if found is None else int(found)


def _how(told: Facts) -> str:
    resamples = _resamples(told)
    drawn = f"95 % intervals from {resamples} resamples of patients" if resamples else "95 % intervals by bootstrap of patients"
    return f"Out of fold: every patient was judged by models that had not seen them. {drawn}."


def statistics(found: Facts) -> list[Block]:
    """The table of an evaluation: a row for each horizon."""
    head = ("day", "deaths", "AUC", "IPA", "Brier", "slope", "intercept", "observed:expected", "ICI")
    rows = []
    for day, one in found["horizons"].items():
        line = one["calibration"]
        named = (line[name] for name in ("slope", "intercept", "observed_expected", "ici"))
        rows.append((day, one["deaths"], *map(interval, (one["auc"], one["ipa"], one.get("brier"), *named))))
    return table("Discrimination, overall fit and calibration", head, rows)


def _uno(found: Facts | None) -> list[Block]:
    return [] if found is None else [Words(f"Uno's C to day {found['tau']:g}: {interval(found)}.")]


def _fold_means(found: Facts, means: Facts) -> list[Block]:
    if not means:
        return [Words("No fold holds enough patients to be judged alone.", "quiet")]
    names = ("auc", "ipa", "slope")
    days = [day for day in found["horizons"] if any(f"{name}_{day}d" in means for name in names)]
    rows = [(day, *(number(means.get(f"{name}_{day}d")) for name in names)) for day in days]
    concordance = f" (Uno's C {number(means['uno_c'])})" if "uno_c" in means else ""
    means_of = table(f"Means over folds{concordance}", ("day", "AUC", "IPA", "slope"), rows)
    return [Words("To quote: the figures above, of all folds pooled, with their intervals. " + _MEANS), *means_of]


_MEANS = "The means over folds below have no interval; they are for comparison with publications that give such means."


def _gains(told: Facts, name: str, found: Facts) -> list[Block]:
    """What is gained over albumin alone, unless it is told among the comparators."""
    if found.get("comparators"):
        return []
    gains = told.get("over_albumin_alone", {}).get(name, {})
    if not gains:
        return [Words("Gain over albumin alone: albumin was not measured in enough of them.", "quiet")]
    rows = [(day, interval(gain)) for day, gain in gains.items()]
    return table("Gain in AUC over albumin alone, on the same patients", ("day", "gain"), rows)


def calibration(evidence: Evidence) -> list[Block]:
    """Stated against observed risk: the pictures, and the groups behind their points."""
    told = evidence[EVALUATION]["evaluations"]
    blocks: list[Block] = [Heading("Were the stated risks the risks that came true?")]
    for name in told:
        title = f"Calibration, {name}"
        alt = "Observed against stated risk at each horizon, with intervals, and below each the number of patients at each risk."
        blocks += [Picture(f"calibration-{slug(name)}", title, f"{alt} The table says the same of the horizon that is shown.")]
        judged = evidence.get(RISKS, {}).get("populations", {}).get(name, {}).get("horizons", {})
        day = shown_day(judged)
        if day is not None:
            blocks += table(f"Patients of similar stated risk by day {day}, {name}", _GROUPS, _groups(judged[day]))
    return [*blocks, *_distribution(evidence)]


_GROUPS = ("mean stated risk", "patients", "died", "95 % interval")


def _groups(found: Facts) -> Iterator[tuple[object, ...]]:
    for one in found["groups"]:
        band = "-" if one["low"] is None else f"{one['low']:.1%} to {one['high']:.1%}"
        yield f"{one['stated']:.1%}", one["patients"], f"{one['observed']:.1%}", band


def _distribution(evidence: Evidence) -> list[Block]:
    blocks: list[Block] = []
    for name, found in evidence.get(RISKS, {}).get("populations", {}).items():
        day = shown_day(found["horizons"])
        if day is None:
            continue
        counted = found["horizons"][day]["histogram"]
        edges = counted["edges"]
        names = [f"{low:.0%} to {high:.0%}" for low, high in pairwise(edges)]
        rows = list(zip(names, counted["died"], counted["alive"], counted["censored_before"], strict=True))
        alt = "How many patients stand at each stated risk: those who died, those known alive, and the censored apart."
        blocks += [Heading(f"How the stated risks are spread, {name}", 3)]
        blocks += [Picture(f"risks-{slug(name)}", f"Stated risks, {name}", f"{alt} The table says the same.")]
        head = ("stated risk", "died", "known alive", "censored before")
        blocks += table(f"Patients by stated risk by day {day}, {name}", head, rows)
        blocks += _by_quarter(name, found["survival"])
    return blocks


def _by_quarter(name: str, found: Facts) -> list[Block]:
    if not found["quarters"]:
        return []
    quarters = found["quarters"]
    alt = "Kaplan-Meier curves of the four quarters of stated risk, with 95 % bands. The table gives their ends."
    rows = [(one["name"], one["patients"], f"{one['stated']:.1%}", _alive(one, 90), _alive(one, 180)) for one in quarters]
    head = (f"stated risk by day {found['day']:g}", "patients", "mean stated", "alive on day 90", "alive on day 180")
    drawn = Picture(f"survival-by-risk-{slug(name)}", f"Survival by quarter of stated risk, {name}", alt)
    return [drawn, *table(f"Survival by quarter of stated risk, {name}", head, rows)]


def _alive(one: Facts, day: float) -> str:
    if day not in one["days"]:
        return "fewer than 10 died" if day < max(one["days"]) else "too few followed"
    place = one["days"].index(day)
    band = "" if one["low"][place] is None else f" ({one['low'][place]:.0%} to {one['high'][place]:.0%})"
    return f"{one['alive'][place]:.0%}{band}"


_BENEFIT = ("threshold", "the model", "act for all", "act for none")
_FLAGGED = ("share flagged", "stated risk from", "sensitivity", "died among the flagged", "flagged for one death")


def decisions(evidence: Evidence) -> list[Block]:
    """Net benefit against acting for all or for none, and what flagging a share of the patients would find."""
    blocks: list[Block] = []
    for name, found in evidence[EVALUATION]["evaluations"].items():
        day = shown_day(found["horizons"])
        one = {} if day is None else found["horizons"][day]
        if one.get("net_benefit"):
            alt = f"Net benefit by threshold: the model, acting for all, for none. The table says the same for day {day}."
            blocks += [Picture(f"decision-{slug(name)}", f"Decision curves, {name}", alt)]
            blocks += table(f"Net benefit by day {day}, {name}", _BENEFIT, map(_benefit, _tabled(one["net_benefit"])))
        if one.get("flagging"):
            blocks += table(f"Flagging the highest risks by day {day}, {name}", _FLAGGED, map(_flagging, one["flagging"]))
    said = (
        "Net benefit is true positives less false positives weighed by the threshold, a share of all patients. The intervals are "
        "those of each curve, not of the difference between them: overlap or distance of the bands is no test. What is done "
        "above a threshold is not for this model to say. Published operating points of other models: 27 and 40 % by 180 days, "
        "for serious-illness conversations (Parikh 2019, Manz 2020)."
    )
    return [Heading("Net benefit against acting for all or for none"), Words(said), *blocks] if blocks else []


def _tabled(found: Sequence[Facts]) -> list[Facts]:
    """The thresholds in steps of five percentage points; the picture has all of them."""
    return [one for one in found if round(one["threshold"] * 1000) % 50 == 0]


def _benefit(one: Facts) -> tuple[str, ...]:
    return (f"{one['threshold']:.0%}", _cell(one["model"]), _cell(one["treat_all"]), "0")


def _flagging(one: Facts) -> tuple[str, ...]:
    cells = (interval(one["sensitivity"], 2), interval(one["ppv"], 2), interval(one["number_needed_to_evaluate"], 1))
    return (f"{one['flag_rate']:.0%}", number(_value(one["threshold"]), 2), *cells)


def _cell(cell: Any) -> str:
    return interval(cell) if isinstance(cell, Mapping) else number(cell)


def _value(cell: Any) -> float | None:
    return cell.get("value") if isinstance(cell, Mapping) else cell
