"""The tree learner: XGBoost on the same stacked rows, the horizon one more feature, directions held by constraints."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xgboost as xgb

from models.design import Design, FloatArray
from training.learners.fit_linear import Stacked

# XGBoost's threads wait for each other in busy loops, and lose where they must share a core. Measured, one thread against two:
# with 5,500 rows .08 against 3.7 s; with 110,000 rows 1.7 against .9 s on idle cores and .5 against 2.5 to 12 s on busy ones;
# with 600,000 rows 2.7 against 8.9 s on busy ones. Their number is fixed: sums in another order would be another model.
ROWS_FOR_THREADS, THREADS = 300_000, 2


@dataclass(frozen=True)
class TreeSettings:
    """Boosting settings; `for_patients` grows them with the cohort (method.md section 1, by sample size)."""

    rounds: int = 150
    depth: int = 3
    rate: float = 0.05
    least_child_weight: float = 15.0
    l2: float = 5.0
    rows: float = 0.8
    columns: float = 0.5

    @staticmethod
    def for_patients(n: int) -> TreeSettings:
        """The default for a development cohort of n patients."""
        return TreeSettings() if n < 5000 else TreeSettings(rounds=300)


def fit_trees(
    design: Design, x: FloatArray, stacked: Stacked, settings: TreeSettings, seed: int, multiplicity: FloatArray | None = None
) -> xgb.Booster:
    """A booster on columns `x` (n, k) and, last, t in days: risk never falls as t grows, nor against a clinical sign."""
    n, h = stacked.dead.shape
    weight = stacked.weight if multiplicity is None else stacked.weight * multiplicity[:, None]
    patient, horizon = np.repeat(np.arange(n), h), np.tile(np.arange(h), n)
    known = weight.ravel() > 0
    patient, horizon = patient[known], horizon[known]
    rows = np.c_[x[patient], stacked.horizons[horizon]].astype(np.float32)
    threads = threads_for(len(rows))
    data = xgb.DMatrix(rows, label=stacked.dead[patient, horizon], weight=weight[patient, horizon], nthread=threads)
    return xgb.train(_parameters(design, settings, seed) | {"nthread": threads}, data, settings.rounds)


def threads_for(rows: int) -> int:
    """How many threads serve so many stacked rows best."""
    return THREADS if rows >= ROWS_FOR_THREADS else 1


def _parameters(design: Design, settings: TreeSettings, seed: int) -> dict[str, object]:
    return boosting(settings, seed, [*signs_of(design), 1]) | {"objective": "binary:logistic"}


def signs_of(design: Design) -> list[int]:
    """The clinical direction of each column: 1 where the risk may only rise with it, -1 where it may only fall, 0 free."""
    return [design.of[column.feature].sign for column in design.columns]


def boosting(settings: TreeSettings, seed: int, constraints: list[int]) -> dict[str, object]:
    """XGBoost's parameters for these settings and a direction per column; the objective is the caller's."""
    return {
        "max_depth": settings.depth,
        "eta": settings.rate,
        "min_child_weight": settings.least_child_weight,
        "lambda": settings.l2,
        "subsample": settings.rows,
        "colsample_bytree": settings.columns,
        "monotone_constraints": "(" + ",".join(map(str, constraints)) + ")",
        "tree_method": "hist",
        "seed": seed,
    }


def tree_log_odds(booster: xgb.Booster, x: FloatArray, days: FloatArray) -> FloatArray:
    """XGBoost's own margins of design rows `x` (n, k) at `days` (h,), shape (n, h)."""
    n, h = len(x), len(days)
    rows = np.c_[np.repeat(x, h, axis=0), np.tile(days, n)].astype(np.float32)
    data = xgb.DMatrix(rows, nthread=threads_for(len(rows)))
    return np.asarray(booster.predict(data, output_margin=True), np.float64).reshape(n, h)
