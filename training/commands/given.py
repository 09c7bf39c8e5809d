"""What a verb is given, read: a cohort from its file, a model from its folder or from MLflow."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from models.artifact import Artifact
    from training.cohort import Cohort


def cohort_of(path: Path, data: Path | None, accept: str, required: tuple[str, ...] | None = None) -> Cohort:
    """The cohort of a cohort file, with a progress bar."""
    from training.cohort import read_cohort

    return read_cohort(path, data=data, accept=accept, required=required, progress=True)


def artifact_of(model: str, digest: str | None, tracking_uri: str) -> Artifact:
    """The verified artifact of a folder or of an MLflow URI."""
    from tempfile import TemporaryDirectory

    from models.artifact import load

    if not model.startswith(("models:/", "runs:/")):
        return load(Path(model), digest)
    with TemporaryDirectory() as folder:
        fetched(model, Path(folder) / "model", tracking_uri)
        return load(Path(folder) / "model", digest)


def fetched(uri: str, out: Path, tracking_uri: str) -> str:
    """The digest of the artifact that MLflow keeps at `uri`, now in `out`."""
    from training.refused import NotSupported
    from training.tracking.fetch import fetch

    try:
        return fetch(uri, out, tracking_uri)
    except LookupError as error:
        raise NotSupported(str(error)) from error
