"""One fit of every learner on one set of patients, and what each of them says of others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xgboost as xgb

from models.design import Design, DesignMatrix, FloatArray
from models.imputation import Imputation
from training.learners.fit_imputation import fit_imputation
from training.learners.fit_linear import USUAL, LinearFit, LinearSettings, Stacked, fit_linear, make_ramps
from training.learners.fit_trees import TreeSettings, fit_trees, tree_log_odds
from training.statistics.censoring import FollowUp, weights

GRID = (30.0, 60.0, 90.0, 180.0, 270.0, 365.0)  # days; every patient appears once at each in the fit
LEARNERS: Mapping[str, float] = {"linear": 0.0, "ensemble": 0.5, "trees": 1.0}  # name -> share of the trees


@dataclass(frozen=True)
class Learned:
    """Learners fitted on one set of patients; `booster` is None where only the linear learner was asked for."""

    imputation: Imputation
    linear: LinearFit
    booster: xgb.Booster | None

    def log_odds(self, matrix: DesignMatrix, days: FloatArray) -> dict[str, FloatArray]:
        """Uncalibrated log-odds (n, h) of each learner; `days` must be those the linear fit serves."""
        x = self.imputation.fill(matrix).x
        linear = self.linear.model.base + self.linear.model.terms(x).sum(axis=-1)
        if self.booster is None:
            return {"linear": linear}
        trees = tree_log_odds(self.booster, x, days)
        return {name: linear + share * (trees - linear) for name, share in LEARNERS.items()}


def stacked(follow_up: FollowUp, horizons: Sequence[float]) -> Stacked:
    """Dead-by-t and censoring weights of every patient at every horizon."""
    weighted = weights(follow_up, horizons)
    return Stacked(weighted.dead, weighted.weight, np.asarray(horizons, np.float64))


def learn(
    design: Design,
    matrix: DesignMatrix,
    follow_up: FollowUp,
    *,
    grid: Sequence[float],
    served: Sequence[float],
    trees: TreeSettings | None,
    seed: int,
    linear: LinearSettings = USUAL,
) -> Learned:
    """Fit imputation, the linear learner and, with `trees`, the tree learner on these patients alone."""
    imputation = fit_imputation(matrix)
    x = imputation.fill(matrix).x
    rows = stacked(follow_up, grid)
    ramps = make_ramps(x, imputation.lower, imputation.upper)
    fitted = fit_linear(design, ramps, x, rows, np.asarray(served, np.float64), settings=linear)
    return Learned(imputation, fitted, None if trees is None else fit_trees(design, x, rows, trees, seed))
