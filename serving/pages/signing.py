"""Signing in and out with a browser: by a link that the process printed, or where the identity provider asks; and off again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from serving.access.door import route, who
from serving.access.forms import posted
from serving.access.noting import Notes
from serving.access.proofs import SIGN_IN
from serving.access.sessions import Sessions
from serving.pages.layout import HEADERS, SIGN_OUT, rendered

ONCE = f"{SIGN_IN}/once"
Elsewhere = Callable[[Request], Awaitable[Response]]  # begins to sign in at the identity provider


@dataclass(frozen=True)
class Signing:
    """The ways in and out; `provider` names the identity provider, where there is one."""

    sessions: Sessions
    notes: Notes
    provider: str = ""

    def routes(self) -> list[Route]:
        """The pages of it."""
        return [
            route("GET", SIGN_IN, self._sign_in),
            route("GET", ONCE, self._once),
            route("POST", SIGN_OUT, self._sign_out),
        ]

    async def _sign_in(self, request: Request) -> Response:
        return rendered(request, "sign_in.html", provider=self.provider, over=False)

    async def _once(self, request: Request) -> Response:
        """The page a link leads to; it goes on by itself: a cookie just set is not sent with a redirect from afar."""
        found = self.sessions.once(request.query_params.get("word", ""))
        if found is None:
            return rendered(request, "sign_in.html", HTTPStatus.FORBIDDEN, provider=self.provider, over=True)
        await self.notes.made(found, "signed in", way="a link of this computer")
        page = rendered(request, "signed_in.html", name=found.name)
        page.headers["Set-Cookie"] = self.sessions.begin(found)
        return page

    async def _sign_out(self, request: Request) -> Response:
        await posted(request)
        await self.notes.made(who(request), "signed out")
        return RedirectResponse(SIGN_IN, 303, {**HEADERS, "Set-Cookie": self.sessions.end(request)})
