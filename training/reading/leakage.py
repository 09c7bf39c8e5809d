"""A covariate that knows the outcome: whatever it is called, what sorts patients as their deaths do was written down later."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from models.cohort_file import CohortFile
from models.design import BoolArray, FloatArray
from models.fault import Fault
from models.patient import Patient
from training.reading.doubt import Doubt
from training.statistics.censoring import FollowUp

FEWEST = 20  # patients, and a quarter as many dead and alive, below whom nothing is judged
TOO_GOOD = 0.98  # rank correlation with follow-up, or AUC for death: no covariate known on the index date comes near
_ALLOWED = "a covariate known on the index date; or --accept REASON"


@dataclass(frozen=True)
class Told:
    """How well one covariate sorts patients as their deaths do, from .5 (not at all) to 1, and in which patients it is known."""

    column: str
    strength: float
    said: str
    rows: tuple[int, ...]


def leaks(file: CohortFile, patients: Sequence[Patient], follow_up: FollowUp) -> Iterator[Doubt]:
    """A doubt for each covariate that tells how long patients lived, or which of them died."""
    for one in told(file, patients, follow_up):
        if one.strength >= TOO_GOOD:
            place = f"{file.table}, column {one.column}"
            yield Doubt("outcome", Fault(place, one.said, _ALLOWED, "an outcome under another name"), one.rows, one.strength)


def told(file: CohortFile, patients: Sequence[Patient], follow_up: FollowUp) -> Iterator[Told]:
    """What each covariate that can be judged tells of the outcome: a site's own, histories and labs."""
    for column, values in _covariates(file, patients):
        known = np.flatnonzero([value is not None for value in values])
        there = [value for value in values if value is not None]
        died, times = follow_up.deaths[known], follow_up.times[known]
        if min(len(there), 4 * died.sum(), 4 * (~died).sum()) < FEWEST:
            continue
        by_level = isinstance(there[0], str)
        strength, said = _by_level(there, died) if by_level else _by_size(np.array(there, np.float64), died, times)
        yield Told(column, strength, said, tuple(known.tolist()))


def _covariates(file: CohortFile, patients: Sequence[Patient]) -> Iterator[tuple[str, list[float | str | None]]]:
    """Each mapped column with its value for every patient, None where it is not known."""
    for name, (column, _) in file.extra.items():
        yield column, [patient.extra.get(name) for patient in patients]
    for name, cell in file.history.items():
        if cell.column:
            yield cell.column, [getattr(patient.history, name) for patient in patients]
    for lab in file.labs:
        yield lab.column, [None if (found := patient.current(lab.analyte)) is None else found.value for patient in patients]


def _by_size(values: FloatArray, died: BoolArray, times: FloatArray) -> tuple[float, str]:
    if np.ptp(values) == 0:
        return 0.5, ""
    ranks = rankdata(values)
    rho = abs(float(np.corrcoef(ranks, rankdata(times))[0, 1])) if np.ptp(times) > 0 else 0.0
    dead = int(died.sum())
    auc = (ranks[died].sum() - dead * (dead + 1) / 2) / (dead * (len(died) - dead))
    if rho >= TOO_GOOD:
        return rho, f"values in the order of follow-up (rank correlation {rho:.2f})"
    return float(max(auc, 1 - auc)), f"values that tell who died (AUC {max(auc, 1 - auc):.2f})"


def _by_level(values: Sequence[float | str], died: BoolArray) -> tuple[float, str]:
    deaths: dict[object, list[bool]] = defaultdict(list)
    for value, dead in zip(values, died.tolist(), strict=True):
        deaths[value].append(dead)
    share = sum(max(sum(one), len(one) - sum(one)) for one in deaths.values()) / len(values)
    few_levels = len(deaths) <= len(values) / 10
    return (share if few_levels else 0.5), f"levels that tell who died (of {share:.0%} of the patients)"
