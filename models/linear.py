"""The linear learner at prediction time: every lab acts through monotone ramps, early and late effects may differ.

For design column c and horizon t the term is the sum over the column's ramps of coefficient(t) x (ramp(x) - development mean),
where the coefficient runs linearly in log t from the first horizon to the last. These terms are the exact SHAP values of a
linear model with independent columns.

References
----------
Ramsay JO, Monotone regression splines in action, Stat Sci 1988, doi:10.1214/ss/1177012761 (degree 1, so that bounds on the
coefficients are bounds on the direction). Lundberg SM, Lee S-I, NeurIPS 2017, arXiv:1705.07874 (linear SHAP).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from models.design import FloatArray


@dataclass(frozen=True)
class Ramps:
    """Basis columns that rise from 0 at `start` to 1 at `start + width`; `source` (m,) is sorted and names the design column."""

    source: NDArray[np.intp]
    start: FloatArray
    width: FloatArray
    mean: FloatArray  # (m,) development mean of each ramp, one count a patient

    def __post_init__(self) -> None:
        if (np.diff(self.source) < 0).any() or not (self.width > 0).all():
            raise ValueError("ramps: allowed are sorted columns and positive widths")

    @cached_property
    def starts(self) -> NDArray[np.intp]:
        """Where the ramps of each design column that has some begin."""
        return np.flatnonzero(np.diff(self.source, prepend=-1) > 0)

    def centred(self, x: FloatArray) -> FloatArray:
        """Ramps of `x` (n, k) minus their development means, shape (n, m); 0 where x is not applicable."""
        risen = np.minimum(np.maximum((x[:, self.source] - self.start) / self.width, 0.0), 1.0) - self.mean
        risen[np.isnan(risen)] = 0.0
        return risen


@dataclass(frozen=True)
class LinearModel:
    """Ramps with a coefficient at the first and the last horizon of the fit, in log-odds per ramp.

    `base` (n_horizons,): the development cohort's mean log-odds; `late` (n_horizons,): how far each horizon lies from the first
    to the last on the log scale, 0 to 1.
    """

    columns: int
    ramps: Ramps
    first: FloatArray
    last: FloatArray
    base: FloatArray
    late: FloatArray

    def terms(self, x: FloatArray) -> FloatArray:
        """Terms of design rows `x` (n, k), shape (n, n_horizons, k), log-odds."""
        risen = self.ramps.centred(x)
        early, late = (self.by_column(risen * coefficient)[:, None, :] for coefficient in (self.first, self.last))
        return early + self.late[:, None] * (late - early)

    def by_column(self, parts: FloatArray) -> FloatArray:
        """Sums of (..., m) ramp parts by design column, shape (..., k); each row in the order of its ramps."""
        sums = np.zeros((*parts.shape[:-1], self.columns))
        if len(self.ramps.source):
            starts = self.ramps.starts
            sums[..., self.ramps.source[starts]] = np.add.reduceat(parts, starts, axis=-1)
        return sums
