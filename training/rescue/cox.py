"""The Cox model of patients who change while they are followed: rows of time at risk, each with the values of that time.

The partial likelihood is that of the learner; what is added are strata, each with a baseline hazard of its own, and the
covariance of the coefficients.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.learners.cox import FURTHEST, HALVINGS, ITERATIONS, PartialLikelihood
from training.statistics.censoring import FollowUp
from training.statistics.estimates import NotEstimable

FloatArray = NDArray[np.float64]
Flags = NDArray[np.bool_]
CLOSE = 1e-9  # step in log hazard per standard deviation


@dataclass(frozen=True, eq=False)
class CoxEstimate:
    """Log hazard ratios `coefficients` (k,), their `covariance` (k, k), the log partial likelihood, and of how many deaths."""

    coefficients: FloatArray
    covariance: FloatArray
    log_likelihood: float
    deaths: int

    @property
    def errors(self) -> FloatArray:
        """The standard error of each coefficient (k,)."""
        return np.asarray(np.sqrt(np.diag(self.covariance)))


def fit_counting(
    start: FloatArray,
    stop: FloatArray,
    event: Flags,
    x: FloatArray,
    *,
    strata: NDArray[np.intp] | None = None,
    clusters: NDArray[np.intp] | None = None,
) -> CoxEstimate:
    """The model of rows (r,) at risk after `start` to `stop`, with columns `x` (r, k); ties after Efron.

    `strata` (r,): rows are compared within one alone. `clusters` (r,), such as patients: the covariance is then the robust one,
    which holds where hazards are not proportional and where the rows of a cluster go together. Raises ValueError for rows that
    do not fit, NotEstimable where nobody died, a column does not vary, or it separates those who die first.

    References
    ----------
    Andersen, Gill. Ann Stat 1982;10:1100-1120. doi:10.1214/aos/1176345976
    Efron. J Am Stat Assoc 1977;72:557-565. doi:10.1080/01621459.1977.10480613 (ties)
    Lin, Wei. J Am Stat Assoc 1989;84:1074-1078. doi:10.1080/01621459.1989.10478874 (robust covariance)
    """
    _check(start, stop, event, x)
    _check_labels(len(stop), strata, clusters)
    centre, spread = x.mean(axis=0), x.std(axis=0)
    if (still := ~(spread > 1e-9 * (1.0 + np.abs(centre)))).any():
        raise NotEstimable(f"columns {np.flatnonzero(still).tolist()} do not vary: they have no coefficient")
    z = (x - centre) / spread
    groups = np.zeros(len(stop), np.intp) if strata is None else strata
    places = _rows(groups, event)
    parts = [_part(z[rows], start[rows], stop[rows], event[rows]) for rows in places]
    at, value, curvature = _best(parts, z.shape[1])
    covariance = np.asarray(np.linalg.inv(curvature), np.float64)
    if clusters is not None:
        covariance = _robust(parts, at, covariance, [clusters[rows] for rows in places])
    return CoxEstimate(at / spread, covariance / np.outer(spread, spread), value, int(event.sum()))


def _robust(
    parts: list[PartialLikelihood], at: FloatArray, naive: FloatArray, clusters: list[NDArray[np.intp]]
) -> FloatArray:
    """The sandwich: what each cluster adds to the slope, squared, between two of the covariances that a true model would have."""
    of, place = np.unique(np.concatenate(clusters), return_inverse=True)
    added = np.concatenate([part.residuals(at) for part in parts])
    together = np.stack([np.bincount(place, column, of.size) for column in added.T], axis=1)
    return np.asarray(naive @ (together.T @ together) @ naive)


def _rows(groups: NDArray[np.intp], event: Flags) -> list[Flags]:
    """The rows of each stratum in which somebody died; the others say nothing."""
    each = [np.asarray(groups == group) for group in np.unique(groups)]
    return [rows for rows in each if event[rows].any()]


def _part(z: FloatArray, start: FloatArray, stop: FloatArray, event: Flags) -> PartialLikelihood:
    return PartialLikelihood(z, FollowUp(stop, event, start), np.ones(len(stop)), 0.0)


def _check(start: FloatArray, stop: FloatArray, event: Flags, x: FloatArray) -> None:
    if x.ndim != 2 or x.shape[1] == 0 or not len(x) == len(start) == len(stop) == len(event):
        given = f"{len(start)} starts, {len(stop)} stops, {len(event)} events, columns of shape {x.shape}"
        raise ValueError(f"{given}: allowed is one of each for every row, and at least one column")
    if not np.isfinite(x).all():
        raise ValueError(f"{(~np.isfinite(x).all(axis=1)).sum()} row(s) of x are not finite; likely values that were not imputed")
    if not event.any():
        raise NotEstimable("a Cox model needs somebody who died")


def _check_labels(rows: int, strata: NDArray[np.intp] | None, clusters: NDArray[np.intp] | None) -> None:
    given = {"strata": strata, "clusters": clusters}
    if wrong := [f"{name} of shape {one.shape}" for name, one in given.items() if one is not None and one.shape != (rows,)]:
        raise ValueError(f"{', '.join(wrong)}: allowed is one for each of the {rows} rows; likely one for each patient")


def _best(parts: list[PartialLikelihood], k: int) -> tuple[FloatArray, float, FloatArray]:
    """Where the likelihood is highest, by Newton's method; a step that does not climb is halved."""
    at = np.zeros(k)
    value, slope, curvature = _at(parts, at)
    for _ in range(ITERATIONS):
        if np.linalg.cond(curvature) > 1e12:
            break
        step = np.asarray(np.linalg.solve(curvature, slope), np.float64)
        if np.abs(step).max() < CLOSE:
            return at, value, curvature
        at, (value, slope, curvature) = _climbed(parts, at, step, value)
        if np.abs(at).max() > FURTHEST:
            break
    raise NotEstimable("no coefficients fit best: columns that are not independent, or that separate who dies first")


def _climbed(
    parts: list[PartialLikelihood], at: FloatArray, step: FloatArray, value: float
) -> tuple[FloatArray, tuple[float, FloatArray, FloatArray]]:
    for halving in range(HALVINGS):
        there = at + step / 2**halving
        found = _at(parts, there)
        if found[0] >= value - 1e-9 * (1.0 + abs(value)):
            return there, found
    raise NotEstimable("no coefficients fit best: the likelihood does not rise")


def _at(parts: list[PartialLikelihood], at: FloatArray) -> tuple[float, FloatArray, FloatArray]:
    found = [part.at(at) for part in parts]
    return sum(one[0] for one in found), np.sum([one[1] for one in found], axis=0), np.sum([one[2] for one in found], axis=0)
