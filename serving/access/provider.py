"""The identity provider: what it publishes is fetched from the one address that was configured, kept, and read with suspicion.

OpenID Connect Discovery 1.0 (2014), JSON Web Key (RFC 7517, 2015). No address is ever taken from a token; an answer is cut off
after five seconds or five megabytes, and no redirect is followed.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException

from serving.access.json_web_keys import Keys, keys_in
from serving.access.settings import reachable
from serving.hosts import is_loopback
from serving.logs import tell

if TYPE_CHECKING:
    import httpx

SECONDS = 5.0
LARGEST = 5_000_000  # bytes
FRESH_SECONDS = 3600.0  # after which its keys are fetched again, so that one it took back is not believed for ever
STALE_SECONDS = 24 * 3600.0  # for so long they are believed while it does not answer
REFRESH_SECONDS = 60.0  # at most so often an unknown key is looked for
RETRY_SECONDS = 5.0  # and so often while nothing is known at all
_PLAIN = {"Accept": "application/json", "Accept-Encoding": "identity"}
_DISCOVERY = "/.well-known/openid-configuration"


class Unanswered(HTTPException):
    """The identity provider does not answer, or not as it should; our own words."""

    def __init__(self, why: str):
        tell(logging.ERROR, "the identity provider cannot be asked", why=why)
        title = f"the identity provider cannot be asked now: {why}"
        super().__init__(HTTPStatus.SERVICE_UNAVAILABLE, title, {"Retry-After": str(round(RETRY_SECONDS))})


class Declined(Exception):
    """The identity provider says that what it was asked is not in order."""


@dataclass(frozen=True)
class Published:
    """What the provider says of itself; times in seconds of a clock that is never set."""

    document: Mapping[str, Any]
    keys: Keys
    fetched: float

    def endpoint(self, name: str) -> str:
        """A URL of it that may be asked. Unanswered where it names none."""
        found = self.document.get(name)
        if not isinstance(found, str) or not reachable(found):
            raise Unanswered(f"it names no {name} over HTTPS")
        return found


@dataclass
class Provider:
    """One identity provider, asked as seldom as possible; `now` is a clock that is never set, in seconds."""

    issuer: str
    now: Callable[[], float] = time.monotonic
    _published: Published | None = None
    _tried: float = -REFRESH_SECONDS
    _one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def published(self) -> Published:
        """What it published within the hour, or within the day while it does not answer. Raises Unanswered."""
        found = self._published
        if found is None or self.now() - found.fetched > FRESH_SECONDS:
            found = await self._looked_again(RETRY_SECONDS if found is None else REFRESH_SECONDS)
        if found is None or self.now() - found.fetched > STALE_SECONDS:
            raise Unanswered("it has not answered for too long")
        return found

    async def key(self, kid: str, algorithm: str) -> Any | None:
        """Its public key of that name for that algorithm; an unknown one is looked for once a minute. Raises Unanswered."""
        found = await self.published()
        if (kid, algorithm) not in found.keys:
            found = await self._looked_again(REFRESH_SECONDS) or found
        return found.keys.get((kid, algorithm))

    async def exchanged(self, url: str, form: Mapping[str, str], password: tuple[str, str] | None) -> Mapping[str, Any]:
        """Its answer to a form; `password` are client and secret. Raises Unanswered; Declined where it refuses."""
        return await self._answer("POST", url, data=dict(form), auth=password)

    async def _looked_again(self, apart: float) -> Published | None:
        """What it publishes now; what it published before where it was asked within `apart` seconds, or does not answer."""
        async with self._one_at_a_time:
            if self.now() - self._tried >= apart:
                self._tried = self.now()
                await self._fetch()
            return self._published

    async def _fetch(self) -> None:
        try:
            document = await self._answer("GET", self.issuer.rstrip("/") + _DISCOVERY)
            if document.get("issuer") != self.issuer:
                raise Unanswered("it names itself otherwise than access.toml does")
            url = Published(document, {}, 0.0).endpoint("jwks_uri")
            self._published = Published(document, keys_in(await self._answer("GET", url)), self.now())
        except (Unanswered, Declined) as error:
            if self._published is None:
                raise error if isinstance(error, Unanswered) else Unanswered("it refuses to be asked") from None

    async def _answer(self, method: str, url: str, **sent: Any) -> Mapping[str, Any]:
        """The JSON object it answers. Raises Unanswered where there is none; Declined where it says that we are wrong."""
        import httpx  # not before somebody shows a token: scores do not wait for it

        here = is_loopback(urlsplit(self.issuer).hostname or "")
        try:
            async with (
                asyncio.timeout(SECONDS),
                httpx.AsyncClient(timeout=SECONDS, trust_env=not here, follow_redirects=False) as client,
                client.stream(method, url, headers=_PLAIN, **sent) as found,
            ):
                body = await _bounded(found)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError):
            raise Unanswered("it does not answer") from None
        if found.status_code in (400, 401, 403):
            raise Declined
        if found.status_code != HTTPStatus.OK:
            raise Unanswered("it answers otherwise than it should")
        return _object(body)


async def _bounded(found: httpx.Response) -> bytes:
    if found.headers.get("content-encoding", "identity") != "identity":
        raise Unanswered("its answer is compressed")
    body = bytearray()
    async for piece in found.aiter_raw():
        body += piece
        if len(body) > LARGEST:
            raise Unanswered("its answer is too large")
    return bytes(body)


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise Unanswered("its answer is no JSON") from None
    if not isinstance(found, dict):
        raise Unanswered("its answer is no JSON object")
    return found
