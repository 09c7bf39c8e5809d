"""The process that answers over HTTP: what is no HTTP, too large, or never arrives, is refused in so many words.

The server beneath answers what is no HTTP in plain text, waits for ever for a request that never ends, and logs paths and
queries: none of it here.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import time
from collections.abc import Collection
from http import HTTPStatus
from typing import NoReturn

import h11
import uvicorn
from starlette.applications import Starlette
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from serving.hosts import asked_here
from serving.logs import METHODS, tell, write_lines
from serving.problems import Problems

HEAD_SECONDS = 8.0  # a request line with its headers that has not arrived by then never will
LARGEST_HEAD = 16 * 1024  # bytes of them
LEAVE_SECONDS = 10  # what a request under way is given when the process is asked to end
_IDLE_SECONDS = 5
_problems = Problems()


class Listening(H11Protocol):
    """One connection: what cannot be read as HTTP, or never ends, is answered with a problem document, and closed."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as the one it inherits
        super().connection_made(transport)
        self._await_head()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._forget_head()
        elif self._deadline is None and not self.transport.is_closing():
            self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget_head()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        self._refuse(HTTPStatus.BAD_REQUEST, "the request is no HTTP")

    def _await_head(self) -> None:
        late = HTTPStatus.REQUEST_TIMEOUT
        self._deadline = self.loop.call_later(HEAD_SECONDS, self._refuse, late, "the request did not arrive")

    def _forget_head(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _refuse(self, status: HTTPStatus, title: str) -> None:
        """The problem, where an answer may still begin; in the middle of one, or after it, nothing but the end."""
        if self.transport.is_closing():
            return
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True  # whoever still waits for the rest of the request is told that it will not come
            self.cycle.message_event.set()
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            problem = _problems.problem(status, title, headers={"Connection": "close"})
            start = h11.Response(status_code=status.value, headers=problem.raw_headers, reason=status.phrase.encode())
            for event in (start, h11.Data(data=bytes(problem.body)), h11.EndOfMessage()):
                self.transport.write(self.conn.send(event) or b"")
            tell(logging.INFO, "request", method="unknown", route="unknown", status=status.value)
        self.transport.close()


class Logged:
    """The service behind one log line a request; a request whose head is too large does not reach it."""

    def __init__(self, app: ASGIApp, routes: Collection[str]):
        self.app, self.routes = app, frozenset(routes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, status = time.perf_counter(), 0

        async def sent(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._answering(scope)(scope, receive, sent)
        finally:
            self._tell(scope, status, time.perf_counter() - began)

    def _answering(self, scope: Scope) -> ASGIApp:
        if _head(scope) > LARGEST_HEAD:
            return _too_large
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        return self.app if len(hosts) == 1 and asked_here(hosts[0].decode("latin-1")) else _asked_elsewhere

    def _tell(self, scope: Scope, status: int, seconds: float) -> None:
        method = scope["method"] if scope["method"] in METHODS else "unknown"
        route = scope["path"] if scope["path"] in self.routes else "unknown"
        tell(logging.INFO, "request", method=method, route=route, status=status, ms=round(1000 * seconds, 1))


def _head(scope: Scope) -> int:
    names = sum(len(name) + len(value) + len(b": \r\n") for name, value in scope["headers"])
    return names + len(scope["raw_path"]) + len(scope["query_string"])


async def _too_large(scope: Scope, receive: Receive, send: Send) -> None:
    status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
    await _problems.problem(status, f"at most {LARGEST_HEAD // 1024} KiB of headers", headers={"Connection": "close"})(
        scope, receive, send
    )


async def _asked_elsewhere(scope: Scope, receive: Receive, send: Send) -> None:
    title = "the Host header names another computer: allowed are localhost and loopback addresses"
    await _problems.problem(HTTPStatus.BAD_REQUEST, title, headers={"Connection": "close"})(scope, receive, send)


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens; connections wait in it until they are served. OSError where the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=2048)


def serve(app: Starlette, at: socket.socket) -> None:
    """Answer until the process is asked to end, by SIGTERM or SIGINT; returns then, when what was under way is done."""
    write_lines()
    # the server raises the signal again when it has shut down: what the caller still has to close must be closed then
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, _leave)
    routes = [path for route in app.routes if isinstance(path := getattr(route, "path", None), str)]
    config = uvicorn.Config(
        Logged(app, routes),
        http=Listening,
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        proxy_headers=False,  # nobody stands in front yet, and a forwarded address is anybody's word
        server_header=False,
        timeout_keep_alive=_IDLE_SECONDS,
        timeout_graceful_shutdown=LEAVE_SECONDS,
        h11_max_incomplete_event_size=LARGEST_HEAD,
    )
    try:
        uvicorn.Server(config).run([at])
    except KeyboardInterrupt:
        tell(logging.INFO, "asked to end")


def _leave(*_: object) -> NoReturn:
    raise KeyboardInterrupt
