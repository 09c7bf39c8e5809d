"""Which tokens of hospital systems were shown already, in one small database that all processes of a computer share.

A token that one process has seen is good in none of them, nor after the service has begun again. Kept is the SHA-256 of who made
a token and of its id, until it would have expired anyway.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import sqlite3
import threading
from http import HTTPStatus
from pathlib import Path

from starlette.exceptions import HTTPException

from serving.logs import tell

NAME = "cds-tokens.db"
_BUSY_SECONDS = 1.0  # that one process waits for another
_TABLE = """
CREATE TABLE IF NOT EXISTS shown (digest BLOB PRIMARY KEY, until REAL NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS shown_until ON shown (until);
"""


class Shown:
    """The database of the tokens, made where it is not there; what it cannot do now is answered 503."""

    def __init__(self, folder: Path):
        """Raises OSError or sqlite3.Error where there can be none in the folder."""
        os.close(os.open(folder / NAME, os.O_CREAT | os.O_RDWR, 0o600))
        self._one_at_a_time = threading.Lock()
        self._open = sqlite3.connect(folder / NAME, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        # NORMAL: only a loss of power can forget a token, and by when the power is back it has expired
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL"):
            self._open.execute(f"PRAGMA {pragma}").close()
        self._open.executescript(_TABLE)

    def first(self, issuer: str, token_id: str, until: float, now: float) -> bool:
        """Whether the token is shown for the first time; it is known from now on, until that time (seconds since 1970)."""
        digest = hashlib.sha256(json.dumps([issuer, token_id]).encode()).digest()
        try:
            with self._one_at_a_time:
                self._open.execute("DELETE FROM shown WHERE until < ?", (now,))
                return bool(self._open.execute("INSERT OR IGNORE INTO shown VALUES (?, ?)", (digest, until)).rowcount)
        except sqlite3.Error as error:
            tell(logging.ERROR, "tokens that were shown cannot be read or kept", kind=type(error).__name__)
            raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, "whether a token was shown before cannot be told now") from error

    def close(self) -> None:
        with self._one_at_a_time:
            self._open.close()
