"""Other families of models on the same columns: is the house's own choice of learner worth it?

Cross-fitted in the same folds and calibrated in the same way; never saved. They cost as much as the model itself, so they are
fitted only when asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import numpy as np

from models.design import Design, DesignMatrix, FloatArray
from models.imputation import Imputation
from training.learners.aft import fit_aft
from training.learners.cox import fit_cox
from training.learners.crossfit import CrossFit, cross_fit_in
from training.learners.discrete_time import EDGES, fit_discrete_time
from training.learners.fit_imputation import fit_imputation
from training.learners.plan import Plan
from training.refused import NotSupported
from training.statistics.censoring import FollowUp
from training.statistics.estimates import NotEstimable

RIDGE = 10.0  # per standard deviation: enough that levels which exhaust a category have coefficients, too little to matter else


class Core(Protocol):
    """Log-odds (n, h) of filled design rows (n, k) at `days` (h,)."""

    def log_odds(self, x: FloatArray, days: FloatArray, /) -> FloatArray: ...


@dataclass(frozen=True)
class Family:
    """A family, and what fits it on filled design rows."""

    name: str
    label: str
    fit: Callable[[Design, FloatArray, FollowUp, int], Core]
    latest: float = np.inf  # the last day of which it can speak


@dataclass(frozen=True)
class _Filled:
    """A fitted family behind the imputation of its own fold."""

    imputation: Imputation
    core: Core

    def log_odds(self, matrix: DesignMatrix, days: FloatArray) -> dict[str, FloatArray]:
        return {"": self.core.log_odds(_numbers(self.imputation.fill(matrix).x, self.imputation), days)}


@dataclass(frozen=True)
class _Varying:
    """A Cox model of the columns that vary."""

    columns: np.ndarray[tuple[int], np.dtype[np.bool_]]
    core: Core

    def log_odds(self, x: FloatArray, days: FloatArray) -> FloatArray:
        return self.core.log_odds(x[:, self.columns], days)


def _cox(design: Design, x: FloatArray, follow_up: FollowUp, seed: int) -> Core:
    varying = x.std(axis=0) > 1e-9 * (1.0 + np.abs(x.mean(axis=0)))
    return _Varying(varying, fit_cox(x[:, varying], follow_up, ridge=RIDGE))


FAMILIES = (
    Family("cox_ridge", "Cox, ridge, all features", _cox),
    Family("xgboost_aft", "XGBoost accelerated failure time", fit_aft),
    Family("discrete_time", "XGBoost discrete time", fit_discrete_time, float(EDGES[-1])),
)


def out_of_fold_family(family: Family, plan: Plan, cross: CrossFit, seed: int) -> FloatArray:
    """Calibrated log-odds (n, h) of every patient by fits that never saw the patient, in the folds of `cross`.

    Raises NotSupported where the family cannot be fitted to this cohort.
    """
    if max(cross.horizons) > family.latest:
        raise NotSupported(f"it speaks of no day after {family.latest:g}: day {max(cross.horizons):g} is asked")
    fitter = partial(_fit, family, plan.design)
    folds, served = [repeat.fold for repeat in cross.repeats], cross.horizons
    try:
        crossed = cross_fit_in(folds, fitter, plan.matrix, plan.cohort.follow_up, served, seed=seed)
    except NotEstimable as reason:
        raise NotSupported(str(reason)) from reason
    return np.asarray(np.mean([repeat.calibrated[""] for repeat in crossed.repeats], axis=0))


def _fit(family: Family, design: Design, matrix: DesignMatrix, follow_up: FollowUp, *, seed: int) -> _Filled:
    imputation = fit_imputation(matrix)
    x = _numbers(imputation.fill(matrix).x, imputation)
    return _Filled(imputation, family.fit(design, x, follow_up, seed))


def _numbers(x: FloatArray, imputation: Imputation) -> FloatArray:
    """What does not apply stands at the mean, as it has no effect in the house's own linear learner."""
    return np.where(np.isnan(x), imputation.mean, x)
