"""Receipts found again: by number, by the beginning of a digest, by patient or by day; and opened, where they still can be."""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from serving.receipts.keys import ReceiptKeys
from serving.receipts.payload import unpack
from serving.receipts.record import SCORE, Record, digest_of_record, seal_of

if TYPE_CHECKING:
    from serving.receipts.store import Store

_DIGEST = re.compile(r"[0-9a-f]{8,64}")
ERASED, BROKEN = "erased", "broken"
Watch = Callable[[Iterator[Record], int | None], Iterable[Record]]


class NotFound(LookupError):
    """No receipt of that name; the message says what a receipt may be named by."""


@dataclass(frozen=True)
class Asked:
    """Which receipts: those of `ids` (all, where there are none), of one patient, from one day (UTC) to another."""

    ids: Sequence[str] = ()
    patient: str = ""
    since: date | None = None
    until: date | None = None

    def covers(self, record: Record) -> bool:
        """Whether the record was written in the days asked for."""
        day = record.time[:10]
        return (self.since is None or self.since.isoformat() <= day) and (self.until is None or day <= self.until.isoformat())


@dataclass(frozen=True)
class Receipt:
    """A record and what it holds; without a document, `why` tells whether it was erased, and `told` what is wrong."""

    record: Record
    document: Mapping[str, Any] | None
    why: str = ""
    told: str = ""


def found(store: Store, keys: ReceiptKeys, asked: Asked, watch: Watch = lambda records, total: records) -> Iterator[Record]:
    """The records of scores that were asked for, in order; `watch` sees every record that is looked at pass by.

    Raises NotFound for an id of none.
    """
    if asked.ids:
        several = {one.sequence: one for one in (named(store, id) for id in asked.ids)}
        records = watch((several[number] for number in sorted(several)), len(several))
    elif asked.patient:
        records = watch(store.of_subject(keys.subject(asked.patient)), None)
    else:
        last = store.last()
        records = watch(store.records(), last.sequence if last else 0)
    return (one for one in records if one.kind == SCORE and asked.covers(one))


def named(store: Store, id: str) -> Record:
    """The record of a sequence number, or of a digest that begins with these 8 or more digits; NotFound where there is none."""
    if id.isdecimal() and len(id) <= 18 and (record := store.record(int(id))) is not None:
        return record
    if _DIGEST.fullmatch(id):
        of_digest = list(store.of_digest(id))
        if len(of_digest) == 1:
            return of_digest[0]
        if of_digest:
            raise NotFound(f"several receipts have a digest that begins with {id}: give more of its digits")
    raise NotFound(f"no receipt {id[:64]}: allowed is a sequence number, or the first 8 or more hex digits of a digest")


def opened(store: Store, keys: ReceiptKeys, record: Record) -> Receipt:
    """The record with its document; one that was erased, or does not open, is told as such and raises nothing."""
    from serving.receipts.store import Erased

    try:
        if record.kind != SCORE:
            return Receipt(record, json.loads(record.payload))
        return Receipt(record, unpack(store.content(record, keys)))
    except Erased as error:
        return Receipt(record, None, ERASED, str(error))
    except ValueError as error:  # BrokenReceipt, and what is no JSON
        return Receipt(record, None, BROKEN, str(error))


def unaltered(store: Store, keys: ReceiptKeys, record: Record) -> Receipt:
    """The same; a record that is not as it was written is told as such, and nothing of it is given out."""
    sealed = hmac.compare_digest(record.seal.encode(), seal_of(keys.sealing, record.digest).encode())
    if sealed and record.digest == digest_of_record(store.id, record):
        return opened(store, keys, record)
    return Receipt(record, None, BROKEN, "it is not as it was written: lymphorisk audit verify tells more")
