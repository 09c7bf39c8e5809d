"""What was not measured: estimated from what was, with the range it may lie in; never taken for normal, never a signal.

The design columns of the development cohort are described by one mean and one covariance; a missing number is estimated by its
conditional mean given those that were measured, whichever they are. There is no missing indicator: who gets tested differs
between hospitals, and a model that reads it loses up to .085 AUC where testing habits differ (method.md section 4).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from models.design import BoolArray, DesignMatrix, FloatArray

TAIL = 1.2815515655446004  # standard normal 90th percentile: estimates are shown with their 10th and 90th
_PATTERNS_KEPT = 4096


@dataclass(frozen=True)
class Filled:
    """`x`, shape (n_patients, n_columns): clipped, estimates in place; `spread`: the conditional SD, 0 where measured."""

    x: FloatArray
    spread: FloatArray


@dataclass(frozen=True)
class _Owed:
    """For rows with the same columns `seen`: the `columns` that are owed an estimate, their slopes on all columns, their SD."""

    seen: BoolArray
    columns: NDArray[np.intp]
    slopes: FloatArray
    spreads: FloatArray


@dataclass(frozen=True)
class Imputation:
    """Mean (k,), covariance (k, k) and the limits (k,) to which columns are clipped, from the development cohort.

    References
    ----------
    Goodnight JH, A tutorial on the SWEEP operator, Am Stat 1979, doi:10.1080/00031305.1979.10482685.
    """

    mean: FloatArray
    covariance: FloatArray
    lower: FloatArray
    upper: FloatArray
    _regressions: dict[bytes, tuple[FloatArray, FloatArray]] = field(default_factory=dict, repr=False, compare=False)
    _owed: dict[bytes, _Owed] = field(default_factory=dict, repr=False, compare=False)

    def fill(self, matrix: DesignMatrix) -> Filled:
        """Clip every column and put conditional estimates where they are owed; row by row, whatever else is in the matrix."""
        x = np.minimum(np.maximum(matrix.x, self.lower), self.upper)
        spread = np.zeros_like(x)
        alike: dict[bytes, list[int]] = {}
        for row in np.flatnonzero(matrix.to_estimate.any(axis=1)).tolist():
            key = np.isnan(x[row]).tobytes() + matrix.to_estimate[row].tobytes()
            alike.setdefault(key, []).append(row)
        for key, rows in alike.items():
            self._fill_alike(x, spread, rows, self._estimator(key, x[rows[0]], matrix.to_estimate[rows[0]]))
        return Filled(x, spread)

    def _fill_alike(self, x: FloatArray, spread: FloatArray, rows: Sequence[int], owed: _Owed) -> None:
        centred = np.where(owed.seen, x[rows] - self.mean, 0.0)
        # one product and one sum per row, in the order of the columns: no product across patients
        estimate = self.mean[owed.columns] + (owed.slopes * centred[:, None, :]).sum(axis=-1)
        place = np.ix_(np.array(rows, np.intp), owed.columns)
        x[place] = np.minimum(np.maximum(estimate, self.lower[owed.columns]), self.upper[owed.columns])
        spread[place] = owed.spreads

    def _estimator(self, key: bytes, row: FloatArray, owed: BoolArray) -> _Owed:
        found = self._owed.get(key)
        if found is None:
            seen, columns = ~np.isnan(row), np.flatnonzero(owed)
            slopes, spreads = self.regression(seen)
            found = _Owed(seen, columns, np.ascontiguousarray(slopes[columns]), spreads[columns])
            if len(self._owed) < _PATTERNS_KEPT:
                self._owed[key] = found
        return found

    def regression(self, seen: BoolArray) -> tuple[FloatArray, FloatArray]:
        """Slopes (k, k) of every column on the columns `seen`, and the conditional SD (k,) of each; kept by pattern."""
        key = seen.tobytes()
        found = self._regressions.get(key)
        if found is None:
            found = _conditional(self.covariance, seen)
            if len(self._regressions) < _PATTERNS_KEPT:
                self._regressions[key] = found
        return found


def _conditional(covariance: FloatArray, seen: BoolArray) -> tuple[FloatArray, FloatArray]:
    """The sweep operator in its plainest form: element by element, so the same bits on every run."""
    swept = covariance.copy()
    for pivot in np.flatnonzero(seen):
        row = swept[pivot] / swept[pivot, pivot]
        column, diagonal = swept[:, pivot].copy(), swept[pivot, pivot]
        swept -= column[:, None] * row[None, :]
        swept[pivot], swept[:, pivot], swept[pivot, pivot] = row, column / diagonal, -1.0 / diagonal
    slopes = np.where(seen[None, :], swept, 0.0)
    return slopes, np.sqrt(np.maximum(np.diag(swept), 0.0))
