"""What has shifted between two periods, or between the patients of two models: inputs, terms and risks, each held against chance.

Compared is what was answered, and the patients differ. What two models say of the same patients, `audit replay --with` tells.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from serving.receipts.attributions.chance import LEVEL, Shuffled, probabilities
from serving.receipts.attributions.lines import LEAST, Line, Pair, What, lines
from serving.receipts.attributions.resampling import Figure, differences
from serving.receipts.attributions.table import Floats, Table, few

QUANTILES = (10, 50, 90)  # per cent


class TooFew(ValueError):
    """Too few patients to tell anything of them; the message says how many there must be, and never a count below ten."""


@dataclass(frozen=True)
class Side:
    """A line in one of the two: of how many patients it is known, the mean, and the quantiles of what is a number."""

    patients: int
    mean: float | None
    quantiles: tuple[float, ...] = ()


@dataclass(frozen=True)
class Distance:
    """A distance, and what 95 of 100 shuffles stay below."""

    value: float
    chance: float


@dataclass(frozen=True)
class Shifted:
    """One line of the comparison; `p` says how often chance makes any line as far out as this one.

    The mean of a yes or no is its share; words have neither a mean nor a difference. Where a share would tell of one to nine
    patients there are no numbers but `p`.
    """

    what: What
    first: Side
    second: Side
    difference: Figure | None
    distances: Mapping[str, Distance]
    p: float

    @property
    def beyond_chance(self) -> bool:
        """Whether chance alone makes no line as far out as this one in 95 of 100 comparisons."""
        return self.p <= LEVEL


@dataclass(frozen=True)
class Shift:
    """The comparison: patients of each and of both, the lines, and by label why nothing is told of an input."""

    first: int
    second: int
    in_both: int
    lines: tuple[Shifted, ...]
    untold: Mapping[str, str]


def shift(first: Table, second: Table) -> Shift:
    """What has shifted from the first to the second. Raises TooFew where either has fewer than twenty patients."""
    require_enough("the period", first)
    require_enough("the one it is compared with", second)
    pair = Pair(first, second)
    found, untold = lines(pair)
    shuffled = Shuffled.of(first.patient, second.patient)
    value, chance, p = _tried(found, pair.which, shuffled)
    beside = zip(found, value, chance, strict=True)
    distances = [dict(zip(one.what.distances, map(Distance, *two), strict=True)) for one, *two in beside]
    compared = zip(found, _sides(pair, found), _differences(pair, found), distances, p, strict=True)
    told = [_told(pair, line, Shifted(line.what, *sides, apart, by_name, each)) for line, sides, apart, by_name, each in compared]
    return Shift(first.patients, second.patients, shuffled.in_both, tuple(told), untold)


def require_enough(called: str, table: Table, least: int = LEAST) -> None:
    """TooFew unless so many patients are there."""
    if (patients := table.patients) < least:
        there = str(patients) if patients >= 10 else "fewer than 10"
        raise TooFew(f"{called}: {there} patients with a risk within {table.horizon} days; at least {least} are needed")


def _told(pair: Pair, line: Line, one: Shifted) -> Shifted:
    """The line, or what may be told of it."""
    if not line.what.share:
        return one
    yes, patient, second = line.values > 0, pair.patient[line.rows], pair.which[line.rows]
    if not any(few(yes[second == side], patient[second == side]) for side in (False, True)):
        return one
    hidden = [replace(side, mean=None) for side in (one.first, one.second)]
    return replace(one, first=hidden[0], second=hidden[1], difference=None, distances={})


_ByLine = list[list[float]]


def _tried(found: list[Line], which: NDArray[np.bool_], shuffled: Shuffled) -> tuple[_ByLine, _ByLine, list[float]]:
    """By line: its distances, what chance makes of them, and how often chance makes any as far out as its first one."""
    ends = np.cumsum([len(one.what.distances) for one in found])
    value = np.array([each for one in found for each in one.distances(which)])
    by_chance = np.array([[each for one in found for each in one.distances(given)] for given in shuffled.shuffles()])
    leading = np.append(0, ends[:-1])
    p = probabilities(value[leading], by_chance[:, leading])
    both = (value, np.percentile(by_chance, 95, axis=0))
    by_line = [[part.tolist() for part in np.split(one, ends[:-1])] for one in both]
    return by_line[0], by_line[1], p.tolist()


def _sides(pair: Pair, found: list[Line]) -> list[tuple[Side, Side]]:
    return [(_side(pair, one, False), _side(pair, one, True)) for one in found]


def _side(pair: Pair, line: Line, second: bool) -> Side:
    there = pair.which[line.rows] == second
    patients, values = len(np.unique(pair.patient[line.rows[there]])), line.values[there]
    if line.what.words:
        return Side(patients, float(values.mean()) if line.what.share else None)
    return Side(patients, float(values.mean()), tuple(np.percentile(values, QUANTILES).tolist()))


def _differences(pair: Pair, found: list[Line]) -> list[Figure | None]:
    """Of the means of what is a number or a yes or no; all lines together, so that a patient is drawn for all of them."""
    columns: Floats = np.full((len(pair.which), len(found)), np.nan)
    for place, one in enumerate(found):
        columns[one.rows, place] = one.values
    numbers = differences(columns[~pair.which], columns[pair.which], pair.first.patient, pair.second.patient)
    return [None if one.what.words and not one.what.share else figure for one, figure in zip(found, numbers, strict=True)]
