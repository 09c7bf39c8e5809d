"""What goes wrong, as a page: a browser that asked for one is not answered with JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.access.permissions import PROGRAMS
from serving.pages.layout import rendered
from serving.problems import PROBLEM

OWN_WORDS = {"content-type", "content-length"}  # headers of the problem document that are not those of the page


class Readable:
    """Turns problem documents into pages for whoever accepts HTML, outside the programs' own paths; status and headers stay."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        wants_page = scope["type"] == "http" and "text/html" in Headers(scope=scope).get("accept", "")
        turning = wants_page and not scope["path"].startswith(PROGRAMS)
        await self.app(scope, receive, _Turning(Request(scope), send) if turning else send)


class _Turning:
    """Passes an answer on, but holds a problem back until it is whole, and sends a page in its place."""

    def __init__(self, request: Request, send: Send) -> None:
        self.request, self.send = request, send
        self.held: Message | None = None
        self.body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and Headers(raw=message["headers"]).get("content-type") == PROBLEM:
            self.held = message
        elif self.held is None:
            await self.send(message)
        else:
            self.body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._page(self.held)

    async def _page(self, start: Message) -> None:
        problem: Mapping[str, Any] = json.loads(self.body)
        page = rendered(self.request, "trouble.html", start["status"], problem=problem)
        headers = MutableHeaders(raw=[one for one in start["headers"] if one[0].decode().lower() not in OWN_WORDS])
        headers["content-type"], headers["content-length"] = page.headers["content-type"], page.headers["content-length"]
        await self.send({**start, "headers": headers.raw})
        await self.send({"type": "http.response.body", "body": page.body})
