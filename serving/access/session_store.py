"""Who is signed in, kept in one small database that all processes of a computer share: signing off in one holds in all.

Kept is the SHA-256 of what a browser holds, so that whoever reads the database can sign in as nobody.
"""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from starlette.exceptions import HTTPException

from models.identity import Identity, Role
from serving.logs import tell

NAME = "sessions.db"
KEPT = 24 * 3600.0  # seconds after which a session leaves no trace here; its sign-in and sign-out stay in the receipts
_BUSY_SECONDS = 1.0  # that one process waits for another
_TABLES = """
CREATE TABLE IF NOT EXISTS sessions (
  digest BLOB PRIMARY KEY, identity TEXT NOT NULL, began REAL NOT NULL, seen REAL NOT NULL, ended TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE TABLE IF NOT EXISTS links (digest BLOB PRIMARY KEY, until REAL NOT NULL) STRICT;
"""


@dataclass(frozen=True)
class Kept:
    """A session: times in seconds since 1970; `ended` says why it is over, "" while it is not."""

    identity: Identity
    began: float
    seen: float
    ended: str


class SessionStore:
    """The database of the sessions, made where it is not there; what it cannot do now is answered 503."""

    def __init__(self, folder: Path):
        """Raises OSError or sqlite3.Error where there can be none in the folder."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(folder / NAME, os.O_CREAT | os.O_RDWR, 0o600))
        self._one_at_a_time = threading.Lock()
        self._open = sqlite3.connect(folder / NAME, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON"):
            self._open.execute(f"PRAGMA {pragma}").close()
        self._open.executescript(_TABLES)

    def find(self, digest: bytes) -> Kept | None:
        """The session of that digest, ended or not."""
        with self._database() as database:
            row = database.execute("SELECT identity, began, seen, ended FROM sessions WHERE digest = ?", (digest,)).fetchone()
        return None if row is None else Kept(_identity(row[0]), *row[1:])

    def add(self, digest: bytes, identity: Identity, now: float) -> None:
        """A session that begins now; those of long ago are removed."""
        with self._database() as database:
            database.execute("DELETE FROM sessions WHERE began < ?", (now - KEPT,))
            document = json.dumps(identity.as_json())
            database.execute("INSERT INTO sessions VALUES (?, ?, ?, ?, '')", (digest, document, now, now))

    def saw(self, digest: bytes, now: float) -> None:
        """Somebody was there."""
        with self._database() as database:
            database.execute("UPDATE sessions SET seen = ? WHERE digest = ? AND ended = ''", (now, digest))

    def end(self, digest: bytes, why: str) -> None:
        """The session is over, for every process; why it was first over stays."""
        with self._database() as database:
            database.execute("UPDATE sessions SET ended = ? WHERE digest = ? AND ended = ''", (why, digest))

    def add_link(self, digest: bytes, until: float, now: float) -> None:
        """A one-time link that is good until then."""
        with self._database() as database:
            database.execute("DELETE FROM links WHERE until < ?", (now,))
            database.execute("INSERT INTO links VALUES (?, ?)", (digest, until))

    def take_link(self, digest: bytes, now: float) -> bool:
        """Whether that link was still good; it is not any more."""
        with self._database() as database:
            return bool(database.execute("DELETE FROM links WHERE digest = ? AND until >= ?", (digest, now)).rowcount)

    def close(self) -> None:
        with self._one_at_a_time:
            self._open.close()

    @contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        try:
            with self._one_at_a_time:
                yield self._open
        except sqlite3.Error as error:
            tell(logging.ERROR, "sessions cannot be read or kept", kind=type(error).__name__)
            raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, "who is signed in cannot be told now") from error


def _identity(document: str) -> Identity:
    found = json.loads(document)
    return Identity(found["name"], frozenset(map(Role, found["roles"])), found["unit"], found["by"])
