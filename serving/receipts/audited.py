"""A receipt with all that an auditor asks of it: what it holds, whether it is as it was written, what became of it since."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from serving.receipts.checks import Check, checks
from serving.receipts.compared import earlier_held
from serving.receipts.export import as_document
from serving.receipts.finding import BROKEN, Asked, Receipt, found, named, opened
from serving.receipts.keys import ReceiptKeys
from serving.receipts.record import ERASED, Record, Signed
from serving.receipts.telling import Section, sections

if TYPE_CHECKING:
    from serving.receipts.store import Store


@dataclass(frozen=True)
class Audited:
    """One receipt, what was checked of it, its signed statement (none where a check fails), what became of it, in sentences."""

    receipt: Receipt
    checks: tuple[Check, ...]
    signed: Signed | None
    events: tuple[str, ...]

    @property
    def broken(self) -> bool:
        """Whether anything about it is not as it was written."""
        return self.receipt.why == BROKEN or any(one.holds is False for one in self.checks)

    def sections(self) -> list[Section]:
        """For reading."""
        return sections(self.receipt, self.signed, self.checks, self.events)

    def as_json(self) -> dict[str, object]:
        """All of it, every digit."""
        more = {"checks": [asdict(one) for one in self.checks], "events": list(self.events)}
        return as_document(self.receipt) | ({"signed": self.signed.as_json()} if self.signed else {}) | more


def audited(store: Store, keys: ReceiptKeys, asked: Asked) -> Iterator[Audited]:
    """Each receipt asked for; an id may also name an event. Raises NotFound."""
    records: Iterator[Record] = iter([named(store, one) for one in asked.ids]) if asked.ids else found(store, keys, asked)
    for record in records:
        receipt = opened(store, keys, record)
        held = (*checks(store, keys, record), *earlier_held(store, keys, receipt))
        altered = any(one.holds is False for one in held)  # is never signed: whoever altered it would gain a genuine signature
        signed = None if altered else keys.sign(store.id, record.sequence, record.digest, record.time)
        yield Audited(receipt, held, signed, tuple(_erased(store, record)) if receipt.why == ERASED else ())


def _erased(store: Store, record: Record) -> Iterator[str]:
    """Who had it erased, and why; the events are looked through only where something was."""
    for one in store.backwards(after=record.sequence, kinds=(ERASED,)):
        facts = json.loads(one.payload)
        if facts.get("key") == record.key:
            told = f"erased by {facts.get('by')} (record {one.sequence}, {one.time})"
            yield f"{told}; the reason given: {facts.get('reason')}"
