"""The champion changes under load, again and again: no request fails, and each answer is that of exactly one model."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from marks import Mark
from postgres import programs, receipts_database, server
from throughput import EXAMPLE, running

from lymphorisk import EXAMPLE_PATIENT
from models import artifact
from models.artifact import Artifact, load
from models.ledger import PROMOTED, append
from models.release import keep, point, resolve
from models.seal import Key
from models.seal_key import read_or_make_key
from serving.answer import Answer
from serving.receipts.payload import plain
from serving.score import score
from serving.wire import read_line

PROMOTIONS, SECONDS = 20, 3.0  # promotions, and between two of them
CONNECTIONS = 8
_TAKEN_UP = 30.0  # seconds
OTHER = 0.2  # by how much the log-odds of the other model are higher


@dataclass
class Seen:
    """What was answered: by which model how often, and what was wrong."""

    by: Counter[str] = field(default_factory=Counter)
    changes: int = 0  # from one model to the other, as one of the connections saw them
    last: str = ""  # who answered that connection last
    faults: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Two:
    """Two releases to be promoted in turn; `expected` is what each of them must answer."""

    root: Path
    key: Path
    expected: Mapping[str, Any]

    def promote(self, turn: int) -> str:
        """The champion is now the one whose turn it is; its digest."""
        digest, sealing = list(self.expected)[turn % 2], read_or_make_key(self.key, lambda said: None)
        told = {"model": digest, "version": str(turn), "by": "A. Frey", "approved_by": "B. Okoro"}
        point(self.root, append(self.root, PROMOTED, told, sealing), sealing)
        return digest


def two_models(folder: Path) -> Two:
    """The example and the same with higher risks, kept as releases; the first is the champion."""
    root, key, first = folder / "releases", folder / "seal.key", load(EXAMPLE)
    read_or_make_key(key, lambda said: None)
    root.mkdir(parents=True)
    calibration = replace(first.model.calibration, intercept=first.model.calibration.intercept + OTHER)
    artifact.save(replace(first.model, name="the other", calibration=calibration), folder / "other", files={}, provenance={})
    for one in (EXAMPLE, folder / "other"):
        keep(root, one, load(one).digest)
    two = Two(root, key, {})
    sealing: Key = read_or_make_key(key, lambda said: None)
    expected = {}
    for one in (first, load(folder / "other")):
        told = {"model": one.digest, "version": "0", "by": "A. Frey", "approved_by": "B. Okoro"}
        point(root, append(root, PROMOTED, told, sealing), sealing)
        expected[one.digest] = _numbers(resolve(root, sealing))
    found = replace(two, expected=expected)
    found.promote(0)
    return found


def _numbers(model: Artifact) -> Any:
    patient = read_line(json.dumps(EXAMPLE_PATIENT).encode(), datetime.now(UTC).date())
    (answer,) = score(model, [patient])
    if not isinstance(answer, Answer):
        raise TypeError("the example patient is refused")
    return _told(plain(answer.as_json()))


def _told(answer: Mapping[str, Any]) -> Any:
    return answer["risks"], answer["explanation"], answer["model"]["name"]


@contextmanager
def served(folder: Path, two: Two, options: Sequence[object] = ()) -> Any:
    """`lymphorisk serve` of the releases; gives the port."""
    kept = ("--receipts", folder / "receipts", "--receipts-key", folder / "receipts.key")
    command = (sys.executable, "-m", "lymphorisk", "serve", "--model", two.root, "--seal-key", two.key, "--dev", *kept, *options)
    with running((*command, "--port"), folder / "served.log") as port:
        yield port


def watch(port: int, two: Two, ended: threading.Event, seen: Seen, connections: int = CONNECTIONS) -> None:
    """Ask over so many connections until it has ended, and hold every answer against the models."""
    asyncio.run(_watch(port, two, ended, connections, seen))


async def _watch(port: int, two: Two, ended: threading.Event, connections: int, seen: Seen) -> None:
    body = json.dumps(EXAMPLE_PATIENT).encode()
    head = f"POST /v1/scores HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"

    async def one_after_the_other(counting: bool) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while not ended.is_set():
            writer.write(head.encode() + body)
            status = await reader.readuntil(b"\r\n\r\n")
            length = int(status.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            digest = _held(status, await reader.readexactly(length), two, seen)
            if counting:
                seen.changes += seen.last not in ("", digest)
                seen.last = digest
        writer.close()

    async with asyncio.TaskGroup() as group:
        for place in range(connections):
            group.create_task(one_after_the_other(place == 0))


def _held(head: bytes, body: bytes, two: Two, seen: Seen) -> str:
    """The digest of the model that answered; what is not exactly its answer is a fault."""
    if not head.startswith(b"HTTP/1.1 200 "):
        seen.faults.append(f"no answer: {head.splitlines()[0]!r}")
        return ""
    answer = json.loads(body)
    digest = str(answer["model"]["digest"])
    seen.by[digest] += 1
    if digest not in two.expected or _told(answer) != two.expected[digest]:
        seen.faults.append(f"an answer in the name of {digest[:8]} is not the one that model gives")
    return digest


def promoted_under_load(
    folder: Path,
    advance: Callable[..., object],
    promotions: int = PROMOTIONS,
    seconds: float = SECONDS,
    options: Sequence[object] = (),
) -> tuple[Seen, Two]:
    """Load on a service while one model after the other is promoted."""
    two, ended = two_models(folder), threading.Event()
    with served(folder, two, options) as port:
        seen = Seen()
        asking = threading.Thread(target=watch, args=(port, two, ended, seen))
        asking.start()
        try:
            _await(seen, next(iter(two.expected)))
            for turn in range(1, promotions + 1):
                time.sleep(seconds)
                _await(seen, two.promote(turn))
                advance("promotions", turn, promotions)
            time.sleep(seconds)
        finally:
            ended.set()
            asking.join(60)
    return seen, two


def _await(seen: Seen, digest: str) -> None:
    """Wait until that model answers; a service that never takes it up is given up, and falls short."""
    end = time.monotonic() + _TAKEN_UP
    while seen.last != digest and time.monotonic() < end:
        time.sleep(0.02)


def sit(folder: Path, advance: Callable[..., object], promotions: int = PROMOTIONS, seconds: float = SECONDS) -> list[Mark]:
    """Promotions under load: one process, and two that share their receipts in PostgreSQL."""
    (folder / "one").mkdir()
    alone = marks(*promoted_under_load(folder / "one", advance, promotions, seconds), promotions)
    if (where := programs()) is None:
        raise RuntimeError("two processes need PostgreSQL: Debian's package postgresql")
    with server(where) as database:
        url, _ = receipts_database(database, "promoted")
        (folder / "two").mkdir()
        options = ("--workers", 2, "--database", url)
        found, two = promoted_under_load(folder / "two", advance, promotions, seconds, options)
    shared = marks(found, two, promotions)
    return [*_named("one process", alone), *_named("two", shared)]


def _named(who: str, found: Sequence[Mark]) -> list[Mark]:
    return [replace(one, what=f"{who}: {one.what}") for one in found]


def marks(seen: Seen, two: Two, promotions: int) -> list[Mark]:
    """What was seen against its bars; each connection is answered by one of the workers, and sees every promotion once."""
    split = " and ".join(f"{seen.by[digest]:,}" for digest in two.expected)
    return [
        Mark("answers that failed or were of two models", len(seen.faults), most=0, note="; ".join(sorted(set(seen.faults))[:3])),
        Mark("answers under load", sum(seen.by.values()), least=100, note=f"{split} by the two models"),
        Mark("promotions taken up while asked", seen.changes, least=promotions, most=promotions),
    ]
