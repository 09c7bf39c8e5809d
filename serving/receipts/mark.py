"""Where the last verification ended: a sealed note, from which the next one goes on instead of beginning anew.

It lies with the auditor. Whoever puts the log and its heads back to an older copy cannot put back the mark.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from pathlib import Path

from models.durable import PRIVATE, replace
from models.seal import BrokenSeal, Key, sealed, unsealed
from serving.receipts.record import BrokenReceipt, start

_PURPOSE = "mark of a verification"


class InvalidMark(BrokenReceipt):
    """A mark that is forged, damaged, of another store or of another key; whoever finds one verifies from the beginning."""


@dataclass(frozen=True)
class Mark:
    """A signed head up to which everything was as it was written: its record, and where it begins in its file (bytes)."""

    store: str
    sequence: int
    digest: str
    time: str
    head_at: int
    heads: int  # so many, with this one


def beginning(store: str) -> Mark:
    """Where a verification of everything begins."""
    return Mark(store, 0, start(store), "", 0, 0)


def write_mark(path: Path, mark: Mark, key: Key) -> None:
    """Keep the mark, sealed."""
    replace(path, sealed(_PURPOSE, asdict(mark), key), PRIVATE)


def read_mark(path: Path, store: str, key: Key) -> Mark:
    """The mark in the file, of this store; InvalidMark says what is wrong with it."""
    try:
        found = unsealed(_PURPOSE, path.read_bytes(), key)
    except BrokenSeal as error:
        raise InvalidMark(f"the mark {path} {error}; without --mark everything is verified") from error
    if found.keys() != {field.name for field in fields(Mark)} or found["store"] != store:
        raise InvalidMark(f"the mark {path} is of another store, or of another version; without --mark everything is verified")
    return Mark(**found)
