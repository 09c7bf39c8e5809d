"""Erasure on request: the key of a patient's receipts is destroyed, the chain stays whole, and the erasure is itself recorded."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, delete, select

from models.seal import canonical
from serving.receipts.record import ERASED, Draft
from serving.receipts.tables import DATA_KEYS, RECORDS


class Nobody(LookupError):
    """There is nothing to erase: nobody of that name was scored, or the contents were erased before."""


@dataclass(frozen=True)
class Erasure:
    """Who asks for what to be erased and why: a patient by `subject` (`ReceiptKeys.subject`), or the record `sequence`.

    A record of a patient with a pseudonym shares its key with the patient's others: they go together.
    """

    by: str
    reason: str
    subject: str = ""
    sequence: int = 0

    def carried_out(self, connection: Connection) -> Draft:
        """Delete the key, within the transaction that records it; the event that tells of it. Nobody where there is none."""
        asked = select(DATA_KEYS.c.key, DATA_KEYS.c.subject)
        if self.subject:
            asked = asked.where(DATA_KEYS.c.subject == self.subject)
        else:
            asked = asked.join(RECORDS, RECORDS.c.key == DATA_KEYS.c.key).where(RECORDS.c.sequence == self.sequence)
        found = connection.execute(asked).first()
        if found is None:
            raise Nobody("nothing to erase: there is no such receipt, or its content was erased before")
        connection.execute(delete(DATA_KEYS).where(DATA_KEYS.c.key == found.key))
        return Draft(ERASED, "", canonical({"by": self.by, "key": found.key, "reason": self.reason, "subject": found.subject}))
