"""The receipts of one service as they are read: the records, the keys that open them, and the models that once answered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from serving.receipts.finding import Asked, Receipt, found, unaltered
from serving.receipts.keys import ReceiptKeys
from serving.receipts.models_kept import KeptModels
from serving.receipts.record import SCORE, Record
from serving.receipts.store import Store


@dataclass(frozen=True)
class Archive:
    """What pages and summaries are made of. Every method blocks: a service asks in a thread."""

    store: Store
    keys: ReceiptKeys = field(repr=False)
    models: KeptModels = field(repr=False)

    @classmethod
    def open(cls, folder: Path, keys: ReceiptKeys, *, heads: Path | None = None, database: str = "") -> Archive:
        """The receipts in `folder`; NoStore where there are none."""
        return cls(Store.open(folder, heads=heads, database=database), keys, KeptModels(folder))

    @property
    def folder(self) -> Path:
        """Where what belongs to the receipts lies beside them."""
        return self.store.folder

    def receipt(self, record: Record) -> Receipt:
        """The record with what it holds; where it is not as it was written, nothing of it."""
        return unaltered(self.store, self.keys, record)

    def scores(self, since: date | None = None, until: date | None = None) -> Iterator[Receipt]:
        """The receipts of scores recorded from one day (UTC) to another, in order; those erased tell that they are."""
        asked = Asked(since=since, until=until)
        first = self.first_of(since) if since else 1
        last = self.first_after(until) - 1 if until else None
        records = self.store.records(first - 1, last)
        return (self.receipt(one) for one in records if one.kind == SCORE and asked.covers(one))

    def of_patient(self, pseudonym: str) -> Iterator[Receipt]:
        """The receipts of one patient, in order."""
        return (self.receipt(one) for one in found(self.store, self.keys, Asked(patient=pseudonym)))

    def first_of(self, day: date) -> int:
        """The number of the first record of that day (UTC) or of a later one; one beyond the last where there is none.

        Found by halving, for numbers and times rise together: a day before the clock was set back may be missed, and is
        found by its numbers.
        """
        return self._first(lambda written: written >= day.isoformat())

    def first_after(self, day: date) -> int:
        """The same of the days after that one, which may be the last of the calendar."""
        return self._first(lambda written: written > day.isoformat())

    def _first(self, late: Callable[[str], bool]) -> int:
        """The number of the first record whose day is late enough."""
        last = self.store.last()
        low, high = 1, last.sequence + 1 if last else 1
        while low < high:
            middle = (low + high) // 2
            record = self.store.record(middle)
            if record is not None and not late(record.time[:10]):
                low = middle + 1
            else:
                high = middle
        return low
