"""Discrete time: boosted trees say how likely a patient who has lived to the start of an interval is to die in it.

A comparator, never saved. A patient is one row for each interval under observation, so censoring and delayed entry need no weight
but this: an interval of which a part was observed counts that part (the actuarial method), the one of the death counts 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xgboost as xgb
from numpy.typing import NDArray

from models.design import BoolArray, Design, FloatArray
from training.learners.cox import log_odds_of
from training.learners.fit_trees import TreeSettings, boosting, signs_of, threads_for
from training.statistics.censoring import FollowUp

MONTH = 30.4375  # days
EDGES = MONTH * np.array([0.0, 1, 2, 3, 4, 6, 8, 10, 12, 15, 18, 24])  # method.md section 2; what comes later is not learned from
SETTINGS = TreeSettings(rounds=200, depth=2)


@dataclass(frozen=True, eq=False)
class DiscreteTimeFit:
    """A booster on the columns and, last, the end of the interval in days."""

    booster: xgb.Booster

    def log_odds(self, x: FloatArray, days: FloatArray) -> FloatArray:
        """Log-odds (n, h) of being dead by `days` (h,) for design rows `x` (n, k); the hazard is constant within an interval.

        Raises ValueError for days beyond the last interval.
        """
        days = np.asarray(days, np.float64)
        if not ((days > 0) & (days <= EDGES[-1])).all():
            raise ValueError(f"days {days.tolist()}: allowed is above 0 and up to {EDGES[-1]:g}, the end of the last interval")
        n, m = len(x), len(EDGES) - 1
        rows = np.c_[np.repeat(x, m, axis=0), np.tile(EDGES[1:], n)].astype(np.float32)
        data = xgb.DMatrix(rows, nthread=threads_for(len(rows)))
        margin = np.asarray(self.booster.predict(data, output_margin=True), np.float64).reshape(n, m)
        return log_odds_of(np.log(np.logaddexp(0.0, margin) @ _shares(days)))  # -log(1 - sigmoid(m)) = log(1 + exp(m))


def _shares(days: FloatArray) -> FloatArray:
    """What share of each interval lies before each of the days (m, h)."""
    before = (days - EDGES[:-1, None]) / np.diff(EDGES)[:, None]
    return np.asarray(np.clip(before, 0.0, 1.0))


@dataclass(frozen=True, eq=False)
class PersonPeriods:
    """Patient, interval, whether the patient died in it, and what share of it counts: one row each."""

    patient: NDArray[np.intp]
    interval: NDArray[np.intp]
    died: BoolArray
    weight: FloatArray


def person_periods(follow_up: FollowUp) -> PersonPeriods:
    """A row for each patient and each interval (from, to] of EDGES in which that patient was under observation."""
    times, start, end = follow_up.times[:, None], EDGES[:-1], EDGES[1:]
    entries = np.zeros_like(times) if follow_up.entries is None else follow_up.entries[:, None]
    observed = np.clip((np.minimum(times, end) - np.maximum(entries, start)) / (end - start), 0.0, 1.0)
    # a death on the index date is one in the first interval
    died = follow_up.deaths[:, None] & (np.maximum(times, 1e-9) > start) & (times <= end)
    weight = np.where(died, 1.0, observed)
    patient, interval = np.nonzero(weight > 0)
    return PersonPeriods(patient, interval, died[patient, interval], weight[patient, interval])


def fit_discrete_time(
    design: Design, x: FloatArray, follow_up: FollowUp, seed: int, settings: TreeSettings = SETTINGS
) -> DiscreteTimeFit:
    """Boosted trees on columns `x` (n, k) of person-periods; directions as in `fit_trees`, the hazard free to rise and fall.

    References
    ----------
    Singer, Willett. J Educ Stat 1993;18:155-195. doi:10.3102/10769986018002155
    """
    rows = person_periods(follow_up)
    columns = np.c_[x[rows.patient], EDGES[1:][rows.interval]].astype(np.float32)
    threads = threads_for(len(columns))
    data = xgb.DMatrix(columns, label=rows.died, weight=rows.weight, nthread=threads)
    chosen = boosting(settings, seed, [*signs_of(design), 0]) | {"objective": "binary:logistic", "nthread": threads}
    return DiscreteTimeFit(xgb.train(chosen, data, settings.rounds))
