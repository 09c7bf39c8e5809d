"""Where a patient stands among those of the development cohort: a ranking travels between hospitals, a percentage does not.

Kept are quantiles of what the model said of the development patients before it had seen them, ten patients or more between any
two: nobody can be told from them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.design import FloatArray

MOST_PLACES = 100
BETWEEN = 10  # patients at least between two places: fewer are a small cell


@dataclass(frozen=True)
class Ranks:
    """`log_odds` (n_horizons, n_places): at each horizon the log-odds that divide the development patients into equal parts.

    The i-th of m places is the quantile (i + 1/2) / m, so that a place stands for the middle of an equal part.
    """

    log_odds: FloatArray

    def of(self, log_odds: FloatArray) -> FloatArray:
        """The share (n, n_horizons) of development patients with lower log-odds; of equal ones half count."""
        each = log_odds[..., None]
        below = (self.log_odds < each).sum(axis=-1)
        equal = (self.log_odds == each).sum(axis=-1)
        shares: FloatArray = (below + equal / 2) / self.log_odds.shape[-1]
        return shares


def ranks_of(log_odds: FloatArray) -> Ranks | None:
    """The ranks of development patients, log-odds (n, n_horizons); None where there are fewer than twenty."""
    places = min(MOST_PLACES, len(log_odds) // BETWEEN)
    if places < 2:
        return None
    quantiles = (np.arange(places) + 0.5) / places
    return Ranks(np.ascontiguousarray(np.quantile(log_odds, quantiles, axis=0).T))
