"""How much of its throughput a service keeps that records every score: with and without, side by side, asked in turn."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import socket

import numpy as np
from marks import Mark

import models
from lymphorisk import EXAMPLE_PATIENT

CONNECTIONS, REQUESTS, ROUNDS = 16, 1_500, 15
KEPT = 0.7  # of the throughput without receipts (performance.md section 3)
EXAMPLE = Path(str(models.__file__)).parent / "released" / "example"
UNRECORDED = Path(__file__).with_name("unrecorded.py")
_PATIENCE = 60.0  # seconds that a service may take to begin


@dataclass(frozen=True)
class Load:
    """What one round gave: seconds for all requests, and of each of them how long it took."""

    seconds: float
    each: Sequence[float]


@contextmanager
def recorded(folder: Path, model: Path = EXAMPLE) -> Iterator[int]:
    """`lymphorisk serve` with receipts in `folder`; gives the port."""
    kept = ("--receipts", folder / "receipts", "--receipts-key", folder / "receipts.key")
    command = (sys.executable, "-m", "lymphorisk", "serve", "--model", model, "--dev", *kept, "--port")
    with running(command, folder / "recorded.log") as port:
        yield port


@contextmanager
def unrecorded(folder: Path, model: Path = EXAMPLE) -> Iterator[int]:
    """The same service without receipts."""
    with running((sys.executable, UNRECORDED, model), folder / "unrecorded.log") as port:
        yield port


@contextmanager
def running(command: Sequence[object], log: Path) -> Iterator[int]:
    """What `command` starts on the port named last, while it answers; gives the port."""
    with socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    with log.open("wb") as said:
        process = subprocess.Popen([*map(str, command), str(port)], stdout=said, stderr=said)
    try:
        _await(process, port, log)
        yield port
    finally:
        process.terminate()
        process.wait(30)


def _await(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end and process.poll() is None:
        try:
            asyncio.run(_connected(port))
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"the service did not begin: {log.read_text()[-2000:]}")


async def _connected(port: int) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.close()


def asked(port: int, requests: int, connections: int = CONNECTIONS) -> Load:
    """Ask for `requests` scores over so many connections; RuntimeError where one is not given, or has no receipt."""
    body = json.dumps(EXAMPLE_PATIENT).encode()
    head = f"POST /v1/scores HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return asyncio.run(_asked(port, head.encode() + body, requests, connections))


async def _asked(port: int, request: bytes, requests: int, connections: int) -> Load:
    each: list[float] = []
    due = iter(range(requests))

    async def one_after_the_other() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in due:
            began = time.perf_counter()
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            body = await reader.readexactly(length)
            each.append(time.perf_counter() - began)
            if not head.startswith(b"HTTP/1.1 200 ") or b'"receipt":' not in body:
                raise RuntimeError(f"no score: {head!r} {body[:300]!r}")
        writer.close()

    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(connections):
            group.create_task(one_after_the_other())
    return Load(time.perf_counter() - began, each)


def sit(folder: Path, advance: Callable[..., object], requests: int = REQUESTS, rounds: int = ROUNDS) -> list[Mark]:
    """Requests a second with receipts against without, in alternating rounds of which the first does not count."""
    with ExitStack() as running:
        kept, bare = (running.enter_context(start(folder)) for start in (recorded, unrecorded))
        found = []
        for done in range(rounds + 1):
            found.append((asked(kept, requests), asked(bare, requests)))
            advance("rounds", done + 1, rounds + 1)
    ratios = [without.seconds / ours.seconds for ours, without in found[1:]]
    low, median, high = np.quantile(ratios, [0.25, 0.5, 0.75])
    ours, without = ([requests / pair[place].seconds for pair in found[1:]] for place in (0, 1))
    times = np.concatenate([one.each for one, _ in found[1:]])
    half, most = 1000 * np.quantile(times, [0.5, 0.99])
    return [
        Mark(f"throughput kept at {CONNECTIONS} connections", median, least=KEPT, note=f"quartiles {low:.2f} to {high:.2f}"),
        Mark("scores a second with receipts", float(np.median(ours)), note=f"{np.median(without):.0f} without"),
        Mark("half of the answers within, ms", half, note=f"99 of 100 within {most:.0f}"),
    ]
