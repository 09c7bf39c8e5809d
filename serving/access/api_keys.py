"""The API keys while the service runs: what was made or taken back since is known within a second, at no cost to a request."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from models.api_keys import ApiKey, KeyRing, looks_like_key, read_keys
from models.identity import Identity
from models.ledger import HEAD, LEDGER, InvalidLedger
from models.seal import BrokenSeal, Key
from serving.access.door import Unproved
from serving.logs import tell

SECONDS = 1.0  # for so long a key that was taken back may still be good
UNKNOWN = "the API key is not known, not good any more, or was taken back"
_Stamp = tuple[tuple[int, int, int] | None, ...]


class ApiKeys:
    """The keys of an access folder; a ledger that does not verify any more, or grew shorter, lets nobody in."""

    def __init__(self, folder: Path, sealing: Key):
        """Raises InvalidLedger where the ledger does not verify."""
        self._folder, self._sealing = folder, sealing
        self._looked = time.monotonic()
        self._stamp: _Stamp | None = self._places()  # None: what is there could not be read
        self._known = read_keys(folder, sealing)
        self._ring = KeyRing.of(self._known)

    def identity(self, word: str) -> Identity | None:
        """Whom the key stands for; None for what is no key of ours. Raises Unproved for one that opens nothing."""
        if not looks_like_key(word):
            return None
        if time.monotonic() - self._looked > SECONDS:
            self._look()
        found = self._ring.find(word, datetime.now(UTC))
        if found is None:
            raise Unproved(UNKNOWN)
        return found.identity

    def any_good(self) -> bool:
        """Whether there is any key that opens something."""
        return any(one.good(datetime.now(UTC)) for one in self._ring.by_digest.values())

    def _look(self) -> None:
        stamp = self._places()
        if stamp != self._stamp:
            self._stamp = stamp if self._take_up() else None  # what could not be read may be readable at the next look
        self._looked = time.monotonic()

    def _take_up(self) -> bool:
        """Whether the keys could be read; where not, there are none."""
        try:
            keys = read_keys(self._folder, self._sealing)
            _require_grown(keys, self._known)
            self._known, self._ring = keys, KeyRing.of(keys)
        except (BrokenSeal, OSError) as error:
            if self._stamp is not None:  # told once, and not every second
                tell(logging.ERROR, "the API keys cannot be believed: nobody is let in by one", kind=type(error).__name__)
            self._ring = KeyRing({})
            return False
        return True

    def _places(self) -> _Stamp:
        return tuple(_stamp(self._folder / name) for name in (LEDGER, HEAD))


def _require_grown(keys: Sequence[ApiKey], known: Sequence[ApiKey]) -> None:
    """InvalidLedger where a key that was known is gone, or one that was taken back is good again: an older copy was put back."""
    now = {one.digest: one for one in keys}
    for one in known:
        if (found := now.get(one.digest)) is None or found.revoked != (one.revoked or found.revoked):
            raise InvalidLedger("the keys are those of an older copy: what was written since is gone")


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
