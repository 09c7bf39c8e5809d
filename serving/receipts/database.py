"""The database of the receipts: SQLite that answers only what is on the disk, made and brought up to date by migrations.

WAL with synchronous=FULL: a commit returns when its bytes are synced. With NORMAL, the usual advice, it returns before, and a
power cut takes what was acknowledged (sqlite.org/pragma.html#pragma_synchronous). What is erased is overwritten (secure_delete).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from urllib.parse import quote

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.pool import NullPool, StaticPool

BUSY_SECONDS = 1.0  # that a writer waits for another's lock; whoever wants a receipt waits with it
REVISION = "0001"
_MIGRATIONS = Path(__file__).parent / "migrations"
_WRITING = ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON", "wal_autocheckpoint=4000")
_SCHEMA = text("SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY type, name")


def writing(path: Path) -> Engine:
    """The database for its one writer; made where it is not there, and brought up to date."""
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": BUSY_SECONDS}, poolclass=NullPool)
    event.listen(engine, "connect", _prepare)
    with engine.begin() as connection:
        migrate(connection)
    return engine


def reading(path: Path) -> Engine:
    """The database for whoever only reads: nothing can be changed through it, and the writer is not disturbed."""
    uri = f"file:{quote(str(path.resolve()))}?mode=ro"

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(uri, uri=True, timeout=10 * BUSY_SECONDS, check_same_thread=False)

    return create_engine("sqlite://", creator=connect, poolclass=NullPool)


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


@cache
def _as_made() -> Sequence[tuple[str, str, str]]:
    engine = create_engine("sqlite://", poolclass=StaticPool)
    with engine.begin() as connection:
        migrate(connection)
        made = [(kind, name, sql) for kind, name, sql in connection.execute(_SCHEMA)]
    engine.dispose()
    return made


def _prepare(connection: sqlite3.Connection, _: object) -> None:
    for pragma in _WRITING:
        connection.execute(f"PRAGMA {pragma}")
