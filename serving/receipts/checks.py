"""What one receipt can show for itself: its digest, its seal, its place in the chain, and the signed head that covers it.

The whole chain is checked by `audit verify`; here is what an auditor wants to see beside the one receipt in hand.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from serving.receipts.heads import read_head
from serving.receipts.keys import ReceiptKeys, verify
from serving.receipts.record import BrokenReceipt, Record, Signed, digest_of_record, seal_of, start

if TYPE_CHECKING:
    from serving.receipts.store import Store


_SEQUENCE = re.compile(rb'"sequence":(\d{1,18})')


@dataclass(frozen=True)
class Check:
    """One thing that was looked at, whether it holds (None: it cannot be told yet), and what was seen."""

    what: str
    holds: bool | None
    told: str = ""


def checks(store: Store, keys: ReceiptKeys, record: Record) -> list[Check]:
    """Everything that can be said of one record; nothing is raised, for an auditor wants to see all of it."""
    own = digest_of_record(store.id, record)
    sealed = hmac.compare_digest(record.seal.encode(), seal_of(keys.sealing, record.digest).encode())
    return [
        Check("digest", own == record.digest, "of everything the record says, the encrypted content included"),
        Check("seal", sealed, "made with the key of the receipts"),
        _before(store, record),
        _after(store, record),
        _signed(store, keys, record),
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


def _signed(store: Store, keys: ReceiptKeys, record: Record) -> Check:
    """The first signed head from this record on; between the two the chain must hold."""
    try:
        head = _covering(store.heads, record.sequence)
        if head is None:
            return Check("signed head", None, "none covers it yet")
        verify(keys.public_key, head, f"head {head.sequence}")
        _require_reaching(store, record, head)
    except (BrokenReceipt, OSError) as error:
        return Check("signed head", False, str(error))
    return Check("signed head", True, f"head {head.sequence} of {head.time}, key {store.public_key[:16]}...")


def _covering(heads: Path, sequence: int) -> Signed | None:
    """The first head of this or a later record; of the lines before it only the number is looked at."""
    with heads.open("rb") as file:
        for place, line in enumerate(file, 1):
            number = _SEQUENCE.search(line)
            if line.endswith(b"\n") and (number is None or int(number[1]) >= sequence):
                return read_head(line, f"{heads}: line {place}")
    return None


def _require_reaching(store: Store, record: Record, head: Signed) -> None:
    digest = record.digest
    for one in store.records(record.sequence, head.sequence):
        if one.previous != digest:
            raise BrokenReceipt(f"record {one.sequence}, on the way to head {head.sequence}, does not follow the one before it")
        digest = one.digest
    if (head.store, head.digest) != (store.id, digest):
        raise BrokenReceipt(f"head {head.sequence} signs another record than the one in the store")
