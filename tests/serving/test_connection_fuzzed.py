"""Whatever bytes come, in whatever pieces: requests are answered in order, anything else once, and nothing breaks or hangs."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from itertools import pairwise

import pytest
import uvicorn
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from serving.connection import Connection
from serving.connections import Connections
from serving.limits import Room
from serving.metrics import Metrics

GOOD = (
    b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"POST /v1/scores HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nbody",
    b"POST /v1/scores HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nbo\r\n2\r\ndy\r\n0\r\n\r\n",
    b"POST /early HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nbody",
    b"HEAD /livez HTTP/1.1\r\nHost: localhost\r\n\r\n",
)
HEADERS = (b"Content-Length: 9\r\n", b"Transfer-Encoding: gzip\r\n", b"Expect: 100-continue\r\n", b"Connection: close\r\n\r\n")
ODD = (b"\r\n", b"\x00", b"GET ", b"\xff", b"0\r\n\r\n", b"HTTP/1.1", b"POST / HTTP/1.1\r\n", *HEADERS)
STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")
ONCE = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


async def _app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with 200, or before the body is read with 401."""
    early = scope["path"] == "/early"
    while not early and (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 401 if early else 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


async def _said(pieces: Sequence[bytes], rooms: int) -> tuple[bytes, list[str]]:
    """All that comes back for these pieces before our end of the connection is closed, and what went wrong on the loop."""
    loop, wrong = asyncio.get_running_loop(), list[str]()
    loop.set_exception_handler(lambda _, context: wrong.append(str(context["message"])))
    places = Connections(Room(rooms), loop, Metrics())
    config, state = uvicorn.Config(_app, ws="none", lifespan="off", interface="asgi3", log_config=None), ServerState()
    async with await loop.create_server(lambda: Connection(config, state, places), "127.0.0.1", 0) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.sockets[0].getsockname()[1])
        for piece in pieces:
            writer.write(piece)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        found = b""
        try:
            while piece := await asyncio.wait_for(reader.read(65536), 0.1):
                found += piece
        except (TimeoutError, ConnectionResetError):
            pass
        writer.close()
        async with asyncio.timeout(5):
            while state.tasks or state.connections:
                await asyncio.sleep(0.005)
        assert places.room.under_way == 0
        return found, wrong


def pieces(whole: bytes, cuts: Sequence[int]) -> list[bytes]:
    places = sorted({0, len(whole), *(cut % (len(whole) + 1) for cut in cuts)})
    return [whole[begin:end] for begin, end in pairwise(places)]


@ONCE
@given(st.lists(st.sampled_from(GOOD), min_size=1, max_size=6), st.lists(st.integers(0, 10_000), max_size=8))
def test_requests_are_answered_in_their_order_however_they_are_cut(sent: list[bytes], cuts: list[int]) -> None:
    found, wrong = asyncio.run(_said(pieces(b"".join(sent), cuts), 100))
    assert [int(status) for status in STATUS.findall(found)] == [401 if b"/early" in one else 200 for one in sent]
    assert wrong == []


@ONCE
@given(
    st.lists(st.sampled_from(GOOD + ODD), min_size=1, max_size=6), st.lists(st.integers(0, 10_000), max_size=6), st.integers(0, 3)
)
def test_whatever_comes_nothing_breaks_and_no_room_is_lost(
    caplog: pytest.LogCaptureFixture, sent: list[bytes], cuts: list[int], rooms: int
) -> None:
    caplog.clear()
    found, wrong = asyncio.run(_said(pieces(b"".join(sent), cuts), rooms))
    assert {int(status) for status in STATUS.findall(found)} <= {100, 200, 400, 401, 408, 431, 503}
    assert wrong == []
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []
