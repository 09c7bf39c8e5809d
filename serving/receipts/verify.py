"""Whether every receipt is as it was written: the chain, its seals and signed heads, the keys of the patients, the models kept.

The walk ends at the first record that is not as it was written and names it: what follows a broken link says nothing. What can
be looked at apart from the chain is looked at even so.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError

from models.artifact import InvalidArtifact, load
from serving.receipts.chain import Links
from serving.receipts.key_book import KeyBook
from serving.receipts.keys import ReceiptKeys
from serving.receipts.mark import Mark, beginning
from serving.receipts.models_kept import MODELS
from serving.receipts.place import DatabaseFault, said
from serving.receipts.record import ERASED, OPENED, BrokenReceipt, Record
from serving.receipts.statements import Checking, Signer, kept_elsewhere
from serving.receipts.walk import Heads, Kept, Walk

if TYPE_CHECKING:
    from serving.receipts.store import Store

Advance = Callable[[int, int], object]  # records walked, and in all
STEP = 1000  # records between two words to whoever watches
FETCHED = 2000  # records that may be fetched and not yet walked


@dataclass(frozen=True)
class Verified:
    """What was looked at, and what is not as it was written; where `faults` names nothing, everything is."""

    store: str
    public_key: str
    since: int  # the records up to here were verified another time
    records: int
    heads: int
    unsigned: int  # records that the last head does not reach yet: the service stopped, or is, between two writes
    erased: int  # of those looked at
    last: str
    faults: tuple[str, ...]
    warnings: tuple[str, ...]
    mark: Mark = field(repr=False)  # from where the next one may go on

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults

    def as_json(self) -> dict[str, object]:
        """For whoever reads it by program."""
        return {"holds": self.holds} | {name: value for name, value in asdict(self).items() if name != "mark"}

    def __str__(self) -> str:
        last = f", last {self.last}" if self.last else ""
        before = f"; those up to {self.since:,} were verified before" if self.since else ""
        return f"{self.records:,} records, {self.heads:,} heads{last}, {self.erased:,} erased{before}"


def verify(
    store: Store,
    keys: ReceiptKeys,
    *,
    since: Mark | None = None,
    witnesses: Sequence[Path] = (),
    answers: Sequence[Path] = (),
    advance: Advance = lambda done, total: None,
) -> Verified:
    """Look at everything after `since` (at everything, without it); what is not as it was written is among the faults."""
    signer, book = Signer(store.id, store.public_key), KeyBook(keys)
    walk = Walk(since or beginning(store.id), Links(store.id, keys.sealing), book, signer)
    faults = _said(lambda: _walk(store, keys, walk, signer, since, kept_elsewhere(signer, witnesses, answers), advance))
    if not faults:  # of a log that is not whole these would say what was said already
        erasures = [(number, payload) for number, kind, payload in walk.events if kind == ERASED]
        faults += _said(lambda: book.faults(erasures, lambda key: store.wrapped(key) is not None))
        faults += _said(lambda: _stray(store) if since is None else None)
        faults += _said(store.damage) if since is None else []
    faults += _said(store.schema_faults)
    broken, missing = _models(store.folder / MODELS, walk)
    return Verified(
        store=store.id,
        public_key=store.public_key,
        since=since.sequence if since else 0,
        records=walk.sequence,
        heads=walk.mark.heads,
        unsigned=walk.sequence - walk.mark.sequence,
        erased=sum(kind == ERASED for _, kind, _ in walk.events),
        last=walk.time,
        faults=(*faults, *broken),
        warnings=tuple(missing),
        mark=walk.mark,
    )


def _stray(store: Store) -> list[str]:
    """The first data key that no record names."""
    return [f"data key {key} is of no record: added by hand" for key in islice(store.unused_keys(), 1)]


def _said(look: Callable[[], Iterable[str] | None]) -> list[str]:
    """The faults that it names, or the one for which it had to stop looking."""
    try:
        return list(look() or ())
    except BrokenReceipt as error:
        return [str(error)]
    except DatabaseFault as error:
        return [f"the database cannot be read: {error}"]
    except DBAPIError as error:
        return [f"the database cannot be read: {said(error.orig).partition(' with text ')[0]}"]


def _walk(
    store: Store, keys: ReceiptKeys, walk: Walk, signer: Signer, since: Mark | None, kept: Kept, advance: Advance
) -> None:
    """Walk to the last record; BrokenReceipt says where it ends before."""
    if keys.public_key != store.public_key:
        told = f"the key at hand has the public key {keys.public_key}, and the store names {store.public_key[:64]}"
        raise BrokenReceipt(f"{told}: another key (--receipts-key), or another store")
    if not store.heads.exists():
        raise BrokenReceipt(f"there are no heads at {store.heads}: they were taken away, or are elsewhere (--heads)")
    seen = store.heads.stat().st_size  # before the records are looked at: what is signed meanwhile may go beyond them
    heads = _after(store, signer, since, kept) if since else signer.heads(store.heads)
    last, checking = store.last(), Checking(signer)
    try:
        for number in walk.follow(store.rows(walk.sequence), heads, kept, checking):
            if number % STEP == 0 and last:
                advance(number, last.sequence)
        checking.end()
    except DBAPIError:
        _require_readable(store, walk.sequence)
        raise
    finally:
        checking.close()
    _require_end(walk, seen, kept)


def _require_readable(store: Store, after: int) -> None:
    """BrokenReceipt names the first record that the database itself cannot read; they are fetched many at a time."""
    for number in range(after + 1, after + 1 + FETCHED):
        try:
            store.record(number)
        except (BrokenReceipt, DBAPIError) as error:
            raise BrokenReceipt(f"record {number} cannot be read from the database: damaged, or altered by hand") from error


def _after(store: Store, signer: Signer, since: Mark, kept: Kept) -> Heads:
    """The head of the mark and those after it, once what was verified before is found where it was."""
    _require(store.record(since.sequence), since.sequence, since.digest, "was verified before")
    for number, some in kept.items():
        if number <= since.sequence:
            _require(store.record(number), number, some[0][0].digest, f"was signed ({some[0][1]})")
    heads = signer.heads(store.heads, since.head_at, since.sequence - 1)
    found = next(heads, None)
    if found is None or (found[1][0].sequence, found[1][0].digest) != (since.sequence, since.digest):
        raise BrokenReceipt(f"the head of record {since.sequence}, verified before, is not where it was: heads were cut or moved")
    return heads


def _require(record: Record | None, number: int, digest: str, known: str) -> None:
    if record is None:
        raise BrokenReceipt(f"record {number} {known}, and is missing: the log was cut off, or put back to an older copy")
    if record.digest != digest:
        raise BrokenReceipt(f"record {number} is not the one that {known}: the log was replaced")


def _require_end(walk: Walk, seen: int, kept: Kept) -> None:
    """BrokenReceipt where a record beyond the last was signed, or one that the heads do not reach was given to somebody."""
    if walk.due and walk.due[0] < seen:
        raise BrokenReceipt(f"record {walk.sequence + 1} is missing: records up to {walk.due[1][0].sequence} were signed")
    beyond = [number for number in kept if number > walk.mark.sequence]
    if beyond:
        told = f"the heads end at record {walk.mark.sequence}, and {kept[min(beyond)][0][1]} was signed of record {min(beyond)}"
        raise BrokenReceipt(f"{told}: the end was cut off, or put back to an older copy")


def _models(folder: Path, walk: Walk) -> tuple[list[str], list[str]]:
    """Faults and warnings of the models that an event says answered: those altered, those not kept."""
    faults, warnings = [], []
    opened = {json.loads(payload)["model"]["digest"]: number for number, kind, payload in walk.events if kind == OPENED}
    for digest, number in opened.items():
        if not (folder / digest).exists():
            warnings.append(f"model {digest} (record {number}) is not kept in {folder}: its scores cannot be computed again")
            continue
        try:
            load(folder / digest, digest)
        except (InvalidArtifact, OSError) as error:
            faults.append(f"the copy of model {digest} is not as it answered: {error}")
    return faults, warnings
