"""One connection: what is no HTTP, too large, or never arrives is answered in so many words, and what finds no room at once.

The server beneath answers such things in plain text, waits for ever for a request that never ends, and begins every request
before it knows whether there is room for it: none of that here. Requests are parsed by httptools (llhttp, the parser of Node).
"""

from __future__ import annotations

import asyncio
import math
from enum import Enum
from http import HTTPStatus
from typing import Any

import httptools
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from serving import refusing
from serving.connections import Connections
from serving.one_piece import OnePiece

HEAD_SECONDS = 8.0  # a request line with its headers that has not arrived by then never will
BODY_SECONDS = 10.0  # nor a body; whoever waits for it answers before (serving.body)
IDLE_SECONDS = 60.0  # that a connection may be kept without asking anything
READER_SECONDS = 20.0  # that an answer may wait for being read
END_SECONDS = 1.0  # that whoever was refused may take to hear it, and who is idle when all ends to ask a last time
LARGEST_HEAD = 16 * 1024  # bytes of a request line with its headers
ALWAYS = frozenset({"/livez", "/readyz", "/metrics"})  # are answered however much is under way


class Awaits(Enum):
    """What a connection waits for: of the other side all but `NOTHING`, and of that not longer than so many seconds."""

    HEAD = "the rest of a head"
    BODY = "the rest of a body"
    NEXT = "another request"
    READER = "its answer being read"
    END = "the other end hanging up"
    NOTHING = "an answer"


class Connection(HttpToolsProtocol):
    """One connection of `connections`."""

    def __init__(self, config: uvicorn.Config, state: ServerState, connections: Connections):
        super().__init__(config=config, server_state=state, app_state={}, _loop=connections.loop)
        self._connections = connections
        self.asked, self.until = False, math.inf
        self._awaits = Awaits.NOTHING
        self._head = self._body = 0  # bytes so far of what arrives now
        self._in_head = False
        self._ready: tuple[RequestResponseCycle, Any] | None = None  # begun when all that came with it has been read
        self._begun: asyncio.Task[None] | None = None  # before its body had arrived whole
        self._answered: RequestResponseCycle | None = None  # the last one that is, or was
        self._leaving = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as the one it inherits
        super().connection_made(transport)
        self._await(Awaits.HEAD, HEAD_SECONDS)
        if not self._connections.came(self):
            self._connections.refuse(HTTPStatus.SERVICE_UNAVAILABLE)
            transport.write(refusing.closing(HTTPStatus.SERVICE_UNAVAILABLE, refusing.NO_PLACE))
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.went(self)
        self._await(Awaits.NOTHING)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._awaits is Awaits.END:
            return
        if self._awaits is Awaits.NEXT:
            self._await(Awaits.HEAD, HEAD_SECONDS)
        self._head += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self.cycle.keep_alive = False  # answered as if it had not asked for another protocol; no more is read
            self.flow.pause_reading()
        except httptools.HttpParserError:
            self._refuse(HTTPStatus.BAD_REQUEST, "the request is no HTTP")
        if self._ready is not None:
            self._begin(*self._ready)
        if (self._in_head or self._awaits is Awaits.HEAD) and self._head > LARGEST_HEAD:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"at most {LARGEST_HEAD // 1024} KiB of headers")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._body, self._in_head = 0, True
        if self._awaits is not Awaits.HEAD:
            self._head = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._awaits is not Awaits.BODY:  # what comes after a body in pieces is not part of its head
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        if any(name == b"transfer-encoding" and value.lower() != b"chunked" for name, value in self.headers):
            raise ValueError("a transfer encoding other than chunked")
        if not self.url.startswith(b"/"):
            self.url = b"/*"  # for another host, or the whole server: no route of ours
        super().on_headers_complete()
        self._in_head = False
        self._await(Awaits.BODY, BODY_SECONDS)

    def on_body(self, body: bytes) -> None:
        self._body += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self.asked, self._head = True, 0
        super().on_message_complete()
        self.cycle.more_body = False
        if self.cycle.response_complete:
            self._await(Awaits.NEXT, IDLE_SECONDS)
        else:
            self._await(Awaits.NOTHING)
        if self._begun is not None and not self._entered_late(self._begun):
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, refusing.NO_ROOM)

    def on_response_complete(self) -> None:
        self.server_state.total_requests += 1
        self._begun = None
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self.loop.call_soon(self._begin_next)
        elif self.cycle.more_body and self.cycle.waiting_for_100_continue:
            self._end()  # whether the body still comes, or another request, nobody could tell
        elif not self.cycle.more_body:
            self._await(Awaits.NEXT, END_SECONDS if self._leaving else IDLE_SECONDS)

    def _begin_next(self) -> None:
        if self.pipeline and not self.transport.is_closing():
            self._begin(*self.pipeline.pop())

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._awaits is Awaits.NOTHING:
            self._await(Awaits.READER, READER_SECONDS)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._awaits is Awaits.READER:
            self._await(Awaits.NOTHING)

    def shutdown(self) -> None:
        """The process ends: whoever asks is answered, and who is about to ask on a connection that was kept, too."""
        self._leaving = True
        if self._awaits in (Awaits.NEXT, Awaits.HEAD):
            self.until = min(self.until, self.loop.time() + END_SECONDS)
        elif self.cycle is not None:
            self.cycle.keep_alive = False

    def late(self) -> None:
        """What is awaited of the other side has not come in time."""
        unanswered = self.cycle is not None and not self.cycle.response_complete
        if (self._awaits is Awaits.HEAD and (self._head or not self._leaving)) or (self._awaits is Awaits.BODY and unanswered):
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, "the request did not arrive")
        elif self._awaits in (Awaits.READER, Awaits.END) or self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            self.transport.close()

    def make_room(self) -> None:
        """Somebody else needs the place."""
        self.late()
        self.transport.close()

    def _await(self, what: Awaits, seconds: float = math.inf) -> None:
        self._awaits, self.until = what, self.loop.time() + seconds

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._ready = cycle, app

    def _begin(self, cycle: RequestResponseCycle, app: Any) -> None:
        """Have it answered, if there is room; what has not arrived whole enters when it has."""
        self._ready = None
        if self._leaving and not self.pipeline:
            cycle.keep_alive = False
        if cycle.scope["path"] in ALWAYS:
            self._run(cycle, app)
        elif cycle.more_body:
            if self._connections.room.full:
                self._shed(cycle)
            else:
                self._begun = self._run(cycle, app)
        elif self._connections.room.enter(size := len(cycle.body)):
            self._connections.begin(lambda: self._leaves(self._run(cycle, app), size))
        else:
            self._shed(cycle)

    def _run(self, cycle: RequestResponseCycle, app: Any) -> asyncio.Task[None]:
        if cycle.scope["method"] != "HEAD":  # which has no body
            cycle.transport = OnePiece(self.transport, cycle)
        self._answered = cycle
        task = self.loop.create_task(cycle.run_asgi(app))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task

    def _entered_late(self, task: asyncio.Task[None]) -> bool:
        """Whether there is room for what was begun before its body had arrived whole."""
        self._begun = None
        if self._connections.room.enter(self._body):
            self._leaves(task, self._body)
            return True
        return False

    def _leaves(self, task: asyncio.Task[None], size: int) -> None:
        task.add_done_callback(lambda _: self._connections.room.leave(size))

    def _shed(self, cycle: RequestResponseCycle) -> None:
        """No room: answered before anything else is done about it; the connection is kept, so that nobody need come anew."""
        keep = cycle.keep_alive and not (cycle.more_body and cycle.waiting_for_100_continue)
        self._connections.refuse(HTTPStatus.SERVICE_UNAVAILABLE)
        cycle.response_started = cycle.response_complete = True
        self.transport.write(refusing.no_room(keep))
        if keep:
            self.on_response_complete()
        else:
            self._end()

    def _refuse(self, status: HTTPStatus, title: str) -> None:
        """The problem, where an answer may still begin; in the middle of one, or after it, nothing but the end."""
        if self.transport.is_closing() or self._awaits is Awaits.END:
            return
        begun, self._ready = False, None
        for cycle in (self._answered, self.cycle):  # of several requests that came together the first may still be under way
            if cycle is not None and not cycle.response_complete:
                begun |= cycle.response_started
                cycle.disconnected = True  # whoever still waits for the rest of the request is told that it will not come
                cycle.message_event.set()
        self._connections.refuse(status)
        if not begun:
            self.transport.write(refusing.closing(status, title))
        self._end()

    def _end(self) -> None:
        """Nothing more is said; what still comes is thrown away for a moment, or the last word would be lost on its way."""
        self.pipeline.clear()
        self._ready = None
        if self.transport.can_write_eof():
            self.transport.write_eof()
            self._await(Awaits.END, END_SECONDS)
        else:
            self.transport.close()
