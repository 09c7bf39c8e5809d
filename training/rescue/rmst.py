"""How many days patients lived on average up to a day, and how many days lie between two groups: restricted mean survival."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from training.rescue.kaplan_meier import KaplanMeier
from training.statistics.estimates import NotEstimable


@dataclass(frozen=True)
class RestrictedMean:
    """Mean days lived up to day `until`, and its standard error (days)."""

    until: float
    days: float
    error: float

    def minus(self, other: RestrictedMean) -> RestrictedMean:
        """The difference from another group's, whose patients are others. Raises ValueError where it ends on another day."""
        if other.until != self.until:
            raise ValueError(f"restricted means to day {self.until:g} and to day {other.until:g}: allowed is the same day")
        return RestrictedMean(self.until, self.days - other.days, math.hypot(self.error, other.error))


def restricted_mean(curve: KaplanMeier, until: float) -> RestrictedMean:
    """The area under a Kaplan-Meier curve up to a day, and its standard error after Greenwood.

    Raises ValueError for a day that is not above 0, NotEstimable where the last patient was lost before it.

    References
    ----------
    Royston, Parmar. BMC Med Res Methodol 2013;13:152. doi:10.1186/1471-2288-13-152
    """
    if not 0 < until < math.inf:
        raise ValueError(f"a restricted mean to day {until:g}: allowed is a day above 0")
    followed, alive = float(curve.follow_up.times.max()), curve.alive
    if followed < until and float(alive.at(followed)) > 0:
        raise NotEstimable(f"followed to day {followed:g}: a restricted mean to day {until:g} needs somebody followed to it")
    days = alive.days[alive.days < until]
    edges = np.concatenate([[0.0], days, [until]])
    areas = alive.at(edges[:-1]) * np.diff(edges)
    left = areas[::-1].cumsum()[::-1][1:]  # from each day on
    terms = np.diff(np.concatenate([[0.0], curve.greenwood.at(days)]))
    return RestrictedMean(until, float(areas.sum()), math.sqrt(float((left**2 * terms).sum())))
