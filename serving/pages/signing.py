"""Signing in and out with a browser: at the identity provider, or by a link printed once; and off again."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from typing import Protocol

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from models.identity import Identity
from serving.access.attempts import Attempts, NotBegun
from serving.access.desk import DESK
from serving.access.door import IDENTITY, Unproved, route, who
from serving.access.forms import fields, posted
from serving.access.noting import Notes
from serving.access.one_time import Links
from serving.access.sessions import CSRF, Sessions
from serving.access.way_back import CALLBACK, SIGN_IN, START, is_ours
from serving.pages.layout import SIGN_OUT, rendered
from serving.pages.words import say

ONCE, BEGIN = f"{SIGN_IN}/once", f"{SIGN_IN}/start"
_NO_STORE = {"Cache-Control": "no-store"}


class Provider(Protocol):
    """Signs people in at an identity provider."""

    @property
    def issuer(self) -> str:
        """Its URL."""
        ...

    async def begun(self, to: str) -> tuple[str, str]:
        """The URL to send the browser to, and the Set-Cookie by which it is known when it comes back."""
        ...

    async def finished(self, request: Request) -> tuple[Identity, str, str]:
        """Who came back, where they wanted to go, and the Set-Cookie that takes the cookie away. Raises Unproved."""
        ...


@dataclass(frozen=True)
class Ways:
    """By which ways somebody may sign in here."""

    links: Links | None = None
    provider: Provider | None = None


@dataclass(frozen=True)
class Signing:
    """The pages of signing in and out."""

    sessions: Sessions
    notes: Notes
    ways: Ways = field(default_factory=Ways)
    attempts: Attempts = field(default_factory=Attempts)

    def routes(self) -> list[Route]:
        """Those of the ways that there are."""
        found = [route("GET", SIGN_IN, self._sign_in), route("POST", SIGN_OUT, self._sign_out)]
        if self.ways.links is not None:
            found += [route("GET", ONCE, self._once), route("POST", ONCE, partial(self._taken, self.ways.links))]
        if (provider := self.ways.provider) is not None:
            found.append(route("GET", BEGIN, partial(self._begin, provider)))
            found.append(route("GET", CALLBACK, partial(self._callback, provider)))
        return found

    async def _sign_in(self, request: Request) -> Response:
        return self._page(request)

    def _page(self, request: Request, status: int = 200, failed: str = "") -> Response:
        off = ""
        try:
            self._recognise(request)
        except Unproved as over:
            off = str(over)
        ways = {"issuer": self.ways.provider.issuer if self.ways.provider else "", "link": self.ways.links is not None}
        return rendered(request, "sign_in.html", status, **ways, to=_to(request), off=off, failed=failed)

    def _recognise(self, request: Request) -> None:
        """Lets the page know who is signed in already; looking at it keeps nobody signed in."""
        found = self.sessions.found(request)
        if found is not None:
            setattr(request.state, IDENTITY, found.identity)
            setattr(request.state, CSRF, self.sessions.csrf(request))

    async def _once(self, request: Request) -> Response:
        return rendered(request, "once.html", spent=False)

    async def _taken(self, links: Links, request: Request) -> Response:
        word = (await fields(request)).get("word", "")
        if wait := self.attempts.wait(_address(request)):
            return self._wait(request, wait)
        if not links.taken(word):
            unnoted = self.attempts.failed(_address(request))
            self._note_failed(unnoted, "one-time link", "the link was used, too old, or never there")
            return rendered(request, "once.html", HTTPStatus.FORBIDDEN, spent=True)
        return await self._in(request, DESK, START, "one-time link")

    async def _begin(self, provider: Provider, request: Request) -> Response:
        url, cookie = await provider.begun(_to(request))
        return RedirectResponse(url, 303, {**_NO_STORE, "Set-Cookie": cookie})

    async def _callback(self, provider: Provider, request: Request) -> Response:
        if wait := self.attempts.wait(_address(request)):
            return self._wait(request, wait)
        try:
            identity, to, cookie = await provider.finished(request)
        except Unproved as error:
            unnoted = self.attempts.noting() if isinstance(error, NotBegun) else self.attempts.failed(_address(request))
            self._note_failed(unnoted, provider.issuer, str(error))
            return self._page(request, HTTPStatus.FORBIDDEN, f"{say('sign_in', 'failed')}: {error}.")
        answer = await self._in(request, identity, to, provider.issuer)
        answer.headers.append("Set-Cookie", cookie)
        return answer

    async def _in(self, request: Request, identity: Identity, to: str, way: str) -> Response:
        """Signs them in, with a page that goes on by itself: with a redirect from afar a browser would not send the cookie."""
        await self.notes.made(identity, "signed in", way=way)
        self.attempts.succeeded(_address(request))
        self.sessions.end(request)
        answer = rendered(request, "signed_in.html", name=identity.name, to=to)
        answer.headers.append("Set-Cookie", self.sessions.begin(identity))
        return answer

    async def _sign_out(self, request: Request) -> Response:
        await posted(request, self.sessions)
        cookie = self.sessions.end(request)  # first of all: whoever signs off is signed off, noted or not
        await self.notes.made(who(request), "signed out")
        return RedirectResponse(SIGN_IN, 303, {**_NO_STORE, "Set-Cookie": cookie})

    def _note_failed(self, unnoted: int | None, way: str, why: str) -> None:
        if unnoted is not None:
            self.notes.soon(None, "failed to sign in", way=way, why=why, unnoted=unnoted)

    def _wait(self, request: Request, seconds: float) -> Response:
        wait = max(1, round(seconds))
        answer = self._page(request, HTTPStatus.TOO_MANY_REQUESTS, say("sign_in", "waiting", seconds=wait))
        answer.headers["Retry-After"] = str(wait)
        return answer


def _to(request: Request) -> str:
    found = request.query_params.get("to", START)
    if not is_ours(found):
        raise HTTPException(HTTPStatus.BAD_REQUEST, "to: allowed is a path of this service")
    return found


def _address(request: Request) -> str:
    return request.client.host if request.client is not None else ""
