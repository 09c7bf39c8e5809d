"""By what learners and their settings are chosen: the mean IPA over the horizons at which it is more than noise."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from models.design import FloatArray
from models.risk import sigmoid
from training.statistics.censoring import FollowUp
from training.statistics.estimates import NotEstimable
from training.statistics.panel import STATISTICS, Scored, outcomes
from training.statistics.standing import standing


def judged_days(follow_up: FollowUp, served: Sequence[float]) -> tuple[float, ...]:
    """The promotable ones of the horizons: with fewer than 100 deaths the IPA is mostly noise. Where none is, all of them."""
    promotable = tuple(day for day in served if standing(follow_up, day).level == "promotable")
    return promotable or tuple(served)


def mean_ipa(log_odds: FloatArray, follow_up: FollowUp, days: Sequence[float]) -> float:
    """The mean over `days` (h,) of the IPA of log-odds (n, h); days without one are left out; NaN where all are."""
    columns = [Scored(day, sigmoid(column), column) for day, column in zip(days, log_odds.T, strict=True)]
    found = []
    for one in outcomes(columns, follow_up, np.ones(len(follow_up))):
        try:
            found.append(STATISTICS["ipa"](one))
        except NotEstimable:
            continue
    return float(np.mean(found)) if found else float("nan")
