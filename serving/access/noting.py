"""What was done with receipts, and by whom, is recorded among them: who looked, who took away, who was turned back.

A note is a record of its own kind: it names people who work here and numbers of receipts, and no patient.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass

from models.identity import Identity
from models.seal import canonical
from serving.logs import tell
from serving.receipts.payload import Receipts
from serving.receipts.record import ACCESS, Draft, NoReceipt, Signed

PATIENCE = 5.0  # seconds that a note may take; what is to be shown once it is made is not shown without it


@dataclass(frozen=True)
class Notes:
    """Writes notes into the receipts."""

    receipts: Receipts

    async def made(self, identity: Identity | None, did: str, **what: object) -> Signed:
        """The receipt of the note, durable; NoReceipt where it is not in time, and then nothing may be shown."""
        try:
            async with asyncio.timeout(PATIENCE):
                (signed,) = await asyncio.wrap_future(self.receipts.submit([note(identity, did, what)]))
        except TimeoutError:
            raise NoReceipt(f"it was not durable within {PATIENCE:g} seconds") from None
        return signed

    def soon(self, identity: Identity | None, did: str, **what: object) -> None:
        """The same, for what is refused anyway: nobody waits, and a note that cannot be made is told to the log."""
        self.receipts.submit([note(identity, did, what)]).add_done_callback(_tell)


def note(identity: Identity | None, did: str, what: Mapping[str, object]) -> Draft:
    """The record of what somebody (None: nobody who was known) did; `what` are our own words and numbers."""
    who = None if identity is None else dict(identity.as_json())
    return Draft(ACCESS, "", canonical({"did": did, "what": dict(what), "who": who}))


def _tell(made: Future[list[Signed]]) -> None:
    error = None if made.cancelled() else made.exception()
    if error is not None:
        tell(logging.ERROR, "a note could not be recorded", kind=type(error).__name__)
