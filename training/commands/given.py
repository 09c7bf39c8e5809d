"""What a verb is given, read: a cohort from its file, a model from its folder or from MLflow."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from models.artifact import Artifact
    from training.cohort import Cohort
    from training.comparing.simple_models import SavedSimple


def cohort_of(
    path: Path, data: Path | None, accept: str, required: tuple[str, ...] | None = None, *, doubtful: bool = False
) -> Cohort:
    """The cohort of a cohort file, with a progress bar; a `doubtful` one only to be diagnosed."""
    from training.cohort import read_cohort

    return read_cohort(path, data=data, accept=accept, required=required, doubtful=doubtful, progress=True)


def artifact_of(model: str, digest: str | None, tracking_uri: str) -> Artifact:
    """The verified artifact of a folder or of an MLflow URI."""
    from models.artifact import load

    with folder_of(model, tracking_uri) as folder:
        return load(folder, digest)


def artifact_with_simple_models(model: str, digest: str | None, tracking_uri: str) -> tuple[Artifact, SavedSimple]:
    """The same, and the simple models that were saved beside it; one saved before there were any has none."""
    from models.artifact import load
    from training.comparing.simple_file import read_simple

    with folder_of(model, tracking_uri) as folder:
        return load(folder, digest), read_simple(folder)


@contextmanager
def folder_of(model: str, tracking_uri: str) -> Iterator[Path]:
    """The artifact folder, the one of the champion in a folder of releases, or for as long as it is needed a copy from MLflow."""
    from tempfile import TemporaryDirectory

    if not model.startswith(("models:/", "runs:/")):
        yield _champion_in(Path(model))
        return
    with TemporaryDirectory() as folder:
        fetched(model, Path(folder) / "model", tracking_uri)
        yield Path(folder) / "model"


def _champion_in(folder: Path) -> Path:
    """The folder itself; where it holds releases, that of their champion, once ledger and pointer verify."""
    from models.ledger import exists
    from models.release import resolve
    from models.seal_key import read_key

    return folder / resolve(folder, read_key()).digest if exists(folder) else folder


def fetched(uri: str, out: Path, tracking_uri: str) -> str:
    """The digest of the artifact that MLflow keeps at `uri`, now in `out`."""
    from training.refused import NotSupported
    from training.tracking.fetch import fetch

    try:
        return fetch(uri, out, tracking_uri)
    except LookupError as error:
        raise NotSupported(str(error)) from error
