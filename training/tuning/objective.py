"""One setting of the learners, judged by the number by which learners are chosen, and given up early where it lags behind.

The folds are other ones than those in which the saved model is evaluated, of the same patients; who is kept for a test is not
among them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from models.design import FloatArray
from training.cohort import followed
from training.fit import choose_learner, fitter_of
from training.learners.chosen import judged_days, mean_ipa
from training.learners.crossfit import CrossFit, cross_fit_in
from training.learners.plan import Plan
from training.statistics.splits import grouped_folds
from training.tuning.varied import varied

Rows = NDArray[np.intp]
Report = Callable[[Sequence[float], float], object]  # IPA in each fold so far, and how far ahead of the usual setting


def unheard(by_fold: Sequence[float], ahead: float) -> None:
    """Nobody listens."""


@dataclass(frozen=True)
class Judged:
    """A setting's mean cross-validated IPA, that of the candidate that is best with it, and its IPA in each fold."""

    ipa: float
    learner: str
    by_fold: tuple[float, ...]
    raw: Sequence[Mapping[str, float]] = field(repr=False)  # by fold and learner, before calibration: what a lag is measured on


class Objective:
    """Judges settings on one cohort, all in the same folds; the usual setting is judged first and once."""

    def __init__(self, plan: Plan, repeats: int):
        self.plan, self.cohort = plan, plan.cohort
        self.days = judged_days(self.cohort.follow_up, plan.served)
        self.columns = [plan.served.index(day) for day in self.days]
        # the evaluation deals its folds with the seeds before
        self.seed = plan.settings.seed + plan.settings.repeats
        ids = [patient.id for patient in self.cohort.patients]
        deal = (self.seed + repeat for repeat in range(repeats))
        self.folds = [grouped_folds(ids, self.cohort.follow_up.deaths, plan.settings.folds, seed) for seed in deal]
        self.steps = repeats * plan.settings.folds

    def __call__(self, values: Mapping[str, float], usual: Judged | None = None, report: Report = unheard) -> Judged:
        """Judge the plan with these values; what `report`, which hears of them after each fold, raises gives them up."""
        plan, heard = varied(self.plan, values), list[Mapping[str, float]]()

        def hear(rows: Rows, said: Mapping[str, FloatArray]) -> None:
            heard.append({name: self._ipa(rows, log_odds) for name, log_odds in said.items()})
            best = self._best(heard)
            ahead = 0.0 if usual is None else self._mean(heard, best) - self._mean(usual.raw[: len(heard)], usual.learner)
            report([fold[best] for fold in heard], ahead)

        given = (self.folds, fitter_of(plan), plan.matrix, self.cohort.follow_up, plan.served)
        cross = cross_fit_in(*given, seed=self.seed, hear=hear)
        learner, ipa = choose_learner(self.cohort, cross, plan.settings.candidates)
        return Judged(ipa[learner], learner, self._by_fold(cross, learner), heard)

    def _ipa(self, rows: Rows, log_odds: FloatArray) -> float:
        return mean_ipa(log_odds[:, self.columns], followed(self.cohort.follow_up, rows), self.days)

    def _best(self, folds: Sequence[Mapping[str, float]]) -> str:
        candidates = [name for name in folds[0] if name in self.plan.settings.candidates]
        return max(candidates, key=lambda name: self._mean(folds, name))

    def _mean(self, folds: Sequence[Mapping[str, float]], learner: str) -> float:
        """Over the folds that have an IPA; 0, knowing nothing, where none has."""
        known = [fold[learner] for fold in folds if not np.isnan(fold[learner])]
        return float(np.mean(known)) if known else 0.0

    def _by_fold(self, cross: CrossFit, learner: str) -> tuple[float, ...]:
        found = []
        for one in cross.repeats:
            parts = [np.flatnonzero(one.fold == k) for k in np.unique(one.fold)]
            found += [self._ipa(rows, one.calibrated[learner][rows]) for rows in parts]
        return tuple(found)
