"""Who brought which model to patients, when and on what evidence: a ledger that is only ever added to, every line sealed.

`ledger.jsonl` holds one entry a line: its number, the digest of the line before it, its own digest and its seal; `head.json`
names the last entry, sealed. Whoever edits, removes, adds, reorders or cuts off lines without the key is found out. Not to be
found out from these two files alone: both put back together to an older copy. The champion's pointer and MLflow's tags, which
name entries too, then point past the end, unless they are put back as well; a copy kept elsewhere shows even that.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models import durable
from models.seal import START, BrokenSeal, Key, Link, link, read_link, sealed, unsealed

LEDGER, HEAD, LOCK = "ledger.jsonl", "head.json", "ledger.lock"
PROMOTED, ROLLED_BACK, LOOK, RECALIBRATED, AT_SITE = "promoted", "rolled back", "look", "recalibrated", "evaluated at site"
KEY_MADE, KEY_REVOKED = "key made", "key revoked"  # of the ledger of an access folder (models.api_keys)
KINDS = (PROMOTED, ROLLED_BACK, LOOK, RECALIBRATED, AT_SITE, KEY_MADE, KEY_REVOKED)
_ENTRY, _HEAD = "ledger entry", "ledger head"


@dataclass(frozen=True)
class Entry:
    """One line: its number (from 1), when it was written (UTC, by that computer's clock), what happened, and its digest."""

    sequence: int
    time: str
    kind: str
    facts: Mapping[str, object]
    previous: str
    digest: str


class InvalidLedger(BrokenSeal):
    """A ledger that is not, to the byte, what was written to it; the message names the first line that is wrong.

    `verified` are the entries before it.
    """

    def __init__(self, reason: str, verified: Sequence[Entry] = ()):
        self.verified = tuple(verified)
        super().__init__(reason)


def exists(root: Path) -> bool:
    """Whether anything of a ledger is in the folder: a part that is missing from the rest is a broken one, not none."""
    return any((root / name).exists() for name in (LEDGER, HEAD))


def read_ledger(root: Path, key: Key) -> tuple[Entry, ...]:
    """Every entry, verified; none where the folder holds no ledger. InvalidLedger names the first line that is wrong, and how."""
    entries, unfinished = _read(root, key)
    if unfinished:
        reason = "was not written to the end: what it was to record was never acknowledged; do it again, and it is cleared away"
        raise InvalidLedger(f"{root / LEDGER}: line {len(entries) + 1} {reason}", entries)
    return entries


def append(root: Path, kind: str, facts: Mapping[str, object], key: Key) -> Entry:
    """Add an entry, on the disk before it returns; nothing that was written before is touched.

    Raises InvalidLedger where the ledger that is there does not verify, and ValueError for another kind than KINDS.
    """
    if kind not in KINDS:
        raise ValueError(f"kind {kind!r}: allowed are {', '.join(KINDS)}")
    root.mkdir(parents=True, exist_ok=True)
    with durable.locked(root / LOCK):
        entries, unfinished = _read(root, key)
        if not exists(root):
            _write_head(root, 0, START, key)
        if unfinished:  # a line that a failing computer left half written was never an entry
            _clear(root / LEDGER, unfinished)
        sequence, previous = len(entries) + 1, entries[-1].digest if entries else START
        line = link(_ENTRY, {"time": _now(), "kind": kind, "facts": facts}, sequence, previous, key)
        entry = _entry(read_link(_ENTRY, line, sequence, previous, key))
        durable.append(root / LEDGER, line)
        _write_head(root, sequence, entry.digest, key)
    return entry


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def _read(root: Path, key: Key) -> tuple[tuple[Entry, ...], int]:
    """The verified entries, and how many bytes stand after the last whole line."""
    if not exists(root):
        return (), 0
    head = _head(root, key)  # before the ledger: somebody may add a line meanwhile, and no head may seem to be ahead of it
    path = root / LEDGER
    *lines, unfinished = path.read_bytes().split(b"\n") if path.is_file() else [b""]
    entries: list[Entry] = []
    previous = START
    for sequence, line in enumerate(lines, 1):
        try:
            found = read_link(_ENTRY, line + b"\n", sequence, previous, key)
        except BrokenSeal as error:
            raise InvalidLedger(f"{path}: line {sequence} {error}", entries) from error
        entries.append(_entry(found))
        previous = found.digest
    _require_reached(root, entries, head)
    return tuple(entries), len(unfinished)


def _entry(found: Link) -> Entry:
    record = found.record
    return Entry(found.sequence, record["time"], record["kind"], record["facts"], found.previous, found.digest)


def _head(root: Path, key: Key) -> dict[str, Any]:
    path = root / HEAD
    if not path.is_file():
        raise InvalidLedger(f"{path} is missing: without it nobody can say whether the ledger was cut short")
    try:
        return unsealed(_HEAD, path.read_bytes(), key)
    except BrokenSeal as error:
        raise InvalidLedger(f"{path} {error}") from error


def _require_reached(root: Path, entries: Sequence[Entry], head: Mapping[str, Any]) -> None:
    """InvalidLedger unless the ledger reaches at least to where the sealed head says it does."""
    reached = head["sequence"]
    if reached > len(entries):
        cut = f"ends after line {len(entries)}, and {HEAD} knows of {reached}: the last lines were removed"
        raise InvalidLedger(f"{root / LEDGER} {cut}", entries)
    # an entry more than the head knows of bears its seal: the computer stopped between writing the one and the other
    if head["digest"] != (entries[reached - 1].digest if reached else START):
        exchanged = f"names another entry than line {reached} of the ledger: one of them was exchanged"
        raise InvalidLedger(f"{root / HEAD} {exchanged}", entries[: reached - 1])


def _write_head(root: Path, sequence: int, digest: str, key: Key) -> None:
    durable.replace(root / HEAD, sealed(_HEAD, {"sequence": sequence, "digest": digest}, key))


def _clear(path: Path, unfinished: int) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - unfinished)
