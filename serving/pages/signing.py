"""Signing in and out with a browser: where the identity provider asks; and off again."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from serving.access.door import route, who
from serving.access.forms import posted
from serving.access.noting import Notes
from serving.access.proofs import SIGN_IN
from serving.access.sessions import Sessions
from serving.pages.layout import HEADERS, SIGN_OUT, rendered


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
            route("POST", SIGN_OUT, self._sign_out),
        ]

    async def _sign_in(self, request: Request) -> Response:
        return rendered(request, "sign_in.html", provider=self.provider, over=False)

    async def _sign_out(self, request: Request) -> Response:
        await posted(request, self.sessions)
        await self.notes.made(who(request), "signed out")
        return RedirectResponse(SIGN_IN, 303, {**HEADERS, "Set-Cookie": self.sessions.end(request)})
