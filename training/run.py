"""The trip of a data scientist: a cohort goes in, an evaluated, explained and tracked model comes out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from models import artifact
from training.cohort import Cohort, read_cohort
from training.comparing.simple_file import simple_from
from training.diagnosed import after_training
from training.diagnosis.finding import Diagnosis
from training.fit import Fit, Settings, fit
from training.learners.plan import plan_of
from training.progress import Advance, Steps, unwatched
from training.provenance import provenance_of
from training.study.study import Study
from training.telling.card import card_files
from training.telling.evidence import COMPARATORS, DIAGNOSIS, STUDY, TEST, evidence_files, evidence_of
from training.telling.learning_curve import learning_curve
from training.telling.page import write_report
from training.telling.pictures import draw_pictures
from training.tested import KeptApart, Looks, kept_apart
from training.tracking.reachable import require_reachable, saved_anyway
from training.tracking.track import Tracked, Tracking, track
from training.tracking.trials import Trials, told_trials
from training.tuning.search import search
from training.tuning.trials import storage_of
from training.tuning.tried import Found
from training.validate import Validation, validate


@dataclass(frozen=True)
class TrainedRun:
    """Everything a training run made: what MLflow keeps, what the card tells, what the artifact holds."""

    cohort: Cohort
    settings: Settings
    fit: Fit
    validation: Validation
    folder: Path
    digest: str
    pictures: tuple[Path, ...]
    report: Path  # one HTML page, beside the artifact
    diagnosis: Diagnosis
    tracked: Tracked | None
    found: Found | None = None  # by a search
    test: Mapping[str, Any] | None = None  # the test cohorts of a study, judged


def train(
    cohort_file: Path,
    out: Path,
    settings: Settings,
    *,
    data: Path | None = None,
    accept: str = "",
    bootstrap: int = 200,
    tracking: Tracking | None,
    advance: Advance = unwatched,
    say: Callable[[Cohort], object] = lambda cohort: None,
    study: Study | None = None,
    looks: Looks | None = None,
    families: bool = False,
    splits: bool = True,
) -> TrainedRun:
    """Read, search, fit, validate, test, draw, save, track. `say` hears of the cohort before anything is fitted.

    `settings` are those of the `study` where there is one; `looks` counts who looked at its test cohorts. `families` and `splits`
    as in `validate`.
    """
    _require_free(out)
    if tracking is not None:
        require_reachable(tracking.uri)
    cohort = read_cohort(cohort_file, data=data, accept=accept, progress=True)
    apart = kept_apart(study, cohort, data, looks, accept)
    say(cohort)
    asked = {"bootstrap": bootstrap, "families": families, "splits": splits}
    with told_trials(tracking, cohort.name) as trials:
        found = _searched(cohort, settings, study, out, trials, advance)
        learned = _learned(cohort, settings if found is None else found.settings, asked, apart, advance)
        run = _written(learned, out, study, found, advance)
        apart.looked_at_by(run.digest)
    return run if tracking is None or trials is None else replace(run, tracked=_tracked(run, tracking, trials, advance))


def _require_free(out: Path) -> None:
    if out.exists() and any(out.iterdir()):
        raise FileExistsError(f"{out} is not empty: an artifact is written once and never altered")


@dataclass(frozen=True)
class _Learned:
    """A model, and everything that was found of it."""

    cohort: Cohort
    settings: Settings
    fit: Fit
    validation: Validation
    test: Mapping[str, Any] | None
    curve: Mapping[str, Any]


def _learned(cohort: Cohort, settings: Settings, asked: Mapping[str, Any], apart: KeptApart, advance: Advance) -> _Learned:
    # the matrices are small: more BLAS threads than one only wait for each other (18 s against 2 s for 500 patients)
    with threadpool_limits(1, user_api="blas"):
        fitted = fit(cohort, settings, advance)
        validation = validate(cohort, fitted, **asked, seed=settings.seed, progress=advance)
        curve = learning_curve(fitted, settings.seed, advance)
        simple = simple_from(validation.simple_models)
        test = apart.judge(fitted.model, simple, bootstrap=asked["bootstrap"], seed=settings.seed, advance=advance)
    return _Learned(cohort, settings, fitted, validation, test, curve)


def _written(learned: _Learned, out: Path, study: Study | None, found: Found | None, advance: Advance) -> TrainedRun:
    """The pictures, the artifact with its evidence and its card, and the report beside it."""
    cohort, settings, fitted, validation = learned.cohort, learned.settings, learned.fit, learned.validation
    steps = Steps(advance, "pictures, card and report", 3)
    evaluation = validation.as_json()
    diagnosis = after_training(cohort, fitted, evaluation)
    further = {COMPARATORS: validation.simple_models, DIAGNOSIS: diagnosis.filed()} | _declared(study, found)
    further |= {} if learned.test is None else {TEST: learned.test}
    evidence = evidence_of(cohort, fitted, evaluation, further, curve=learned.curve)
    steps(1)
    pictures = draw_pictures(cohort, fitted, evidence, out.with_name(out.name + "-pictures"))
    steps(1)
    files = evidence_files(evidence) | card_files(evidence) | ({} if fitted.booster is None else {"booster.ubj": fitted.booster})
    provenance = provenance_of(cohort, settings)
    digest = artifact.save(fitted.model, out, files=files, provenance=provenance)
    report = write_report(out, evidence, pictures, digest, provenance)
    steps(1)
    return TrainedRun(cohort, settings, fitted, validation, out, digest, pictures, report, diagnosis, None, found, learned.test)


def _searched(
    cohort: Cohort, settings: Settings, study: Study | None, out: Path, trials: Trials | None, advance: Advance
) -> Found | None:
    if study is None or study.search is None:
        return None
    storage, tell = storage_of(study.search, out), trials.tell if trials else lambda tried: None
    with threadpool_limits(1, user_api="blas"):
        return search(plan_of(cohort, settings), study.search, storage, advance=advance, tell=tell)


def _declared(study: Study | None, found: Found | None) -> dict[str, Mapping[str, Any]]:
    """`study.json`: what was declared before training, and what the search found."""
    if study is None:
        return {}
    told = study.as_json()
    return {STUDY: told if found is None else told | {"search_result": found.as_json()}}


def _tracked(run: TrainedRun, tracking: Tracking, trials: Trials, advance: Advance) -> Tracked:
    advance("tracking in MLflow", 0, 1)
    with saved_anyway(run.folder, run.digest, tracking.uri):
        trials.tell_the_rest()
        told = (run.cohort, run.settings, run.fit, run.validation, run.folder, run.digest, run.pictures)
        tracked = track(tracking, *told, begun=trials.run)
    advance("tracking in MLflow", 1, 1)
    return tracked
