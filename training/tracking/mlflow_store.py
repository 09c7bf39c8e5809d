"""Where MLflow keeps runs and models, and how it is made to keep quiet while it does.

MLflow is imported only when it is needed: it takes a second, and would report its use elsewhere unless told not to before.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlflow import MlflowClient

_SQLITE = "sqlite:///"
_QUIET = {  # the first must be there before MLflow is imported
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_UV_AUTO_DETECT": "false",  # or it copies the project of the working directory into a model
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_LOGGING_LEVEL": "ERROR",
    # or a server that goes away is waited for four minutes at every call
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
}


def quiet() -> None:
    """To be called before MLflow is imported; what the environment says already is left as it is."""
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)


def client_of(uri: str) -> MlflowClient:
    """A client of the store and of its registry; the folder of an SQLite store is made."""
    quiet()
    from mlflow import MlflowClient

    if uri.startswith(_SQLITE):
        _beside(uri).mkdir(parents=True, exist_ok=True)
    return MlflowClient(tracking_uri=uri, registry_uri=uri)


@contextmanager
def global_store(uri: str | None) -> Iterator[None]:
    """MLflow resolves `models:/...` in one store for the whole process: this one, for as long as it takes.

    None leaves it as it is.
    """
    quiet()
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


def experiment_id(client: MlflowClient, uri: str, name: str) -> str:
    """The experiment's id; a new one keeps its files beside an SQLite store, and where it will on a server."""
    if (found := client.get_experiment_by_name(name)) is not None:
        return str(found.experiment_id)
    place = (_beside(uri) / "mlruns" / name).as_uri() if uri.startswith(_SQLITE) else None
    return str(client.create_experiment(name, artifact_location=place))


def sqlite_file(uri: str) -> Path | None:
    """The file of an SQLite store; None for another kind of store, or one in memory."""
    name = uri.removeprefix(_SQLITE) if uri.startswith(_SQLITE) else ""
    return Path(name).resolve() if name else None


def _beside(uri: str) -> Path:
    return Path(uri.removeprefix(_SQLITE)).resolve().parent
