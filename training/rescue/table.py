"""Every number of the analysis as one table (CSV): what it is of, whose, on which day, and its interval."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

Document = Mapping[str, Any]


class Row(NamedTuple):
    """One number: `analysis` and `group` say of what, `day` from the index date; `note` says why a value is not there."""

    analysis: str
    group: str
    quantity: str
    day: object = ""
    value: object = ""
    low: object = ""
    high: object = ""
    p: object = ""
    note: str = ""


def table_csv(told: Document) -> str:
    """The table with a line of names first; in a simulated cohort a line before it says so."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(Row._fields)
    if "example" in told:
        writer.writerow(Row("", "", "", note=str(told["example"])))
    writer.writerows(rows(told))
    return written.getvalue()


def rows(told: Document) -> Iterator[Row]:
    """The rows, in the order of the report."""
    yield from _population(told)
    for one in told["events"]:
        yield from _event(one)
    yield from _flat("regression to the mean", told["regression_to_mean"])
    yield from _flat("steroids", told["steroids"])
    yield from _landmarks(told)
    whose = "rescue, without patients on steroids on the index date"
    yield _ratio("time-dependent Cox", whose, "hazard ratio, adjusted", told["without_steroids"])
    for one in told["interactions"]:
        yield from _interaction(one)
    yield from _flat("E-value", told["e_value"])
    yield from _naive(told["naive"])


def _population(told: Document) -> Iterator[Row]:
    for step in told["flow"]:
        yield Row("population", step["reason"], "left", value=step["left"])
        yield Row("population", step["reason"], "remaining", value=step["remaining"])
    yield Row("population", "lymphopenic", "patients", value=told["patients"])
    yield Row("population", "lymphopenic", "deaths", value=told["deaths"])
    for cut, count in told["by_cut_off"].items():
        yield Row("population", f"ALC below {cut} 10*9/L", "patients", value=count)
    for grade, count in told["by_grade"].items():
        yield Row("population", f"CTCAE {grade}", "patients", value=count)


def _event(one: Document) -> Iterator[Row]:
    name = one["label"]
    yield Row(name, "", "asked", value=one["asked"], note=one["definition"])
    yield Row(name, "", "happened", value=one["happened"])
    if "median_day" in one:
        yield Row(name, "", "median day", value=_blank(one["median_day"]))
        yield from _incidence(name, one["incidence"])
    for how in ("unadjusted", "adjusted"):
        yield _ratio("time-dependent Cox", name, f"hazard ratio, {how}", one[how])


def _incidence(name: str, one: Document) -> Iterator[Row]:
    for group, kind in (("it happened", "happened"), ("death came first", "died")):
        for place, day in enumerate(one["days"]):
            share, low, high = (_blank(one[f"{kind}{end}"][place]) for end in ("", "_low", "_high"))
            yield Row(name, group, "cumulative incidence", f"{day:g}", share, low, high)


def _landmarks(told: Document) -> Iterator[Row]:
    for day, at in told["landmarks"].items():
        name = f"landmark day {day}"
        if "refused" in at:
            yield Row(name, "", "refused", note=at["refused"])
            continue
        yield Row(name, "", "alive and followed", day, at["alive"])
        yield from (Row(name, "", f"before it: {why}", day, count) for why, count in at["before"].items())
        yield Row(name, "", "recovered later", day, at["recovered_later"])
        for group in at["groups"]:
            yield from _group(name, group)
        yield Row(name, "", "log-rank", p=at["log_rank_p"])
        yield from (_ratio(name, "", f"hazard ratio, {how}", at[how]) for how in ("unadjusted", "adjusted"))
        yield from _flat(f"{name}: restricted mean days", at["restricted_mean"])


def _group(name: str, one: Document) -> Iterator[Row]:
    yield Row(name, one["name"], "patients", value=one["patients"])
    yield Row(name, one["name"], "deaths", value=one["deaths"])
    if one["median"]:
        value, low, high = map(_blank, one["median"])
        yield Row(name, one["name"], "median days from the landmark", value=value, low=low, high=high)
    for day, alive, low, high in zip(one["days"], one["alive"], one["low"], one["high"], strict=True):
        yield Row(name, one["name"], "alive", f"{day:g}", _blank(alive), _blank(low), _blank(high))
    yield from (Row(name, one["name"], "at risk, in tens", day, count) for day, count in one["at_risk"].items())


def _interaction(one: Document) -> Iterator[Row]:
    for group in one["groups"]:
        yield Row(one["by"], group["level"], "patients", value=group["patients"])
        yield Row(one["by"], group["level"], "recovered", value=group["recovered"])
        yield _ratio(one["by"], group["level"], "hazard ratio, adjusted", group["hazard_ratio"])
    differ = one["differ"]
    yield Row(one["by"], "", "difference between the groups", p=differ.get("p", ""), note=differ.get("refused", ""))


def _naive(one: Document) -> Iterator[Row]:
    name = "naive (biased)"
    if "refused" in one:
        yield Row(name, "", "refused", note=one["refused"])
        return
    yield from (_ratio(name, "", f"hazard ratio, {how}", one[how]) for how in ("unadjusted", "adjusted"))
    lot = one["by_lot"]
    yield Row(name, "", "hazard ratio with recoveries by lot", value="" if isinstance(lot, dict) else lot)
    yield Row(name, "", "times the time-dependent hazard ratio", value=_blank(one.get("times_the_time_dependent")))
    yield Row(name, "", "days credited before a recovery, mean", value=one["immortal_days"])
    for group in one["groups"]:
        yield from _group(name, group)


def _ratio(analysis: str, group: str, quantity: str, found: Document) -> Row:
    if "refused" in found:
        return Row(analysis, group, quantity, note=found["refused"])
    adjusted = ", ".join(found["adjusted_for"])
    return Row(analysis, group, quantity, "", found["value"], found["low"], found["high"], found["p"], adjusted)


def _flat(analysis: str, found: Document) -> Iterable[Row]:
    if "refused" in found:
        return [Row(analysis, "", "refused", note=found["refused"])]
    return [Row(analysis, "", name.replace("_", " "), value=_blank(value)) for name, value in found.items() if name != "sentence"]


def _blank(value: object) -> object:
    return "" if value is None else value
