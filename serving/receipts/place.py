"""Where the records lie: in a file of SQLite that one process writes, or in PostgreSQL, where several take turns.

What the rest of the receipts asks of either stands here; what is of one of them only stands in `database` and `postgresql`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

PATIENCE = 4.5  # seconds that a turn may take: whoever wants a receipt waits a little longer
DATABASE, LOCK = "receipts.db", "lock"  # in the folder of the receipts


class DatabaseFault(OSError):
    """The database refuses, or cannot be reached; the message holds no value of a record, no host and no path."""


# What a database that is full, locked, damaged or gone raises; a damaged one may name in its error what is no text.
FAILURES = (SQLAlchemyError, sqlite3.Error, UnicodeDecodeError, DatabaseFault)


class Writing(Protocol):
    """A database open for writing, by one thread of this process."""

    several: bool  # whether other processes write too, in turns

    @property
    def connection(self) -> Connection:
        """The connection; there is one after `refresh`, and for several processes within a turn."""
        ...

    def turn(self, patience: float = PATIENCE) -> AbstractContextManager[None]:
        """While it is held, no other process writes records or heads; what fails within it ends the connection of several.

        It and all that is asked in it may take `patience` seconds.
        """
        ...

    def empty(self) -> bool:
        """Whether nothing was ever made here."""
        ...

    def make(self, described: Mapping[str, object]) -> None:
        """Make what is not there yet, and the row of the store unless there is one."""
        ...

    def exchanged(self) -> bool:
        """Whether the files changed under the connection; BrokenReceipt where another database lies in its place."""
        ...

    def refresh(self) -> None:
        """Open a connection to what is there now."""
        ...

    def end(self) -> tuple[int, str] | None:
        """Number and digest of the last record, where several processes write."""
        ...

    def leave_no_trace(self) -> bool:
        """Destroy what remains of deleted keys; whether nobody stood in the way by reading."""
        ...

    def close(self) -> None:
        """Give the connection back."""
        ...


class Place(Protocol):
    """A database of receipts, by its name."""

    @property
    def name(self) -> str:
        """How it is called in a message: no password stands in it."""
        ...

    def fault(self) -> str:
        """Why there is nothing to read or to write to, as far as the files show it."""
        ...

    def reading(self) -> Engine:
        """For whoever only reads: nothing can be changed through it, and no writer is disturbed."""
        ...

    def writing(self) -> Writing:
        """For whoever writes; nothing is opened yet."""
        ...

    def schema_faults(self, connection: Connection) -> Sequence[str]:
        """In what tables, indices, triggers and rights differ from those that the migrations make."""
        ...

    def damage(self, connection: Connection) -> Sequence[str]:
        """What is wrong beneath the tables; an index that leaves out a record hides it from whoever asks by it."""
        ...


def place_of(folder: Path, database: str = "") -> Place:
    """The database of the receipts in `folder`: the one of this URL, or without one the file that lies there.

    Raises ValueError for what is no URL of PostgreSQL, or one with a password in it; ModuleNotFoundError without psycopg.
    """
    if not database:
        from serving.receipts.database import SQLite

        return SQLite(folder / DATABASE)
    from serving.receipts.postgresql import PostgreSQL

    return PostgreSQL(database, folder)


def said(error: BaseException | None) -> str:
    """What a database's own error says, without the rows, hosts and paths that some add to it."""
    found = getattr(error, "diag", None)  # of psycopg
    return str(error) if found is None else str(found.message_primary or "it cannot be reached")


def unreadable(error: Exception) -> str:
    """Why records cannot be read: a server says it itself; a file says much, and means one thing."""
    told = getattr(error, "orig", error)
    of_a_server = isinstance(told, DatabaseFault) or hasattr(told, "diag")
    return said(told) if of_a_server else "it is damaged, or was altered by hand"
