"""The model that a command names: a folder, a release that the ledger vouches for, or what MLflow keeps; verified, or refused.

Nothing heavy is imported here, and nothing that trains anywhere on the way.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import typer

if TYPE_CHECKING:
    from models.artifact import Artifact

URIS = ("models:/", "runs:/")
REFUSED = 1  # exit code: something was refused, or failed
RELEASES = Path("releases")
_ALIAS = "@champion"


@dataclass(frozen=True)
class Where:
    """Where models are looked for and with what they are checked."""

    tracking_uri: str | None = None
    releases: Path = RELEASES
    seal_key: Path | None = None


def load_model(model: str, digest: str | None = None, where: Where | None = None) -> Artifact:
    """The verified artifact that MODEL names; leaves with exit code 1 and the reason where there is none."""
    from models.artifact import InvalidArtifact, load
    from models.release import resolve, store_of
    from models.seal import BrokenSeal
    from models.seal_key import read_key

    where = where or Where()
    try:
        if model.startswith(URIS):
            return _of_mlflow(model, digest, where)
        if store_of(Path(model).resolve()) is None:
            return load(Path(model), digest)
        return resolve(Path(model), read_key(where.seal_key), digest)
    except (InvalidArtifact, BrokenSeal, OSError) as error:
        refuse(str(error))


def _of_mlflow(uri: str, digest: str | None, where: Where) -> Artifact:
    """What MLflow keeps; where there are releases, the alias `champion` is believed only if it names theirs."""
    from models.artifact import load
    from models.release import InvalidRelease, resolve, store_of
    from models.seal_key import read_key

    with tempfile.TemporaryDirectory() as folder:
        fetched = Path(folder) / "model"
        _fetch(uri, fetched, where.tracking_uri)
        found = load(fetched, digest)
    if not uri.endswith(_ALIAS) or store_of(where.releases.resolve()) is None:
        return found
    champion = resolve(where.releases, read_key(where.seal_key))
    if champion.digest != found.digest:
        moved = f"{uri} is {found.digest}, and the champion of {where.releases} is {champion.digest}: the alias was moved by hand"
        raise InvalidRelease(moved)
    return champion


def _fetch(uri: str, out: Path, tracking_uri: str | None) -> None:
    """MLflow is loaded by a process of its own: the one that scores never holds it."""
    store = ["--tracking-uri", tracking_uri] if tracking_uri else []
    child = [sys.executable, "-m", "lymphorisk", "fetch", uri, "--out", str(out), *store]
    done = subprocess.run(child, capture_output=True, text=True, check=False)
    if done.returncode:
        refuse(f"{uri} could not be fetched: {done.stderr.strip() or done.stdout.strip()}")


def refuse(reason: str) -> NoReturn:
    """Leave with exit code 1 and the reason on standard error."""
    typer.echo(reason, err=True)
    raise typer.Exit(REFUSED)
