"""A cohort becomes a model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from training.commands.answering import answer, refuse, refusing
from training.commands.options import (
    DEFAULT_NAME,
    DEFAULT_RELEASES,
    DEFAULT_TRACKING,
    Accept,
    Artifacts,
    AsJson,
    Bootstrap,
    By,
    CohortPath,
    Data,
    RegisteredName,
    Releases,
    SealKey,
    TrackingUri,
)

if TYPE_CHECKING:
    from training.cohort import Cohort
    from training.learners.plan import Settings
    from training.study.study import Study
    from training.tested import Looks
    from training.tracking.track import Tracking

DECLARED = ("features", "learner", "folds", "repeats", "refits", "seed")  # by a study, where there is one
_STUDY = "A study file (TOML): features, learners, search, test cohorts and gate, declared before training."
_FEATURES = "Comma-separated features named in advance; all supported ones without it."
_TRIALS = "How many settings the search of the study tries in all, in place of what the study says."
_FAMILIES = "Cross-validate other families of models beside it: Cox on all features, accelerated failure time, discrete time."
_SPLITS = "Do not refit for the split in time and for the sites."
StudyFile = Annotated[Path | None, typer.Option("--study", help=_STUDY, exists=True, dir_okay=False)]
Trials = Annotated[int | None, typer.Option("--trials", min=1, help=_TRIALS)]
Features = Annotated[str | None, typer.Option(help=_FEATURES)]
Learner = Annotated[Literal["auto", "linear", "ensemble", "trees"] | None, typer.Option(help="auto: by cross-validated IPA.")]
Folds = Annotated[int | None, typer.Option(min=2, help="Folds of the cross-validation, by patient.  [default: 5]")]
Repeats = Annotated[int | None, typer.Option(min=1, help="Repeats of the cross-validation.  [default: 1]")]
Refits = Annotated[int | None, typer.Option(min=2, help="Refits for the intervals of every score.  [default: 50]")]
Seed = Annotated[int | None, typer.Option(min=0, help="The same seed gives the same numbers.  [default: 1]")]


def train_command(pyfunc: Path) -> Callable[..., None]:
    """The verb `train`; `pyfunc` is the models-from-code file that MLflow is to register."""

    def train(
        cohort: CohortPath,
        out: Artifacts,
        data: Data = None,
        accept: Accept = "",
        study: StudyFile = None,
        trials: Trials = None,
        features: Features = None,
        learner: Learner = None,
        folds: Folds = None,
        repeats: Repeats = None,
        bootstrap: Bootstrap = 200,
        refits: Refits = None,
        seed: Seed = None,
        releases: Releases = DEFAULT_RELEASES,
        seal_key: SealKey = None,
        by: By = "not named",
        tracking_uri: TrackingUri = DEFAULT_TRACKING,
        experiment: Annotated[str, typer.Option(help="MLflow experiment.")] = "lymphorisk",
        registered_name: RegisteredName = DEFAULT_NAME,
        families: Annotated[bool, typer.Option("--families", help=_FAMILIES)] = False,
        no_splits: Annotated[bool, typer.Option("--no-splits", help=_SPLITS)] = False,
        no_tracking: Annotated[bool, typer.Option("--no-tracking", help="Save the artifact only.")] = False,
        as_json: AsJson = False,
    ) -> None:
        """Fit, cross-validate, save and track a model; which learner is saved is decided by cross-validated IPA."""
        given = dict(zip(DECLARED, (features, learner, folds, repeats, refits, seed), strict=True))
        _conflicts(study, trials, {name: value for name, value in given.items() if value is not None}, as_json)
        with refusing(as_json):
            from training.progress import Bars
            from training.report import run_json, run_text
            from training.run import train as train_on
            from training.tracking.track import Tracking

            declared = None if study is None else _study(study, trials)
            settings = _settings(given) if declared is None else _declared(declared)
            tracking = Tracking(uri=tracking_uri, experiment=experiment, registered_name=registered_name, pyfunc=pyfunc)
            kept = None if no_tracking else tracking
            if declared is not None and declared.landmarks is not None:
                told = _at_landmarks(cohort, out, declared, kept, data=data, accept=accept, bootstrap=bootstrap)
                answer(*told, as_json)
                return
            with Bars() as bars:
                say = partial(_say, settings)
                trip = partial(train_on, data=data, accept=accept, bootstrap=bootstrap, tracking=kept, advance=bars, say=say)
                trip = partial(trip, families=families, splits=not no_splits)
                run = trip(cohort, out, settings, study=declared, looks=_looks(releases, seal_key, by))
        answer(run_json(run), run_text(run), as_json)

    return train


def _at_landmarks(
    cohort: Path, out: Path, study: Study, tracking: Tracking | None, *, data: Path | None, accept: str, bootstrap: int
) -> tuple[dict[str, object], str]:
    """One model for all landmarks of the study; what it tells as JSON and in words."""
    from training.landmarks.told import landmarks_json, landmarks_text, write_page
    from training.landmarks.tracked import track_landmarks
    from training.landmarks.trip import train_landmarks
    from training.progress import Bars
    from training.tracking.reachable import require_reachable, saved_anyway

    if tracking is not None:
        require_reachable(tracking.uri)
    settings = _declared(study)
    with Bars() as bars:
        trip = partial(train_landmarks, data=data, accept=accept, bootstrap=bootstrap, advance=bars, say=partial(_say, settings))
        run = trip(cohort, out, settings, study)
    write_page(run)
    if tracking is None:
        return landmarks_json(run), landmarks_text(run)
    with saved_anyway(run.folder, run.digest, tracking.uri):
        tracked = track_landmarks(tracking, run)
    kept = {"run": tracked.run_id, "model": tracked.model_uri}
    return landmarks_json(run) | {"mlflow": kept}, landmarks_text(run, tracked)


def _conflicts(study: Path | None, trials: int | None, given: dict[str, object], as_json: bool) -> None:
    """Refuse what a study declares and the command line says again: a study is followed to the letter."""
    if study is not None and given:
        options = ", ".join(f"--{name}" for name in given)
        refuse([f"{options} with --study: {study.name} declares what is tried; write it there, or leave --study out"], as_json)
    if study is None and trials is not None:
        refuse(["--trials without --study: a search is declared in a study file, with [search]"], as_json)


def _settings(given: Mapping[str, object]) -> Settings:
    from training.learners.plan import Settings

    named = [name.strip() for name in str(given["features"] or "").split(",") if name.strip()]
    chosen = {name: value for name, value in given.items() if value is not None}
    return Settings(**chosen | {"features": tuple(named) or None})  # type: ignore[arg-type]  # the options have these types


def _study(path: Path, trials: int | None) -> Study:
    """The study with as many trials as were asked for; `[card]` answers only what the checklists ask."""
    from dataclasses import replace

    from training.refused import NotSupported
    from training.study.study_file import read_study_file
    from training.telling.checklist import require_known

    study = read_study_file(path)
    try:
        require_known(study.card)
    except ValueError as error:
        raise NotSupported(f"{path.name}: {error}") from error
    if trials is None:
        return study
    if study.search is None:
        raise NotSupported(f"--trials {trials}: {path.name} declares no [search]")
    return replace(study, search=replace(study.search, trials=trials))


def _declared(study: Study) -> Settings:
    from training.tuning.varied import settings_of

    return settings_of(study)


def _looks(releases: Path, seal_key: Path | None, by: str) -> Looks:
    """Looks at test cohorts, as the ledger of the releases keeps them."""
    from training.gate.looks import looks_at, record_look
    from training.tested import Looks

    def record(model: str, cohort: Cohort) -> int:
        return record_look(releases, model, cohort.digest, cohort.name, by, "train", seal_key=seal_key)

    return Looks(lambda digest: looks_at(releases, digest, seal_key=seal_key), record)


def _say(settings: Settings, read: Cohort) -> None:
    """What is known before anything is fitted, to whoever waits for the rest."""
    from training.report import head_text

    typer.echo(head_text(read, settings), err=True)
