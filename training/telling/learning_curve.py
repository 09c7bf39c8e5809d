"""Whether more patients would help: the linear learner fitted on shares of the patients, the same patients judged each time.

Every patient is judged by learners that never saw them, fitted on a share of the other folds; uncalibrated, so that the smallest
share needs no patients beside those it is fitted on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.design import DesignMatrix
from models.risk import sigmoid
from training.cohort import followed
from training.fit import PRIMARY, Fit, fitter_of
from training.learners.crossfit import out_of_fold, rows_of
from training.learners.learn import Learned
from training.progress import Advance, unwatched
from training.statistics.censoring import FollowUp
from training.statistics.evaluate import evaluate

SHARES = (0.2, 0.4, 0.6, 0.8, 1.0)  # of the patients of the other folds
LEAST_PATIENTS = 100  # in the smallest share there must be patients to learn from
MOST_PATIENTS = 2000  # beyond, more than ten seconds on a core, for a curve that has become flat


@dataclass(frozen=True)
class _OnShare:
    """Fits on a share of the patients it is given, as many of those who died as of the others; a larger share holds a smaller."""

    fit: Callable[..., Learned]
    share: float

    def __call__(self, matrix: DesignMatrix, follow_up: FollowUp, /, *, seed: int) -> Learned:
        rows = _share(follow_up.deaths, self.share, seed)
        return self.fit(rows_of(matrix, rows), followed(follow_up, rows), seed=seed)


def _share(deaths: NDArray[np.bool_], share: float, seed: int) -> NDArray[np.intp]:
    """The rows of a share, in their order."""
    order = np.random.default_rng(seed).permutation(len(deaths))
    parts = [order[deaths[order] == died] for died in (True, False)]
    return np.sort(np.concatenate([part[: max(1, round(share * len(part)))] for part in parts]))


def learning_curve(fit: Fit, seed: int, advance: Advance = unwatched) -> dict[str, Any]:
    """AUC and IPA at the primary horizon by the number of patients learned from, JSON-ready; or why it is not available."""
    plan, patients = fit.plan, len(fit.plan.cohort)
    if not LEAST_PATIENTS <= patients <= MOST_PATIENTS:
        return {"not available": f"it is drawn for {LEAST_PATIENTS} to {MOST_PATIENTS:,} patients, and these are {patients:,}"}
    fold, follow_up = fit.cross.repeats[0].fold, plan.cohort.follow_up
    place = int(np.argmin([abs(day - PRIMARY) for day in plan.served]))
    linear, points = partial(fitter_of(plan), trees=None), []
    for done, share in enumerate(SHARES):
        advance("learning curve", done, len(SHARES))
        said = out_of_fold(_OnShare(linear, share), plan.matrix, follow_up, fold, plan.served, seed=seed)["linear"]
        ours = said[:, [place]]
        judged = evaluate(sigmoid(ours), ours, follow_up, [plan.served[place]], bootstrap=0, seed=seed)
        at = judged.horizons[plan.served[place]]
        learned_from = round(share * patients * (1 - 1 / len(np.unique(fold))))
        points.append({"share": share, "patients": learned_from, "auc": at.auc.value, "ipa": at.ipa.value})
    advance("learning curve", len(SHARES), len(SHARES))
    return {"day": plan.served[place], "learner": "linear", "judged": patients, "points": points}
