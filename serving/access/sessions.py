"""Browsers that are signed in: a cookie only this service gets back, signed off after a quarter of an hour in which nobody acts.

The cookie holds 256 random bits and nothing else. `__Host-` (RFC 6265bis) keeps it from being set by another host or over plain
HTTP; a browser takes it from a loopback address too. What acts must come from a page of our own: see `same_origin`.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection

from models.identity import Identity
from serving.access.door import Unproved
from serving.access.same_origin import SAFE, is_form, refuse_others
from serving.access.session_store import Kept, SessionStore

COOKIE = "__Host-lymphorisk"
CSRF = "csrf"  # the field of a form, and where a request carries the token for the forms of the page that answers
CSRF_HEADER = "x-csrf-token"  # the same token, where a script asks
IDLE_SECONDS = 15 * 60.0
LONGEST_SECONDS = 12 * 3600.0
SIGNED_OUT = "signed off"
IDLE = "signed off after 15 minutes in which nothing was asked for: sign in again"
TOO_LONG = "signed off after 12 hours: sign in again"
UNKNOWN = "signed off: sign in again"
_FLAGS = "; Path=/; Secure; HttpOnly; SameSite=Strict"
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
_NOTED_SECONDS = 15.0  # so often it is written down that somebody is there; a session may end that much earlier
_BACKWARDS_SECONDS = 60.0  # by which a clock may be set back before a session is not believed any more
_FORGED = "the request does not come from a page of this service that is signed in: its CSRF token is missing or another's"


@dataclass(frozen=True)
class Sessions:
    """The sessions of all browsers; `now` gives seconds since 1970."""

    store: SessionStore
    now: Callable[[], float] = time.time

    def identity(self, asking: HTTPConnection) -> Identity | None:
        """Who is signed in, and was there just now; None where no session is shown.

        Raises Unproved where the session is over, and answers 403 to what would act without coming from a page of ours. The
        token of a form is read with the form (`serving.access.forms`).
        """
        found = self.found(asking)
        if found is None:
            return None
        method = asking.scope["method"]
        if method not in SAFE:
            refuse_others(asking)
            if not is_form(asking):
                self.check(asking, asking.headers.get(CSRF_HEADER, ""))
        if method not in SAFE or not _by_itself(asking):
            self._saw(asking, found)
        _state(asking)[CSRF] = self.csrf(asking)
        return found.identity

    def found(self, asking: HTTPConnection) -> Kept | None:
        """The session that is shown, while it lasts; None for none. Looking keeps nobody signed in. Raises Unproved."""
        token = asking.cookies.get(COOKIE)
        if token is None:
            return None
        found = self.store.find(_digest(token)) if _TOKEN.fullmatch(token) else None
        if found is None:
            raise Unproved(UNKNOWN)
        if over := found.ended or self._over(found):
            self.store.end(_digest(token), over)
            raise Unproved(over)
        return found

    def begin(self, identity: Identity) -> str:
        """Sign somebody in: the value of the Set-Cookie header to answer with."""
        token = secrets.token_urlsafe(32)
        self.store.add(_digest(token), identity, self.now())
        return f"{COOKIE}={token}{_FLAGS}"

    def end(self, asking: HTTPConnection) -> str:
        """Sign off, here and in every other process: the value of the Set-Cookie header that takes the cookie away."""
        self.store.end(_digest(asking.cookies.get(COOKIE, "")), SIGNED_OUT)
        return f"{COOKIE}={_FLAGS}; Max-Age=0"

    def csrf(self, asking: HTTPConnection) -> str:
        """What a form of a page must give back: 64 hex digits that only this session's pages know."""
        return hmac.new(asking.cookies.get(COOKIE, "").encode(), b"lymphorisk csrf", hashlib.sha256).hexdigest()

    def check(self, asking: HTTPConnection, token: str) -> None:
        """403 unless that is the token of the session."""
        if COOKIE not in asking.cookies or not hmac.compare_digest(self.csrf(asking).encode(), token.encode()):
            raise HTTPException(HTTPStatus.FORBIDDEN, _FORGED)

    def _over(self, found: Kept) -> str:
        now = self.now()
        if now - found.began > LONGEST_SECONDS:
            return TOO_LONG
        return "" if -_BACKWARDS_SECONDS <= now - found.seen <= IDLE_SECONDS else IDLE

    def _saw(self, asking: HTTPConnection, found: Kept) -> None:
        if self.now() - found.seen > _NOTED_SECONDS:
            self.store.saw(_digest(asking.cookies[COOKIE]), self.now())


def _by_itself(asking: HTTPConnection) -> bool:
    """Whether a page asks without anybody acting (a script that follows progress): nobody stays signed in by that."""
    return asking.headers.get("sec-fetch-mode", "navigate") != "navigate"


def _state(asking: HTTPConnection) -> MutableMapping[str, Any]:
    found: MutableMapping[str, Any] = asking.scope.setdefault("state", {})
    return found


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
