"""Receipts written honestly, through the real writer, for those who tamper with them; and what the honest keep elsewhere."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from throughput import EXAMPLE

from models.artifact import load
from models.seal import Key, canonical
from serving.receipts.heads import HEADS
from serving.receipts.keys import ReceiptKeys
from serving.receipts.models_kept import keep_model
from serving.receipts.record import OPENED, SCORE, Draft
from serving.receipts.store import DATABASE
from serving.receipts.writer import Writer, open_writer

KEYS = ReceiptKeys(Key(b"operator" * 4))
BEFORE, SINCE = (4, 1, 3, 1, 7, 2), (1, 5, 1, 6)  # groups before the copy that lies about, and since


class Altering(Protocol):
    """A database open to everything; its SQL is that of SQLite."""

    def execute(self, sql: str, parameters: Any = (), /) -> Any:
        ...

    def executemany(self, sql: str, parameters: Any, /) -> Any:
        ...


@dataclass(frozen=True)
class Scene:
    """A folder of receipts, and what lies elsewhere, out of reach: a witness, the last receipt somebody was given."""

    folder: Path
    witness: Path
    receipt: Path
    older: Path  # a copy of the folder from before the last groups
    live: Path  # one taken while the service ran, much of it in the log beside the database

    @property
    def database(self) -> Path:
        return self.folder / DATABASE

    @property
    def heads(self) -> Path:
        return self.folder / HEADS

    def altering(self) -> AbstractContextManager[Altering]:
        """The database without its triggers, which are put back as they were."""
        return _without_triggers(self.database)

    def copied(self, to: Path) -> Scene:
        """The same scene in another place, to be tampered with."""
        shutil.copytree(self.folder, to)
        return Scene(to, self.witness, self.receipt, self.older, self.live)


@contextmanager
def _without_triggers(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path)) as connection, connection:
        triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        yield connection
        for _, sql in triggers:
            connection.execute(sql)


def scene(root: Path, database: str = "", owner: str = "") -> Scene:
    """Two openings, scores of patients with a pseudonym and without, an erasure.

    The records lie in the folder, or in a `database` (URL of PostgreSQL), in which its `owner` (URL) may erase.
    """
    made = Scene(root / "receipts", root / "witness.jsonl", root / "receipt.json", root / "older", root / "live")
    with _opened(made, database) as writer:
        for size in BEFORE:
            _scores(writer, size)
    with open_writer(made.folder, KEYS, database=owner) as writer:
        writer.erase(by="an officer", reason="asked for", subject=KEYS.subject("patient-2"))
    shutil.copytree(made.folder, made.older)
    with _opened(made, database) as writer:
        for size in SINCE:
            last = _scores(writer, size)
        shutil.copytree(made.folder, made.live)
    shutil.copyfile(made.heads, made.witness)
    made.receipt.write_text(json.dumps({"risks": {}, "receipt": last | {"public_key": KEYS.public_key}}, indent=2))
    return made


def _opened(made: Scene, database: str) -> Writer:
    digest = load(EXAMPLE).digest
    writer = open_writer(made.folder, KEYS, database=database)
    keep_model(made.folder, EXAMPLE, digest)
    writer.record([Draft(OPENED, "", canonical({"model": {"digest": digest}}))])
    return writer


def _scores(writer: Writer, size: int) -> dict[str, object]:
    drafts = [Draft(SCORE, "" if at % 3 == 0 else f"patient-{at}", b"a score and its reasons " * 20) for at in range(size)]
    return writer.record(drafts)[-1].as_json()
