"""How far a mean may be off by chance: patients drawn again, with all of their receipts, from those who were there.

References
----------
Efron B. Bootstrap methods: another look at the jackknife. Ann Stat 1979;7:1-26. doi:10.1214/aos/1176344552
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from serving.receipts.attributions.table import Floats

SEED = 20261123  # fixed, so that the same receipts give the same intervals
RESAMPLES = 500
LEVEL = 95  # per cent
Patients = NDArray[np.int64]  # of each receipt, whose it is


@dataclass(frozen=True)
class Figure:
    """A number with its interval; low and high are those of the number itself where there is no interval."""

    value: float
    low: float
    high: float


def means(columns: Floats, patient: Patients) -> list[Figure]:
    """The mean of each column (n, k) over the receipts, with its 95 % percentile interval by patient (n,)."""
    (drawn,) = _drawn([columns], [patient])
    return _figures(columns.mean(axis=0), drawn)


def differences(first: Floats, second: Floats, of_first: Patients, of_second: Patients) -> list[Figure]:
    """The means of the columns of the second less those of the first; whoever is in both is drawn for both.

    NaN stands for what is not known, and is passed over; each column has a number in both.
    """
    before, after = _drawn([first, second], [of_first, of_second])
    return _figures(np.nanmean(second, axis=0) - np.nanmean(first, axis=0), after - before)


def _figures(values: Floats, draws: Floats) -> list[Figure]:
    """A draw in which nobody had a value says nothing, and is passed over."""
    tail = (100 - LEVEL) / 2
    low, high = np.nanpercentile(draws, [tail, 100 - tail], axis=0)
    return [Figure(*three) for three in zip(values.tolist(), low.tolist(), high.tolist(), strict=True)]


def _drawn(tables: list[Floats], patients: list[Patients]) -> list[Floats]:
    """For each table, the means of its columns in every resample: (resamples, k)."""
    known, who = np.unique(np.concatenate(patients), return_inverse=True)
    owners = np.split(who, np.cumsum([len(one) for one in patients])[:-1])
    parts = []
    for table, own in zip(tables, owners, strict=True):
        there = ~np.isnan(table)
        parts.append((_by_patient(np.where(there, table, 0.0), own, len(known)), _by_patient(there, own, len(known))))
    drawn = [[_ratio(times @ sums, times @ counts) for sums, counts in parts] for times in _times(len(known))]
    return [np.array(one) for one in zip(*drawn, strict=True)]


def _by_patient(table: NDArray[Any], own: NDArray[np.intp], patients: int) -> Floats:
    return np.stack([np.bincount(own, column, patients) for column in table.T], axis=1)


def _ratio(sums: Floats, counts: Floats) -> Floats:
    means: Floats = np.divide(sums, counts, out=np.full(len(sums), np.nan), where=counts > 0)
    return means


def _times(patients: int) -> Iterator[Floats]:
    """How often each patient is drawn, resample by resample."""
    rng = np.random.default_rng(SEED)
    for _ in range(RESAMPLES):
        yield np.bincount(rng.integers(0, patients, patients), minlength=patients).astype(np.float64)
