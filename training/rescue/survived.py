"""How long a group lived from a landmark on: its curve, those still followed, its median, and the days between two groups."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from training.rescue.kaplan_meier import KaplanMeier, kaplan_meier
from training.rescue.log_rank import log_rank
from training.rescue.needed import Refused
from training.rescue.rmst import RestrictedMean, restricted_mean
from training.statistics.censoring import FollowUp
from training.statistics.estimates import NotEstimable

FloatArray = NDArray[np.float64]
Flags = NDArray[np.bool_]
_95 = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True)
class Group:
    """A group followed from day `start`: how many, how many died by the horizon, and the curve (days from `start`)."""

    name: str
    start: float
    patients: int
    deaths: int
    curve: KaplanMeier = field(repr=False)


def group(name: str, until: FloatArray, deaths: Flags, start: float, entries: FloatArray | None = None) -> Group:
    """The group of patients followed from day `start` on to the days `until` (n,), of whom `deaths` (n,) died on that day."""
    late = None if entries is None or not (entries > start).any() else np.maximum(entries - start, 0.0)
    return Group(name, start, len(until), int(deaths.sum()), kaplan_meier(FollowUp(until - start, deaths, late)))


def log_rank_p(until: FloatArray, deaths: Flags, in_first: Flags, start: float) -> float:
    """The probability of a difference between two groups as large by chance (log-rank)."""
    return log_rank(FollowUp(until - start, deaths), in_first.astype(np.intp)).p


@dataclass(frozen=True)
class Mean:
    """Restricted mean days lived after a landmark by two groups, and their difference with its 95 % interval."""

    first: RestrictedMean
    second: RestrictedMean

    @property
    def difference(self) -> RestrictedMean:
        """The days by which the first group lived longer."""
        return self.first.minus(self.second)

    @property
    def interval(self) -> tuple[float, float]:
        """The ends of the 95 % interval of the difference."""
        found = self.difference
        return found.days - _95 * found.error, found.days + _95 * found.error


def mean_difference(first: Group, second: Group, days: float) -> Mean | Refused:
    """The restricted means over so many days from the landmark on, or why they are not known."""
    try:
        return Mean(restricted_mean(first.curve, days), restricted_mean(second.curve, days))
    except NotEstimable as error:
        return Refused(str(error))
