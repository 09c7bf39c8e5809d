"""The model that a command names: a folder, a release that the ledger vouches for, or what MLflow keeps; verified, or refused.

Nothing heavy is imported here, and nothing that trains anywhere on the way.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
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
    with found_model(model, digest, where) as (artifact, _):
        return artifact


@contextmanager
def found_model(model: str, digest: str | None = None, where: Where | None = None) -> Iterator[tuple[Artifact, Path]]:
    """The same with the folder it lies in, which of a fetched model is there only for as long as this is open."""
    from models.artifact import InvalidArtifact
    from models.seal import BrokenSeal

    where = where or Where()
    with ExitStack() as until_then:
        try:
            found = _found(model, digest, where, until_then)
        except (InvalidArtifact, BrokenSeal, OSError) as error:
            refuse(str(error))
        yield found


def at_site(artifact: Artifact, model: str, site: str, where: Where | None = None) -> Artifact:
    """The artifact with what the ledger of its releases knows of it at `site`; leaves with exit code 1 where that is broken.

    Without a site, a ledger or its key nothing is known, and nothing is believed.
    """
    from dataclasses import replace

    from models import ledger
    from models.calibration_at_site import calibration_at_site
    from models.release import store_of
    from models.seal_key import InvalidKey, read_key

    where = where or Where()
    root = (None if model.startswith(URIS) else store_of(Path(model).resolve())) or where.releases
    if not site or not ledger.exists(root):
        return artifact
    try:
        entries = ledger.read_ledger(root, read_key(where.seal_key))
    except InvalidKey as error:
        typer.echo(f"whether the model was checked at {site} is not known: {error}", err=True)
        return artifact
    except (ledger.InvalidLedger, OSError) as error:
        refuse(str(error))
    return replace(artifact, at_site=calibration_at_site(entries, artifact.digest, site))


def _found(model: str, digest: str | None, where: Where, until_then: ExitStack) -> tuple[Artifact, Path]:
    from models.artifact import load
    from models.release import resolve, store_of
    from models.seal_key import read_key

    if model.startswith(URIS):
        folder = Path(until_then.enter_context(tempfile.TemporaryDirectory())) / "model"
        return _of_mlflow(model, digest, where, folder), folder
    path = Path(model)
    if (root := store_of(path.resolve())) is None:
        return load(path, digest), path
    artifact = resolve(path, read_key(where.seal_key), digest)
    return artifact, root / artifact.digest


def _of_mlflow(uri: str, digest: str | None, where: Where, folder: Path) -> Artifact:
    """What MLflow keeps; where there are releases, the alias `champion` is believed only if it names theirs."""
    from models.artifact import load
    from models.release import InvalidRelease, resolve, store_of
    from models.seal_key import read_key

    _fetch(uri, folder, where.tracking_uri)
    found = load(folder, digest)
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
