"""A registered model's artifact, brought out of MLflow and checked to the byte before anybody uses it."""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from models import artifact
from training.tracking.mlflow_store import global_store

ARTIFACT = "artifacts/model"  # where in a logged model the artifact folder lies


def fetch(model: str, out: Path, tracking_uri: str | None = None) -> str:
    """Download the artifact of `models:/name@alias`, `models:/name/3`, `models:/m-...` or `runs:/...` to `out`; its digest.

    Nothing is left in `out` unless the artifact is whole. Raises InvalidArtifact when it is not, FileExistsError when `out`
    holds files, LookupError for another kind of URI or where MLflow finds no such model.
    """
    if not model.startswith(("models:/", "runs:/")):
        raise LookupError(f"{model}: allowed is models:/name@alias, models:/name/version, models:/m-... or runs:/...")
    if out.exists() and any(out.iterdir()):
        raise FileExistsError(f"{out} is not empty: an artifact is fetched into a new folder")
    with global_store(tracking_uri), TemporaryDirectory() as aside:
        found = _downloaded(model, aside)
        digest = artifact.load(found).digest
        shutil.copytree(found, out, dirs_exist_ok=True)
    return artifact.load(out, digest).digest


def _downloaded(model: str, aside: str) -> Path:
    from mlflow.artifacts import download_artifacts
    from mlflow.exceptions import MlflowException

    try:
        found = Path(download_artifacts(artifact_uri=model, dst_path=aside))
    except MlflowException as error:
        raise LookupError(f"{model}: MLflow does not find it ({error.message})") from error
    return found / ARTIFACT if model.startswith("models:/") else found
