"""Problem documents on their way out, told in another way: a page to a browser, an OperationOutcome to a hospital system."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import Message, Send

from serving.problems import PROBLEM

Tell = Callable[[Mapping[str, Any], int], Response]  # of a problem document and its status


class Turned:
    """Passes an answer on, but holds a problem back until it is whole and sends what `tell` makes of it; status, headers stay."""

    def __init__(self, send: Send, tell: Tell) -> None:
        self.send, self.tell = send, tell
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
                await self._told(self.held)

    async def _told(self, start: Message) -> None:
        told = self.tell(json.loads(self.body), start["status"])
        headers = MutableHeaders(raw=list(start["headers"]))
        for name in ("content-type", "content-length"):
            headers[name] = told.headers[name]
        await self.send({**start, "headers": headers.raw})
        await self.send({"type": "http.response.body", "body": told.body})
