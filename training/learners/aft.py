"""Accelerated failure time: boosted trees say by how much the values of a patient shorten or stretch the time to death.

A comparator, never saved. The time follows a log-logistic distribution of fixed shape, so the log-odds of being dead by t are
(log t - margin) / SIGMA: patients differ by the same log-odds at all times.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xgboost as xgb

from models.design import Design, FloatArray
from training.learners.fit_trees import TreeSettings, boosting, signs_of, threads_for
from training.refused import NotSupported
from training.statistics.censoring import FollowUp

SIGMA = 0.75  # of the logistic distribution of log time
SETTINGS = TreeSettings(least_child_weight=1.0)  # XGBoost's own weight in a leaf: the loss of AFT has curvatures well below 1
SHORTEST = 0.5  # days: a death on the index date has a logarithm too


@dataclass(frozen=True, eq=False)
class AftFit:
    """A booster whose margin is the location of a patient's log time (log days)."""

    booster: xgb.Booster

    def log_odds(self, x: FloatArray, days: FloatArray) -> FloatArray:
        """Log-odds (n, h) of being dead by `days` (h,) for design rows `x` (n, k)."""
        data = xgb.DMatrix(x.astype(np.float32), nthread=threads_for(len(x)))
        margin = np.asarray(self.booster.predict(data, output_margin=True), np.float64)
        return np.asarray((np.log(days) - margin[:, None]) / SIGMA)


def fit_aft(design: Design, x: FloatArray, follow_up: FollowUp, seed: int, settings: TreeSettings = SETTINGS) -> AftFit:
    """Boosted trees on columns `x` (n, k); who is censored lived longer than the last contact. Directions as in `fit_trees`.

    Raises NotSupported where patients came under observation late: XGBoost's likelihood has no delayed entry.

    References
    ----------
    Barnwal, Cho, Hocking. J Comput Graph Stat 2022;31:1292-1302. doi:10.1080/10618600.2022.2067548
    """
    if follow_up.entries is not None:
        raise NotSupported("accelerated failure time with delayed entry: allowed is follow-up from the index date")
    times = np.maximum(follow_up.times, SHORTEST)
    threads = threads_for(len(x))
    data = xgb.DMatrix(x.astype(np.float32), nthread=threads)
    data.set_float_info("label_lower_bound", times)
    data.set_float_info("label_upper_bound", np.where(follow_up.deaths, times, np.inf))
    shortens = [-sign for sign in signs_of(design)]  # the margin is a time: where the risk rises, it falls
    aft = {"objective": "survival:aft", "aft_loss_distribution": "logistic", "aft_loss_distribution_scale": SIGMA}
    # trees start at a median near the middle of follow-up: 150 small steps from one day would not arrive
    start = {"base_score": float(np.median(times)), "nthread": threads}
    return AftFit(xgb.train(boosting(settings, seed, shortens) | aft | start, data, settings.rounds))
