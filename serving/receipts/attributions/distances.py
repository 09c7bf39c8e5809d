"""How far apart two distributions lie, in four ways, each computed from counts: so that chance can be tried out many times.

References
----------
Wasserstein-1, the area between two distribution functions: Villani C. Optimal transport. 2009. doi:10.1007/978-3-540-71050-9
Kolmogorov-Smirnov, the largest gap between them: Smirnov N. Ann Math Stat 1948;19:279-281. doi:10.1214/aoms/1177730256
Population stability index, with half a patient added to every bin, so that an empty one is no infinity: the symmetric divergence
of Jeffreys H. Proc R Soc Lond A 1946;186:453-461. doi:10.1098/rspa.1946.0056. The cut-offs 0.1 and 0.25 in use for it are a habit
that knows nothing of sample sizes (Yurdakul B, Naranjo J. J Risk Model Valid 2020;14(4):89-100), and are not used here.
Total variation: Gibbs AL, Su FE. Int Stat Rev 2002;70:419-435. doi:10.1111/j.1751-5823.2002.tb00178.x
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from serving.receipts.attributions.table import Floats, Rows

WASSERSTEIN, KS, PSI, VARIATION = "Wasserstein-1 (SDs)", "Kolmogorov-Smirnov", "population stability index", "total variation"
BINS = 10  # deciles of the first
_ADDED = 0.5  # patients to every bin


@dataclass(frozen=True)
class Numbers:
    """The numbers of both, in rising order: which row stands where, where each different number ends, and the gap to the next."""

    order: Rows
    ends: Rows
    gaps: Floats  # one fewer than ends

    @classmethod
    def of(cls, values: Floats) -> Numbers:
        """Of at least one number, and no NaN."""
        order = np.argsort(values, kind="stable")
        rising = values[order]
        ends = np.append(np.flatnonzero(rising[1:] > rising[:-1]), len(rising) - 1)
        return cls(order, ends, np.diff(rising[ends]))

    def distances(self, second: NDArray[np.bool_]) -> tuple[float, float, float]:
        """Wasserstein-1 (in the unit of the numbers), Kolmogorov-Smirnov and stability, where `second` (n,) says which is which.

        Both must have members.
        """
        upto_second = np.cumsum(second[self.order])[self.ends]
        upto_first = self.ends + 1 - upto_second
        of_first, of_second = int(upto_first[-1]), int(upto_second[-1])
        gap = np.abs(upto_first / of_first - upto_second / of_second)
        edges = np.searchsorted(upto_first, of_first * np.arange(1, BINS) / BINS)
        inner = np.unique(np.append(edges, len(self.ends) - 1))
        stability = psi(np.diff(upto_first[inner], prepend=0), np.diff(upto_second[inner], prepend=0))
        return float(gap[:-1] @ self.gaps), float(gap.max()), stability


@dataclass(frozen=True)
class Words:
    """The level of each row of both, as a place among so many."""

    places: Rows
    levels: int

    def distances(self, second: NDArray[np.bool_]) -> tuple[float, float]:
        """Total variation and stability."""
        whole = np.bincount(self.places, minlength=self.levels)
        of_second = np.bincount(self.places[second], minlength=self.levels)
        of_first = whole - of_second
        gap = np.abs(of_first / of_first.sum() - of_second / of_second.sum())
        there = whole > 0
        return float(gap.sum() / 2), psi(of_first[there], of_second[there])


def psi(first: Rows, second: Rows) -> float:
    """The population stability index of counts by bin."""
    p, q = ((counts + _ADDED) / (counts.sum() + _ADDED * len(counts)) for counts in (first, second))
    return float(((q - p) * np.log(q / p)).sum())
