"""What surrounds the application: who asks by another name is turned away, every answer is protected, told and counted.

One wrapper for all of it, since every request passes here; nothing of it knows what a request says.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from http import HTTPStatus

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.connection import LARGEST_HEAD
from serving.hosts import Hosts
from serving.logs import METHODS, tell
from serving.metrics import Metrics
from serving.problems import Problems
from serving.protection import protected

_problems = Problems()


@dataclass(frozen=True)
class Front:
    """The service as it meets the network: one log line a request, and the same protection of every answer."""

    app: ASGIApp
    hosts: Hosts
    metrics: Metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        began, status = time.perf_counter(), 0

        async def sent(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = protected(message["headers"], scope["scheme"])
            await send(message)

        try:
            await self._answering(scope)(scope, receive, sent)
        finally:
            self._tell(scope, status, time.perf_counter() - began)

    def _answering(self, scope: Scope) -> ASGIApp:
        if _head(scope) > LARGEST_HEAD:
            status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
            return _refused(status, f"at most {LARGEST_HEAD // 1024} KiB of headers")
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        if len(hosts) == 1 and self.hosts.allows(hosts[0]):
            return self.app
        return _refused(HTTPStatus.BAD_REQUEST, f"the Host header names another computer: allowed are {self.hosts}")

    def _tell(self, scope: Scope, status: int, seconds: float) -> None:
        method = scope["method"] if scope["method"] in METHODS else "unknown"
        route = getattr(scope.get("route"), "path", "unknown")  # as the application knows it, not as it was asked for
        tell(logging.INFO, "request", method=method, route=route, status=status, ms=round(1000 * seconds, 1))
        self.metrics.answered(method, route, status, seconds)


def _head(scope: Scope) -> int:
    names = sum(len(name) + len(value) + len(b": \r\n") for name, value in scope["headers"])
    return names + len(scope["raw_path"]) + len(scope["query_string"])


def _refused(status: HTTPStatus, title: str) -> ASGIApp:
    return _problems.problem(status, title, headers={"Connection": "close"})
