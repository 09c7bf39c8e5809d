"""A copy of the receipts that can take their place: the records of one moment, the heads that belong to them, the models.

The database is copied first, and what lies beside it afterwards. A record is signed after it was committed, and its model was
kept before: so every head of a record that was copied is there by then, or was never written, as after a crash; and so is
every model. The heads signed meanwhile are left out, for of records that are not in the copy they would tell that it was cut.
The other way round, records would be in the copy that name heads which are not, and that is how heads look that were cut off.
"""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from models import durable
from serving.receipts.heads import HEADS, read_head
from serving.receipts.models_kept import MODELS
from serving.receipts.place import DATABASE
from serving.receipts.postgresql_tables import SCHEMA
from serving.receipts.store import Store

DUMP = "receipts.dump"
_PROGRAM = "pg_dump"
_WRONG = 300  # characters of what it says that are told


class NoBackup(OSError):
    """There is no whole copy; the message says why."""


def back_up(store: Store, database: str, out: Path) -> int:
    """Copy the receipts into the folder `out`, which must not exist or be empty; returns the number of the last record in it.

    Raises FileExistsError for another folder, NoBackup or OSError where it cannot be copied; then what is there is of no use.
    """
    durable.make_folder(out, 0o700)
    if any(out.iterdir()):
        raise FileExistsError(f"{out} is not empty: each backup has a folder of its own")
    copied = _dumped(database, out / DUMP) if database else _copied(store.folder / DATABASE, out / DATABASE)
    (out / HEADS).write_bytes(b"".join(_heads(store.heads, copied)))
    if (store.folder / MODELS).exists():
        shutil.copytree(store.folder / MODELS, out / MODELS)
    for path in (*out.rglob("*"), out):
        path.chmod(0o700 if path.is_dir() else durable.PRIVATE)
        durable.sync(path)
    return copied


def _copied(path: Path, to: Path) -> int:
    """The database as of one moment, whoever writes to it: all of it is one step of SQLite's backup."""
    reading = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    with closing(reading) as source, closing(sqlite3.connect(to)) as target:
        source.backup(target)
        target.execute("PRAGMA journal_mode=DELETE")  # one file, whole in itself
        return _number(target.execute("SELECT max(sequence) FROM records").fetchone())


def _dumped(url: str, to: Path) -> int:
    """The tables as pg_dump writes them (custom format), as of the moment in which their last number is read."""
    program = shutil.which(_PROGRAM)
    if program is None:
        raise NoBackup(f"{_PROGRAM} is not here: apt-get install postgresql-client")
    with _moment(url) as (snapshot, last):
        what = ("--format=custom", f"--schema={SCHEMA}", f"--snapshot={snapshot}")
        words = [program, *what, f"--file={to}", "--no-password", f"--dbname={url}"]
        done = subprocess.run(words, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode:
        raise NoBackup(f"{_PROGRAM} ended with {done.returncode}: {done.stderr.strip()[:_WRONG]}")
    return last


@contextmanager
def _moment(url: str) -> Iterator[tuple[str, int]]:
    """A snapshot that others can take up while this is held, and the number of the last record in it."""
    from serving.receipts.postgresql_session import begun

    with closing(begun(url)) as session:
        session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        (snapshot,) = session.execute("SELECT pg_export_snapshot()").fetchone() or ("",)
        yield str(snapshot), _number(session.execute("SELECT max(sequence) FROM records").fetchone())


def _number(row: tuple[object, ...] | None) -> int:
    return int(str(row[0])) if row and row[0] is not None else 0


def _heads(path: Path, last: int) -> Iterator[bytes]:
    """The lines of the heads up to that record."""
    with path.open("rb") as file:
        for place, line in enumerate(file, 1):
            if not line.endswith(b"\n") or read_head(line, f"{path}: line {place}").sequence > last:
                return
            yield line
