"""From a cohort to a model: cross-fitted learners, the one with the best cross-validated IPA, calibrated, with its refits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from models.design import DesignMatrix, FloatArray
from models.ranks import ranks_of
from models.risk import Calibration, RiskModel
from models.trees import LeafTables
from training.cohort import Cohort
from training.learners.available import Choice
from training.learners.chosen import judged_days, mean_ipa
from training.learners.crossfit import CrossFit, cross_fit
from training.learners.leaf_tables import compile_leaf_tables
from training.learners.learn import LEARNERS, Learned, learn
from training.learners.plan import HORIZONS, Plan, Settings, plan_of
from training.learners.promotable import explained_out_of_fold, held_to_riley
from training.learners.recalibrate import calibrated
from training.learners.refit import refit
from training.learners.saved_model import PRIMARY, population_of, saved_model
from training.progress import Advance, Steps, unwatched
from training.refused import NothingEvaluable
from training.statistics.standing import Standing

__all__ = ["HORIZONS", "PRIMARY", "Advance", "Fit", "NothingEvaluable", "Settings", "fit", "population_of"]


@dataclass(frozen=True)
class Fit:
    """A model with what it was made from: its standing by horizon, the out-of-fold log-odds, the booster as trained."""

    model: RiskModel
    booster: bytes | None
    standings: Mapping[float, Standing]
    choice: Choice
    matrix: DesignMatrix = field(repr=False)  # rows of patients: no log shows them by accident
    cross: CrossFit = field(repr=False)
    learner: str
    learner_ipa: Mapping[str, float]  # mean cross-validated IPA by learner, see choose_learner
    plan: Plan = field(repr=False)


def fit(cohort: Cohort, settings: Settings, advance: Advance = unwatched) -> Fit:
    """Fit every learner the cohort allows and keep the one whose cross-fitted, calibrated risks have the best IPA.

    Raises NothingEvaluable, or NotSupported where the cohort cannot support the named features or learner.
    """
    plan = plan_of(cohort, settings)
    cross = cross_fitted(plan, advance)
    learner, ipa = choose_learner(cohort, cross, settings.candidates)
    learned = _on_everybody(plan, advance)
    r2 = explained_out_of_fold(cohort, cross, learner, PRIMARY)
    plan = held_to_riley(plan, PRIMARY, r2)
    model = _model(plan, learner, learned, cross.calibration[learner], advance)
    found = {name: round(value, 6) for name, value in ipa.items()}
    facts = {**model.facts, "explained": None if r2 is None else round(r2, 6), "learner_ipa": found}
    model = replace(model, facts=facts, ranks=ranks_of(_out_of_fold(cross, learner)))
    booster = learned.booster if LEARNERS[learner] > 0 else None
    raw = None if booster is None else bytes(booster.save_raw("ubj"))
    return Fit(model, raw, plan.standings, plan.choice, plan.matrix, cross, learner, ipa, plan)


def fitter_of(plan: Plan) -> partial[Learned]:
    """What fits the learners of the plan on some of its patients."""
    return partial(learn, plan.design, grid=plan.grid, served=plan.served, trees=plan.trees, linear=plan.settings.linear)


def cross_fitted(plan: Plan, advance: Advance, doing: str = "cross-validation") -> CrossFit:
    """What learners that never saw a patient say of him, at the horizons the plan serves."""
    settings = plan.settings
    return cross_fit(
        fitter_of(plan),
        plan.matrix,
        plan.cohort.follow_up,
        [patient.id for patient in plan.cohort.patients],
        plan.served,
        folds=settings.folds,
        repeats=settings.repeats,
        seed=settings.seed,
        progress=Steps(advance, doing, settings.folds * settings.repeats),
    )


def _out_of_fold(cross: CrossFit, learner: str) -> FloatArray:
    """What the model's calibration makes of what was said of every patient unseen, once of each: log-odds (n, h)."""
    return calibrated(cross.repeats[0].raw[learner], cross.calibration[learner])


def choose_learner(
    cohort: Cohort, cross: CrossFit, candidates: Sequence[str] = tuple(LEARNERS)
) -> tuple[str, dict[str, float]]:
    """The one of the candidates with the best mean cross-validated IPA, and the mean of every learner.

    The mean is over repeats and over `judged_days`.
    """
    days = judged_days(cohort.follow_up, cross.horizons)
    columns = [cross.horizons.index(day) for day in days]
    ipa = {
        name: float(np.mean([mean_ipa(one.calibrated[name][:, columns], cohort.follow_up, days) for one in cross.repeats]))
        for name in cross.calibration
    }
    return max((name for name in ipa if name in candidates), key=lambda name: ipa[name]), ipa


def _on_everybody(plan: Plan, advance: Advance) -> Learned:
    steps = Steps(advance, "fit on everybody", 1)
    learned = fitter_of(plan)(plan.matrix, plan.cohort.follow_up, seed=plan.settings.seed)
    steps(1)
    return learned


def _model(plan: Plan, learner: str, learned: Learned, calibration: Calibration, advance: Advance) -> RiskModel:
    x = learned.imputation.fill(plan.matrix).x
    tables: LeafTables | None = None
    if learned.booster is not None and LEARNERS[learner] > 0:
        tables = compile_leaf_tables(learned.booster, x, plan.served)
    refits = refit(
        plan.design,
        x,
        plan.cohort.follow_up,
        learned.linear,
        tables,
        grid=plan.grid,
        served=plan.served,
        tree_share=LEARNERS[learner],
        trees=plan.trees,
        count=plan.settings.refits,
        tree_count=plan.settings.tree_refits,
        seed=plan.settings.seed,
        patients=plan.cohort.several_rows,
        progress=Steps(advance, "refits for the intervals", plan.settings.refits),
    )
    return saved_model(plan, learner, learned, tables, calibration, refits)
