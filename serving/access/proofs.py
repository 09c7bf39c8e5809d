"""What somebody can show to be let in: an API key, a token of the identity provider, or a browser's session, in this order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from starlette.requests import HTTPConnection
from starlette.responses import Response

from models.identity import Identity
from serving.access.api_keys import ApiKeys
from serving.access.door import Unproved
from serving.access.way_back import sent_to_sign_in, wants_page

OF_SYSTEMS = "/cds-services/"  # where hospital systems ask, by tokens that are good nowhere else
LONGEST = 8192  # characters of a token; none that is meant for us is longer
_UNREADABLE = "the Authorization header cannot be read: allowed is one, Bearer and an API key or a token"


class Tokens(Protocol):
    """Checks tokens of the identity provider."""

    async def identity(self, token: str) -> Identity:
        """Whom it was made out to; Unproved where it does not prove that."""
        ...


class Sessions(Protocol):
    """Knows the browsers that are signed in."""

    def identity(self, asking: HTTPConnection) -> Identity | None:
        """Who is signed in there; None where nobody is. Raises Unproved where the session has ended, or another page asks."""
        ...


class Systems(Protocol):
    """Checks tokens that hospital systems sign themselves."""

    def identity(self, token: str, path: str) -> Identity:
        """Which system it is; Unproved where the token does not prove that, for this path."""
        ...


@dataclass(frozen=True)
class Proofs:
    """The access of a service that has keys, an identity provider, or both; `sessions` where it has pages."""

    keys: ApiKeys | None = None
    tokens: Tokens | None = None
    sessions: Sessions | None = None
    systems: Systems | None = None  # hospital systems, on paths of their own

    async def identity(self, asking: HTTPConnection) -> Identity | None:
        """Who asks, by what they show; None where that is nothing. Raises Unproved where it proves nothing."""
        shown = asking.headers.getlist("authorization")
        if shown:
            return await self._bearer(shown, asking.url.path)
        return self.sessions.identity(asking) if self.sessions is not None else None

    def turned_back(self, asking: HTTPConnection, title: str) -> Response | None:
        """A browser that asks for a page is sent to sign in."""
        if self.sessions is None or not wants_page(asking) or asking.headers.get("authorization"):
            return None
        return sent_to_sign_in(asking)

    async def _bearer(self, shown: list[str], path: str) -> Identity:
        scheme, _, word = shown[0].partition(" ")
        if len(shown) != 1 or scheme.lower() != "bearer" or not 0 < len(word) <= LONGEST or not word.isascii():
            raise Unproved(_UNREADABLE)
        if self.systems is not None and path.startswith(OF_SYSTEMS):
            return self.systems.identity(word, path)
        if self.keys is not None and (found := self.keys.identity(word)) is not None:
            return found
        if self.tokens is None:
            raise Unproved("what was shown is no API key, and no identity provider is set up here")
        return await self.tokens.identity(word)
