"""All connections of a worker: how many there may be, how long each may keep it waiting, and what they were refused.

Whoever opens connections and sends nothing, or a byte now and then, holds a place in a table until the time is over, and makes
room before that when somebody else comes: nobody is kept out by silence.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Callable
from http import HTTPStatus
from typing import Protocol

from serving.limits import Room
from serving.logs import tell
from serving.metrics import Metrics

MOST = 1024  # connections of one worker
TURN_SECONDS = 0.025  # that the requests begun in one turn of the loop may take: meanwhile nobody else is heard
REMEMBERED = 0.8  # of what earlier turns took, from one to the next
FEW, MANY = 8, 64  # so many are begun at once before it is known how long they take, and never more than so many
SWEEP_SECONDS = 0.25  # between two looks for those whose time is over
TELL_SECONDS = 1.0  # between two lines about what was refused for want of room


class Waiting(Protocol):
    """A connection, as far as it is watched."""

    until: float  # on the loop's clock: when what is awaited of the other side must have come; infinity where nothing is
    asked: bool  # whether it ever sent a whole request

    def late(self) -> None:
        """The time is over."""
        ...

    def make_room(self) -> None:
        """Somebody else needs the place."""
        ...


class Connections:
    """The connections of one worker, on its loop."""

    def __init__(self, room: Room, loop: asyncio.AbstractEventLoop, metrics: Metrics, most: int = MOST):
        self.room, self.loop, self.metrics, self.most = room, loop, metrics, most
        self._open: dict[Waiting, None] = {}
        self._refused: Counter[HTTPStatus] = Counter()  # before they reached a route, since the last look
        self._shed, self._since = 0, loop.time()
        self._due: deque[Callable[[], None]] = deque()
        self._turned, self._begun, self._took = 0.0, float(FEW), TURN_SECONDS  # how many begun of late, and what they took
        self._sweep()

    def __len__(self) -> int:
        return len(self._open)

    def came(self, connection: Waiting) -> bool:
        """Count one that has come; False where all places are taken by some that are being answered."""
        if len(self._open) >= self.most and not self._made_room():
            return False
        self._open[connection] = None
        return True

    def went(self, connection: Waiting) -> None:
        """It is gone."""
        self._open.pop(connection, None)

    def refuse(self, status: HTTPStatus) -> None:
        """Tell of a request that was refused before it reached a route."""
        self._refused[status] += 1
        if status is not HTTPStatus.SERVICE_UNAVAILABLE:
            tell(logging.INFO, "request", method="unknown", route="unknown", status=status.value)

    def begin(self, start: Callable[[], None]) -> None:
        """Have what has room begin: now, or where much is under way, a few of them in every turn of the loop."""
        if not self._due and self.room.under_way <= FEW:
            start()
            return
        if not self._due:
            self._turned = self.loop.time()
            self.loop.call_soon(self._turn)
        self._due.append(start)

    def _turn(self) -> None:
        """Begin as many as will be over in a moment, by what those of the last turns took, whenever that was done."""
        now = self.loop.time()
        self._begun, self._took, self._turned = REMEMBERED * self._begun, REMEMBERED * self._took + now - self._turned, now
        most = min(max(round(TURN_SECONDS * self._begun / self._took), 1), MANY)
        for _ in range(min(most, len(self._due))):
            self._due.popleft()()
            self._begun += 1
        if self._due:
            self.loop.call_soon(self._turn)

    def _made_room(self) -> bool:
        """The one silent longest makes room; those that never asked before those that did."""
        silent = [one for one in self._open if one.until < float("inf")]
        if not silent:
            return False
        first = min(silent, key=lambda one: (one.asked, one.until))
        self.went(first)
        first.make_room()
        return True

    def _sweep(self) -> None:
        now = self.loop.time()
        for connection in [one for one in self._open if one.until <= now]:
            connection.late()
        self._tell(now)
        self.loop.call_later(SWEEP_SECONDS, self._sweep)

    def _tell(self, now: float) -> None:
        """One line a second, not one each: what is refused for want of room must cost next to nothing."""
        self._shed += self._refused[HTTPStatus.SERVICE_UNAVAILABLE]
        for status, times in self._refused.items():
            self.metrics.refused_early(status.value, times)
        self._refused.clear()
        self.metrics.at_present(self.room.under_way, len(self._open))
        if self._shed and now - self._since >= TELL_SECONDS:
            tell(logging.WARNING, "refused for want of room", times=self._shed, under_way=self.room.under_way)
            self._shed, self._since = 0, now
