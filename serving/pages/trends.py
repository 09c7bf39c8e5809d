"""How lymphocytes, NLR and CA 19-9 went before the index date, drawn from what a receipt holds, with the CTCAE grades as bands.

What lies below the assay is drawn where the assay ends, and marked; CA 19-9 runs over powers of ten. A table is beside each.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from models.analytes import ANALYTES
from models.lymphopenia import BOUNDARIES
from serving.pages.drawing import Scale, Tick

FOLLOWED = ("alc", "anc", "nlr", "ca19_9")
LEAST = 2  # draws, from which on there is a course to be seen
MOST_SHOWN = 60  # draws of a picture, the newest; the table beside it is as long
WIDTH, HEIGHT, LEFT, RIGHT, TOP, FOOT = 430, 190, 60, 14, 12, 34
FLOOR = 0.1  # where a logarithmic scale begins at the least: a value of 0 has no logarithm


@dataclass(frozen=True)
class Drawn:
    """One draw: its place in the picture, and whether its true value lies below or above what is drawn."""

    x: float
    y: float
    limit: str
    days: float
    value: float


@dataclass(frozen=True)
class Band:
    """A CTCAE grade from one height to another."""

    grade: int
    y: float
    height: float


@dataclass(frozen=True)
class Trend:
    """The course of one quantity."""

    analyte: str
    label: str
    unit: str
    draws: tuple[Drawn, ...]  # the newest first
    line: str
    bands: tuple[Band, ...]
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]
    logarithmic: bool
    left_out: int  # older draws that are not shown
    width: float = WIDTH
    height: float = HEIGHT
    left: float = LEFT
    right: float = WIDTH - RIGHT
    foot: float = HEIGHT - FOOT


def trends_of(patient: Mapping[str, Any]) -> list[Trend]:
    """The courses of what was drawn twice or more; `patient` is the patient of a receipt, as understood."""
    return [trend_of(name, draws) for name in FOLLOWED if len(draws := draws_of(patient, name)) >= LEAST]


def draws_of(patient: Mapping[str, Any], analyte: str) -> list[Mapping[str, Any]]:
    """The draws of one quantity, the newest first: value, limit, days_before_index."""
    every = [one for one in patient["measurements"] if one["analyte"] == analyte]
    return sorted(every, key=lambda one: one["days_before_index"])


def trend_of(name: str, every: Sequence[Mapping[str, Any]]) -> Trend:
    """The course of an analyte through its draws, the newest first."""
    known = ANALYTES[name]
    return course(name, known.label, "" if known.unit == "1" else known.unit, every)


def course(name: str, label: str, unit: str, every: Sequence[Mapping[str, Any]]) -> Trend:
    """The same of any quantity."""
    draws = every[:MOST_SHOWN]
    logarithmic = name == "ca19_9"
    height: Callable[[float], float] = (lambda value: math.log10(max(value, FLOOR))) if logarithmic else float
    values = [one["value"] for one in draws]
    days = Scale(-max(max(one["days_before_index"] for one in draws), 1.0), 0.0, LEFT, WIDTH - RIGHT)
    low, high = _ends(name, [height(one) for one in values], logarithmic)
    scale = Scale(low, high, HEIGHT - FOOT, TOP)
    drawn = tuple(
        Drawn(
            days.at(-one["days_before_index"]),
            scale.at(height(one["value"])),
            one.get("limit", ""),
            one["days_before_index"],
            one["value"],
        )
        for one in draws
    )
    line = "M" + "L".join(f"{one.x:g},{one.y:g}" for one in reversed(drawn))
    bands = tuple(_bands(scale)) if name == "alc" else ()
    across = tuple(Tick(days.at(one), f"{abs(one):g}") for one in days.ticks())
    up = _up(scale, logarithmic)
    return Trend(name, label, unit, drawn, line, bands, across, up, logarithmic, len(every) - len(draws))


def _ends(name: str, heights: Sequence[float], logarithmic: bool) -> tuple[float, float]:
    """What the picture reaches from and to: from nothing, or over whole powers of ten, and over every grade of the count."""
    if logarithmic:
        low, high = math.floor(min(heights)), math.ceil(max(heights))
        return low, high if high > low else low + 1
    return 0.0, max([*heights, 1.2 * BOUNDARIES[0] if name == "alc" else 0.1]) * 1.05


def _bands(scale: Scale) -> list[Band]:
    """Grades 1 to 4, from the lower limit of normal downwards."""
    ends = [*BOUNDARIES, 0.0]
    return [
        Band(grade, scale.at(upper), round(scale.at(lower) - scale.at(upper), 2))
        for grade, (upper, lower) in enumerate(pairwise(ends), 1)
    ]


def _up(scale: Scale, logarithmic: bool) -> tuple[Tick, ...]:
    if not logarithmic:
        return tuple(Tick(scale.at(one), f"{one:g}") for one in scale.ticks())
    return tuple(Tick(scale.at(power), f"{10.0**power:,.10g}") for power in range(int(scale.low), int(scale.high) + 1))
