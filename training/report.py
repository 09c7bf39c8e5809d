"""What a training run tells: the previously treated first, every statistic with its interval."""

from __future__ import annotations

from typing import Any

from models.example import EXAMPLE
from training.cohort import Cohort
from training.diagnosed import before_training
from training.diagnosis.finding import diagnosis_text
from training.fit import Settings
from training.judgement import evaluation_lines, split_lines
from training.run import TrainedRun
from training.telling.account import account_text
from training.tested import look_lines
from training.tracking.track import Tracked
from training.tuning.tried import found_lines


def head_text(cohort: Cohort, settings: Settings) -> str:
    """The account of a cohort and its diagnosis, before anything is fitted."""
    return f"{account_text(cohort)}\n\n{diagnosis_text(before_training(cohort, settings))}"


def run_json(run: TrainedRun) -> dict[str, object]:
    """The run, JSON-ready."""
    fitted = run.fit
    example = {"example": EXAMPLE} if fitted.model.simulated else {}
    return {
        **example,
        "model": str(run.folder),
        "digest": run.digest,
        "learner": fitted.learner,
        "learner_ipa": dict(fitted.learner_ipa),
        "features": list(fitted.model.design.features),
        "left_out": dict(fitted.choice.left_out),
        "refused": dict(fitted.model.refused),
        "promotable": fitted.model.facts["promotable"],
        "search": None if run.found is None else run.found.as_json(),
        "test": run.test,
        "validation": run.validation.as_json(),
        "pictures": [str(path) for path in run.pictures],
        "report": str(run.report),
        "mlflow": None if run.tracked is None else _tracked(run.tracked),
    }


def _tracked(tracked: Tracked) -> dict[str, object]:
    return {"run": tracked.run_id, "model": tracked.model_uri, "version": tracked.registered_version}


def run_text(run: TrainedRun) -> str:
    """The run for a reader."""
    fitted = run.fit
    lines = [EXAMPLE] if fitted.model.simulated else []
    scheme = f"{run.settings.repeats} x {run.settings.folds}-fold cross-validation by patient, seed {run.settings.seed}"
    lines += ["", f"Cross-validated ({scheme}), calibration cross-fitted"]
    told = run.validation.as_json()
    for name, found in told["evaluations"].items():
        lines += [f" {name}, {found['n']} patients", *evaluation_lines(found)]
        lines.append("  mean of folds: " + _means(run.validation.fold_means[name]))
    lines += split_lines(told["splits"])
    lines += look_lines(run.test) if run.test else []
    lines += ["", *found_lines(run.found)] if run.found else []
    ipa = ", ".join(f"{name} {value:.4f}" for name, value in fitted.learner_ipa.items())
    lines += ["", f"Saved learner: {fitted.learner} (cross-validated IPA: {ipa})"]
    lines.append(f"Features: {', '.join(fitted.model.design.features)}")
    if not fitted.model.facts["promotable"]:
        lines.append(f"Not promotable: {fitted.model.facts['promotable_why']}")
    lines += [f"Refused: {day} d, {why}" for day, why in fitted.model.refused.items()]
    lines.append(f"Artifact: {run.folder}  digest {run.digest}")
    lines += [f"Pictures: {run.pictures[0].parent}"] if run.pictures else []
    lines.append(f"Report: {run.report}")
    if run.tracked is not None:
        lines.append(f"MLflow: run {run.tracked.run_id}, {run.tracked.model_uri}, version {run.tracked.registered_version}")
    return "\n".join(lines)


def _means(means: Any) -> str:
    return ", ".join(f"{name} {value:.3f}" for name, value in means.items())
