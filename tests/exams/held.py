"""Whether a store holds what was acknowledged: every receipt, of the same digest, with the answer that was seen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from child import Told

from serving.receipts.heads import last_head
from serving.receipts.keys import ReceiptKeys
from serving.receipts.payload import unpack
from serving.receipts.record import BrokenReceipt, Record, Signed, require_link, start
from serving.receipts.store import Store
from serving.receipts.verify import verify


@dataclass(frozen=True)
class Held:
    """Of the receipts that were acknowledged, how many are not there, and how many are not as they were seen; verify's faults."""

    acknowledged: int
    lost: int
    altered: int
    faults: Sequence[str]

    @property
    def whole(self) -> bool:
        return not (self.lost or self.altered or self.faults)


def held(
    folder: Path, keys: ReceiptKeys, told: Iterable[Told], heads: Path | None = None, database: str = ""
) -> Held:
    """What has become of the receipts that clients remember."""
    store = Store.open(folder, heads=heads, database=database)
    records = {record.sequence: record for record in store.records()}
    acknowledged = list(told)
    found = [(one, records.get(one.receipt["sequence"])) for one in acknowledged]
    there = [(one, record) for one, record in found if record is not None and record.digest == one.receipt["digest"]]
    altered = sum(not _as_seen(store, keys, record, one) for one, record in there)
    faults = [*verify(store, keys).faults, *_loose_ends(store, keys)]
    return Held(len(acknowledged), len(found) - len(there), altered, faults)


def _as_seen(store: Store, keys: ReceiptKeys, record: Record, told: Told) -> bool:
    receipt = told.receipt
    signed = Signed(store.id, record.sequence, record.digest, record.time, str(receipt["signature"]))
    same = keys.sign(store.id, record.sequence, record.digest, record.time) == signed
    try:
        return same and unpack(store.content(record, keys))["answer"] == told.answer
    except BrokenReceipt:
        return False


def _loose_ends(store: Store, keys: ReceiptKeys) -> list[str]:
    """What is wrong with the chain, looked at by nothing but the rule of one link; the last head must reach a record."""
    previous, sequence = start(store.id), 0
    try:
        for record in store.records():
            sequence += 1
            require_link(store.id, record, sequence, previous, keys.sealing)
            previous = record.digest
        head, _ = last_head(store.heads)
    except BrokenReceipt as error:
        return [str(error)]
    return [f"head {head.sequence} reaches beyond record {sequence}"] if head and head.sequence > sequence else []
