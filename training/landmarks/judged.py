"""How good the model is at each landmark, beside the score of the index date used again, on the same patients."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.design import FloatArray
from models.risk import sigmoid
from training.landmarks.rows import LandmarkRows
from training.learners.crossfit import CrossFit
from training.statistics.censoring import FollowUp
from training.statistics.estimates import Estimate
from training.statistics.evaluate import evaluate, paired_difference
from training.statistics.evaluation import AtHorizon, Evaluation

MEASURES = ("auc", "ipa", "slope", "observed_expected")


@dataclass(frozen=True)
class Judged:
    """One landmark: the model judged there, the score of the index date used again, and by how much it is better (AUC)."""

    day: float
    model: Evaluation
    again: Evaluation
    gain: Mapping[float, Estimate]  # of AUC, by horizon

    def as_json(self) -> dict[str, Any]:
        """JSON-ready: of each horizon the measures of both, and the gain."""
        both = {"model": _measures(self.model), "score_of_the_index_date": _measures(self.again)}
        gain = {f"{day:g}": one.as_json() for day, one in self.gain.items()}
        refused = {f"{day:g}": f"{one.level}: {one.why}" for day, one in self.model.refused.items()}
        return {"day": self.day, "patients": self.model.n, **both, "auc_gain": gain, "refused": refused}


def _measures(found: Evaluation) -> dict[str, Any]:
    return {f"{day:g}": {name: measure(one, name).as_json() for name in MEASURES} for day, one in found.horizons.items()}


def measure(found: AtHorizon, name: str) -> Estimate:
    """One of MEASURES at a horizon."""
    estimate: Estimate = getattr(found if name in ("auc", "ipa") else found.calibration, name)
    return estimate


def judge_landmarks(
    rows: LandmarkRows,
    ours: FloatArray,
    again: FloatArray,
    days: tuple[float, ...],
    *,
    bootstrap: int,
    seed: int,
    progress: Callable[[int], object],
) -> tuple[Judged, ...]:
    """Each landmark in turn, at the horizons `days`; `progress` is called with 1 after each.

    `ours` (n, h) and `again` (n_patients, h): log-odds of learners that never saw the patient, of the rows at their landmarks and
    of the patients on the index date. A risk by day 90 that was stated on the index date is read, as it is at the bedside, as one
    by day 90 from today.
    """
    made = []
    for day in np.unique(rows.day).tolist():
        at = np.flatnonzero(rows.day == day)
        follow_up = FollowUp(rows.cohort.follow_up.times[at], rows.cohort.follow_up.deaths[at])
        made.append(_judged(day, ours[at], again[rows.patient[at]], follow_up, days, bootstrap, seed))
        progress(1)
    return tuple(made)


def unseen(cross: CrossFit, learner: str) -> FloatArray:
    """Log-odds (n, h) of every row by learners and calibrations that never saw its patient, mean over repeats."""
    return np.asarray(np.mean([one.calibrated[learner] for one in cross.repeats], axis=0))


def _judged(
    day: float, ours: FloatArray, again: FloatArray, follow_up: FollowUp, days: tuple[float, ...], bootstrap: int, seed: int
) -> Judged:
    model = evaluate(sigmoid(ours), ours, follow_up, days, bootstrap=bootstrap, seed=seed)
    reused = evaluate(sigmoid(again), again, follow_up, days, bootstrap=bootstrap, seed=seed)
    gain = {
        horizon: paired_difference(ours[:, place], again[:, place], follow_up, horizon, bootstrap=bootstrap, seed=seed)
        for place, horizon in enumerate(days)
        if horizon in model.horizons
    }
    return Judged(day, model, reused, gain)
