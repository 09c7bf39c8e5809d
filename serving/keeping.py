"""The receipts of a command that scores: their folder open for writing, the model kept beside them, the opening recorded."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from serving.loading import refuse

if TYPE_CHECKING:
    from models.artifact import Artifact
    from serving.receipts.writer import Writer

Say = Callable[[str], object]


@dataclass(frozen=True)
class Keeping:
    """Where receipts are kept and with what they are sealed; `heads` and `witness` may lie on other volumes."""

    folder: Path
    key: Path | None = None
    heads: Path | None = None
    witness: Path | None = None
    database: str = ""  # URL of PostgreSQL; without it a file in the folder


@contextmanager
def opened_receipts(keeping: Keeping, artifact: Artifact, model: Path, site: str, say: Say) -> Iterator[Writer]:
    """The receipts, open for writing; leaves with exit code 1 and the reason where they cannot be, or were altered.

    `model` is the folder of the artifact: a copy of it stays with the receipts, or no score could be computed again.
    """
    from models.artifact import InvalidArtifact
    from models.seal import BrokenSeal
    from serving.receipts.record import NoReceipt

    with ExitStack() as while_open:
        try:
            writer = while_open.enter_context(_opened(keeping, artifact, model, site, say))
        except ModuleNotFoundError as error:
            refuse(f"{error.name} is not installed: receipts need lymphorisk[{'postgresql' if keeping.database else 'serving'}]")
        except (BrokenSeal, InvalidArtifact, NoReceipt, OSError, ValueError) as error:
            refuse(f"{keeping.folder}: no receipts can be written: {error}")
        yield writer


@contextmanager
def _opened(keeping: Keeping, artifact: Artifact, model: Path, site: str, say: Say) -> Iterator[Writer]:
    from serving.receipts.heads import HEADS
    from serving.receipts.keys import read_keys, read_or_make_keys
    from serving.receipts.place import DATABASE
    from serving.receipts.writer import open_writer

    if keeping.database:
        from serving.receipts.postgresql import require_no_owner

        require_no_owner(keeping.database)
    # beside receipts that exist a new key would be of no use: they were sealed with another
    begun = (keeping.heads or keeping.folder / HEADS if keeping.database else keeping.folder / DATABASE).exists()
    keys = read_keys(keeping.key) if begun else read_or_make_keys(keeping.key, say)
    heads, witness, database = keeping.heads, keeping.witness, keeping.database
    with open_writer(keeping.folder, keys, heads=heads, witness=witness, database=database, say=say) as writer:
        answers_from_now_on(keeping, writer, artifact, model, site)
        yield writer


def answers_from_now_on(keeping: Keeping, writer: Writer, artifact: Artifact, model: Path, site: str) -> None:
    """Keep the artifact in the folder `model` beside the receipts, and record that it answers from now on.

    Raises InvalidArtifact, OSError or NoReceipt where it may not.
    """
    from serving.receipts.models_kept import keep_model
    from serving.receipts.record import OPENED, Draft

    keep_model(keeping.folder, model, artifact.digest)
    writer.record([Draft(OPENED, "", _event(artifact, site))])


def _event(artifact: Artifact, site: str) -> bytes:
    from models.seal import canonical
    from serving.receipts.payload import code_version
    from serving.standing import release

    model = {"name": artifact.model.name, "digest": artifact.digest} | release(artifact)
    return canonical(json.loads(json.dumps({"code": code_version(), "model": model, "site": site})))
