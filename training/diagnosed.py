"""When a cohort is diagnosed: before it is learned from, once more with what was learned, and before a model is judged on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models.artifact import Artifact
from training.cohort import Cohort
from training.diagnosis.degenerate import degenerate
from training.diagnosis.diagnose import diagnose
from training.diagnosis.finding import Diagnosis
from training.diagnosis.too_good import too_good
from training.fit import PRIMARY, Fit, Settings
from training.learners.available import choose_design
from training.refused import NotSupported
from training.validate import EVERYBODY


def before_training(cohort: Cohort, settings: Settings, against: Cohort | None = None) -> Diagnosis:
    """The diagnosis at the head of `check` and `train`; sample size by Riley's default, for the columns the cohort supports."""
    try:
        parameters = len(choose_design(cohort, settings.features).design.columns)
    except NotSupported:
        parameters = None
    return diagnose(cohort, days=settings.horizons, primary=PRIMARY, parameters=parameters, against=against)


def after_training(cohort: Cohort, fit: Fit, evaluation: Mapping[str, Any], against: Cohort | None = None) -> Diagnosis:
    """The diagnosis that stays with the model: sample size by what cross-validation explained, and the figures themselves.

    Are they too good, and do they say anything? `evaluation` is `Validation.as_json()`; its "everybody" must have all of them.
    """
    found = diagnose(
        cohort,
        days=fit.plan.settings.horizons,
        primary=PRIMARY,
        parameters=len(fit.choice.design.columns),
        r2=fit.model.facts["explained"],  # type: ignore[arg-type]  # the facts hold what `fit` put there
        against=against,
    )
    evaluations = evaluation["evaluations"]
    return found.and_also([too_good(evaluations), degenerate(evaluations[EVERYBODY], EVERYBODY)])


def before_judging(artifact: Artifact, cohort: Cohort, against: Cohort | None = None) -> Diagnosis:
    """The diagnosis of a cohort on which a model is to be judged, `against` the one it was developed on where that is at hand."""
    developed_on = str(artifact.provenance.get("cohort_digest", ""))
    days = [float(day) for day in artifact.model.days]
    return diagnose(cohort, days=days, primary=PRIMARY, against=against, developed_on=developed_on)


def judged_on(artifact: Artifact, cohort: Cohort, evaluation: Mapping[str, Any], against: Cohort | None = None) -> Diagnosis:
    """The diagnosis at the head of `evaluate`: the same, and whether the `evaluation` (its JSON) says anything."""
    further = [too_good({EVERYBODY: evaluation}), degenerate(evaluation, EVERYBODY)]
    return before_judging(artifact, cohort, against).and_also(further)
