"""The data scientist's commands: simulate, draft, check, train, evaluate, fetch.

Heavy libraries are imported inside the commands, because the same program scores patients and must not load them then.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from training.cohort import Cohort
    from training.fit import Settings

CohortPath = Annotated[Path, typer.Argument(metavar="COHORT", help="A cohort file (TOML) beside its tables.", exists=True, dir_okay=False)]
Data = Annotated[Path | None, typer.Option("--data", help="Folder of the cohort's tables, if not beside the cohort file.", file_okay=False)]
Accept = Annotated[str, typer.Option("--accept", metavar="REASON", help="Take suspicious columns as they are; the reason is kept in the card.")]
AsJson = Annotated[bool, typer.Option("--json", help="The answer as JSON on standard output.")]
DEFAULT_TRACKING = "sqlite:///mlflow.db"


def mount(app: typer.Typer, pyfunc: Path) -> None:
    """Add the commands to `app`; `pyfunc` is the models-from-code file that MLflow is to register."""
    for command in (simulate, draft, check, evaluate, fetch):
        app.command()(command)
    app.command()(_train_command(pyfunc))


def simulate(
    patients: Annotated[int, typer.Option("--patients", min=1, help="How many patients.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the cohort file, its tables and the truth.")],
    seed: Annotated[int, typer.Option(help="The same seed gives the same patients.")] = 1,
    tidy: Annotated[bool, typer.Option("--tidy", help="Three tables with histories instead of one row a patient.")] = False,
    parquet: Annotated[bool, typer.Option("--parquet", help="Parquet tables instead of CSV.")] = False,
    as_json: AsJson = False,
) -> None:
    """A simulated cohort whose true risks are known (truth.csv)."""
    from training.simulate import simulate as draw
    from training.simulated_files import write

    path = write(draw(patients, seed), out, "tidy" if tidy else "one-row", "parquet" if parquet else "csv")
    _answer({"cohort": str(path), "patients": patients, "seed": seed}, f"{patients} simulated patients: {path}", as_json)


def draft(
    table: Annotated[Path, typer.Argument(metavar="TABLE", help="A CSV or Parquet table.", exists=True, dir_okay=False)],
    out: Annotated[Path | None, typer.Option("--out", help="Where to write the cohort file; standard output without it.")] = None,
) -> None:
    """A cohort file to fill in: every column listed, every unit left for a human."""
    from training.draft import draft_of

    text = draft_of(table)
    if out is None:
        typer.echo(text, nl=False)
    elif out.exists():
        _refuse([f"{out} exists: a draft never overwrites a cohort file"], False)
    else:
        out.write_text(text, encoding="utf-8")
        typer.echo(f"{out}: fill in the units, then lymphorisk check {out}", err=True)


def check(cohort: CohortPath, data: Data = None, accept: Accept = "", as_json: AsJson = False) -> None:
    """Read and validate a cohort: faults, exclusions, what its follow-up can answer. Nothing is trained."""
    from training.account import account_json, account_text

    read = _read(cohort, data, accept, as_json)
    _answer(account_json(read), account_text(read), as_json)


def evaluate(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="An artifact folder or an MLflow URI (models:/name@alias).")],
    cohort: CohortPath,
    data: Data = None,
    accept: Accept = "",
    bootstrap: Annotated[int, typer.Option(min=0, help="Resamples for the intervals.")] = 200,
    seed: Annotated[int, typer.Option(help="Seed of the resamples.")] = 1,
    digest: Annotated[str | None, typer.Option("--digest", help="Refuse any model but the one of this digest.")] = None,
    tracking_uri: Annotated[str | None, typer.Option("--tracking-uri", envvar="MLFLOW_TRACKING_URI", help="MLflow store of a models:/ URI.")] = None,
    as_json: AsJson = False,
) -> None:
    """A saved model on another cohort: discrimination, calibration and overall fit with intervals."""
    from training.judge import judge, judgement_text
    from training.progress import Bars

    artifact = _artifact(model, digest, tracking_uri, as_json)
    read = _read(cohort, data, accept, as_json, artifact.model.required)
    with Bars() as bars:
        result = judge(artifact.model, read, bootstrap=bootstrap, seed=seed, advance=bars)
    _answer(result, judgement_text(artifact.model, result), as_json)


def fetch(
    uri: Annotated[str, typer.Argument(metavar="URI", help="models:/name@alias, models:/name/3, models:/m-... or runs:/...")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the artifact; must not exist or be empty.")],
    tracking_uri: Annotated[str, typer.Option("--tracking-uri", envvar="MLFLOW_TRACKING_URI", help="The MLflow store.")] = DEFAULT_TRACKING,
    as_json: AsJson = False,
) -> None:
    """The artifact folder of a model in MLflow, verified."""
    from models.artifact import InvalidArtifact
    from training.track import fetch as download

    try:
        digest = download(uri, out, tracking_uri)
    except (InvalidArtifact, FileExistsError, LookupError) as error:
        _refuse([str(error)], as_json)
    _answer({"model": str(out), "digest": digest}, f"{out}  digest {digest}", as_json)


def _train_command(pyfunc: Path) -> Callable[..., None]:
    def train(
        cohort: CohortPath,
        out: Annotated[Path, typer.Option("--out", help="Folder for the artifact; must not exist or be empty.")],
        data: Data = None,
        accept: Accept = "",
        features: Annotated[str, typer.Option(help="Comma-separated features named in advance; all supported ones without it.")] = "",
        learner: Annotated[str, typer.Option(help="auto (by cross-validated IPA), linear, ensemble or trees.")] = "auto",
        folds: Annotated[int, typer.Option(min=2, help="Folds of the cross-validation, grouped by patient.")] = 5,
        repeats: Annotated[int, typer.Option(min=1, help="Repeats of the cross-validation.")] = 1,
        bootstrap: Annotated[int, typer.Option(min=0, help="Resamples for the intervals of the evaluation.")] = 200,
        refits: Annotated[int, typer.Option(min=2, help="Refits for the intervals of every score.")] = 50,
        seed: Annotated[int, typer.Option(help="Seed of folds, trees and resamples.")] = 1,
        tracking_uri: Annotated[str, typer.Option("--tracking-uri", envvar="MLFLOW_TRACKING_URI", help="MLflow store or server.")] = DEFAULT_TRACKING,
        experiment: Annotated[str, typer.Option(help="MLflow experiment.")] = "lymphorisk",
        registered_name: Annotated[str, typer.Option("--registered-name", help="Name in the MLflow registry.")] = "lymphorisk",
        no_tracking: Annotated[bool, typer.Option("--no-tracking", help="Save the artifact only.")] = False,
        as_json: AsJson = False,
    ) -> None:
        """Fit, cross-validate, save and track a model; which learner is saved is decided by cross-validated IPA."""
        from training.account import account_text
        from training.fit import Settings
        from training.progress import Bars
        from training.report import run_json, run_text
        from training.run import train as trip
        from training.track import Tracking

        named = tuple(name.strip() for name in features.split(",") if name.strip()) or None
        settings = Settings(features=named, learner=learner, folds=folds, repeats=repeats, refits=refits, seed=seed)
        tracking = None if no_tracking else Tracking(uri=tracking_uri, experiment=experiment, registered_name=registered_name, pyfunc=pyfunc)

        def say(read: Cohort) -> None:
            typer.echo(account_text(read), err=True)

        with Bars() as bars:
            options: dict[str, Any] = {"data": data, "accept": accept, "bootstrap": bootstrap, "tracking": tracking}
            run = _trained(trip, cohort, out, settings, options | {"advance": bars, "say": say}, as_json)
        _answer(run_json(run), run_text(run), as_json)

    return train


def _trained(trip: Callable[..., Any], cohort: Path, out: Path, settings: Settings, options: Mapping[str, Any], as_json: bool) -> Any:
    from models.cohort_file import InvalidCohort
    from training.fit import NothingEvaluable

    if out.exists() and any(out.iterdir()):
        _refuse([f"{out} is not empty: an artifact is written once and never altered"], as_json)
    try:
        return trip(cohort, out, settings, **options)
    except InvalidCohort as error:
        _refuse([str(fault) for fault in error.faults], as_json)
    except (NothingEvaluable, ValueError) as error:
        _refuse([str(error)], as_json)


def _read(path: Path, data: Path | None, accept: str, as_json: bool, required: tuple[str, ...] | None = None) -> Cohort:
    from models.cohort_file import InvalidCohort
    from training.cohort import read_cohort

    try:
        return read_cohort(path, data=data, accept=accept, required=required, progress=True)
    except InvalidCohort as error:
        _refuse([str(fault) for fault in error.faults], as_json)


def _artifact(model: str, digest: str | None, tracking_uri: str | None, as_json: bool) -> Any:
    import tempfile

    from models.artifact import InvalidArtifact, load

    try:
        if not model.startswith(("models:/", "runs:/")):
            return load(Path(model), digest)
        from training.track import fetch as download

        with tempfile.TemporaryDirectory() as folder:
            download(model, Path(folder) / "model", tracking_uri or DEFAULT_TRACKING)
            return load(Path(folder) / "model", digest)
    except (InvalidArtifact, LookupError) as error:
        _refuse([str(error)], as_json)


def _answer(document: object, text: str, as_json: bool) -> None:
    typer.echo(json.dumps(document, indent=2, allow_nan=False) if as_json else text)


def _refuse(faults: list[str], as_json: bool) -> NoReturn:
    """Name every fault on standard error (and as JSON on standard output where asked), and stop with 1."""
    for fault in faults:
        typer.echo(fault, err=True)
    if as_json:
        typer.echo(json.dumps({"faults": faults}, indent=2))
    raise typer.Exit(1)
