"""SQLite, the database of one process that writes: it answers only what is on the disk, and is made as it is opened.

WAL with synchronous=FULL: a commit returns when its bytes are synced. With NORMAL, the usual advice, it returns before, and a
power cut takes what was acknowledged (sqlite.org/pragma.html#pragma_synchronous). What is erased is overwritten (secure_delete).
What only SQLite understands stands here and in the migrations; what is asked of any database stands in `place`.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event, insert, select, text
from sqlalchemy.pool import NullPool

from models import durable
from serving.receipts.migrating import migrate
from serving.receipts.place import PATIENCE
from serving.receipts.record import BrokenReceipt
from serving.receipts.tables import STORE

BUSY_SECONDS = 1.0  # that a writer waits for another's lock; whoever wants a receipt waits with it
_WRITING = ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON", "wal_autocheckpoint=4000")
_MADE = Path(__file__).with_name("sqlite_tables.json")
_SCHEMA = text("SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY type, name")


@dataclass(frozen=True)
class SQLite:
    """The file of one store (a `place.Place`)."""

    path: Path

    @property
    def name(self) -> str:
        """The path."""
        return str(self.path)

    def fault(self) -> str:
        """Whether it is missing."""
        return "" if self.path.is_file() else "the database is missing"

    def reading(self) -> Engine:
        """See `reading`."""
        return reading(self.path)

    def writing(self) -> SQLiteWriting:
        """Nothing is opened yet."""
        return SQLiteWriting(self.path)

    def schema_faults(self, connection: Connection) -> list[str]:
        """See `schema_faults`."""
        return schema_faults(connection)

    def damage(self, connection: Connection) -> list[str]:
        """See `damage`."""
        return damage(connection)


class SQLiteWriting:
    """The file open for its one writer (a `place.Writing`), who holds the lock of the folder for as long."""

    several = False

    def __init__(self, path: Path):
        self._path = path
        self._connection: Connection | None = None
        self._places: tuple[tuple[int, int] | None, ...] = ()

    @property
    def connection(self) -> Connection:
        """The connection to the file that was there when it was opened."""
        if self._connection is None:
            raise BrokenReceipt("the database is not open")
        return self._connection

    def turn(self, patience: float = PATIENCE) -> AbstractContextManager[None]:
        """Nobody else writes."""
        return nullcontext()

    def empty(self) -> bool:
        """Whether there is no file; only looked at, for who opens one to write to it merges its log into it, come what may."""
        return not self._path.exists()

    def make(self, described: Mapping[str, object]) -> None:
        """The file and its tables, for the eyes of its owner alone."""
        engine = writing(self._path)
        with engine.begin() as connection:
            if connection.execute(select(STORE)).first() is None:
                connection.execute(insert(STORE), dict(described))
        engine.dispose()
        self._path.chmod(durable.PRIVATE)
        durable.sync(self._path.parent)

    def exchanged(self) -> bool:
        """Whether another log lies beside the database; BrokenReceipt where another file lies in its own place."""
        places = _places(self._path)
        if places[0] != self._places[0]:  # beside it lies the log of ours: opened with that, it would become a mixture of both
            way = "put back the one that was there, or start again with this one"
            raise BrokenReceipt(f"another file lies in the place of the database: {way}")
        return places != self._places

    def refresh(self) -> None:
        """Open the files that are there now."""
        self.close()
        self._connection = writing(self._path).connect()
        _open_files(self._connection)
        self._places = _places(self._path)

    def end(self) -> tuple[int, str] | None:
        """Never asked: nobody else writes."""
        return None

    def leave_no_trace(self) -> bool:
        """Empty the log into the database, where what was deleted is overwritten; whether nobody stood in the way by reading."""
        ((busy, *_),) = _bare(self.connection).execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        return not busy

    def close(self) -> None:
        """Give the connection back."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None


def writing(path: Path) -> Engine:
    """The database for its one writer; made where it is not there, and brought up to date.

    A transaction takes the lock of writing as it begins, and holds making the tables, too: they are there whole or not at all.
    """

    def connect() -> sqlite3.Connection:
        found = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            for pragma in _WRITING:
                found.execute(f"PRAGMA {pragma}")
        except sqlite3.Error:
            found.close()
            raise
        return found

    engine = create_engine("sqlite://", creator=connect, poolclass=NullPool, hide_parameters=True)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    with engine.begin() as connection:
        migrate(connection)
    return engine


def reading(path: Path) -> Engine:
    """The database for whoever only reads: nothing can be changed through it, and the writer is not disturbed.

    A copy on a volume that nobody writes to can be read as well, if the writer had closed it.
    """
    still = "" if os.access(path.parent, os.W_OK) or _log(path).exists() else "&immutable=1"
    uri = f"file:{quote(str(path.resolve()))}?mode=ro{still}"

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(uri, uri=True, timeout=10 * BUSY_SECONDS, check_same_thread=False)

    return create_engine("sqlite://", creator=connect, poolclass=NullPool, hide_parameters=True)


def schema_faults(connection: Connection) -> list[str]:
    """In what the tables, indices and triggers differ from those that the migrations make."""
    found = {name: (kind, sql) for kind, name, sql in connection.execute(_SCHEMA)}
    made = {name: (kind, sql) for kind, name, sql in _as_made()}
    missing = [f"the {made[name][0]} {name} is missing" for name in made if name not in found]
    altered = [f"the {made[name][0]} {name} is not as it was made" for name in made if found.get(name, made[name]) != made[name]]
    added = [f"there is a {found[name][0]} too many: {name}" for name in found if name not in made]
    return [*missing, *altered, *added]


def damage(connection: Connection) -> list[str]:
    """The first thing wrong with pages and indices: an index that leaves out a record hides it from whoever asks by it."""
    found = connection.execute(text("PRAGMA integrity_check(1)")).scalars().all()
    return [] if found == ["ok"] else [f"the database is damaged, or an index was altered: {one}" for one in found]


@cache
def _as_made() -> Sequence[tuple[str, str, str]]:
    """What the migrations make, kept as text (a test holds it to them): to run them at every start cost a fifth of its time."""
    return [(kind, name, sql) for kind, name, sql in json.loads(_MADE.read_text("utf-8"))]


def _log(path: Path) -> Path:
    return path.with_name(path.name + "-wal")


def _open_files(connection: Connection) -> None:
    """Have the database and its log opened, which SQLite does only when they are read."""
    _bare(connection).execute("PRAGMA data_version").close()


def _places(path: Path) -> tuple[tuple[int, int] | None, ...]:
    """Which files lie where the database and its log do, which hold what is committed; BrokenReceipt without a database."""
    if not path.exists():
        raise BrokenReceipt("the database is missing")
    return _place(path), _place(_log(path))


def _place(path: Path) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def _bare(connection: Connection) -> sqlite3.Connection:
    """Beneath SQLAlchemy, which would begin a transaction."""
    found: sqlite3.Connection = connection.connection.driver_connection  # type: ignore[assignment]  # typed for any driver
    return found
