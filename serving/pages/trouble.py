"""What goes wrong, as a page: a browser that asked for one is not answered with JSON."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from serving.access.permissions import PROGRAMS
from serving.pages.layout import rendered
from serving.turned import Turned


class Readable:
    """Turns problem documents into pages for whoever accepts HTML, outside the programs' own paths; status and headers stay."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        wants_page = scope["type"] == "http" and "text/html" in Headers(scope=scope).get("accept", "")
        turning = wants_page and not scope["path"].startswith(PROGRAMS)
        await self.app(scope, receive, Turned(send, partial(_page, Request(scope))) if turning else send)


def _page(request: Request, problem: Mapping[str, Any], status: int) -> Response:
    return rendered(request, "trouble.html", status, problem=problem)
