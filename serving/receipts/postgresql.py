"""PostgreSQL, the database of several processes of one computer, which take turns: a turn ends when its head is signed.

The lock is the session's (pg_advisory_lock, PostgreSQL manual 13.3.5): a process that dies, or whose connection does, has lost
it, and with it all that it had not committed. A commit returns when it is on the disk (synchronous_commit), and a server that
was told not to care (fsync, full_page_writes; manual 20.5) is refused. Nobody waits for a server longer than PATIENCE.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psycopg
from sqlalchemy import Connection, Engine, insert, select, text
from sqlalchemy.exc import SQLAlchemyError

from models import durable
from serving.receipts.place import LOCK, PATIENCE, DatabaseFault
from serving.receipts.postgresql_session import Session, bare, begun, engine_of, require_url, told
from serving.receipts.postgresql_tables import MIGRATE, damage, differences, powerful
from serving.receipts.record import NoReceipt
from serving.receipts.tables import STORE

_WAITING, _WORKING = 0.8, 0.9  # of the patience: that a statement waits for a lock, and takes
_LIMITS = "SELECT set_config('lock_timeout', %s, false), set_config('statement_timeout', %s, false)"
_KEY = 0x6C796D70686F72  # of the advisory lock: "lymphor"; there is one store in a database
_DURABLE = {"fsync": ("on",), "full_page_writes": ("on",), "synchronous_commit": ("on", "remote_apply")}
_END = "SELECT sequence, digest FROM records ORDER BY sequence DESC LIMIT 1"
_READERS = """SELECT 1 FROM pg_stat_activity
              WHERE backend_xmin IS NOT NULL AND pid <> pg_backend_pid() AND datname = current_database()"""


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
        self._patience = 0.0  # that the session knows of

    @property
    def connection(self) -> Connection:
        """The connection of the turn."""
        if self._connection is None:
            raise DatabaseFault("it was asked outside a turn")
        return self._connection

    @contextmanager
    def turn(self, patience: float = PATIENCE) -> Iterator[None]:
        """Hold the lock of the store in the server, then that of the folder.

        The session can end while its process still writes a head: then the lock of the folder keeps others from the heads.
        """
        until = time.monotonic() + patience
        try:
            with told():
                self._take_up(until, patience).execute("SELECT pg_advisory_lock(%s)", (_KEY,))
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
        with told():
            found = bare(self.connection).execute(_END).fetchone()
        return None if found is None else (found[0], found[1])

    def leave_no_trace(self) -> bool:
        """Write the keys that are left into a file of their own, and drop the old one; what others still read is copied too.

        Only their owner may, who alone may erase. What the server's log and its copies hold of a key ends when they do.
        """
        session = bare(self.connection)
        session.until = float("inf")
        with told():
            read = session.execute(_READERS).fetchone() is not None
            session.execute("SET statement_timeout = 0")
            session.execute("VACUUM FULL data_keys")
            self._patience = 0.0
        return not read

    def close(self) -> None:
        """End the session, whatever state it is in."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(SQLAlchemyError, psycopg.Error):
                connection.invalidate()  # or it would be asked to roll back, of which it may know nothing any more
                connection.close()

    def _take_up(self, until: float, patience: float) -> Session:
        if self._connection is None:
            self._connection, self._patience = self._engine.connect(), 0.0
        session = bare(self._connection)
        session.until = until
        if patience != self._patience:
            session.execute(_LIMITS, [f"{1000 * patience * share:.0f}" for share in (_WAITING, _WORKING)])
            self._patience = patience
        return session

    def _give_back(self) -> None:
        try:
            with told():
                bare(self.connection).execute("SELECT pg_advisory_unlock(%s)", (_KEY,))
        except DatabaseFault:
            self.close()
            raise


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


def _durable(url: str) -> Session:
    """A session in which a commit returns when it is on the disk."""
    found = begun(url, synchronous_commit="on")
    for name, allowed in _DURABLE.items():
        row = found.execute("SELECT current_setting(%s)", (name,)).fetchone()
        if row is None or row[0] not in allowed:
            found.close()
            raise DatabaseFault(f"{name} is {row and row[0]}: it could lose what it has committed; allowed is {allowed[0]}")
    return found


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
