"""How many had recovered by each day and how many had died before they could: with those still waiting they make up all."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from training.rescue.aalen_johansen import CumulativeIncidence, cumulative_incidence
from training.rescue.timed import Timed

LOST, HAPPENED, DIED = 0, 1, 2


@dataclass(frozen=True)
class Incidence:
    """The cumulative incidence of the event and of death before it, to day `horizon` from the index date."""

    horizon: float
    happened: CumulativeIncidence = field(repr=False)
    died: CumulativeIncidence = field(repr=False)


def incidence(of: Timed, horizon: float) -> Incidence:
    """Whichever came first of the event, death, and being lost from view."""
    first = np.where(of.happened, np.nan_to_num(of.on), of.days)
    times = np.minimum(first, horizon)
    cause = np.where(of.happened, HAPPENED, np.where(of.deaths, DIED, LOST))
    causes = np.where(first > horizon, LOST, cause).astype(np.intp)
    entries = of.entries if of.entries.any() else None
    late = (entries is not None) & (of.entries >= times)  # it had happened before they were followed
    kept = ~np.broadcast_to(late, times.shape)
    held = None if entries is None else entries[kept]
    happened, died = (cumulative_incidence(times[kept], causes[kept], cause, held) for cause in (HAPPENED, DIED))
    return Incidence(horizon, happened, died)
