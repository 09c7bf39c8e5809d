"""How the risk of one patient went: every score of the pseudonym that the reader may see, beside ALC, NLR and CA 19-9 of then.

Each number is that of its own receipt. What is more than 28 days old on the day of a score stands for nothing and is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Any

from models.identity import Identity
from models.measurements import STALE_DAYS
from serving.access.ownership import may_see
from serving.pages.trends import LEAST, Trend, course, draws_of, trend_of
from serving.pages.words import say
from serving.receipts.archive import Archive
from serving.receipts.finding import Receipt
from serving.receipts.record import SCORE, Record

MOST = 40  # scores on a page, the newest
LOOKED_AT = 120  # receipts of one patient that are opened for them, some milliseconds each
MEASURED = ("alc", "nlr", "ca19_9")


@dataclass(frozen=True)
class Before:
    """One score: its receipt, its day, its model, its risk (None: none within that time), and the values of then by quantity."""

    number: int
    day: str
    model: str
    risk: Mapping[str, Any] | None
    values: Mapping[str, Mapping[str, Any]]
    here: bool  # whether it is the one whose page this is


@dataclass(frozen=True)
class Course:
    """The scores of a patient, the newest first, and the pictures of them; `more`: whether older ones are left out."""

    scores: tuple[Before, ...]
    pictures: tuple[Trend, ...]
    more: bool

    @property
    def others(self) -> list[int]:
        """The receipts that are shown beside the one whose page it is."""
        return sorted(one.number for one in self.scores if not one.here)


def course_of(archive: Archive, record: Record, identity: Identity, main: str) -> Course | None:
    """The course of the risk at horizon `main` (days) of the patient of `record`; None where this is the only score to be seen.

    It blocks: a service asks in a thread.
    """
    if not record.subject:
        return None
    seen = list(islice(_seen(archive, record, identity, main), MOST + 1))
    found = sorted(seen[:MOST], key=lambda one: (one.day, one.number), reverse=True)
    if len(found) < LEAST:
        return None
    return Course(tuple(found), tuple(_pictures(found, main)), len(seen) > MOST)


def _seen(archive: Archive, record: Record, identity: Identity, main: str) -> Iterator[Before]:
    newest = sorted(archive.store.of_subject(record.subject), key=lambda one: -one.sequence)
    for one in islice((one for one in newest if one.kind == SCORE), LOOKED_AT):
        receipt = archive.receipt(one)
        if receipt.document is not None and may_see(identity, receipt):
            yield _before(receipt, receipt.document, main, record.sequence)


def _before(receipt: Receipt, document: Mapping[str, Any], main: str, here: int) -> Before:
    given, risks = document["given"], document["answer"]["risks"]
    day = given.get("as_of") if isinstance(given, dict) else None
    values = {name: one for name in MEASURED if (one := _current(document["patient"], name)) is not None}
    number = receipt.record.sequence
    return Before(number, day or receipt.record.time[:10], document["model"]["digest"], risks.get(main), values, number == here)


def _current(patient: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    """The newest draw, unless it is too old to tell of the day."""
    newest = next(iter(draws_of(patient, name)), None)
    return newest if newest is not None and newest["days_before_index"] <= STALE_DAYS else None


def _pictures(found: Sequence[Before], main: str) -> Iterator[Trend]:
    """Of the risk and of each quantity, against days before the newest of the scores."""
    last = date.fromisoformat(found[0].day)
    ages = [float((last - date.fromisoformat(one.day)).days) for one in found]
    risks = [_draw(100 * one.risk["risk"], age) for one, age in zip(found, ages, strict=True) if one.risk is not None]
    if len(risks) >= LEAST:
        yield course("risk", say("answer", "risk_by", days=main), "%", risks)
    for name in MEASURED:
        several = [(one.values[name], age) for one, age in zip(found, ages, strict=True) if name in one.values]
        assay = several[0][0].get("method") if several else None  # by another one, it would be another number
        several = [(one, age) for one, age in several if one.get("method") == assay]
        if len(several) >= LEAST:
            yield trend_of(name, [_draw(one["value"], age, one.get("limit", "")) for one, age in several])


def _draw(value: float, age: float, limit: str = "") -> Mapping[str, Any]:
    return {"value": value, "limit": limit, "days_before_index": age}
