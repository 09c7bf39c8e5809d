"""The share alive over time, with its 95 % band, the numbers at risk, and the day by which half have died."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from training.statistics.censoring import FollowUp, StepFunction, survival

FloatArray = NDArray[np.float64]
WIDEST = 50.0  # on the scale of ln(-ln): beyond, a band from 0 to 1 in every digit
_95 = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True, eq=False)
class KaplanMeier:
    """The curve of a follow-up: `alive` after every day, and the sum of Greenwood's terms, from which bands are made."""

    follow_up: FollowUp = field(repr=False)
    alive: StepFunction
    greenwood: StepFunction

    def at_risk(self, days: ArrayLike) -> list[int]:
        """How many were followed just before each of these days (those who die on it included)."""
        entries = np.zeros(len(self.follow_up)) if self.follow_up.entries is None else self.follow_up.entries
        times, asked = self.follow_up.times, np.atleast_1d(np.asarray(days, np.float64))
        return [int(((times >= day) & ((entries < day) | (entries == 0))).sum()) for day in asked]

    def band(self, days: ArrayLike) -> tuple[FloatArray, FloatArray]:
        """The 95 % band at these days, symmetrical on the scale of ln(-ln S): within 0 to 1; NaN where nobody or all had died.

        References
        ----------
        Kalbfleisch, Prentice. The Statistical Analysis of Failure Time Data. Wiley 1980 (the scale)
        Greenwood. Reports on Public Health and Medical Subjects 33, 1926 (the variance)
        """
        alive, variance = self.alive.at(days), self.greenwood.at(days)
        inside = (alive > 0) & (alive < 1)
        log = np.log(np.where(inside, alive, 0.5))
        width = np.minimum(_95 * np.sqrt(np.where(inside, variance, 0.0)) / np.abs(log), WIDEST)
        low, high = (np.where(inside, np.exp(log * np.exp(sign * width)), np.nan) for sign in (1.0, -1.0))
        return low, high

    def median(self) -> tuple[float | None, float | None, float | None]:
        """The first day on which half or fewer are alive, and the ends of its 95 % interval; None: not reached.

        References
        ----------
        Brookmeyer, Crowley. Biometrics 1982;38:29-41. doi:10.2307/2530286
        """
        days = self.alive.days
        low, high = self.band(days)
        alive = self.alive.at(days)
        low, high = (np.where(alive <= 0, 0.0, end) for end in (low, high))
        return _first(days, alive), _first(days, low), _first(days, high)


def _first(days: FloatArray, curve: FloatArray) -> float | None:
    reached = days[np.nan_to_num(curve, nan=1.0) <= 0.5 + 1e-12]
    return float(reached[0]) if reached.size else None


def kaplan_meier(follow_up: FollowUp) -> KaplanMeier:
    """The curve of everybody in a follow-up; with delayed entry from those who had entered by then.

    References
    ----------
    Kaplan, Meier. J Am Stat Assoc 1958;53:457-481. doi:10.1080/01621459.1958.10501452
    """
    alive = survival(follow_up)
    days = alive.days
    entries = np.full(len(follow_up), -np.inf) if follow_up.entries is None else follow_up.entries
    leaving, entering = np.sort(follow_up.times), np.sort(entries)
    at_risk = np.searchsorted(entering, days, side="left") - np.searchsorted(leaving, days, side="left")
    dying = np.bincount(np.searchsorted(days, follow_up.times), follow_up.deaths, days.size)
    terms = np.divide(dying, at_risk * (at_risk - dying), out=np.zeros(days.size), where=(at_risk > dying) & (dying > 0))
    return KaplanMeier(follow_up, alive, StepFunction(days, np.concatenate([[0.0], np.cumsum(terms)])))
