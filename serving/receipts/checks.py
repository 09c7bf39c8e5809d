"""What one receipt can show for itself: its digest, its seal, its place in the chain, and the signed head that covers it.

The whole chain is checked by `audit verify`; here is what an auditor wants to see beside the one receipt in hand.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from serving.receipts.keys import ReceiptKeys, verify
from serving.receipts.record import BrokenReceipt, Record, Signed, digest_of_record, seal_of, start

if TYPE_CHECKING:
    from serving.receipts.store import Store


@dataclass(frozen=True)
class Check:
    """One thing that was looked at, whether it holds (None: it cannot be told yet), and what was seen."""

    what: str
    holds: bool | None
    told: str = ""


def checks(store: Store, heads: Sequence[Signed], keys: ReceiptKeys, record: Record) -> list[Check]:
    """Everything that can be said of one record; nothing is raised, for an auditor wants to see all of it."""
    own = digest_of_record(store.id, record)
    sealed = hmac.compare_digest(record.seal.encode(), seal_of(keys.sealing, record.digest).encode())
    return [
        Check("digest", own == record.digest, "of everything the record says, the encrypted content included"),
        Check("seal", sealed, "made with the key of the receipts"),
        _before(store, record),
        _after(store, record),
        _signed(store, heads, keys, record),
    ]


def _before(store: Store, record: Record) -> Check:
    if record.sequence == 1:
        return Check("record before", record.previous == start(store.id), "none: the start of this store")
    before = store.record(record.sequence - 1)
    told = f"record {record.sequence - 1}" + ("" if before else " is missing")
    return Check("record before", before is not None and before.digest == record.previous, told)


def _after(store: Store, record: Record) -> Check:
    after = store.record(record.sequence + 1)
    if after is None:
        return Check("record after", None, "none yet")
    return Check("record after", after.previous == record.digest, f"record {after.sequence}")


def _signed(store: Store, heads: Sequence[Signed], keys: ReceiptKeys, record: Record) -> Check:
    """The first signed head from this record on; between the two the chain must hold."""
    head = next((one for one in heads if one.sequence >= record.sequence), None)
    if head is None:
        return Check("signed head", None, "none covers it yet")
    told = f"head {head.sequence} of {head.time}, key {store.public_key[:16]}..."
    try:
        verify(keys.public_key, head, f"head {head.sequence}")
        _require_reaching(store, record, head)
    except BrokenReceipt as error:
        return Check("signed head", False, str(error))
    return Check("signed head", True, told)


def _require_reaching(store: Store, record: Record, head: Signed) -> None:
    digest = record.digest
    for one in store.records(record.sequence, head.sequence):
        if one.previous != digest:
            raise BrokenReceipt(f"record {one.sequence}, on the way to head {head.sequence}, does not follow the one before it")
        digest = one.digest
    if (head.store, head.digest) != (store.id, digest):
        raise BrokenReceipt(f"head {head.sequence} signs another record than the one in the store")
