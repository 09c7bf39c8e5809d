"""Pictures of one patient's risk: a hundred people, the curve over the horizons, and the place among a hundred.

Numbers and places alone; what is drawn with them stands in templates/patient_figures.html. Each has a table or a sentence beside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from serving.pages.drawing import Scale, Tick

ICONS, ACROSS, APART = 100, 10, 22  # people, in a row, and pixels between them
WIDTH, HEIGHT, LEFT, FOOT, TOP, RIGHT = 430, 240, 46, 40, 12, 14  # of the curve


@dataclass(frozen=True)
class Person:
    """One of a hundred: where, and whether among those who had died."""

    x: float
    y: float
    died: bool


def hundred(died: int) -> tuple[Person, ...]:
    """A hundred people, of whom the first `died` had died."""
    places = (divmod(place, ACROSS) for place in range(ICONS))
    return tuple(Person(column * APART, row * APART, row * ACROSS + column < died) for row, column in places)


@dataclass(frozen=True)
class Point:
    """A risk on the curve, with its interval."""

    x: float
    y: float
    low: float
    high: float
    reference: float
    label: str


@dataclass(frozen=True)
class Curve:
    """The risk against time: points, the line through them and the band about it as SVG paths, and both scales."""

    points: tuple[Point, ...]
    line: str
    band: str
    reference: str
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]
    width: float = WIDTH
    height: float = HEIGHT
    left: float = LEFT
    right: float = WIDTH - RIGHT
    foot: float = HEIGHT - FOOT


def curve(risks: Mapping[str, Mapping[str, Any]]) -> Curve | None:
    """The curve through the risks by days, from 0 on day 0; None where there are none."""
    if not risks:
        return None
    days = Scale(0.0, max(map(float, risks)), LEFT, WIDTH - RIGHT)
    most = max(0.1, *(one["high"] for one in risks.values()))
    share = Scale(0.0, most, HEIGHT - FOOT, TOP)
    points = tuple(_point(day, one, days, share) for day, one in risks.items())
    start = (days.at(0.0), share.at(0.0))
    band = [start, *((one.x, one.high) for one in points), *((one.x, one.low) for one in reversed(points))]
    return Curve(
        points,
        path([start, *((one.x, one.y) for one in points)]),
        f"{path(band)}Z",
        path([start, *((one.x, one.reference) for one in points)]),
        tuple(Tick(one.x, one.label) for one in points),
        tuple(Tick(share.at(one), f"{100 * one:.0f} %") for one in share.ticks()),
    )


def _point(day: str, one: Mapping[str, Any], days: Scale, share: Scale) -> Point:
    risk, low, high, reference = (share.at(one[name]) for name in ("risk", "low", "high", "reference"))
    return Point(days.at(float(day)), risk, low, high, reference, day)


def path(places: Sequence[tuple[float, float]]) -> str:
    """An SVG path through the places."""
    return "M" + "L".join(f"{x:g},{y:g}" for x, y in places)
