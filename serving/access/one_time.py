"""A link that signs in once: printed where the service was started, for whoever reads that terminal, and nobody else.

Its word stands behind the `#`, which a browser keeps to itself: no log and no other page sees it. A page of ours posts it.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from serving.access.session_store import SessionStore

SECONDS = 5 * 60.0


@dataclass(frozen=True)
class Links:
    """The one-time links of one computer, good in any of its processes."""

    store: SessionStore
    now: Callable[[], float] = time.time

    def word(self) -> str:
        """The word of a new link: 256 random bits."""
        found = secrets.token_urlsafe(32)
        self.store.add_link(_digest(found), self.now() + SECONDS, self.now())
        return found

    def taken(self, word: str) -> bool:
        """Whether the word was of a link that was still good; it is not any more."""
        return self.store.take_link(_digest(word), self.now())


def _digest(word: str) -> bytes:
    return hashlib.sha256(word.encode()).digest()
