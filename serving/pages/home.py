"""The first page: who one is, and where one may go."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from serving.access.door import route, who
from serving.access.permissions import Action, may
from serving.pages.layout import NAVIGATION, links, rendered


def routes() -> list[Route]:
    """The start."""
    return [route("GET", "/", _home)]


async def _home(request: Request) -> Response:
    identity = who(request)
    open_to = [name for path, name in NAVIGATION if path in links(identity) and path != "/"]
    own = may(identity, Action.SEE_OWN) and not may(identity, Action.SEE_ALL)
    return rendered(request, "home.html", rooms=[(path, name) for path, name in NAVIGATION if name in open_to], own=own)
