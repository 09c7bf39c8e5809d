"""What chance alone makes: the patients of both periods shuffled, and every distance taken again.

Whoever was in one period is given to either; whoever was in both has his two places exchanged, or not: so what comes of the same
people being there twice is no shift. Many distances are looked at, and some are always large: each is held against the largest of
all of them in each shuffle, so that where nothing has shifted, 95 of 100 comparisons call nothing at all larger than chance.

References
----------
Westfall PH, Young SS. Resampling-based multiple testing. 1993 (single-step max T).
Phipson B, Smyth GK. Permutation p-values should never be zero. Stat Appl Genet Mol Biol 2010;9:39. doi:10.2202/1544-6115.1585
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from serving.receipts.attributions.resampling import SEED
from serving.receipts.attributions.table import Floats, Rows

SHUFFLES = 499
LEVEL = 0.05  # a distance is larger than chance makes where p, all of them considered, is at most this
_TIED = 1e-12  # what is equal but for rounding


@dataclass(frozen=True)
class Shuffled:
    """The rows of both periods by patient: who was in one of them alone, and who in both."""

    second: NDArray[np.bool_]  # (n,): which period a row is of
    place: Rows  # (n,): of a row among the patients of its period
    alone: Rows  # places of patients who are in one period
    _periods: NDArray[np.bool_]  # by place
    _shared: Rows  # places of patients in both, paired: (pairs, 2)

    @classmethod
    def of(cls, first: NDArray[np.int64], second: NDArray[np.int64]) -> Shuffled:
        """Of the patient of each row, of either."""
        one, place_one = np.unique(first, return_inverse=True)
        two, place_two = np.unique(second, return_inverse=True)
        _, in_one, in_two = np.intersect1d(one, two, assume_unique=True, return_indices=True)
        places = np.arange(len(one) + len(two))
        pairs = np.stack([in_one, in_two + len(one)], axis=1)
        return cls(
            np.repeat([False, True], [len(first), len(second)]),
            np.concatenate([place_one, place_two + len(one)]),
            np.setdiff1d(places, pairs, assume_unique=True),
            places >= len(one),
            pairs,
        )

    @property
    def in_both(self) -> int:
        """How many patients are in both periods."""
        return len(self._shared)

    def shuffles(self) -> Iterator[NDArray[np.bool_]]:
        """Which period each row (n,) is given to, shuffle by shuffle."""
        rng = np.random.default_rng(SEED)
        for _ in range(SHUFFLES):
            given = self._periods.copy()
            given[self.alone] = rng.permutation(given[self.alone])
            exchanged = self._shared[rng.random(len(self._shared)) < 0.5]
            given[exchanged] = ~given[exchanged]
            yield given[self.place]


def probabilities(found: Floats, by_chance: Floats) -> Floats:
    """For each distance (k,), how often the largest of all of them is as far out in the shuffles (shuffles, k).

    Far out is counted in standard deviations of that distance over the shuffles; one that never varies says nothing, and has 1.
    """
    spread = by_chance.std(axis=0)
    varies = spread > 0
    if not varies.any():
        return np.ones(len(found))
    middle = by_chance.mean(axis=0)
    largest = ((by_chance - middle)[:, varies] / spread[varies]).max(axis=1)
    out = np.divide(found - middle, spread, out=np.full(len(found), -np.inf), where=varies)
    reached = (largest[:, None] >= out - _TIED).sum(axis=0)
    p: Floats = (1 + reached) / (1 + len(by_chance))
    return np.where(varies, p, 1.0)
