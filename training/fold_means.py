"""What a statistic is on average over the folds of cross-validation: each fold judged alone, by learners that never saw it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from models.design import BoolArray, FloatArray
from models.risk import sigmoid
from training.cohort import followed
from training.learners.crossfit import CrossFit
from training.statistics.censoring import FollowUp
from training.statistics.discrimination import Concordance
from training.statistics.estimates import NotEstimable, attempt
from training.statistics.evaluate import LONGEST_CONCORDANCE
from training.statistics.panel import STATISTICS, Scored, outcomes

_MEANT = ("auc", "ipa", "slope")


def fold_means(cross: CrossFit, learner: str, follow_up: FollowUp, among: BoolArray, days: Sequence[float]) -> dict[str, float]:
    """Means over folds and repeats of AUC, IPA and slope at `days`, and of Uno's C, of the calibrated log-odds of a learner.

    `among` (n,) are the patients who are judged. A fold is not asked for 20 deaths, as a cohort is: leaving out the folds with
    fewer would be a selection. A fold that cannot determine a statistic at all (nobody died) has no part in its mean.
    """
    places = np.array([cross.horizons.index(day) for day in days], np.intp)
    found: dict[str, list[float]] = {}
    for repeat in cross.repeats:
        for fold in np.unique(repeat.fold[among]):
            rows = np.flatnonzero((repeat.fold == fold) & among)
            log_odds = repeat.calibrated[learner][np.ix_(rows, places)]
            for name, value in _statistics(log_odds, followed(follow_up, rows), days).items():
                if not isinstance(value, NotEstimable):
                    found.setdefault(name, []).append(value)
    return {name: float(np.mean(values)) for name, values in found.items()}


def _statistics(log_odds: FloatArray, follow_up: FollowUp, days: Sequence[float]) -> dict[str, float | NotEstimable]:
    everybody = np.ones(len(follow_up))
    models = [Scored(day, sigmoid(column), column) for day, column in zip(days, log_odds.T.copy(), strict=True)]
    made: dict[str, float | NotEstimable] = {}
    if early := [model for model in models if model.horizon <= LONGEST_CONCORDANCE]:
        made["uno_c"] = attempt(Concordance(early[-1].log_odds, follow_up, early[-1].horizon).uno_c, everybody)
    for one in outcomes(models, follow_up, everybody):
        made |= {f"{name}_{one.scored.horizon:g}d": attempt(STATISTICS[name], one) for name in _MEANT}
    return made
