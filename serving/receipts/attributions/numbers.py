"""Every number of a look, one a row, with all of its digits: for whoever reckons further, and for comparing years later."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from typing import NamedTuple, TextIO

from models.example import EXAMPLE
from serving.receipts.attributions.importance import UNITS, Global, Importance
from serving.receipts.attributions.look import Look
from serving.receipts.attributions.reading import Counts
from serving.receipts.attributions.resampling import Figure
from serving.receipts.attributions.shift import QUANTILES, Shifted
from serving.receipts.attributions.table import SMALLEST
from serving.receipts.export import inert


class Number(NamedTuple):
    """A number: of what (period, group, input, shift ...), in which level of which stratum, of whom, called what."""

    part: str
    by: str
    level: str
    name: str
    label: str
    unit: str
    figure: str
    value: float | str | None
    low: float | None = None
    high: float | None = None
    chance: float | None = None


def numbers(look: Look) -> Iterator[Number]:
    """All of them; what would tell of one to nine patients is not among them, or is said as "<10"."""
    yield from _of_question(look)
    yield from _of_read("period", look.read)
    if look.against is not None:
        yield from _of_read("against", look.against)
    if look.found is not None:
        yield from _of_global(look.found, "", "")
    for part in look.parts:
        yield from _of_global(part.found, look.question.by, part.label)
    if look.shift is not None:
        yield Number("shift", "", "", "patients", "patients in both", "", "count", _count(look.shift.in_both))
        for one in look.shift.lines:
            yield from _of_line(one)


def write(found: Iterable[Number], file: TextIO) -> None:
    """As CSV, in which no word begins like a formula."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(Number._fields)
    writer.writerows([inert(one) for one in row] for row in found)


def _of_question(look: Look) -> Iterator[Number]:
    question = look.question
    asked = {"period": question.period, "against": question.against, "by": question.by, "every receipt": question.every}
    for name, value in asked.items():
        yield Number("question", "", "", name, "", "", "asked", "" if value is None else str(value))
    yield Number("question", "", "", "horizon", "", "d", "asked", question.horizon)
    if look.example:
        yield Number("question", "", "", "example", EXAMPLE, "", "asked", "")


def _of_read(part: str, read: Counts) -> Iterator[Number]:
    yield Number(part, "", "", "receipts", "receipts of scores", "", "count", read.receipts)
    yield Number(part, "", "", "counted", "receipts that count", "", "count", _count(read.counted))
    yield Number(part, "", "", "patients", "patients", "", "count", _count(read.patients))
    for why, times in read.left_out.items():
        yield Number(part, "", "", "left out", why, "", "count", times)
    if read.stopped:
        yield Number(part, "", "", "not read from", "", "", "time", read.stopped)


def _of_global(found: Global, by: str, level: str) -> Iterator[Number]:
    yield Number("risk", by, level, "patients", "patients", "", "count", found.patients)
    yield Number("risk", by, level, "receipts", "receipts that count", "", "count", found.receipts)
    for name, figure in (("risk", found.risk), ("reference", found.reference)):
        yield Number("risk", by, level, name, f"mean {name}", "probability", "mean", *_three(figure))
    for part, several in (("group", found.groups), ("input", found.inputs)):
        for one in several:
            yield from _of_importance(part, by, level, one)


def _of_importance(part: str, by: str, level: str, one: Importance) -> Iterator[Number]:
    for called, figure in one.figures.items():
        yield Number(part, by, level, one.name, one.label, UNITS[called], called, *_three(figure))


def _of_line(one: Shifted) -> Iterator[Number]:
    what = one.what
    unit = f"{what.of.unit}, {what.of.scale}" if what.of is not None and what.of.unit else ""

    def number(figure: str, value: float | str | None, *rest: float | None) -> Number:
        return Number(f"shift: {what.kind}", "", "", what.name, what.label, unit, figure, value, *rest)

    for called, side in (("first", one.first), ("second", one.second)):
        yield number(f"patients, {called}", _count(side.patients))
        if side.mean is not None:
            yield number(f"mean, {called}", side.mean)
        for share, value in zip(QUANTILES, side.quantiles, strict=False):
            yield number(f"percentile {share}, {called}", value)
    if one.difference is not None:
        yield number("difference of the means", *_three(one.difference))
    for name, distance in one.distances.items():
        yield number(name, distance.value, None, None, distance.chance)
    yield number("p, all lines considered", one.p)


def _three(figure: Figure) -> tuple[float, float, float]:
    return figure.value, figure.low, figure.high


def _count(patients: int) -> int | str:
    return f"<{SMALLEST}" if 0 < patients < SMALLEST else patients
