"""Every training run is kept in MLflow: what was decided, on whom, how good it was, and the artifact itself.

Neither rows of patients nor the name of a user or a path of this machine are among what is told.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from models import artifact
from models.example import EXAMPLE
from training.cohort import Cohort
from training.fit import Fit, Settings
from training.small_cells import masked_sentence
from training.telling.cohort_facts import flow_facts
from training.telling.page import report_path
from training.tracking.fetch import fetch
from training.tracking.mlflow_store import client_of, experiment_id, global_store
from training.tracking.registered import RUN_ARTIFACT, log_pyfunc
from training.tracking.tracked_numbers import numbers, parameters
from training.validate import Validation

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import DatasetInput, LoggedModel

NEUTRAL = {"mlflow.user": "lymphorisk", "mlflow.source.name": "lymphorisk train", "mlflow.source.type": "LOCAL"}
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
    begun: str | None = None,
) -> Tracked:
    """Keep a run: parameters, metrics, the cohort by its digest, pictures, the artifact in `folder`, and its pyfunc, registered.

    `begun`: the id of the run where it was begun already, by the trials of a search. Raises InvalidArtifact before anything is
    kept when the folder is not the artifact of that digest.
    """
    artifact.load(folder, digest)
    client, params = client_of(tracking.uri), parameters(cohort, settings, fit)
    experiment = experiment_id(client, tracking.uri, tracking.experiment)
    with global_store(tracking.uri), _run(client, experiment, cohort, fit, digest, begun) as run:
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


@contextmanager
def _run(
    client: MlflowClient, experiment: str, cohort: Cohort, fit: Fit, digest: str, begun: str | None
) -> Iterator[str]:
    """The id of the run, a new one unless it was begun, which is finished at the end or marked as failed."""
    tags = NEUTRAL | {
        "mlflow.note.content": _note(cohort, fit),
        "lymphorisk.digest": digest,
        "lymphorisk.cohort_digest": cohort.digest,
        "lymphorisk.trained_on": fit.model.trained_on,
        "lymphorisk.promotable": str(fit.model.facts["promotable"]).lower(),
    }
    run, status = begun or client.create_run(experiment, tags=tags, run_name=cohort.name).info.run_id, "FAILED"
    try:
        for name, value in tags.items() if begun else ():
            client.set_tag(run, name, value)
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
    if (report := report_path(folder)).is_file():
        client.log_artifact(run, str(report))
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
    from mlflow.exceptions import MlflowException

    tags = {"lymphorisk.digest": digest, "lymphorisk.trained_on": fit.model.trained_on}
    try:
        client.create_registered_model(tracking.registered_name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    made = client.create_model_version(
        tracking.registered_name, f"models:/{logged.model_id}", run_id=run, tags=tags, model_id=logged.model_id
    )
    return str(made.version)


__all__ = ["Tracked", "Tracking", "fetch", "track"]
