"""What is on the disk when the receipts are opened: whole, or with a last group that was written and not yet signed.

A computer may stop between writing records and signing them. Such records bear their seals and all name the head that was the
last before them; they are signed again, and the chain says so. Whatever else does not fit is no accident, and nothing is opened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from models.seal import canonical
from serving.receipts.chain import Links
from serving.receipts.heads import last_head
from serving.receipts.keys import ReceiptKeys, verify
from serving.receipts.record import FIELDS, SIGNED_AGAIN, BrokenReceipt, Draft, Record, Signed, start
from serving.receipts.store import Store


@dataclass(frozen=True)
class Tail:
    """Where a store ends: the last record (None in an empty one), the last head and its end in the file, what no head covers."""

    last: Record | None
    head: Signed | None
    heads_end: int
    unsigned: int

    @property
    def signed(self) -> int:
        """The number of the last record that a head covers."""
        return self.head.sequence if self.head else 0


def tail_of(store: Store, keys: ReceiptKeys, read: Callable[[int], Iterable[Record]] | None = None) -> Tail:
    """The end of the store, verified from its last head on; BrokenReceipt says what is wrong and what can be done.

    `read` gives the records after a number; without it the store does.
    """
    if store.public_key != keys.public_key:
        raise BrokenReceipt(f"the receipts in {store.folder} were begun with another key: give that one (--receipts-key)")
    if not store.heads.is_file():
        raise BrokenReceipt(_no_heads(store.heads))
    head, end = last_head(store.heads)
    found = list((read or store.records)(max(head.sequence - 2, 0) if head else 0))
    last, beyond = _covered(store, head, keys, found), 0
    for record in found:
        if head is not None and record.sequence <= head.sequence:
            continue
        previous = last.digest if last else start(store.id)
        _require(store, keys, record, last.sequence + 1 if last else 1, previous)
        if record.head != (head.sequence if head else 0):
            cut = f"record {record.sequence} was written after head {record.head}, and {store.heads} ends before it"
            raise BrokenReceipt(f"{cut}: the head file was cut back; put back a copy of it (a witness is one)")
        last, beyond = record, beyond + 1
    return Tail(last, head, end, beyond)


def _covered(store: Store, head: Signed | None, keys: ReceiptKeys, found: Sequence[Record]) -> Record | None:
    """The record that the last head names, which must be as it was signed; it is among `found`, and the one before it."""
    if head is None:
        return None
    verify(keys.public_key, head, f"{store.heads}: the last head")
    if head.store != store.id:
        raise BrokenReceipt(f"{store.heads} belongs to another store ({head.store}) than the database ({store.id})")
    there = {record.sequence: record for record in found[:2]}
    record = there.get(head.sequence)
    if record is None:
        cut = f"{store.heads} knows of record {head.sequence}, and the database does not"
        raise BrokenReceipt(f"{cut}: it was cut short, or an older copy was put back")
    before = there.get(head.sequence - 1)
    _require(store, keys, record, head.sequence, before.digest if before else start(store.id))
    if record.digest != head.digest:
        raise BrokenReceipt(f"record {head.sequence} is not the one that was signed: the database was exchanged")
    return record


def _require(store: Store, keys: ReceiptKeys, record: Record, sequence: int, previous: str) -> None:
    """The record is the one of this place, of whatever types its values are."""
    number, time, kind, subject, key, payload, head, before, digest, seal = (getattr(record, name) for name in FIELDS)
    row = (number, time, kind, subject, key, payload, head, before, digest, seal)
    Links(store.id, keys.sealing).require(row, sequence, previous)


def _no_heads(path: Path) -> str:
    way = "put back a copy of it (a witness is one), or move the folder away and begin a new one: nothing of it is lost"
    return f"{path} is missing: without it nobody can say whether the receipts were cut short; {way}"


def signed_again(before: int, last: int, why: str) -> Draft:
    """The event that tells of records signed after the fact: those after `before`, up to `last`."""
    return Draft(SIGNED_AGAIN, "", canonical({"after": before, "to": last, "why": why}))
