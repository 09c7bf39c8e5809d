"""The receipts of a period, read one after another; what could not be read, or does not belong, is counted and said.

Opening a receipt (decrypting, unpacking, reading its JSON) takes most of the time, so whoever waits sets a limit; what lies
behind it is left out, and that is said too.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from models.patient import InvalidPatient
from serving.receipts.archive import Archive
from serving.receipts.attributions.gathered import Gathered
from serving.receipts.attributions.question import Period
from serving.receipts.attributions.table import Named, Table
from serving.receipts.finding import ERASED, Receipt

OTHER_MODEL, NO_RISK, NOT_READ = "of another model", "without a risk at this horizon", "this version cannot read the patient"
_BREATH = 32  # receipts after which whoever waits for a score gets the processor


@dataclass(frozen=True)
class Limit:
    """How much is read before what is left is left out: receipts, and seconds."""

    receipts: int
    seconds: float


NO_LIMIT = Limit(2**62, float("inf"))
Watch = Callable[[Iterator[Receipt]], Iterable[Receipt]]


@dataclass(frozen=True)
class Counts:
    """How many receipts of scores a period holds as far as it was read, which are left out why, and of how many it is told."""

    period: Period
    receipts: int
    left_out: Mapping[str, int]
    example: bool  # some answers are of simulated patients
    stopped: str  # from when on it was not read, where not all of it was
    models: tuple[Named, ...] = ()
    counted: int = 0  # receipts
    patients: int = 0


@dataclass(frozen=True)
class Read:
    """The answers of a period, and what was counted on the way."""

    table: Table
    seen: Counts

    @property
    def counts(self) -> Counts:
        """With those of the table as it is now."""
        table = self.table
        return replace(self.seen, models=table.models, counted=len(table), patients=table.patients)

    def counted_once(self) -> Read:
        """The same with the last receipt of each patient alone."""
        return replace(self, table=self.table.last_of_each())


def read(archive: Archive, period: Period, horizon: int, limit: Limit = NO_LIMIT, watch: Watch = iter) -> Read:
    """The receipts of the period, as far as the limit allows; `watch` sees each pass by."""
    found, left_out, begun = Gathered(horizon), Counter[str](), time.monotonic()
    seen, example, stopped = 0, False, ""
    for one in watch(archive.scores(period.since, period.until)):
        if seen >= limit.receipts or time.monotonic() - begun > limit.seconds:
            stopped = f"{one.record.time[:19].replace('T', ' ')} (UTC)"
            break
        seen += 1
        why = _taken(found, one, period)
        left_out[why] += bool(why)
        example |= not why and one.document is not None and "example" in one.document["answer"]
        if seen % _BREATH == 0:
            time.sleep(0)
    return Read(found.table(), Counts(period, seen, +left_out, example, stopped))


def _taken(found: Gathered, receipt: Receipt, period: Period) -> str:
    """Why the receipt was not taken in; nothing where it was."""
    if receipt.document is None:
        return "erased on request" if receipt.why == ERASED else "not as it was written"
    if not receipt.document["answer"]["model"]["digest"].startswith(period.model):
        return OTHER_MODEL
    try:
        return "" if found.add(receipt.record, receipt.document) else NO_RISK
    except InvalidPatient:
        return NOT_READ
