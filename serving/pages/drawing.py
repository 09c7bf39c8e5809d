"""Figures drawn on the server: a sum as a staircase that arrives where it says, and risks with their intervals as bars.

Here are numbers and places; what is drawn with them stands in templates/figures.html, in attributes alone, and takes its colours
from the one style of all pages.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

WIDTH, LABELS, VALUES = 760, 270, 90  # of a staircase; its column of labels; its column of values
NARROW, SHORT = 430, 70  # the figure of risks, whose labels are short
ROW, BAR, TOP, FOOT = 24, 14, 6, 30  # heights
MOST_STEPS = 14  # of a staircase: the others, which are smaller, are one step together; the table beside it has them all
SLACK = 1e-9  # by which a sum may miss its end: the one to which terms add up
NARROWEST = 1e-6  # span of a scale; less has no width
_TICKS = 5

Step = tuple[str, float]
Show = Callable[[float], str]


class DoesNotAddUp(ValueError):
    """The steps do not lead from the start to the end: nothing is drawn that would show a sum which is none."""


@dataclass(frozen=True)
class Bar:
    """One row: what it is, its value in words, where it lies across, how it looks, and whether it is one step or a whole."""

    label: str
    value: str
    y: float
    x: float
    width: float
    look: str  # up, down, whole
    meets: float  # where the next row begins


@dataclass(frozen=True)
class Tick:
    """A number below the figure."""

    x: float
    label: str


@dataclass(frozen=True)
class Staircase:
    """A sum: where it starts, every step, where it ends."""

    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]
    height: float
    names: float = LABELS - 10
    width: float = WIDTH


@dataclass(frozen=True)
class Range:
    """The risk within one horizon: its interval, itself, and the risk at the cohort's average log-odds, across the plot."""

    label: str
    value: str
    y: float
    low: float
    width: float
    risk: float
    reference: float


@dataclass(frozen=True)
class Ranges:
    """Risks under one another, from 0 to 1."""

    rows: tuple[Range, ...]
    ticks: tuple[Tick, ...]
    height: float
    names: float = SHORT - 10
    width: float = NARROW


def ranges(risks: Sequence[tuple[str, Mapping[str, float]]], show: Show) -> Ranges:
    """The figure of labelled risks, each with risk, low, high and reference."""
    scale = Scale(0.0, 1.0, SHORT, NARROW - 80)
    rows = []
    for place, (label, one) in enumerate(risks):
        low, high = scale.at(one["low"]), scale.at(one["high"])
        value, width = show(one["risk"]), round(max(high - low, 1), 2)
        rows.append(Range(label, value, _y(place), low, width, scale.at(one["risk"]), scale.at(one["reference"])))
    ticks = tuple(Tick(scale.at(share), f"{100 * share:.0f} %") for share in (0, 0.25, 0.5, 0.75, 1))
    return Ranges(tuple(rows), ticks, TOP + ROW * len(rows) + FOOT)


def staircase(start: Step, steps: Sequence[Step], end: Step, show: Show, rest: str, base: float | None = None) -> Staircase:
    """The figure of start + steps = end; `rest` names the smaller steps together, {many} of them; bars of wholes begin at `base`.

    Without a base, start and end are thin marks at their places (log-odds have no natural zero). DoesNotAddUp where the sum is
    another than the end.
    """
    arrived = start[1] + math.fsum(value for _, value in steps)
    if not math.isclose(arrived, end[1], rel_tol=SLACK, abs_tol=SLACK):
        raise DoesNotAddUp(f"{len(steps)} steps do not lead from the start to the end")
    shown = shortened(steps, rest)
    places = [start[1], *_running(start[1], shown), end[1], *([] if base is None else [base])]
    scale = Scale(min(places), max(places), LABELS, WIDTH - VALUES)
    bars = list(_bars(start, shown, end, show, scale, base))
    height = TOP + ROW * len(bars) + FOOT
    return Staircase(tuple(bars), tuple(Tick(scale.at(one), f"{one:.6g}") for one in scale.ticks()), height)


def shortened(steps: Sequence[Step], rest: str) -> list[Step]:
    """The largest steps first; those beyond MOST_STEPS together, last. Steps of nothing, but for rounding, are left out."""
    moving = sorted((one for one in steps if abs(one[1]) > SLACK), key=lambda one: -abs(one[1]))
    if len(moving) <= MOST_STEPS:
        return moving
    small = moving[MOST_STEPS - 1 :]
    return [*moving[: MOST_STEPS - 1], (rest.format(many=len(small)), math.fsum(value for _, value in small))]


@dataclass(frozen=True)
class Scale:
    """Numbers from `low` to `high` laid out from `left` to `right`."""

    low: float
    high: float
    left: float
    right: float

    def at(self, value: float) -> float:
        """How far across; in the middle of a scale without a width."""
        span = self.high - self.low
        share = (value - self.low) / span if span > NARROWEST else 0.5
        return round(self.left + (self.right - self.left) * share, 2)

    def ticks(self) -> list[float]:
        """A few round numbers within it."""
        span = self.high - self.low
        if span <= NARROWEST:
            return [self.low]
        step = _round_up(span / _TICKS)
        first = math.ceil(self.low / step)
        return [place * step + 0.0 for place in range(first, math.floor(self.high / step) + 1)]


def _round_up(step: float) -> float:
    """The next of 1, 2, 5, 10, ... times a power of ten."""
    power = 10.0 ** math.floor(math.log10(step))
    return next(factor * power for factor in (1.0, 2.0, 5.0, 10.0) if factor * power >= step * (1 - 1e-12))


def _running(start: float, steps: Sequence[Step]) -> Iterator[float]:
    for _, value in steps:
        start += value
        yield start


def _bars(start: Step, steps: Sequence[Step], end: Step, show: Show, scale: Scale, base: float | None) -> Iterator[Bar]:
    yield _whole(start, 0, show, scale, base)
    at = start[1]
    for row, ((label, value), to) in enumerate(zip(steps, _running(start[1], steps), strict=True), 1):
        left, right = sorted((scale.at(at), scale.at(to)))
        look = "up" if value > 0 else "down"
        shown = f"+{show(value)}" if value > 0 else show(value)
        yield Bar(label, shown, _y(row), left, round(max(right - left, 1), 2), look, scale.at(to))
        at = to
    yield _whole(end, len(steps) + 1, show, scale, base)


def _whole(one: Step, row: int, show: Show, scale: Scale, base: float | None) -> Bar:
    label, value = one
    at = scale.at(value)
    if base is None:
        return Bar(label, show(value), _y(row), round(at - 2, 2), 4, "whole", at)
    left, right = sorted((scale.at(base), at))
    return Bar(label, show(value), _y(row), left, round(max(right - left, 1), 2), "whole", at)


def _y(row: int) -> float:
    return TOP + ROW * row
