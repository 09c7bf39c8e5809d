"""The simple models a model must beat: albumin alone, the NLR alone, and a Cox model on four variables named in advance.

The two single values are fitted by the house's own linear learner, which may bend them and let their effect fade with time: a
harder opponent than a Cox model on one variable, and what more variables add is then not mistaken for what the learner adds.
All three are calibrated as the model is, out of fold, so that no difference in IPA is one of calibration alone. They are fitted
on, and speak of, the patients in whom all their inputs were measured: an albumin alone that was estimated is no albumin.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from models.design import Design, DesignMatrix, FloatArray, columns_of, design_matrix
from models.linear import LinearModel
from models.patient import Patient
from models.risk import Calibration
from training.cohort import Cohort, followed
from training.learners.cox import CoxFit, fit_cox
from training.learners.crossfit import CrossFit, cross_fit_in
from training.learners.fit_imputation import fit_imputation
from training.learners.learn import learn
from training.learners.recalibrate import calibrated
from training.refused import NotSupported
from training.statistics.censoring import FollowUp
from training.statistics.estimates import NotEstimable
from training.statistics.standing import EVALUABLE_PATIENTS

LEAST_PATIENTS = 2 * EVALUABLE_PATIENTS  # fewer cannot hold the 20 deaths and 20 survivors a horizon needs
LEAST_DIFFERENT = 5  # patients who differ from the others, or a variable counts as the same for everybody


@dataclass(frozen=True)
class Simple:
    """A simple model as it was named in advance, and by which learner it is fitted."""

    name: str
    label: str
    features: tuple[str, ...]
    learner: Literal["linear", "cox"]


ALBUMIN, NLR, COX = "albumin_alone", "ln_nlr_alone", "cox_four"
SIMPLE: Mapping[str, Simple] = {
    one.name: one
    for one in (
        Simple(ALBUMIN, "albumin alone", ("albumin",), "linear"),
        Simple(NLR, "ln NLR alone", ("ln_nlr",), "linear"),
        # method.md section 2: inside one tumour type these four are as good as eleven
        Simple(COX, "Cox on four variables", ("ln_nlr", "albumin", "prior_systemic_therapy", "age"), "cox"),
    )
}

WORDS: Mapping[str, str] = {"ln_nlr": "ln NLR", "prior_systemic_therapy": "prior therapy"}  # others are called by their names


@dataclass(frozen=True)
class SimpleFit:
    """A simple model fitted on some patients; `lower` and `upper` (k,) are the ends to which its inputs are clipped."""

    lower: FloatArray
    upper: FloatArray
    core: LinearModel | CoxFit

    def log_odds(self, matrix: DesignMatrix, days: FloatArray) -> dict[str, FloatArray]:
        """Uncalibrated log-odds (n, h) under the empty name; a linear core answers at the horizons it was fitted for."""
        x = np.minimum(np.maximum(matrix.x, self.lower), self.upper)
        if isinstance(self.core, CoxFit):
            return {"": self.core.log_odds(x, days)}
        return {"": self.core.base + self.core.terms(x).sum(axis=-1)}


@dataclass(frozen=True)
class SimpleModel:
    """A simple model as it can be applied elsewhere: fitted on all development patients in whom its inputs were measured.

    `features` are those of its inputs that varied; `days` the horizons; `patients` and `deaths` those it was fitted on.
    """

    simple: Simple
    features: tuple[str, ...]
    days: tuple[float, ...]
    fit: SimpleFit
    calibration: Calibration
    patients: int
    deaths: int

    def log_odds(self, patients: Sequence[Patient]) -> tuple[NDArray[np.intp], FloatArray]:
        """In which of the patients all its inputs were measured (m,), and their calibrated log-odds (m, h)."""
        there, matrix = measured(self.features, patients)
        raw = self.fit.log_odds(matrix, np.asarray(self.days))[""]
        return there, calibrated(raw, self.calibration)


@dataclass(frozen=True)
class SavedSimple:
    """The simple models of a training run, as saved beside the model, and why others are absent."""

    models: tuple[SimpleModel, ...] = ()
    absent: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class OutOfFold:
    """What a simple model says of patients it never saw: of which (m,), their log-odds (m, h), and the model on all of them."""

    rows: NDArray[np.intp]
    log_odds: FloatArray
    model: SimpleModel


def measured(features: Sequence[str], patients: Sequence[Patient]) -> tuple[NDArray[np.intp], DesignMatrix]:
    """In which patients all these features were measured, and their design rows."""
    matrix = design_matrix(columns_of(features, {}), patients)
    there = np.flatnonzero(~np.isnan(matrix.x).any(axis=1))
    return there, DesignMatrix(matrix.x[there], matrix.to_estimate[there])


def out_of_fold_simple(simple: Simple, cohort: Cohort, cross: CrossFit, grid: Sequence[float], seed: int) -> OutOfFold:
    """The simple model cross-fitted in exactly the folds of `cross`, at its horizons; `grid`: the horizons of the fit (days).

    A variable that is the same for everybody is left out, and the label then names those that are left. Raises NotSupported with
    the reason where its inputs were measured in too few patients, or no coefficients fit best.
    """
    features, there, matrix = _inputs(simple, cohort)
    simple = replace(simple, label=_label(simple, features))
    part, served = followed(cohort.follow_up, there), cross.horizons
    fitter = partial(_fit, simple, columns_of(features, {}), grid, served)
    try:
        crossed = cross_fit_in([repeat.fold[there] for repeat in cross.repeats], fitter, matrix, part, served, seed=seed)
        whole = fitter(matrix, part, seed=seed)
    except NotEstimable as reason:
        raise NotSupported(str(reason)) from reason
    model = SimpleModel(simple, features, served, whole, crossed.calibration[""], len(part), int(part.deaths.sum()))
    return OutOfFold(there, np.mean([repeat.calibrated[""] for repeat in crossed.repeats], axis=0), model)


def _inputs(simple: Simple, cohort: Cohort) -> tuple[tuple[str, ...], NDArray[np.intp], DesignMatrix]:
    """The variables that vary among the patients who have all of them, those patients, and their rows."""
    there, matrix = measured(simple.features, cohort.patients)
    if len(there) < LEAST_PATIENTS or cohort.follow_up.deaths[there].sum() < EVALUABLE_PATIENTS:
        what = f"{', '.join(simple.features)} measured in {len(there)} of {len(cohort)} patients"
        raise NotSupported(f"{what}: {LEAST_PATIENTS} with {EVALUABLE_PATIENTS} deaths are needed")
    varies = np.array([_differ(column) >= LEAST_DIFFERENT for column in matrix.x.T])
    if not varies.any():
        raise NotSupported(f"{', '.join(simple.features)}: the same for everybody")
    kept = tuple(name for name, varied in zip(simple.features, varies, strict=True) if varied)
    return kept, there, DesignMatrix(matrix.x[:, varies], matrix.to_estimate[:, varies])


def _label(simple: Simple, features: Sequence[str]) -> str:
    """The label of a model that has all it was named with, or what it is after a variable was left out."""
    if tuple(features) == simple.features:
        return simple.label
    *first, last = (WORDS.get(name, name) for name in features)
    return f"Cox on {', '.join(first)} and {last}" if first else f"Cox on {last} alone"


def _differ(column: FloatArray) -> int:
    return len(column) - int(np.unique(column, return_counts=True)[1].max())


def _fit(
    simple: Simple,
    design: Design,
    grid: Sequence[float],
    served: Sequence[float],
    matrix: DesignMatrix,
    follow_up: FollowUp,
    *,
    seed: int,
) -> SimpleFit:
    if simple.learner == "linear":
        learned = learn(design, matrix, follow_up, grid=grid, served=served, trees=None, seed=seed)
        return SimpleFit(learned.imputation.lower, learned.imputation.upper, learned.linear.model)
    limits = fit_imputation(matrix)
    x = np.minimum(np.maximum(matrix.x, limits.lower), limits.upper)
    return SimpleFit(limits.lower, limits.upper, fit_cox(x, follow_up))
