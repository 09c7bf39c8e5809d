"""A score becomes a risk: at each horizon one line on the log-odds, learned from other patients than those it speaks of.

A published score states no risk, so its accuracy (IPA) can be asked only after this; whatever it is held against is put through
the same, or the difference would be one of calibration. Its order of the patients, and so its AUC, is never taken from here.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.design import FloatArray
from training.cohort import followed
from training.statistics.calibration import weighted_logistic
from training.statistics.censoring import FollowUp, weights
from training.statistics.estimates import NotEstimable


def cross_recalibrated(score: FloatArray, follow_up: FollowUp, day: float, fold: NDArray[np.intp]) -> FloatArray:
    """Log-odds (n,) of death by `day` given a score (n,), by intercept and slope fitted on the other folds.

    Raises NotEstimable where the other folds do not determine a line: too few deaths, a score that is the same for everybody,
    or one that separates the dead from the living.

    References
    ----------
    Cox. Biometrika 1958;45:562-565. doi:10.1093/biomet/45.3-4.562
    """
    made = np.empty_like(score)
    for k in np.unique(fold):
        others, own = np.flatnonzero(fold != k), fold == k
        centre, spread = float(score[others].mean()), float(score[others].std())
        if not spread > 0:
            raise NotEstimable("the score is the same for everybody: it cannot be made a risk")
        known = weights(followed(follow_up, others), [day])
        line = np.vander((score[others] - centre) / spread, 2, increasing=True)
        intercept, slope = weighted_logistic(line, known.dead[:, 0], known.weight[:, 0])
        made[own] = intercept + slope * (score[own] - centre) / spread
    return made


def cross_recalibrated_each(
    scores: FloatArray, follow_up: FollowUp, days: Sequence[float], fold: NDArray[np.intp]
) -> dict[float, FloatArray | NotEstimable]:
    """The same for a score (n, h) at each horizon, or the reason why it cannot be had there."""
    made: dict[float, FloatArray | NotEstimable] = {}
    for place, day in enumerate(days):
        try:
            made[day] = cross_recalibrated(scores[:, place], follow_up, day, fold)
        except NotEstimable as reason:
            made[day] = reason
    return made
