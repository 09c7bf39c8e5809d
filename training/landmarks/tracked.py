"""A run with landmarks in MLflow: what was declared, on whom, every measure with the landmark as its step, and the artifact."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from models import artifact
from models.example import EXAMPLE
from training.landmarks.told import landmarks_json
from training.landmarks.trip import LandmarkRun
from training.telling.page import report_path
from training.tracking.mlflow_store import client_of, experiment_id, global_store
from training.tracking.registered import RUN_ARTIFACT, log_pyfunc
from training.tracking.track import NEUTRAL, Tracked, Tracking

if TYPE_CHECKING:
    from mlflow import MlflowClient

WHOSE = {"model": "model", "score_of_the_index_date": "index_date"}  # in the names of metrics


def track_landmarks(tracking: Tracking, run: LandmarkRun) -> Tracked:
    """Keep the run; its pyfunc is logged and not registered, since the gate judges models of the index date.

    Raises InvalidArtifact before anything is kept when the folder is not the artifact of its digest.
    """
    artifact.load(run.folder, run.digest)
    client, facts = client_of(tracking.uri), landmarks_json(run)
    experiment, params = experiment_id(client, tracking.uri, tracking.experiment), _parameters(run, facts)
    with global_store(tracking.uri), _run(client, experiment, run) as kept:
        for name, value in params.items():
            client.log_param(kept, name, value)
        client.log_artifact(kept, str(report_path(run.folder)))
        client.log_artifacts(kept, str(run.folder), RUN_ARTIFACT)
        logged = log_pyfunc(
            client,
            experiment,
            kept,
            tracking.registered_name,
            code=tracking.pyfunc,
            folder=run.folder,
            days=run.fit.model.days,
            params=params | {"digest": run.digest},
        )
        for measure, found, day in _metrics(facts):
            client.log_metric(kept, measure, found, step=day)
    return Tracked(kept, f"models:/{logged.model_id}", "", tracking.uri)


@contextmanager
def _run(client: MlflowClient, experiment: str, run: LandmarkRun) -> Iterator[str]:
    cohort = run.histories.cohort
    tags = NEUTRAL | {
        "mlflow.note.content": f"{EXAMPLE if run.fit.model.simulated else ''}\n\n{cohort.name}: a model for landmarks.".strip(),
        "lymphorisk.digest": run.digest,
        "lymphorisk.cohort_digest": cohort.digest,
        "lymphorisk.trained_on": run.fit.model.trained_on,
    }
    kept, status = client.create_run(experiment, tags=tags, run_name=f"{cohort.name} landmarks").info.run_id, "FAILED"
    try:
        yield kept
        status = "FINISHED"
    finally:
        client.set_terminated(kept, status)


def _parameters(run: LandmarkRun, facts: dict[str, Any]) -> dict[str, str]:
    told = {"cohort": run.histories.cohort.name, "cohort_digest": run.histories.cohort.digest, "study": run.study.name}
    told |= {name: str(facts[name]) for name in ("patients", "rows", "learner")}
    return told | {f"landmarks_{name}": json.dumps(value) for name, value in facts["declared"].items()}


def _metrics(facts: dict[str, Any]) -> Iterator[tuple[str, float, int]]:
    """The name, value and landmark of every measure that has a value."""
    for one in facts["judged"]:
        for key, whose in WHOSE.items():
            for horizon, found in one[key].items():
                for name, estimate in found.items():
                    if estimate.get("value") is not None:
                        yield f"{whose}_{name}_{horizon}d", float(estimate["value"]), int(one["day"])
