"""The database of the receipts: SQLite that answers only what is on the disk, made and brought up to date by migrations.

WAL with synchronous=FULL: a commit returns when its bytes are synced. With NORMAL, the usual advice, it returns before, and a
power cut takes what was acknowledged (sqlite.org/pragma.html#pragma_synchronous). What is erased is overwritten (secure_delete).
What only SQLite understands stands here and in the migrations; the rest of the receipts speaks plain SQL.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from urllib.parse import quote

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool, StaticPool

BUSY_SECONDS = 1.0  # that a writer waits for another's lock; whoever wants a receipt waits with it
REVISION = "0001"
# What a database that is full, locked, damaged or gone raises; a damaged one may name in its error what is no text.
FAILURES = (SQLAlchemyError, sqlite3.Error, UnicodeDecodeError)
_MIGRATIONS = Path(__file__).parent / "migrations"
_WRITING = ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON", "wal_autocheckpoint=4000")
_SCHEMA = text("SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY type, name")


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


def files(path: Path) -> tuple[Path, Path]:
    """The database and its log, which hold what is committed."""
    return path, _log(path)


def open_files(connection: Connection) -> None:
    """Have the database and its log opened, which SQLite does only when they are read."""
    _bare(connection).execute("PRAGMA data_version").close()


def leave_no_trace(connection: Connection) -> bool:
    """Empty the log into the database, where what was deleted is overwritten; whether nobody stood in the way by reading."""
    ((busy, *_),) = _bare(connection).execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    return not busy


def migrate(connection: Connection) -> None:
    """Bring the tables up to date, in one transaction; what is up to date is left alone, and costs no import of migrations."""
    if revision_of(connection) == REVISION:
        return
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def revision_of(connection: Connection) -> str:
    """The revision of the tables; "" where there are none."""
    if not inspect(connection).has_table("alembic_version"):
        return ""
    return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar() or "")


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
    engine = create_engine("sqlite://", poolclass=StaticPool)
    with engine.begin() as connection:
        migrate(connection)
        made = [(kind, name, sql) for kind, name, sql in connection.execute(_SCHEMA)]
    engine.dispose()
    return made


def _log(path: Path) -> Path:
    return path.with_name(path.name + "-wal")


def _bare(connection: Connection) -> sqlite3.Connection:
    """Beneath SQLAlchemy, which would begin a transaction."""
    found: sqlite3.Connection = connection.connection.driver_connection  # type: ignore[assignment]  # typed for any driver
    return found
