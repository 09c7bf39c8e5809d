"""A session with PostgreSQL: which URLs are taken, how long is waited, and that the tables in it are those of this version."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import TupleRow
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import NullPool

from serving.receipts.migrating import REVISION
from serving.receipts.place import DatabaseFault, said
from serving.receipts.postgresql_tables import MIGRATE, SCHEMA

CONNECT_SECONDS = 2  # that a connection may take; the least that libpq knows
_SCHEMES = ("postgresql://", "postgres://")
_SECRETS = ("password", "sslpassword")


class Session(psycopg.Connection[TupleRow]):
    """A connection that waits for no answer beyond the moment `until` (of the monotonic clock)."""

    until: float = float("inf")

    def wait(self, gen: Any, *more: Any, **options: Any) -> Any:
        """See psycopg; OperationalError where the answer does not come in time, and then the connection is of no more use."""
        return super().wait(self._in_time(gen), *more, **options)

    def _in_time(self, gen: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                if time.monotonic() > self.until:
                    raise psycopg.OperationalError("the server does not answer in time")
                wanted = gen.send(ready)
        except StopIteration as end:
            return end.value


def require_url(url: str) -> None:
    """ValueError unless this is a URL of PostgreSQL, without a password in it: others can read a command line."""
    try:
        given = conninfo_to_dict(url) if url.startswith(_SCHEMES) else {}
    except psycopg.ProgrammingError:
        given = {}
    if not given:
        raise ValueError("--database: allowed is a URL of PostgreSQL, such as postgresql://service@host/receipts")
    if any(given.get(one) for one in _SECRETS):
        way = "PGPASSWORD, ~/.pgpass or a service file (PGSERVICEFILE) keeps it"
        raise ValueError(f"--database holds a password, which everybody on this computer can read there: {way}")


def engine_of(connect: Callable[[], Session]) -> Engine:
    """What SQLAlchemy needs; a transaction begins when it is asked for, and what is asked outside of one is one by itself."""
    engine = create_engine(
        "postgresql+psycopg://", creator=connect, poolclass=NullPool, hide_parameters=True, use_native_hstore=False
    )
    event.listen(engine, "begin", _begin)
    return engine


def session_of(url: str, **settings: str) -> Session:
    """A session with the tables of receipts at hand, and these settings; psycopg.Error where there is none to be had."""
    found = Session.connect(url, autocommit=True, connect_timeout=CONNECT_SECONDS, application_name="lymphorisk")
    for name, value in {"search_path": SCHEMA, **settings}.items():
        found.execute("SELECT set_config(%s, %s, false)", (name, value))
    return found


def begun(url: str, **settings: str) -> Session:
    """A session with a database whose tables are those of this version; DatabaseFault says who has to make them."""
    found = session_of(url, **settings)
    try:
        row = found.execute("SELECT version_num FROM alembic_version").fetchone()
        if row == (REVISION,):
            return found
        why = f"its tables are of version {row[0] if row else 'none'}, and this program's of {REVISION}"
    except psycopg.errors.UndefinedTable:
        why = "there are no tables for receipts in it"
    except psycopg.Error as error:
        why = said(error)
    found.close()
    raise DatabaseFault(f"{why}; its owner makes them with: {MIGRATE}")


def _begin(connection: Connection) -> None:
    with told():  # beneath SQLAlchemy, which would ask for a cursor of the server where rows are fetched by blocks
        bare(connection).execute("BEGIN")


@contextmanager
def told() -> Iterator[None]:
    """What goes wrong beneath SQLAlchemy, in words for whoever waits."""
    try:
        yield
    except psycopg.Error as error:
        raise DatabaseFault(said(error)) from error


def bare(connection: Connection) -> Session:
    """Beneath SQLAlchemy, which would begin a transaction."""
    found: Session = connection.connection.driver_connection  # type: ignore[assignment]  # typed for any driver
    return found
