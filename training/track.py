"""Every training run is kept in MLflow: what was decided, on whom, how good it was, and the artifact itself.

Neither rows of patients nor the name of a user or a path of this machine are among what is told. MLflow is imported only when
it is needed: it takes a second, and would report its use elsewhere unless told not to.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from models import artifact
from training.card import EXAMPLE, flow_facts
from training.cohort import Cohort
from training.fit import Fit, Settings
from training.registered import ARTIFACT, RUN_ARTIFACT, log_pyfunc
from training.small_cells import masked_sentence
from training.tracked_numbers import numbers, parameters
from training.validate import Validation

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import DatasetInput, LoggedModel

_NEUTRAL = {"mlflow.user": "lymphorisk", "mlflow.source.name": "lymphorisk train", "mlflow.source.type": "LOCAL"}
_QUIET = {  # read by MLflow when it is first imported
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_UV_AUTO_DETECT": "false",  # or it copies the project of the working directory into a model
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_LOGGING_LEVEL": "ERROR",
}
_DIGEST_LENGTH = 36  # characters; as much of a digest as MLflow keeps of an input


@dataclass(frozen=True)
class Tracking:
    """Where a run is kept: the store's URI, the names of the experiment and of the registered model, and the pyfunc's code."""

    uri: str
    pyfunc: Path
    experiment: str = "lymphorisk"
    registered_name: str = "lymphorisk"


@dataclass(frozen=True)
class Tracked:
    """Where a run was kept."""

    run_id: str
    model_uri: str
    registered_version: str
    uri: str


def track(
    tracking: Tracking,
    cohort: Cohort,
    settings: Settings,
    fit: Fit,
    validation: Validation,
    folder: Path,
    digest: str,
    pictures: tuple[Path, ...],
) -> Tracked:
    """Keep a run: parameters, metrics, the cohort by its digest, pictures, the artifact in `folder`, and its pyfunc, registered.

    Raises InvalidArtifact before anything is kept when the folder is not the artifact of that digest.
    """
    artifact.load(folder, digest)
    client, params = _client(tracking.uri), parameters(cohort, settings, fit)
    experiment = _experiment(client, tracking)
    with _store(tracking.uri), _run(client, experiment, cohort, fit, digest) as run:
        for name, value in params.items():
            client.log_param(run, name, value)
        client.log_inputs(run, [_input(cohort)])
        _log_files(client, run, cohort, folder, pictures)
        logged = log_pyfunc(
            client,
            experiment,
            run,
            tracking.registered_name,
            code=tracking.pyfunc,
            folder=folder,
            days=fit.model.days,
            params=params | {"digest": digest},
        )
        _log_metrics(client, run, logged, cohort, fit, validation)
        registered = _register(client, tracking, run, logged, digest, fit)
    return Tracked(run, f"models:/{logged.model_id}", registered, tracking.uri)


def fetch(model: str, out: Path, tracking_uri: str | None = None) -> str:
    """Download the artifact of `models:/name@alias`, `models:/name/3`, `models:/m-...` or `runs:/...` to `out`; its digest.

    Nothing is left in `out` unless the artifact is whole. Raises InvalidArtifact when it is not, FileExistsError when `out`
    holds files, ValueError for another kind of URI.
    """
    if not model.startswith(("models:/", "runs:/")):
        raise ValueError(f"{model}: allowed is models:/name@alias, models:/name/version, models:/m-... or runs:/...")
    if out.exists() and any(out.iterdir()):
        raise FileExistsError(f"{out} is not empty: an artifact is fetched into a new folder")
    _quiet_mlflow()
    from mlflow.artifacts import download_artifacts

    with _store(tracking_uri), TemporaryDirectory() as aside:
        found = Path(download_artifacts(artifact_uri=model, dst_path=aside))
        found = found / ARTIFACT if model.startswith("models:/") else found
        digest = artifact.load(found).digest
        shutil.copytree(found, out, dirs_exist_ok=True)
    return artifact.load(out, digest).digest


def _quiet_mlflow() -> None:
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)


@contextmanager
def _store(uri: str | None) -> Iterator[None]:
    """MLflow resolves `models:/...` in its global store: this one, for as long as it takes; None leaves it as it is."""
    import mlflow

    if uri is None:
        yield
        return
    before = mlflow.get_tracking_uri() if mlflow.is_tracking_uri_set() else None  # type: ignore[no-untyped-call]
    mlflow.set_tracking_uri(uri)
    try:
        yield
    finally:
        mlflow.set_tracking_uri(before)  # type: ignore[arg-type]  # None is how it is unset


def _client(uri: str) -> MlflowClient:
    _quiet_mlflow()
    from mlflow import MlflowClient

    if uri.startswith("sqlite:///"):
        _beside(uri).mkdir(parents=True, exist_ok=True)
    return MlflowClient(tracking_uri=uri, registry_uri=uri)


def _beside(uri: str) -> Path:
    """The folder of an SQLite store."""
    return Path(uri.removeprefix("sqlite:///")).resolve().parent


def _experiment(client: MlflowClient, tracking: Tracking) -> str:
    """The experiment's id; a new one keeps its files beside an SQLite store, and where it will on a server."""
    if (found := client.get_experiment_by_name(tracking.experiment)) is not None:
        return str(found.experiment_id)
    local = tracking.uri.startswith("sqlite:///")
    place = (_beside(tracking.uri) / "mlruns" / tracking.experiment).as_uri() if local else None
    return str(client.create_experiment(tracking.experiment, artifact_location=place))


@contextmanager
def _run(client: MlflowClient, experiment: str, cohort: Cohort, fit: Fit, digest: str) -> Iterator[str]:
    """The id of a new run, which is finished at the end or marked as failed."""
    tags = _NEUTRAL | {
        "mlflow.note.content": _note(cohort, fit),
        "lymphorisk.digest": digest,
        "lymphorisk.cohort_digest": cohort.digest,
        "lymphorisk.trained_on": fit.model.trained_on,
        "lymphorisk.promotable": str(fit.model.facts["promotable"]).lower(),
    }
    run, status = client.create_run(experiment, tags=tags, run_name=cohort.name).info.run_id, "FAILED"
    try:
        yield run
        status = "FINISHED"
    finally:
        client.set_terminated(run, status)


def _note(cohort: Cohort, fit: Fit) -> str:
    """The description of a run and of its model: the words of a model of simulated patients come first."""
    lines = [EXAMPLE] if fit.model.simulated else []
    lines.append(f"{cohort.name}: {len(cohort)} patients, {int(cohort.follow_up.deaths.sum())} deaths; {fit.learner} learner.")
    if not fit.model.facts["promotable"]:
        lines.append(f"Not promotable: {masked_sentence(str(fit.model.facts['promotable_why']))}.")
    return "\n\n".join([*lines, "The model card is among the artifacts: card.md."])


def _input(cohort: Cohort) -> DatasetInput:
    """The cohort as MLflow knows inputs: its name, digest and source, and how many patients; no row and no path."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    source = {"cohort": cohort.name, "source": cohort.source, "sha256": cohort.digest}
    size = {"patients": len(cohort), "deaths": int(cohort.follow_up.deaths.sum())}
    told = Dataset(cohort.name, cohort.digest[:_DIGEST_LENGTH], "cohort file", json.dumps(source), profile=json.dumps(size))
    return DatasetInput(told, [InputTag("mlflow.data.context", "development")])


def _log_files(client: MlflowClient, run: str, cohort: Cohort, folder: Path, pictures: tuple[Path, ...]) -> None:
    client.log_dict(run, {"cohort": cohort.name, "flow": flow_facts(cohort.flow)}, "flow.json")
    client.log_artifact(run, str(folder / "card.md"))
    client.log_artifacts(run, str(folder), RUN_ARTIFACT)
    for picture in pictures:
        client.log_artifact(run, str(picture), "pictures")


def _log_metrics(client: MlflowClient, run: str, logged: LoggedModel, cohort: Cohort, fit: Fit, validation: Validation) -> None:
    """Metrics of the run that are those of its model, on this cohort."""
    from mlflow.entities import Metric

    now, digest = int(logged.creation_timestamp), cohort.digest[:_DIGEST_LENGTH]
    told = [
        Metric(one.name, one.value, now, one.step, logged.model_id, cohort.name, digest, run) for one in numbers(fit, validation)
    ]
    client.log_batch(run, metrics=told)


def _register(client: MlflowClient, tracking: Tracking, run: str, logged: LoggedModel, digest: str, fit: Fit) -> str:
    """The new version of the registered model."""
    tags = {"lymphorisk.digest": digest, "lymphorisk.trained_on": fit.model.trained_on}
    if not client.search_registered_models(filter_string=f"name = '{tracking.registered_name}'"):
        client.create_registered_model(tracking.registered_name)
    made = client.create_model_version(
        tracking.registered_name, f"models:/{logged.model_id}", run_id=run, tags=tags, model_id=logged.model_id
    )
    return str(made.version)
