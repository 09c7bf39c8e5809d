"""Whether MLflow can be reached is asked before anything is trained; and what is saved is never lost with it.

By itself MLflow tries for minutes to reach a server that is not there, and would do so only when everything has been fitted.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from training.refused import NotSupported, NotTracked
from training.tracking.mlflow_store import client_of, sqlite_file

PATIENCE = 5  # seconds until a server must have answered that it is there
_ASKED_ONCE = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0", "MLFLOW_HTTP_REQUEST_TIMEOUT": str(PATIENCE)}


_UNTRAINED = "nothing was trained; --tracking-uri names another store, --no-tracking trains without"


def require_reachable(uri: str, instead: str = _UNTRAINED) -> None:
    """Raise NotSupported where the store at `uri` would keep nothing; `instead` says what was not done, and what may be."""
    try:
        why = _why_not_sqlite(path) if (path := sqlite_file(uri)) else _why_not(uri)
    except ImportError as error:
        why = f"{error.name} is not installed"
    if why:
        raise NotSupported(f"MLflow at {without_password(uri)} does not answer ({why}): {instead}")


def _why_not_sqlite(path: Path) -> str:
    if path.exists():
        try:
            with closing(sqlite3.connect(path, timeout=PATIENCE)) as store:
                store.execute("pragma schema_version").fetchall()
        except sqlite3.Error as error:
            return str(error)
        return ""
    there = next(folder for folder in path.parents if folder.exists())
    return "" if there.is_dir() and os.access(there, os.W_OK) else f"{there} is no folder that may be written to"


def _why_not(uri: str) -> str:
    from mlflow.exceptions import MlflowException

    if not uri.startswith(("http://", "https://")):
        return _why_no_database(uri)
    try:
        with _patient_for_once():
            client_of(uri).search_experiments(max_results=1)
    except (MlflowException, OSError) as error:
        return _first_line(error, uri)
    return ""


def _why_no_database(uri: str) -> str:
    """MLflow's own connection would be tried ten times, each after a longer wait."""
    from sqlalchemy import create_engine
    from sqlalchemy.exc import SQLAlchemyError

    try:
        create_engine(uri, connect_args={"connect_timeout": PATIENCE}).connect().close()
    except SQLAlchemyError as error:
        return _first_line(error, uri)
    return ""


@contextmanager
def _patient_for_once() -> Iterator[None]:
    before = {name: os.environ.get(name) for name in _ASKED_ONCE}
    os.environ.update(_ASKED_ONCE)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def saved_anyway(folder: Path, digest: str, uri: str) -> Iterator[None]:
    """What MLflow fails at becomes NotTracked, which says where the artifact is."""
    with written_anyway(f"the artifact is saved: {folder}, digest {digest}", uri):
        yield


@contextmanager
def written_anyway(saved: str, uri: str) -> Iterator[None]:
    """The same, with a sentence that says what is `saved` and where."""
    from mlflow.exceptions import MlflowException

    try:
        yield
    except (MlflowException, OSError) as error:
        why = _first_line(error, uri)
        raise NotTracked(f"MLflow at {without_password(uri)} did not keep this run ({why}); {saved}") from error


def _first_line(error: Exception, uri: str) -> str:
    lines = str(error).splitlines() or [type(error).__name__]
    return lines[0].replace(uri, without_password(uri))


def without_password(uri: str) -> str:
    """A URI as it may be shown.

    >>> without_password("https://ann:secret@mlflow.hospital/store")
    'https://mlflow.hospital/store'
    """
    scheme, found, rest = uri.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{found}{host.rpartition('@')[2]}{slash}{path}"
