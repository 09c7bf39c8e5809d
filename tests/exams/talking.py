"""A service without scores behind connections as the real one has them, and what clients say to it, all in one process."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from serving.connection import Connection
from serving.connections import Connections
from serving.limits import Room
from serving.metrics import Metrics

GET = b"GET /one HTTP/1.1\r\nHost: localhost\r\n\r\n"
LIVE = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"
POST = b"POST /one HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\n"
Talk = Callable[["Served"], Awaitable[None]]


@dataclass
class Served:
    """An application that answers when `let` is set, behind connections as the service has them."""

    port: int = 0
    let: asyncio.Event = field(default_factory=asyncio.Event)
    under_way: int = 0
    most: int = 0
    finished: int = 0
    headers: list[list[tuple[bytes, bytes]]] = field(default_factory=list)
    all: list[Connection] = field(default_factory=list)
    busy: float = 0.0  # seconds that each takes of the loop
    long: int = 2  # bytes of an answer
    reads: bool = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] != "/livez":
            await self._slowly(scope, receive)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % self.long)]})
        await send({"type": "http.response.body", "body": b"o" * self.long})
        self.finished += 1

    async def _slowly(self, scope: Scope, receive: Receive) -> None:
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        self.headers.append(scope["headers"])
        while self.reads and (await receive()).get("more_body"):
            pass
        time.sleep(self.busy)  # as scores do, it holds up the loop
        await self.let.wait()
        self.under_way -= 1

    @asynccontextmanager
    async def asked(self, *sent: bytes) -> AsyncIterator[asyncio.StreamReader]:
        """A connection on which this is sent; leaves it open as long as the block."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            for one in sent:
                writer.write(one)
            reader.say = writer.write  # type: ignore[attr-defined]
            yield reader
        finally:
            writer.close()


def run(talk: Talk, room: Room | None = None, most: int = 1000, **of_the_app: object) -> Served:
    """Have `talk` speak with a service that has so much room and so many places."""

    async def inside() -> Served:
        served, loop = Served(**of_the_app), asyncio.get_running_loop()  # type: ignore[arg-type]
        places = Connections(room or Room(), loop, Metrics(), most)
        config, state = uvicorn.Config(served, ws="none", lifespan="off", interface="asgi3", log_config=None), ServerState()

        def made() -> asyncio.Protocol:
            served.all.append(Connection(config, state, places))
            return served.all[-1]

        async with await loop.create_server(made, "127.0.0.1", 0) as server:
            served.port = server.sockets[0].getsockname()[1]
            await asyncio.wait_for(talk(served), 20)
        return served

    return asyncio.run(inside())


async def answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Status and head of the next answer; the body is read too."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r")[0])
    await reader.readexactly(length)
    return int(head.split()[1]), head.lower()


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.005)
