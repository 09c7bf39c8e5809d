"""How many have recovered by a day where death may come first: the cumulative incidence of each, which with those alive is 1.

One minus a Kaplan-Meier curve of recovery would count the dead as patients who may yet recover, and promise too much.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from training.rescue.kaplan_meier import WIDEST
from training.statistics.censoring import StepFunction

FloatArray = NDArray[np.float64]
_95 = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True, eq=False)
class CumulativeIncidence:
    """The share in whom a cause came first, by day, and its variance."""

    share: StepFunction
    variance: StepFunction

    def band(self, days: ArrayLike) -> tuple[FloatArray, FloatArray]:
        """The 95 % band, symmetrical on the scale of ln(-ln F); NaN where it has happened to nobody or to all."""
        share, variance = self.share.at(days), self.variance.at(days)
        inside = (share > 0) & (share < 1)
        log = np.log(np.where(inside, share, 0.5))
        width = _95 * np.sqrt(np.where(inside, variance, 0.0)) / np.abs(np.where(inside, share, 0.5) * log)
        width = np.minimum(width, WIDEST)
        low, high = (np.where(inside, np.exp(log * np.exp(sign * width)), np.nan) for sign in (1.0, -1.0))
        return low, high


def cumulative_incidence(
    times: FloatArray, causes: NDArray[np.intp], cause: int, entries: FloatArray | None = None
) -> CumulativeIncidence:
    """The incidence of a cause: n patients left on `times` (n,) by `causes` (n,), 0 where they were lost before any.

    Whoever is lost on a day is still at risk on it. Variance after Aalen, as estimated from the data at each day. Raises
    ValueError where days and causes do not go together, or a day is missing.

    References
    ----------
    Aalen, Johansen. Scand J Stat 1978;5:141-150.
    Marubini, Valsecchi. Analysing Survival Data from Clinical Trials and Observational Studies. Wiley 1995, p. 341 (the variance)
    """
    _check(times, causes, entries)
    days = np.unique(times[causes > 0])
    began = np.full(times.size, -np.inf) if entries is None else entries
    at_risk = np.searchsorted(np.sort(began), days, side="left") - np.searchsorted(np.sort(times), days, side="left")
    place = np.searchsorted(days, times)
    every = np.bincount(place[causes > 0], minlength=days.size).astype(np.float64)
    own = np.bincount(place[causes == cause], minlength=days.size).astype(np.float64)
    free = np.concatenate([[1.0], np.cumprod(1 - every / at_risk)])
    share = np.concatenate([[0.0], np.cumsum(free[:-1] * own / at_risk)])
    return CumulativeIncidence(StepFunction(days, share), StepFunction(days, _variance(free[:-1], share, at_risk, every, own)))


def _check(times: FloatArray, causes: NDArray[np.intp], entries: FloatArray | None) -> None:
    shapes = [one.shape for one in (times, causes, entries) if one is not None]
    if times.ndim != 1 or len(set(shapes)) != 1:
        raise ValueError(f"days, causes and entries of shapes {shapes}: allowed is one of each for every patient")
    if (bad := ~np.isfinite(times) | (times < (-np.inf if entries is None else entries))).any():
        raise ValueError(f"days of {int(bad.sum())} patient(s): allowed is a day after entry; likely missing, or exchanged")


def _variance(free: FloatArray, share: FloatArray, n: NDArray[np.intp], every: FloatArray, own: FloatArray) -> FloatArray:
    """The variance after each day, from running sums: the square of F(t) - F(s) taken apart."""
    f = share[1:]
    a = np.divide(every, n * (n - every), out=np.zeros(n.size), where=n > every)
    b = free**2 * own * (n - own) / n.astype(np.float64) ** 3
    c = free * own / n.astype(np.float64) ** 2
    first = f**2 * np.cumsum(a) - 2 * f * np.cumsum(a * f) + np.cumsum(a * f**2)
    cross = f * np.cumsum(c) - np.cumsum(c * f)
    return np.concatenate([[0.0], np.maximum(first + np.cumsum(b) - 2 * cross, 0.0)])
