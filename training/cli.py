"""The data scientist's commands: simulate, draft, check, train, evaluate, fetch.

Heavy libraries are imported inside the commands, because the same program scores patients and must not load them then.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NoReturn

import typer

if TYPE_CHECKING:
    from models.artifact import Artifact
    from training.cohort import Cohort

_ACCEPT = "Take columns that are suspicious but possible as they are; the reason is kept in the card. Never an impossible value."
_MODEL = "An artifact folder or an MLflow URI (models:/name@alias)."
_URI = "models:/name@alias, models:/name/3, models:/m-... or runs:/..."
_FEATURES = "Comma-separated features named in advance; all supported ones without it."
_COHORT = "A cohort file (TOML) beside its tables."
_DATA = "Folder of the cohort's tables, if not beside its file."
CohortPath = Annotated[Path, typer.Argument(metavar="COHORT", help=_COHORT, exists=True, dir_okay=False)]
Data = Annotated[Path | None, typer.Option("--data", help=_DATA, file_okay=False)]
Accept = Annotated[str, typer.Option("--accept", metavar="REASON", help=_ACCEPT)]
Artifacts = Annotated[Path, typer.Option("--out", help="Folder for the artifact; must not exist or be empty.", file_okay=False)]
Bootstrap = Annotated[int, typer.Option("--bootstrap", min=0, help="Resamples for the intervals of the evaluation.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="The same seed gives the same numbers.")]
TrackingUri = Annotated[str, typer.Option("--tracking-uri", help="The MLflow store or server.")]
Learner = Annotated[Literal["auto", "linear", "ensemble", "trees"], typer.Option(help="auto: by cross-validated IPA.")]
AsJson = Annotated[bool, typer.Option("--json", help="The answer as JSON on standard output.")]
DEFAULT_TRACKING = "sqlite:///mlflow.db"


def mount(app: typer.Typer, pyfunc: Path) -> None:
    """Add the commands to `app`; `pyfunc` is the models-from-code file that MLflow is to register."""
    for command in (simulate, draft, check, evaluate, fetch):
        app.command()(command)
    app.command()(_train_command(pyfunc))


def simulate(
    patients: Annotated[int, typer.Option("--patients", min=1, help="How many patients.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the cohort file, its tables and the truth.", file_okay=False)],
    seed: Seed = 1,
    tidy: Annotated[bool, typer.Option("--tidy", help="Three tables with histories instead of one row a patient.")] = False,
    parquet: Annotated[bool, typer.Option("--parquet", help="Parquet tables instead of CSV.")] = False,
    as_json: AsJson = False,
) -> None:
    """A simulated cohort whose true risks are known (truth.csv)."""
    with _refusing(as_json):
        from training.simulation.files import write
        from training.simulation.simulate import simulate as draw

        if (out / "cohort.toml").exists():
            _refuse([f"{out} holds a cohort already: it is never overwritten"], as_json)
        path = write(draw(patients, seed), out, "tidy" if tidy else "one-row", "parquet" if parquet else "csv")
    _answer({"cohort": str(path), "patients": patients, "seed": seed}, f"{patients} simulated patients: {path}", as_json)


def draft(
    table: Annotated[Path, typer.Argument(metavar="TABLE", help="A CSV or Parquet table.", exists=True, dir_okay=False)],
    out: Annotated[Path | None, typer.Option("--out", help="Where to write the cohort file.", dir_okay=False)] = None,
    as_json: AsJson = False,
) -> None:
    """A cohort file to fill in: every column listed, every unit left for a human. On standard output without --out."""
    if out is not None and out.exists():
        _refuse([f"{out} exists: a draft never overwrites a cohort file"], as_json)
    with _refusing(as_json):
        from training.reading.draft import draft_of

        text = draft_of(table)
    if out is None:
        _answer({"draft": text}, text.removesuffix("\n"), as_json)
    else:
        out.write_text(text, encoding="utf-8")
        _answer({"draft": text, "out": str(out)}, f"{out}: fill in the blanks, then lymphorisk check {out}", as_json)


def check(cohort: CohortPath, data: Data = None, accept: Accept = "", as_json: AsJson = False) -> None:
    """Read and validate a cohort: faults, exclusions, what its follow-up can answer. Nothing is trained."""
    with _refusing(as_json):
        from training.telling.account import account_json, account_text

        read = _read(cohort, data, accept)
    _answer(account_json(read), account_text(read), as_json)


def evaluate(
    model: Annotated[str, typer.Argument(metavar="MODEL", help=_MODEL)],
    cohort: CohortPath,
    data: Data = None,
    accept: Accept = "",
    bootstrap: Bootstrap = 200,
    seed: Seed = 1,
    digest: Annotated[str | None, typer.Option("--digest", help="Refuse any model but the one of this digest.")] = None,
    tracking_uri: TrackingUri = DEFAULT_TRACKING,
    as_json: AsJson = False,
) -> None:
    """A saved model on another cohort: discrimination, calibration and overall fit with intervals."""
    with _refusing(as_json):
        from training.judge import judge, judgement_text
        from training.progress import Bars

        loaded = _artifact(model, digest, tracking_uri).model
        read = _read(cohort, data, accept, loaded.required)
        with Bars() as bars:
            found = judge(loaded, read, bootstrap=bootstrap, seed=seed, advance=bars)
    _answer(found, judgement_text(loaded, found), as_json)


def fetch(
    uri: Annotated[str, typer.Argument(metavar="URI", help=_URI)],
    out: Artifacts,
    tracking_uri: TrackingUri = DEFAULT_TRACKING,
    as_json: AsJson = False,
) -> None:
    """The artifact folder of a model in MLflow, verified."""
    with _refusing(as_json):
        digest = _fetched(uri, out, tracking_uri)
    _answer({"model": str(out), "digest": digest}, f"{out}  digest {digest}", as_json)


def _train_command(pyfunc: Path) -> Callable[..., None]:
    def train(
        cohort: CohortPath,
        out: Artifacts,
        data: Data = None,
        accept: Accept = "",
        features: Annotated[str, typer.Option(help=_FEATURES)] = "",
        learner: Learner = "auto",
        folds: Annotated[int, typer.Option(min=2, help="Folds of the cross-validation, grouped by patient.")] = 5,
        repeats: Annotated[int, typer.Option(min=1, help="Repeats of the cross-validation.")] = 1,
        bootstrap: Bootstrap = 200,
        refits: Annotated[int, typer.Option(min=2, help="Refits for the intervals of every score.")] = 50,
        seed: Seed = 1,
        tracking_uri: TrackingUri = DEFAULT_TRACKING,
        experiment: Annotated[str, typer.Option(help="MLflow experiment.")] = "lymphorisk",
        registered_name: Annotated[str, typer.Option("--registered-name", help="Name in the MLflow registry.")] = "lymphorisk",
        no_tracking: Annotated[bool, typer.Option("--no-tracking", help="Save the artifact only.")] = False,
        as_json: AsJson = False,
    ) -> None:
        """Fit, cross-validate, save and track a model; which learner is saved is decided by cross-validated IPA."""
        with _refusing(as_json):
            from training.learners.plan import Settings
            from training.progress import Bars
            from training.report import run_json, run_text
            from training.run import train as train_on
            from training.tracking.track import Tracking

            named = tuple(name.strip() for name in features.split(",") if name.strip()) or None
            settings = Settings(named, learner, folds=folds, repeats=repeats, refits=refits, seed=seed)
            tracking = Tracking(uri=tracking_uri, experiment=experiment, registered_name=registered_name, pyfunc=pyfunc)
            kept = None if no_tracking else tracking
            with Bars() as bars:
                trip = partial(train_on, data=data, accept=accept, bootstrap=bootstrap, tracking=kept, advance=bars, say=_say)
                run = trip(cohort, out, settings)
        _answer(run_json(run), run_text(run), as_json)

    return train


def _say(read: Cohort) -> None:
    """The account of the cohort, to whoever waits for the rest."""
    from training.telling.account import account_text

    typer.echo(account_text(read), err=True)


def _read(path: Path, data: Path | None, accept: str, required: tuple[str, ...] | None = None) -> Cohort:
    from training.cohort import read_cohort

    return read_cohort(path, data=data, accept=accept, required=required, progress=True)


def _artifact(model: str, digest: str | None, tracking_uri: str) -> Artifact:
    from tempfile import TemporaryDirectory

    from models.artifact import load

    if not model.startswith(("models:/", "runs:/")):
        return load(Path(model), digest)
    with TemporaryDirectory() as folder:
        _fetched(model, Path(folder) / "model", tracking_uri)
        return load(Path(folder) / "model", digest)


def _fetched(uri: str, out: Path, tracking_uri: str) -> str:
    from training.refused import NotSupported
    from training.tracking.fetch import fetch as download

    try:
        return download(uri, out, tracking_uri)
    except LookupError as error:
        raise NotSupported(str(error)) from error


@contextmanager
def _refusing(as_json: bool) -> Iterator[None]:
    """What a command refuses becomes its faults on standard error, and exit code 1."""
    from models.artifact import InvalidArtifact
    from models.cohort_file import InvalidCohort
    from training.refused import NothingEvaluable, NotSupported

    try:
        yield
    except InvalidCohort as error:
        _refuse(list(map(str, error.faults)), as_json)
    except (InvalidArtifact, NotSupported, NothingEvaluable, FileExistsError) as error:
        _refuse([str(error)], as_json)
    except ModuleNotFoundError as error:
        _refuse([f"{error.name} is not installed: this command needs lymphorisk[training]"], as_json)


def _answer(document: object, text: str, as_json: bool) -> None:
    typer.echo(json.dumps(document, indent=2, allow_nan=False) if as_json else text)


def _refuse(faults: list[str], as_json: bool) -> NoReturn:
    """Name every fault on standard error (and as JSON on standard output where asked), and stop with 1."""
    for fault in faults:
        typer.echo(fault, err=True)
    if as_json:
        typer.echo(json.dumps({"faults": faults}, indent=2))
    raise typer.Exit(1)
