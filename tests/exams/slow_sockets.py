"""Hundreds of connections that send a byte now and then, to hold the service up: each is cut in time, and nobody else notices."""

from __future__ import annotations

import asyncio
import math
import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from child import Child
from marks import Mark
from pressing import HOST, Pressed, press

SOCKETS = 350  # of each kind
HEADS_SECONDS, BODIES_SECONDS = 15.0, 30.0  # in which they are to be cut
HONEST = 8
EVERY = 1.0  # seconds between two bytes
HEAD = b"POST /v1/scores HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nX-Slow: "
BODY = HEAD + b"\r\nContent-Length: 400\r\n\r\n{"


@dataclass(frozen=True)
class Slow:
    """Seconds until each was cut, infinite for one that was not, and what the honest ones were answered before and meanwhile."""

    heads: list[float]
    bodies: list[float]
    before: Pressed
    meanwhile: Pressed


def slow(port: int, sockets: int, seconds: float) -> Slow:
    """So many of each kind; `seconds` is how long it is watched."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as beside:  # those are not held up by our own bytes
        before = beside.submit(press, port, HONEST, seconds, HONEST * 10.0).result()
        meanwhile = beside.submit(press, port, HONEST, seconds, HONEST * 10.0)
        cut = asyncio.run(_cut_all(port, sockets, seconds))
        return Slow(cut[::2], cut[1::2], before, meanwhile.result())


async def _cut_all(port: int, sockets: int, seconds: float) -> list[float]:
    return await asyncio.gather(*(_cut(port, began, seconds) for began in [HEAD, BODY] * sockets))


async def _cut(port: int, began: bytes, patience: float) -> float:
    """Seconds until a connection that goes on so is ended by the other side."""
    loop = asyncio.get_running_loop()
    reader, writer = await asyncio.open_connection(HOST, port)
    opened, ended = loop.time(), asyncio.ensure_future(reader.read())
    writer.write(began)
    while not ended.done() and loop.time() - opened < patience:
        await asyncio.wait([ended], timeout=EVERY)
        writer.write(b"a")
    seconds = loop.time() - opened if ended.done() else math.inf
    if ended.done():
        _ = ended.exception()  # a connection that was broken off is cut, too
    else:
        ended.cancel()
    writer.close()
    return seconds


def sit(
    folder: Path,
    advance: Callable[..., object],
    sockets: int = SOCKETS,
    before: str = "",
    seconds: float = BODIES_SECONDS + 5.0,
) -> list[Mark]:
    """The bars of the issue."""
    with Child(folder, before) as child:
        advance("slow sockets", 0, 1)
        found = slow(child.port, sockets, seconds)
        advance("slow sockets", 1, 1)
    wrong = found.meanwhile.asked - found.meanwhile.statuses[200]
    return [
        Mark("sockets of each kind", len(found.heads), least=sockets),
        Mark("slow heads, longest until cut, s", max(found.heads), most=HEADS_SECONDS),
        Mark("slow bodies, longest until cut, s", max(found.bodies), most=BODIES_SECONDS),
        Mark("honest requests meanwhile that were not scored", wrong, most=0, note=f"of {found.meanwhile.asked:,}"),
        Mark("their p99, of that before", found.meanwhile.percentile(0.99) / found.before.percentile(0.99), most=3.0),
    ]
