"""A covariate that knows the outcome: whatever it is called, what sorts patients as their deaths do was written down later."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
from scipy.stats import rankdata

from models.cohort_file import CohortFile
from models.design import BoolArray, FloatArray
from models.fault import Fault
from models.patient import Patient
from training.statistics.censoring import FollowUp

FEWEST = 20  # patients, and a quarter as many dead and alive, below whom nothing is judged
TOO_GOOD = 0.98  # rank correlation with follow-up, or AUC for death: no covariate known on the index date comes near
_ALLOWED = "a covariate known on the index date; or --accept REASON"


def leaks(file: CohortFile, patients: Sequence[Patient], follow_up: FollowUp) -> Iterator[Fault]:
    """A fault for each covariate that tells how long patients lived, or which of them died: site's own, histories and labs."""
    for column, values in _covariates(file, patients):
        known = np.array([value is not None for value in values])
        there = [value for value in values if value is not None]
        place, died, times = f"{file.table}, column {column}", follow_up.deaths[known], follow_up.times[known]
        if min(len(there), 4 * died.sum(), 4 * (~died).sum()) < FEWEST:
            continue
        if said := _by_level(there, died) if isinstance(there[0], str) else _by_size(np.array(there, np.float64), died, times):
            yield Fault(place, said, _ALLOWED, "an outcome under another name")


def _covariates(file: CohortFile, patients: Sequence[Patient]) -> Iterator[tuple[str, list[float | str | None]]]:
    """Each mapped column with its value for every patient, None where it is not known."""
    for name, (column, _) in file.extra.items():
        yield column, [patient.extra.get(name) for patient in patients]
    for name, cell in file.history.items():
        if cell.column:
            yield cell.column, [getattr(patient.history, name) for patient in patients]
    for lab in file.labs:
        yield lab.column, [None if (found := patient.current(lab.analyte)) is None else found.value for patient in patients]


def _by_size(values: FloatArray, died: BoolArray, times: FloatArray) -> str:
    if np.ptp(values) == 0:
        return ""
    ranks = rankdata(values)
    rho = abs(float(np.corrcoef(ranks, rankdata(times))[0, 1])) if np.ptp(times) > 0 else 0.0
    dead = int(died.sum())
    auc = (ranks[died].sum() - dead * (dead + 1) / 2) / (dead * (len(died) - dead))
    if rho >= TOO_GOOD:
        return f"values in the order of follow-up (rank correlation {rho:.2f})"
    return f"values that tell who died (AUC {max(auc, 1 - auc):.2f})" if max(auc, 1 - auc) >= TOO_GOOD else ""


def _by_level(values: Sequence[float | str], died: BoolArray) -> str:
    deaths: dict[object, list[bool]] = defaultdict(list)
    for value, dead in zip(values, died.tolist(), strict=True):
        deaths[value].append(dead)
    told = sum(max(sum(one), len(one) - sum(one)) for one in deaths.values()) / len(values)
    few_levels = len(deaths) <= len(values) / 10
    return f"levels that tell who died (of {told:.0%} of the patients)" if few_levels and told >= TOO_GOOD else ""
