"""The head of an answer waits for its body, and both go out in one piece.

In two pieces the second may have to wait its turn: a network that paces what it sends (BBR) held bodies back for 20 ms, on one
computer, while nobody had anything to do. And a piece is a call of the system.

References
----------
Cardwell, Cheng, Gunn, Yeganeh, Jacobson: BBR: congestion-based congestion control. Communications of the ACM 60, 2017, 58-66.
doi:10.1145/3009824
"""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle


class OnePiece(asyncio.Transport):
    """What one answer with a body is written to: `transport`, but for its head, which goes out with what comes after it."""

    def __init__(self, transport: asyncio.Transport, cycle: RequestResponseCycle):
        super().__init__()
        self._transport, self._cycle = transport, cycle
        self._head: bytes | None = None
        self._seen = False  # whether the head was

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self._cycle.response_started and not self._seen:
            self._head, self._seen = bytes(data), True
            return
        if self._head is not None:
            data, self._head = self._head + data, None
        self._transport.write(data)

    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def close(self) -> None:
        """Nothing more comes: a head that still waits goes out alone."""
        if self._head is not None:
            self.write(b"")
        self._transport.close()
