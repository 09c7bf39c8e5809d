"""A covariate that knows the outcome: whatever it is called, what sorts patients as their deaths do was written down later.

Each is held against all of follow-up and, as a flag of those dead by day 90 knows nothing of later deaths, against the deaths by
each horizon, patients weighted for censoring.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.stats import rankdata

from models.cohort_file import CohortFile
from models.design import BoolArray, FloatArray
from models.fault import Fault
from models.history import HISTORY_FIELDS
from models.patient import Patient
from training.reading.doubt import Doubt
from training.statistics.censoring import FollowUp, weights
from training.statistics.discrimination import Ranking
from training.statistics.standing import IDENTIFIABLE_G

FEWEST = 20  # patients, and a quarter as many dead and alive, below whom nothing is judged
FEWEST_BY_HORIZON = 20  # dead by a horizon, and known to be alive on it: of fewer, chance may sort all
# AUC of one column alone for death, ever or by a horizon. Of what was known on the index date none tells more than albumin by
# day 30 and the NLR by day 90, .87 each (the two MSK cohorts of the tests); whole models in mixed populations reach .94
TOO_GOOD = 0.95
TOO_LIKE = 0.98  # rank correlation with follow-up: a year of diagnosis goes with it too where few patients have died
HORIZONS = (30.0, 60.0, 90.0, 180.0, 365.0)  # days at which deaths are counted, whatever a study asks
_ALLOWED = "a covariate known on the index date; or --accept REASON"


@dataclass(frozen=True)
class Told:
    """How well one covariate sorts patients as their deaths do, from .5 (not at all) to 1, and in which patients it is known.

    `place` is where it stands in the tables, `measure` what `strength` is, `too_good` the strength of what knows the outcome.
    """

    column: str
    place: str
    strength: float
    measure: str
    said: str
    too_good: float
    rows: tuple[int, ...] = ()

    @property
    def knows(self) -> bool:
        """Whether nothing that was known on the index date is so strong."""
        return self.strength >= self.too_good


def leaks(file: CohortFile, patients: Sequence[Patient], follow_up: FollowUp) -> Iterator[Doubt]:
    """A doubt for each covariate that tells how long patients lived, or which of them died, ever or by a horizon."""
    for one in told(file, patients, follow_up):
        if one.knows:
            fault = Fault(one.place, one.said, _ALLOWED, "an outcome under another name")
            yield Doubt("outcome", fault, one.rows, one.strength, unit=one.measure)


def told(file: CohortFile, patients: Sequence[Patient], follow_up: FollowUp) -> Iterator[Told]:
    """What each covariate that can be judged tells of the outcome: a site's own, histories and labs, of either form of table."""
    outcome = _Outcome(follow_up)
    for column, place, values in _covariates(file, patients):
        known = np.flatnonzero([value is not None for value in values])
        there = [value for value in values if value is not None]
        died = follow_up.deaths[known]
        if min(len(there), 4 * died.sum(), 4 * (~died).sum()) < FEWEST:
            continue
        found = outcome.told(there, known)
        yield max((Told(column, place, *one, tuple(known.tolist())) for one in found), key=_tells_most)


def _tells_most(one: Told) -> tuple[bool, float, float]:
    """What knows the outcome before what does not, and the order of follow-up, which is the plainer word, before an AUC."""
    return one.knows, one.too_good if one.knows else 0.0, one.strength


def _covariates(file: CohortFile, patients: Sequence[Patient]) -> Iterator[tuple[str, str, list[float | str | None]]]:
    """Each covariate with its place in the tables and its value for every patient, None where it is not known."""
    for name, (column, _) in file.extra.items():
        yield column, f"{file.table}, column {column}", [patient.extra.get(name) for patient in patients]
    for name in HISTORY_FIELDS:
        mapped = file.history[name].column if name in file.history else ""
        if mapped or file.treatment_table:
            place = f"{file.table}, column {mapped}" if mapped else f"{file.treatment_table}, {name}"
            yield mapped or name, place, [getattr(patient.history, name) for patient in patients]
    for lab in file.labs:
        kept_as = "ecog" if lab.analyte == "karnofsky" else lab.analyte
        yield lab.column, f"{file.table}, column {lab.column}", _current(kept_as, patients)
    if file.measurement_table:
        for analyte in sorted({analyte for patient in patients for analyte in patient.series}):
            yield analyte, f"{file.measurement_table}, {analyte}", _current(analyte, patients)


def _current(analyte: str, patients: Sequence[Patient]) -> list[float | str | None]:
    return [None if (found := patient.current(analyte)) is None else found.value for patient in patients]


_Strength = tuple[float, str, str, float]  # strength, measure, what is said of it, the strength that is too good


@dataclass(frozen=True, eq=False)
class _Outcome:
    """What became of the patients, ready to hold many covariates against it."""

    follow_up: FollowUp

    @cached_property
    def _by_horizon(self) -> list[tuple[float, BoolArray, FloatArray]]:
        """Each horizon that the follow-up answers for, who was dead by it (n,) and the weights for censoring (n,)."""
        each = weights(self.follow_up, HORIZONS)
        there = np.flatnonzero(each.min_g >= IDENTIFIABLE_G)
        return [(HORIZONS[place], each.dead[:, place], each.weight[:, place]) for place in there]

    def told(self, values: Sequence[float | str], known: np.ndarray) -> list[_Strength]:
        """How strongly values of the `known` patients (indices) go with death, by every measure that can be taken."""
        found = [] if isinstance(values[0], str) else [_like_follow_up(np.array(values, np.float64), self.follow_up.times[known])]
        found.append(_auc(values, self.follow_up.deaths[known], np.ones(len(known)), "tell who died"))
        for day, dead, weight in self._by_horizon:
            there = weight[known] > 0
            if min((dead[known] & there).sum(), (~dead[known] & there).sum()) >= FEWEST_BY_HORIZON:
                found.append(_auc(values, dead[known], weight[known], f"tell who died by day {day:g}"))
        return found


def _like_follow_up(values: FloatArray, times: FloatArray) -> _Strength:
    varies = np.ptp(values) > 0 and np.ptp(times) > 0
    rho = abs(float(np.corrcoef(rankdata(values), rankdata(times))[0, 1])) if varies else 0.0
    return rho, "rank correlation", f"values in the order of follow-up (rank correlation {rho:.2f})", TOO_LIKE


def _auc(values: Sequence[float | str], dead: BoolArray, weight: FloatArray, said: str) -> _Strength:
    if isinstance(values[0], str):
        auc, what = Ranking(_of_others(values, dead, weight)).auc(dead, weight), "levels"
    else:
        one_way, what = Ranking(np.array(values, np.float64)).auc(dead, weight), "values"
        auc = max(one_way, 1 - one_way)
    return auc, "AUC", f"{what} that {said} (AUC {auc:.2f})", TOO_GOOD


def _of_others(values: Sequence[float | str], dead: BoolArray, weight: FloatArray) -> FloatArray:
    """For each patient the share dead among the others of the same level: a level of one's own tells nothing."""
    levels = np.unique(np.array(values, str), return_inverse=True)[1]
    died, there = (np.bincount(levels, each)[levels] - each for each in (weight * dead, weight))
    overall = float((weight * dead).sum() / weight.sum())
    return np.asarray(np.divide(died, there, out=np.full(len(dead), overall), where=there > 1e-9), np.float64)
