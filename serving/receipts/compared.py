"""Whether what a receipt tells of an earlier score is what that score's own receipt holds, and both are of one patient."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from serving.changes import excerpt
from serving.receipts.checks import Check
from serving.receipts.finding import Receipt, opened
from serving.receipts.keys import ReceiptKeys
from serving.receipts.payload import plain

if TYPE_CHECKING:
    from serving.receipts.store import Store

WHAT = "earlier score"


def earlier_held(store: Store, keys: ReceiptKeys, receipt: Receipt) -> Iterator[Check]:
    """One check of a receipt that compares with an earlier one; none of any other."""
    change = (receipt.document or {}).get("answer", {}).get("change")
    if change is None:
        return
    told = change["earlier"]
    record = store.record(told["receipt"])
    if record is None or record.digest != told["digest"] or record.subject != receipt.record.subject:
        yield Check(WHAT, False, f"record {told['receipt']} is missing, another one, or of another patient")
        return
    held = opened(store, keys, record).document
    if held is None:
        yield Check(WHAT, None, f"what record {told['receipt']} held cannot be read")
        return
    same = plain(excerpt(record.sequence, record.digest, record.time, held)) == told
    yield Check(WHAT, same, f"record {told['receipt']}, " + ("as it is told here" if same else "of which something else is told"))
