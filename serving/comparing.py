"""Which earlier score an answer may be compared with: one of the same pseudonym and unit, readable, whose model is kept.

A receipt that is not there and one of another unit are refused in the same words and after the same time, and noted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from models.identity import Identity
from models.patient import Patient
from serving.access.noting import Notes
from serving.access.ownership import theirs
from serving.changes import Earlier, excerpt, not_comparable
from serving.receipts.archive import Archive
from serving.receipts.finding import ERASED, Receipt
from serving.receipts.models_kept import ModelMissing
from serving.receipts.record import SCORE
from serving.refused import Refused

REFUSED_SECONDS = 0.05  # to open another unit's receipt takes some milliseconds, to find none takes none: both are told then
YOURS = "the number of a receipt of your unit: there is none of that number, or it is another unit's"
OWN = "the receipt of an earlier score of the same patient (id): this one is of another"
NAMED = "left out where the patient has no id: nobody knows whose the earlier score is"
KEPT = "a receipt that can be read: the content of this one was erased on request"
READ = "a receipt that can be read: this one is not as it was written"
DATED = "a receipt of a score that was asked for as JSON or on the page: this one does not hold its as_of"
BEFORE = "the receipt of a score of the same as_of or an earlier one: this one is of a later day"
MODEL = "the receipt of a score whose model is kept: the one that gave this score is not any more, or was altered"
NOWHERE = "left out: this service reads no receipts"


class _NotComparable(Exception):
    """Which earlier scores may be named, and why this one may not; it holds no value of a patient."""

    def __init__(self, allowed: str, did: str = ""):
        super().__init__(allowed)
        self.allowed, self.did = allowed, did


@dataclass(frozen=True)
class Comparing:
    """Finds the earlier score that a request names."""

    notes: Notes
    archive: Archive | None = field(repr=False)

    async def earlier(self, patient: Patient, number: int, day: str, identity: Identity) -> Earlier | Refused:
        """The earlier score of receipt `number` of a patient who is scored as of `day` (YYYY-MM-DD); else why not."""
        loop = asyncio.get_running_loop()
        told = loop.time() + REFUSED_SECONDS
        try:
            return await asyncio.to_thread(self._earlier, patient, number, day, identity)
        except _NotComparable as error:
            if error.did:
                await self.notes.made(identity, error.did, receipt=number)
            await asyncio.sleep(told - loop.time())
            return not_comparable(patient.id, error.allowed)

    def _earlier(self, patient: Patient, number: int, day: str, identity: Identity) -> Earlier:
        if self.archive is None or not patient.id:
            raise _NotComparable(NAMED if self.archive else NOWHERE)
        told = _told_of(_receipt(self.archive, patient.id, number, identity), day)
        try:
            return Earlier(told, self.archive.models.model(told["model"]["digest"]))
        except ModelMissing as error:
            raise _NotComparable(MODEL) from error


def _receipt(archive: Archive, id: str, number: int, identity: Identity) -> Receipt:
    """The receipt, if it is of a score of this patient that the unit of whoever asks had asked for."""
    record = archive.store.record(number)
    if record is None:
        raise _NotComparable(YOURS, "looked for no receipt")
    receipt, same = archive.receipt(record), record.subject == archive.keys.subject(id)
    if receipt.document is None and record.kind == SCORE and same:  # of whose unit it was is not to be read any more
        raise _NotComparable(KEPT if receipt.why == ERASED else READ)
    if not theirs(identity, receipt):
        raise _NotComparable(YOURS, "looked for another unit's receipt")
    if not same:
        raise _NotComparable(OWN)
    return receipt


def _told_of(receipt: Receipt, day: str) -> Mapping[str, Any]:
    """What is told of the earlier score; both days are written so that their order is that of the texts."""
    record = receipt.record
    told = excerpt(record.sequence, record.digest, record.time, receipt.document or {})
    if told["as_of"] is None:
        raise _NotComparable(DATED)
    if told["as_of"] > day:
        raise _NotComparable(BEFORE)
    return told
