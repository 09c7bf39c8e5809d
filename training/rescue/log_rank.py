"""Whether groups die at different rates, or differ only by chance: the log-rank test."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from training.statistics.censoring import FollowUp
from training.statistics.estimates import NotEstimable

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class LogRank:
    """Chi-squared of `degrees` of freedom, and `p`: the probability of a difference as large by chance alone."""

    statistic: float
    degrees: int
    p: float


def log_rank(follow_up: FollowUp, groups: NDArray[np.intp], strata: NDArray[np.intp] | None = None) -> LogRank:
    """The test over the groups of n patients, `groups` (n,); with `strata` (n,) patients are compared within one alone.

    Raises ValueError where groups do not fit or are fewer than two, NotEstimable where nobody died while two groups were at risk.

    References
    ----------
    Mantel. Cancer Chemother Rep 1966;50:163-170. Peto, Peto. J R Stat Soc A 1972;135:185-207. doi:10.2307/2344317
    """
    if groups.shape != (len(follow_up),) or (strata is not None and strata.shape != groups.shape):
        raise ValueError(f"groups of shape {groups.shape}: allowed is one, and one stratum, for each of {len(follow_up)} people")
    names = np.unique(groups)
    if names.size < 2:
        raise ValueError(f"{names.size} group(s): allowed are two and more")
    within = np.zeros(len(follow_up), np.intp) if strata is None else strata
    parts = [_excess(follow_up, groups, names, np.asarray(within == stratum)) for stratum in np.unique(within)]
    excess, covariance = np.sum([one[0] for one in parts], axis=0), np.sum([one[1] for one in parts], axis=0)
    degrees = int(np.linalg.matrix_rank(covariance))
    if degrees == 0:
        raise NotEstimable("nobody died while two groups were at risk: nothing can be compared")
    statistic = float(excess @ np.linalg.pinv(covariance, hermitian=True) @ excess)
    return LogRank(statistic, degrees, float(chi2.sf(statistic, degrees)))


def _excess(
    follow_up: FollowUp, groups: NDArray[np.intp], names: NDArray[np.intp], rows: NDArray[np.bool_]
) -> tuple[FloatArray, FloatArray]:
    """Deaths over those expected in each group (g,), and their covariance (g, g), summed over the days of death."""
    times, deaths, of = follow_up.times[rows], follow_up.deaths[rows], groups[rows]
    entries = np.full(times.size, -np.inf) if follow_up.entries is None else follow_up.entries[rows]
    days = np.unique(times[deaths])
    at_risk, dying = np.zeros((names.size, days.size)), np.zeros((names.size, days.size))
    for place, name in enumerate(names):
        mine = of == name
        began = np.searchsorted(np.sort(entries[mine]), days, side="left")
        at_risk[place] = began - np.searchsorted(np.sort(times[mine]), days, side="left")
        dying[place] = np.bincount(np.searchsorted(days, times[mine & deaths]), minlength=days.size)
    n, d = at_risk.sum(axis=0), dying.sum(axis=0)
    share = at_risk / n
    spread = d * np.divide(n - d, n - 1, out=np.zeros_like(n), where=n > 1)
    covariance = np.diag((spread * share).sum(axis=1)) - (spread * share) @ share.T
    return (dying - d * share).sum(axis=1), covariance
