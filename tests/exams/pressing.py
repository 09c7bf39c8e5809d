"""Clients that keep their connections and ask again and again, as fast as they are answered or at a pace of their own."""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections import Counter
from dataclasses import dataclass, field

from lymphorisk import EXAMPLE_PATIENT

HOST = "127.0.0.1"


def request_of(document: object = EXAMPLE_PATIENT, authorization: str = "") -> bytes:
    """A request for scores as it goes over the wire."""
    body = json.dumps(document).encode()
    told = {"Host": "localhost", "Content-Type": "application/json", "Content-Length": len(body)}
    told |= {"Authorization": authorization} if authorization else {}
    head = "".join(f"{name}: {value}\r\n" for name, value in told.items())
    return f"POST /v1/scores HTTP/1.1\r\n{head}\r\n".encode() + body


LIVE = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"


@dataclass
class Pressed:
    """What came of it: how often each status (0: broken off), the seconds of each 200, and how long all of it took."""

    statuses: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    unexplained: int = 0  # refusals for want of room that name no time to come again
    lasted: float = math.nan

    @property
    def asked(self) -> int:
        return self.statuses.total()

    @property
    def goodput(self) -> float:
        """Scores per second."""
        return self.statuses[200] / self.lasted

    def percentile(self, share: float) -> float:
        """Seconds until a score, of this share of them."""
        found = sorted(self.seconds)
        return found[min(int(share * len(found)), len(found) - 1)] if found else math.nan


class _Client(asyncio.Protocol):
    """One connection: asks, waits for the whole answer, asks again `every` so many seconds."""

    def __init__(self, sent: bytes, every: float, begins: float, end: float, pressed: Pressed):
        self.sent, self.every, self.end, self.pressed = sent, every, end, pressed
        self.loop, self.received = asyncio.get_running_loop(), b""
        self.due, self.began, self.whole = begins, 0.0, -1
        self.done: asyncio.Future[None] = self.loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.loop.call_at(self.due, self.ask)

    def ask(self) -> None:
        if self.transport.is_closing():
            return
        if self.loop.time() >= self.end:
            self.transport.close()
            return
        self.began = self.loop.time()
        self.transport.write(self.sent)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self.received += data
        if self.whole < 0 and (head := self.received.find(b"\r\n\r\n")) >= 0:
            place = self.received.index(b"content-length: ", 0, head) + len(b"content-length: ")
            self.whole = head + 4 + int(self.received[place : self.received.index(b"\r", place)])
        if 0 <= self.whole <= len(self.received):
            self._answered()

    def _answered(self) -> None:
        status = int(self.received[9:12])
        self.pressed.statuses[status] += 1
        if status == 200:
            self.pressed.seconds.append(self.loop.time() - self.began)
        elif status in (429, 503):
            self.pressed.unexplained += b"retry-after: " not in self.received
        last = b"connection: close" in self.received[: self.received.index(b"\r\n\r\n")]
        self.received, self.whole, self.began = b"", -1, 0.0
        if last:
            self.transport.close()
        self.due += self.every  # who was kept waiting asks at once until it has asked as often as it wanted to
        self.loop.call_at(self.due, self.ask)

    def connection_lost(self, error: Exception | None) -> None:
        if self.began:
            self.pressed.statuses[0] += 1
        self.done.set_result(None)


def press(port: int, connections: int, seconds: float, per_second: float = math.inf, sent: bytes = b"") -> Pressed:
    """Ask over so many connections for so many seconds, `per_second` times in all, or as fast as the answers come."""
    return asyncio.run(_pressed(port, connections, seconds, per_second, sent or request_of()))


async def _pressed(port: int, connections: int, seconds: float, per_second: float, sent: bytes) -> Pressed:
    loop, found, every = asyncio.get_running_loop(), Pressed(), connections / per_second
    begins = loop.time() + 0.2 + connections / 2000
    clients = [_Client(sent, every, begins + every * one / connections, begins + seconds, found) for one in range(connections)]
    for client in clients:
        await loop.create_connection(lambda client=client: client, HOST, port)
    await asyncio.gather(*(client.done for client in clients))
    found.lasted = loop.time() - begins
    return found


@dataclass
class Watched:
    """How long `/livez` took, again and again, while something else was going on."""

    seconds: list[float] = field(default_factory=list)
    failed: int = 0
    overslept: float = 0.0  # seconds that whoever asked was woken too late at worst: that is the computer, not the service


def watch(port: int, seconds: float, every: float = 0.1) -> Watched:
    """Ask for `/livez` over a connection that is kept."""
    return asyncio.run(_watched(port, time.monotonic() + seconds, every))


async def _watched(port: int, end: float, every: float) -> Watched:
    found = Watched()
    reader, writer = await asyncio.open_connection(HOST, port)
    while time.monotonic() < end:
        began = time.monotonic()
        writer.write(LIVE)
        head = await reader.readuntil(b"\r\n\r\n")
        place = head.index(b"content-length: ") + len(b"content-length: ")
        await reader.readexactly(int(head[place : head.index(b"\r", place)]))
        found.seconds.append(time.monotonic() - began)
        found.failed += not head.startswith(b"HTTP/1.1 200 ")
        slept = time.monotonic()
        await asyncio.sleep(every)
        found.overslept = max(found.overslept, time.monotonic() - slept - every)
    writer.close()
    return found
