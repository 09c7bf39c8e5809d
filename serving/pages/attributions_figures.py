"""Sizes with their intervals as bars from nothing, alone or in groups that share one scale, so that lengths can be compared.

Numbers and places are here; what is drawn with them stands in templates/attributions_figure.html.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from serving.pages.drawing import FOOT, NARROW, TOP, Scale, Tick
from serving.receipts.attributions.resampling import Figure
from serving.receipts.attributions.rounded import rounded

ROW, HEADING = 34, 26  # heights; words stand above their bar, so that a telephone shows both
LEFT, RIGHT = 2, 2  # margins
MOST_BARS = 60  # in one figure; the table beside it has them all

Several = Sequence[tuple[str, Figure]]


@dataclass(frozen=True)
class Bar:
    """One size: what it is of, the size and its interval in words, and where the bar and the interval end, across."""

    label: str
    value: str
    y: float
    width: float
    low: float
    high: float


@dataclass(frozen=True)
class Heading:
    """What the bars below it have in common."""

    label: str
    y: float


@dataclass(frozen=True)
class Bars:
    """The figure; `left_out` of its groups, the smallest, are in the table alone."""

    bars: tuple[Bar, ...]
    headings: tuple[Heading, ...]
    ticks: tuple[Tick, ...]
    height: float
    left_out: int = 0
    left: float = LEFT
    width: float = NARROW


def bars(groups: Sequence[tuple[str, Several]]) -> Bars:
    """The figure of sizes of zero or more, each with its interval, group by group; one bar alone bears the group's name."""
    shown = _fitting(groups)
    scale = Scale(0.0, max(figure.high for _, several in shown for _, figure in several), LEFT, NARROW - RIGHT)
    drawn: list[Bar] = []
    headings: list[Heading] = []
    y = TOP
    for name, several in shown:
        alone = len(several) == 1
        if not alone:
            headings.append(Heading(name, y))
            y += HEADING
        for label, figure in several:
            drawn.append(_bar(name if alone else label, figure, y, scale))
            y += ROW
    ticks = tuple(Tick(scale.at(one), f"{one:g}") for one in scale.ticks())
    return Bars(tuple(drawn), tuple(headings), ticks, y + FOOT, len(groups) - len(shown))


def _fitting(groups: Sequence[tuple[str, Several]]) -> Sequence[tuple[str, Several]]:
    """As many of the first groups as one figure holds, and one at least."""
    each = max(len(several) for _, several in groups)
    return groups[: max(1, MOST_BARS // each)]


def _bar(label: str, figure: Figure, y: float, scale: Scale) -> Bar:
    at, low, high = (scale.at(one) for one in (figure.value, figure.low, figure.high))
    return Bar(label, rounded(figure, "{:.1f}"), y, round(at - scale.left, 2), low, high)
