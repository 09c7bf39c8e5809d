"""PostgreSQL, the database of several processes of one computer, which take turns: a turn ends when its head is signed.

The lock is the session's (pg_advisory_lock, PostgreSQL manual 13.3.5): a process that dies, or whose connection does, has lost
it, and with it all that it had not committed. A commit returns when it is on the disk (synchronous_commit), and a server that
was told not to care (fsync, full_page_writes; manual 20.5) is refused. Nobody waits for a server longer than PATIENCE.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import TupleRow
from sqlalchemy import Connection, Engine, create_engine, event, insert, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from models import durable
from serving.receipts.migrating import REVISION
from serving.receipts.place import LOCK, DatabaseFault, said
from serving.receipts.postgresql_tables import MIGRATE, SCHEMA, damage, differences, powerful
from serving.receipts.record import NoReceipt
from serving.receipts.tables import STORE

PATIENCE = 4.5  # seconds that a turn may take with all that it asks; whoever wants a receipt waits a little longer
CONNECT_SECONDS = 2  # that a connection may take; the least that libpq knows
_WAITING, _WORKING = "3500ms", "4000ms"  # that a statement waits for a lock, and takes
_KEY = 0x6C796D70686F72  # of the advisory lock: "lymphor"; there is one store in a database
_SCHEMES = ("postgresql://", "postgres://")
_SECRETS = ("password", "sslpassword")
_DURABLE = {"fsync": ("on",), "full_page_writes": ("on",), "synchronous_commit": ("on", "remote_apply")}
_END = "SELECT sequence, digest FROM records ORDER BY sequence DESC LIMIT 1"
_READERS = """SELECT 1 FROM pg_stat_activity
              WHERE backend_xmin IS NOT NULL AND pid <> pg_backend_pid() AND datname = current_database()"""


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


@dataclass(frozen=True)
class PostgreSQL:
    """The database of a URL, and the folder of what lies beside it (a `place.Place`); ValueError for what is no such URL."""

    name: str
    folder: Path

    def __post_init__(self) -> None:
        require_url(self.name)

    def fault(self) -> str:
        """Nothing can be seen without asking."""
        return ""

    def reading(self) -> Engine:
        """Its sessions may read only, and take the time they need."""
        return engine_of(lambda: begun(self.name, default_transaction_read_only="on"))

    def writing(self) -> PostgreSQLWriting:
        """Nothing is opened yet."""
        return PostgreSQLWriting(self.name, self.folder / LOCK)

    def schema_faults(self, connection: Connection) -> Sequence[str]:
        """See `postgresql_tables.differences`."""
        return differences(connection)

    def damage(self, connection: Connection) -> Sequence[str]:
        """See `postgresql_tables.damage`."""
        return damage(connection)


class PostgreSQLWriting:
    """A session, taken up anew after anything that failed (a `place.Writing`)."""

    several = True

    def __init__(self, url: str, lock: Path):
        self._lock = lock
        self._engine = engine_of(partial(_durable, url))
        self._connection: Connection | None = None

    @property
    def connection(self) -> Connection:
        """The connection of the turn."""
        if self._connection is None:
            raise DatabaseFault("it was asked outside a turn")
        return self._connection

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Hold the lock of the store in the server, then that of the folder.

        The session can end while its process still writes a head: then the lock of the folder keeps others from the heads.
        """
        until = time.monotonic() + PATIENCE
        try:
            with _told():
                self._take_up(until).execute("SELECT pg_advisory_lock(%s)", (_KEY,))
            with _held(self._lock, until):
                yield
        except BaseException:
            self.close()  # the lock goes with the session
            raise
        with suppress(DatabaseFault):  # what was done is done, and its head is signed
            self._give_back()

    def empty(self) -> bool:
        """Whether there is no store in the tables."""
        with self.connection.begin():
            return self.connection.execute(select(STORE.c.id)).first() is None

    def make(self, described: Mapping[str, object]) -> None:
        """The row of the store; the tables were made by their owner, or there would be no session."""
        with self.connection.begin():
            self.connection.execute(insert(STORE), dict(described))

    def exchanged(self) -> bool:
        """A session stays with one database to its end."""
        return False

    def refresh(self) -> None:
        """A session that failed was ended, and the next turn takes up another."""

    def end(self) -> tuple[int, str] | None:
        """Number and digest of the last record, whoever wrote it."""
        with _told():
            found = _bare(self.connection).execute(_END).fetchone()
        return None if found is None else (found[0], found[1])

    def leave_no_trace(self) -> bool:
        """Write the keys that are left into a file of their own, and drop the old one; what others still read is copied too.

        Only their owner may, who alone may erase. What the server's log and its copies hold of a key ends when they do.
        """
        session = _bare(self.connection)
        session.until = float("inf")
        with _told():
            read = session.execute(_READERS).fetchone() is not None
            session.execute("SET statement_timeout = 0")
            session.execute("VACUUM FULL data_keys")
            session.execute(f"SET statement_timeout = '{_WORKING}'")
        return not read

    def close(self) -> None:
        """End the session, whatever state it is in."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(SQLAlchemyError, psycopg.Error):
                connection.invalidate()  # or it would be asked to roll back, of which it may know nothing any more
                connection.close()

    def _take_up(self, until: float) -> Session:
        if self._connection is None:
            self._connection = self._engine.connect()
        session = _bare(self._connection)
        session.until = until
        return session

    def _give_back(self) -> None:
        try:
            with _told():
                _bare(self.connection).execute("SELECT pg_advisory_unlock(%s)", (_KEY,))
        except DatabaseFault:
            self.close()
            raise


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


def require_no_owner(url: str) -> None:
    """NoReceipt where whoever the URL names could do more to the tables than the service needs, or cannot be asked."""
    require_url(url)
    try:
        with engine_of(partial(begun, url)).connect() as connection:
            role = str(connection.execute(text("SELECT current_user")).scalar())
            if not powerful(connection, role):
                return
    except (SQLAlchemyError, DatabaseFault) as error:
        raise NoReceipt(str(getattr(error, "orig", None) or error).strip()) from error
    raise NoReceipt(f"{role} could alter receipts: give the service a role of its own ({MIGRATE})")


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


def _durable(url: str) -> Session:
    """A session in which a commit returns when it is on the disk."""
    found = begun(url, synchronous_commit="on", lock_timeout=_WAITING, statement_timeout=_WORKING)
    for name, allowed in _DURABLE.items():
        row = found.execute("SELECT current_setting(%s)", (name,)).fetchone()
        if row is None or row[0] not in allowed:
            found.close()
            raise DatabaseFault(f"{name} is {row and row[0]}: it could lose what it has committed; allowed is {allowed[0]}")
    return found


def _begin(connection: Connection) -> None:
    with _told():  # beneath SQLAlchemy, which would ask for a cursor of the server where rows are fetched by blocks
        _bare(connection).execute("BEGIN")


@contextmanager
def _held(lock: Path, until: float) -> Iterator[None]:
    with ExitStack() as held:
        while True:
            try:
                held.enter_context(durable.locked(lock, wait=False))
                break
            except durable.Busy as error:
                if time.monotonic() > until:
                    raise DatabaseFault("another process writes heads in the same folder, and comes to no end") from error
                time.sleep(0.002)
        yield


@contextmanager
def _told() -> Iterator[None]:
    """What goes wrong beneath SQLAlchemy, in words for whoever waits."""
    try:
        yield
    except psycopg.Error as error:
        raise DatabaseFault(said(error)) from error


def _bare(connection: Connection) -> Session:
    """Beneath SQLAlchemy, which would begin a transaction."""
    found: Session = connection.connection.driver_connection  # type: ignore[assignment]  # typed for any driver
    return found
