"""One connection and all of them: who finds no room is told so and may stay, who is silent makes room, nobody waits for ever."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from serving import connection, connections
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


def test_who_finds_no_room_is_told_before_the_body_is_sent_and_may_ask_again_on_the_connection() -> None:
    async def talk(served: Served) -> None:
        async with served.asked(GET) as first, served.asked(POST) as second:
            await until(lambda: served.under_way == 1)
            status, head = await answer(second)
            assert (status, b"retry-after: 1\r\n" in head, b"connection: close" in head) == (503, True, False)
            second.say(b"body" + LIVE)  # type: ignore[attr-defined]
            assert (await answer(second))[0] == 200
            served.let.set()
            assert (await answer(first))[0] == 200
            second.say(POST + b"body")  # type: ignore[attr-defined]
            assert (await answer(second))[0] == 200

    assert run(talk, Room(1)).most == 1


def test_what_arrives_in_pieces_takes_no_room_until_it_is_whole() -> None:
    async def talk(served: Served) -> None:
        async with served.asked(POST) as slow, served.asked(GET) as quick:
            await until(lambda: served.under_way == 2)  # the slow one has begun, and waits for its body
            slow.say(b"body")  # type: ignore[attr-defined]
            status, head = await answer(slow)
            assert (status, b"retry-after: 1\r\n" in head) == (503, True)
            served.let.set()
            assert (await answer(quick))[0] == 200

    run(talk, Room(1))


def test_large_bodies_find_no_room_beside_another() -> None:
    async def talk(served: Served) -> None:
        async with served.asked(POST + b"body") as first, served.asked(POST + b"body") as second:
            await until(lambda: served.under_way == 1)
            assert (await answer(second))[0] == 503
            served.let.set()
            assert (await answer(first))[0] == 200

    run(talk, Room(10, most_bytes=7))


def test_what_many_ask_at_once_is_begun_a_few_at_a_time_and_the_others_are_heard_between() -> None:
    async def talk(served: Served) -> None:
        served.let.set()
        async with served.asked(LIVE) as live:
            await answer(live)
            many = [await asyncio.open_connection("127.0.0.1", served.port) for _ in range(100)]
            for _, writer in many:
                writer.write(GET)
            await until(lambda: served.finished > 1)
            before = served.finished
            live.say(LIVE)  # type: ignore[attr-defined]
            assert (await answer(live))[0] == 200
            assert served.finished - before < 50
            assert [(await answer(reader))[0] for reader, _ in many] == [200] * 100
            for _, writer in many:
                writer.close()

    run(talk, busy=0.005)


def test_who_comes_when_all_places_are_taken_gets_that_of_the_one_that_was_silent_longest() -> None:
    async def talk(served: Served) -> None:
        async with served.asked() as first, served.asked(b"GET") as second, served.asked(b"G") as third:
            await until(lambda: len(served.all) == 3)
            served.let.set()
            async with served.asked(GET) as fourth:
                assert (await answer(fourth))[0] == 200
                assert (await answer(first))[0] == 408
                assert await first.read() == b""
                second.say(GET[3:])  # type: ignore[attr-defined]
                third.say(GET[1:])  # type: ignore[attr-defined]
                assert (await answer(second))[0] == (await answer(third))[0] == 200

    run(talk, most=3)


def test_nobody_who_is_being_answered_makes_room() -> None:
    async def talk(served: Served) -> None:
        async with served.asked(GET) as first, served.asked(GET) as second:
            await until(lambda: served.under_way == 2)
            async with served.asked(GET) as third:
                assert (await answer(third))[0] == 503
                assert await third.read() == b""
            served.let.set()
            assert (await answer(first))[0] == (await answer(second))[0] == 200

    run(talk, most=2)


@pytest.mark.parametrize("sent", [b"", b"G", GET[:-2], POST, POST + b"bod"])
def test_what_does_not_arrive_is_cut_in_time(monkeypatch: pytest.MonkeyPatch, sent: bytes) -> None:
    monkeypatch.setattr(connection, "HEAD_SECONDS", 0.1)
    monkeypatch.setattr(connection, "BODY_SECONDS", 0.1)

    async def talk(served: Served) -> None:
        async with served.asked(sent) as one:
            assert (await answer(one))[0] == 408
            assert await one.read() == b""

    run(talk)


def test_a_body_that_nobody_waits_for_any_more_is_cut_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "BODY_SECONDS", 0.2)

    async def talk(served: Served) -> None:
        served.let.set()
        async with served.asked(POST) as one:
            assert (await answer(one))[0] == 200
            assert await one.read() == b""

    run(talk, reads=False)


def test_a_connection_that_is_kept_for_nothing_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "IDLE_SECONDS", 0.2)

    async def talk(served: Served) -> None:
        async with served.asked(LIVE) as one:
            assert (await answer(one))[0] == 200
            assert await one.read() == b""

    run(talk)


def test_an_answer_that_nobody_reads_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "READER_SECONDS", 0.2)

    async def talk(served: Served) -> None:
        served.let.set()
        async with served.asked(GET + GET):  # the second of them waits for the first to be taken
            await until(lambda: bool(served.all) and served.all[0].transport.is_closing())

    run(talk, long=20_000_000)


def test_what_comes_after_a_body_in_pieces_is_no_part_of_the_head() -> None:
    async def talk(served: Served) -> None:
        served.let.set()
        head = b"POST /one HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        async with served.asked(head + b"4\r\nbody\r\n0\r\nAuthorization: Bearer planted\r\n\r\n") as one:
            assert (await answer(one))[0] == 200

    (headers,) = run(talk).headers
    assert not any(name == b"authorization" for name, _ in headers)


def test_requests_sent_one_after_the_other_are_answered_so_and_what_is_not_http_ends_them() -> None:
    async def talk(served: Served) -> None:
        served.let.set()
        async with served.asked(GET + LIVE + POST + b"body" + LIVE) as one:
            assert [(await answer(one))[0] for _ in range(4)] == [200] * 4
            one.say(b"no HTTP\r\n\r\n")  # type: ignore[attr-defined]
            assert (await answer(one))[0] == 400
            assert await one.read() == b""

    run(talk)


def test_thousands_sent_at_once_on_one_connection_are_refused_one_after_the_other() -> None:
    async def talk(served: Served) -> None:
        async with served.asked(GET) as first:
            await until(lambda: served.under_way == 1)
            async with served.asked(GET * 3000) as many:
                assert [(await answer(many))[0] for _ in range(3000)] == [503] * 3000
            served.let.set()
            assert (await answer(first))[0] == 200

    run(talk, Room(1))


def test_a_head_that_never_ends_is_refused_while_another_request_is_answered() -> None:
    async def talk(served: Served) -> None:
        async with served.asked(GET) as one:
            await until(lambda: served.under_way == 1)
            one.say(b"GET / HTTP/1.1\r\n")  # type: ignore[attr-defined]
            for _ in range(20):
                await asyncio.sleep(0.005)
                one.say(b"A: " + b"a" * 1000 + b"\r\n")  # type: ignore[attr-defined]
            assert (await answer(one))[0] == 431
            served.let.set()

    run(talk)


def test_another_protocol_is_not_spoken() -> None:
    async def talk(served: Served) -> None:
        served.let.set()
        upgrade = b"GET /one HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
        async with served.asked(upgrade + GET) as one:
            assert (await answer(one))[0] == 200
            assert await one.read() == b""

    assert run(talk).finished == 1


def test_who_asks_whether_to_send_a_body_and_is_refused_is_not_read_further() -> None:
    async def talk(served: Served) -> None:
        async with served.asked(GET), served.asked(POST.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n")) as one:
            status, head = await answer(one)
            assert (status, b"connection: close\r\n" in head) == (503, True)
            assert await one.read() == b""

    run(talk, Room(1))


def test_at_the_end_who_asks_is_answered_and_who_is_about_to_ask_too() -> None:
    async def talk(served: Served) -> None:
        async with served.asked(LIVE) as kept, served.asked(GET) as asking, served.asked() as silent:
            await answer(kept)
            await until(lambda: served.under_way == 1 and len(served.all) == 3)
            for one in served.all:
                one.shutdown()
            kept.say(LIVE)  # type: ignore[attr-defined]
            served.let.set()
            for one in (kept, asking):
                status, head = await answer(one)
                assert (status, b"connection: close\r\n" in head) == (200, True)
                assert await one.read() == b""
            assert await silent.read() == b""

    run(talk)


def test_who_hangs_up_leaves_no_room_taken() -> None:
    room = Room(2)

    async def talk(served: Served) -> None:
        async with served.asked(GET), served.asked(POST + b"body"):
            await until(lambda: served.under_way == 2)
        served.let.set()
        await until(lambda: room.under_way == 0)

    run(talk, room)
    assert (room.under_way, room.bytes_under_way) == (0, 0)


def test_refusals_for_want_of_room_are_told_by_their_number(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(connections, "TELL_SECONDS", 0.0)

    async def talk(served: Served) -> None:
        async with served.asked(GET), served.asked(GET * 5) as other:
            assert [(await answer(other))[0] for _ in range(5)] == [503] * 5
            await until(lambda: any("want of room" in record.message for record in caplog.records))

    run(talk, Room(1))
    (told,) = [record for record in caplog.records if "want of room" in record.message]
    assert told.told == {"times": 5, "under_way": 1}  # type: ignore[attr-defined]
