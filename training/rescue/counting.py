"""Follow-up cut where something changed: until then a patient is among those unchanged, from then on among the others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class CountingProcess:
    """Rows (r,): `patient` at risk after day `start` to `stop`, which was a death where `event`; `state` 1 after the change."""

    patient: NDArray[np.intp]
    start: FloatArray
    stop: FloatArray
    event: Flags
    state: FloatArray


def counting(entries: FloatArray, ends: FloatArray, deaths: Flags, changes: FloatArray) -> CountingProcess:
    """The rows of n patients who entered, left and changed on days (n,), NaN where nothing changed.

    A change counts from the day after it: whoever dies on its day dies unchanged. One on the day of entry or before counts from
    entry. Raises ValueError where somebody leaves before entering.

    References
    ----------
    Andersen, Gill. Ann Stat 1982;10:1100-1120. doi:10.1214/aos/1176345976
    """
    if (backwards := ~(entries < ends)).any():
        allowed = "allowed is before the end of follow-up; likely two columns exchanged"
        raise ValueError(f"entry of {int(backwards.sum())} patient(s): {allowed}")
    at = np.where(np.isnan(changes), np.inf, np.maximum(changes, entries))
    before, after = np.flatnonzero(at > entries), np.flatnonzero(at < ends)
    patient = np.concatenate([before, after])
    start = np.concatenate([entries[before], at[after]])
    stop = np.concatenate([np.minimum(at, ends)[before], ends[after]])
    died = np.concatenate([deaths[before] & (at >= ends)[before], deaths[after]])
    state = np.concatenate([np.zeros(before.size), np.ones(after.size)])
    order = np.lexsort((start, patient))
    return CountingProcess(patient[order], start[order], stop[order], died[order], state[order])
