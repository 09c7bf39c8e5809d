"""The mean and covariance of the design columns, from rows of which some are incomplete."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.design import BoolArray, DesignMatrix, FloatArray
from models.imputation import Imputation

CLIP_SD = 6.0  # columns are clipped this many standard deviations from their mean (method.md section 1)
SHRINKAGE = 0.01  # towards independence, on the correlation scale: keeps levels that exhaust a category invertible
STEADYING = 1e-4  # the same while estimates are sought, where it would add up round by round
ROUNDS = 12

Places = NDArray[np.intp]


def fit_imputation(matrix: DesignMatrix) -> Imputation:
    """Mean, covariance and clipping limits of the columns of `matrix`, by expectation-maximisation over missing patterns.

    What does not apply is left out like what was not measured, and never filled. The normal model is a working model: it is
    used for conditional means and their spread, not for the distribution of a lab.

    References
    ----------
    Dempster AP, Laird NM, Rubin DB, J R Stat Soc B 1977, doi:10.1111/j.2517-6161.1977.tb01600.x.
    """
    seen = ~np.isnan(matrix.x)
    centre, spread = _columns(matrix.x, seen)
    lower, upper = np.nanmin(matrix.x, axis=0), np.nanmax(matrix.x, axis=0)
    lower, upper = np.maximum(lower, centre - CLIP_SD * spread), np.minimum(upper, centre + CLIP_SD * spread)
    z = np.where(seen, (np.clip(matrix.x, lower, upper) - centre) / spread, 0.0)
    mean, covariance = _expectation_maximisation(z, seen)
    return Imputation(centre + spread * mean, covariance * np.outer(spread, spread), lower, upper)


def _columns(x: FloatArray, seen: BoolArray) -> tuple[FloatArray, FloatArray]:
    count = seen.sum(axis=0)
    if (count == 0).any():
        raise ValueError(f"columns {np.flatnonzero(count == 0).tolist()} are never measured: they cannot be estimated")
    centre = np.where(seen, x, 0.0).sum(axis=0) / count
    spread = np.sqrt(np.where(seen, (x - centre) ** 2, 0.0).sum(axis=0) / count)
    return centre, np.where(spread > 0, spread, 1.0)


def _expectation_maximisation(z: FloatArray, seen: BoolArray) -> tuple[FloatArray, FloatArray]:
    """Mean (k,) and covariance (k, k) of standardised rows `z` (n, k), of which only the cells `seen` are known."""
    n, k = z.shape
    mean, covariance = np.zeros(k), np.eye(k)
    incomplete = _alike(z, seen)
    for _ in range(ROUNDS):
        complete, residual = z.copy(), np.zeros((k, k))
        for one in incomplete:
            across = covariance[one.across]
            slopes = np.linalg.solve(covariance[one.within], across)
            complete[one.unseen] = mean[one.gaps] + (one.z - mean[one.there]) @ slopes
            residual[one.between] += len(one.z) * (covariance[one.between] - across.T @ slopes)
        mean = complete.mean(axis=0)
        centred = complete - mean
        covariance = _shrunk((centred.T @ centred + residual) / n, STEADYING)
    return mean, _shrunk(covariance, SHRINKAGE)


@dataclass(frozen=True, eq=False)
class _Alike:
    """Rows in which the same columns are known: which, which not, and where their cells are, found once for all rounds."""

    there: Places
    gaps: Places
    z: FloatArray  # (rows, there)
    within: tuple[Places, ...]  # covariance of what is known
    across: tuple[Places, ...]  # of it with what is not
    between: tuple[Places, ...]  # of what is not
    unseen: tuple[Places, ...]  # the unknown cells of these rows


def _alike(z: FloatArray, seen: BoolArray) -> list[_Alike]:
    """The incomplete rows, by the pattern of what is known of them."""
    patterns, which = np.unique(seen, axis=0, return_inverse=True)
    members = [np.flatnonzero(which.ravel() == index) for index in range(len(patterns))]
    made = []
    for pattern, rows in zip(patterns, members, strict=True):
        if not pattern.all():
            there, gaps = np.flatnonzero(pattern), np.flatnonzero(~pattern)
            places = (np.ix_(there, there), np.ix_(there, gaps), np.ix_(gaps, gaps), np.ix_(rows, gaps))
            made.append(_Alike(there, gaps, z[np.ix_(rows, there)], *places))
    return made


def _shrunk(covariance: FloatArray, share: float) -> FloatArray:
    diagonal = np.diag(np.diag(covariance)) + 1e-6 * np.eye(len(covariance))
    shrunk: FloatArray = (1 - share) * covariance + share * diagonal
    return shrunk
