"""No score is on its way before its receipt is on the disk: the service's system calls are written down, and the power cut.

From the calls it is known what was synced at each moment. At the moment each answer begins to be sent the disk is made as a power
cut would leave it, and the receipt must be in it, under a signed head. And at moments in between: the service must begin again
from there, verify, and hold every receipt that was on its way.
"""

from __future__ import annotations

import json
import random
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from child import Child, Clients, Told, until
from held import held
from marks import Mark
from power import ALL, NOTHING, Disk, Left, write
from sqlalchemy.exc import DatabaseError
from system_calls import Call, calls, forbidden, tracing

from models.seal import BrokenSeal
from serving.receipts.heads import last_head
from serving.receipts.keys import ReceiptKeys, read_keys, verify
from serving.receipts.record import NoReceipt
from serving.receipts.store import Store
from serving.receipts.writer import open_writer

ANSWERS, CUTS = 200, 150
# the controls: the usual advice for WAL, which syncs later, and heads that are written and not synced
BEFORE_NORMAL = """
import serving.receipts.database as database
database._WRITING = tuple(one.replace("FULL", "NORMAL") for one in database._WRITING)
"""
BEFORE_UNSYNCED_HEADS = """
import os, types, serving.receipts.heads as heads
heads.os = types.SimpleNamespace(**{**vars(os), "fsync": lambda file: None, "fdatasync": lambda file: None})
"""
_OK, _END = b"HTTP/1.1 200 ", b"\r\n\r\n"


@dataclass
class Traced:
    """Of the answers with a receipt, those not durable when they were sent; of the power cuts, what went wrong after them."""

    answers: int = 0
    unsynced: int = 0
    without: int = 0  # scores sent with no receipt at all
    cuts: int = 0
    faults: list[str] = field(default_factory=list)


@dataclass
class _Sent:
    """An answer: when it began to be sent, and what came of it so far."""

    began: int
    content: bytes = b""

    @property
    def document(self) -> Mapping[str, Any] | None:
        head, _, body = self.content.partition(_END)
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
        found = json.loads(body) if length and len(body) == length else None
        return found if isinstance(found, dict) else None


def record(folder: Path, strace: str, answers: int = ANSWERS, before: str = "") -> Path:
    """The trace of a service that gave so many scores over four connections."""
    trace = folder / "trace"
    child = Child(folder, before, within=tracing(strace, trace))
    with child, Clients(child.port) as clients:
        until(lambda: len(clients.acknowledged) >= answers, 300)
    until(lambda: "+++ exited with 0 +++" in _last(trace), 60)
    return trace


def _last(trace: Path) -> str:
    with trace.open("rb") as file:
        file.seek(max(trace.stat().st_size - 200, 0))
        return file.read().decode()


def examined(
    folder: Path, trace: Path, cuts: int, seed: int = 5, advance: Callable[..., object] = lambda *_: None
) -> Traced:
    """Play the trace again on a disk that loses what is not synced."""
    seen = list(calls(trace))
    sent = list(_sent(seen))
    found, disk, keys = Traced(), Disk(folder), read_keys(folder / "receipts.key")
    moments = _moments(seen, sent, cuts, random.Random(seed))
    waiting = sorted(sent, key=lambda one: one.began)
    for done, call in enumerate(seen):
        while waiting and waiting[0].began <= call.ended:
            _examine(disk, keys, waiting.pop(0), found)
        disk.see(call)
        if call.ended in moments:
            _cut(disk, keys, [one for one in sent if one.began < call.began], found, moments[call.ended])
        advance("calls", done + 1, len(seen))
    for one in waiting:
        _examine(disk, keys, one, found)
    return found


def _sent(seen: Iterable[Call]) -> Iterator[_Sent]:
    """Every answer with status 200 that was sent whole and is a document of more than a status."""
    open_answers: dict[str, _Sent] = {}
    for call in seen:
        if call.name != "sendto":
            continue
        data = call.texts[0][: call.result]
        if data.startswith(b"HTTP/1.1 "):
            open_answers[call.at] = _Sent(call.began)
        if (answer := open_answers.get(call.at)) is None:
            continue
        answer.content += data
        if answer.document is not None:
            del open_answers[call.at]
            if answer.content.startswith(_OK):
                yield answer


def _examine(disk: Disk, keys: ReceiptKeys, sent: _Sent, found: Traced) -> None:
    receipt = dict((sent.document or {}).get("receipt", {}))
    found.without += not receipt
    found.answers += bool(receipt)
    if receipt:
        with _after(disk, NOTHING) as folder:
            found.unsynced += not _covered(folder / "receipts", keys, receipt)


def _covered(folder: Path, keys: ReceiptKeys, receipt: Mapping[str, Any]) -> bool:
    """Whether the receipt is there, under a signed head."""
    try:
        store = Store.open(folder)
        record, (head, _) = store.record(receipt["sequence"]), last_head(store.heads)
        if record is None or record.digest != receipt["digest"] or head is None or head.sequence < record.sequence:
            return False
        verify(keys.public_key, head, "the last head")
    except (BrokenSeal, DatabaseError, OSError):
        return False
    return True


def _moments(seen: Sequence[Call], sent: Sequence[_Sent], cuts: int, rng: random.Random) -> dict[int, Left]:
    """When the power is cut, and what of the unsynced reaches the disk then: nothing, all of it, any part."""
    kinds: Sequence[Left] = (NOTHING, ALL, lambda: rng.random() < 0.5)
    ends = [call.ended for call in seen if call.name != "sendto"]
    early = [end for end in ends if sent and end < sent[0].began][-400:]  # while it begins
    chosen = rng.sample(early, min(cuts // 3, len(early)))
    rest = sorted(set(ends) - set(chosen))
    chosen += rng.sample(rest, min(cuts - len(chosen), len(rest)))
    return {end: kinds[place % 3] for place, end in enumerate(chosen)}


def _cut(disk: Disk, keys: ReceiptKeys, sent: Sequence[_Sent], found: Traced, reached: Left) -> None:
    """The power is cut: what is left must be taken up again, and hold everything that was on its way."""
    found.cuts += 1
    told = [Told(200, one.document or {}) for one in sent]
    with _after(disk, reached) as folder:
        try:
            key = folder / "receipts.key"
            kept = read_keys(key) if key.exists() or told else keys
            open_writer(folder / "receipts", kept).close()
            after = held(folder / "receipts", kept, told)
        except (BrokenSeal, DatabaseError, NoReceipt, OSError) as error:
            found.faults.append(f"not taken up: {error}")
            return
    found.faults += [] if after.whole else [f"{after.lost} lost, {after.altered} altered, {'; '.join(after.faults)}"]


@contextmanager
def _after(disk: Disk, reached: Left) -> Iterator[Path]:
    """A folder as a power cut leaves it."""
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), disk.left(reached))
        yield Path(folder)


def sit(folder: Path, advance: Callable[..., object], answers: int = ANSWERS, cuts: int = CUTS) -> list[Mark]:
    """The bars of the issue; the controls must be caught, or nothing was looked at."""
    strace = shutil.which("strace")
    why = forbidden(strace) if strace else "strace is not here: apt-get install strace"
    if strace is None or why:
        return [Mark("answers traced", 0, least=answers, note=why)]
    began = time.monotonic()
    found = examined(folder, record(folder, strace, answers), cuts, advance=advance)
    marks = [
        Mark("answers traced", found.answers, least=answers, note=f"{time.monotonic() - began:.0f} s"),
        Mark("sent before receipt and head were synced", found.unsynced, most=0),
        Mark("scores sent without a receipt", found.without, most=0),
        Mark("power cuts after which something was amiss", len(found.faults), most=0, note="; ".join(found.faults[:2])),
        Mark("power cuts", found.cuts, least=cuts),
    ]
    for name, before in (("synchronous=NORMAL", BEFORE_NORMAL), ("heads without a sync", BEFORE_UNSYNCED_HEADS)):
        control = folder / name.partition(" ")[0]
        control.mkdir()
        caught = examined(control, record(control, strace, answers // 4, before), 0)
        marks.append(Mark(f"control caught: {name}", caught.unsynced / caught.answers, least=0.9, note=f"of {caught.answers}"))
    return marks
