"""An answer goes out in one piece: its head with its body, and nothing is lost where there is no body, or no end."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from serving.one_piece import OnePiece


@dataclass
class Wire(asyncio.Transport):
    """Remembers what was written, piece by piece."""

    pieces: list[bytes] = field(default_factory=list)
    closed: bool = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.pieces.append(bytes(data))

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def resume_reading(self) -> None:
        pass


def answered(*messages: dict[str, Any], waits: bool = False) -> Wire:
    """What leaves when an application sends these."""
    wire = Wire()

    async def once() -> None:
        cycle = RequestResponseCycle(
            scope={"type": "http", "method": "POST"},  # type: ignore[typeddict-item]  # all that is read of it
            transport=wire,
            flow=FlowControl(wire),
            logger=None,  # type: ignore[arg-type]  # nothing is logged
            access_logger=None,  # type: ignore[arg-type]
            access_log=False,
            default_headers=[(b"x", b"y")],
            message_event=asyncio.Event(),
            expect_100_continue=waits,
            keep_alive=True,
            on_response=lambda: None,
        )
        cycle.transport = OnePiece(wire, cycle)
        if waits:
            cycle.message_event.set()
            await cycle.receive()
        for message in messages:
            await cycle.send(message)  # type: ignore[arg-type]
        if not cycle.response_complete:
            cycle.transport.close()

    asyncio.run(once())
    return wire


def start(status: int, **headers: str) -> dict[str, Any]:
    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http.response.start", "status": status, "headers": named}


def body(content: bytes, more: bool = False) -> dict[str, Any]:
    return {"type": "http.response.body", "body": content, "more_body": more}


HEAD = b"HTTP/1.1 200 OK\r\nx: y\r\ncontent-length: 4\r\n\r\n"


def test_a_head_goes_out_with_its_body() -> None:
    assert answered(start(200, content_length="4"), body(b"whole"[:4])).pieces == [HEAD + b"whol"]


def test_what_comes_later_goes_out_as_it_comes() -> None:
    pieces = answered(start(200, content_length="4"), body(b"wh", True), body(b"o", True), body(b"l")).pieces
    assert pieces == [HEAD + b"wh", b"o", b"l"]


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_without_a_body_is_not_held_back(status: int) -> None:
    (piece,) = answered(start(status), body(b"")).pieces
    assert piece.endswith(b"x: y\r\n\r\n")


def test_what_asks_for_the_body_does_not_wait() -> None:
    pieces = answered(start(200, content_length="4"), body(b"whol"), waits=True).pieces
    assert pieces == [b"HTTP/1.1 100 Continue\r\n\r\n", HEAD + b"whol"]


def test_a_head_whose_body_never_comes_goes_out_before_the_end() -> None:
    wire = answered(start(200, content_length="4"))
    assert (wire.pieces, wire.closed) == ([HEAD], True)
