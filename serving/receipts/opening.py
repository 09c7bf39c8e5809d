"""The receipts opened for writing: made where there are none, verified at their end where there are, or left as they are."""

from __future__ import annotations

import datetime
import logging
import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from models import durable
from models.durable import PRIVATE
from serving.receipts.group import Chain
from serving.receipts.keys import ReceiptKeys
from serving.receipts.place import FAILURES, Writing, place_of
from serving.receipts.record import FORMAT, BrokenReceipt, NoReceipt
from serving.receipts.recovery import tail_of
from serving.receipts.store import NoStore, Store
from serving.receipts.witness import require_not_behind

BEGINNING = 30.0  # seconds that opening may take, while others open or write: nobody waits for a receipt of this process yet
_log = logging.getLogger("lymphorisk.receipts")


@dataclass(frozen=True)
class Kept:
    """Where receipts are kept: a folder, in which the heads lie unless they lie elsewhere, and a database in it or by its URL."""

    folder: Path
    heads: Path
    database: str = ""
    witness: Path | None = None

    def store(self) -> Store:
        """For reading; NoStore where there is none."""
        return Store.open(self.folder, heads=self.heads, database=self.database)


@contextmanager
def opened(kept: Kept, keys: ReceiptKeys, say: Callable[[str], object]) -> Iterator[Chain]:
    """The chain that is kept there, open to add to; the caller holds the lock of a folder that one process writes.

    `say` hears what was signed again. Raises BrokenReceipt where it does not verify from its last head on, or the witness knows
    of more, and then all is left as it was found; NoReceipt where the disk or the database refuses.
    """
    with ExitStack() as until_closed:
        try:
            writing = until_closed.enter_context(closing(place_of(kept.folder, kept.database).writing()))
            with writing.turn(BEGINNING):
                chain = until_closed.enter_context(closing(_opened(kept, keys, writing)))
        except (OSError, *FAILURES) as error:
            raise NoReceipt(f"{kept.folder} cannot be written: {getattr(error, 'orig', None) or error}") from error
        unsigned, signed = chain.unsigned
        chain.write([])
        if unsigned:
            many = f"{unsigned} record{'s' * (unsigned > 1)} after record {signed}"
            said = f"{many} had been written and not signed when all stopped; verified, and signed now"
            _log.warning("%s", said)
            say(said)
        yield chain


def _opened(kept: Kept, keys: ReceiptKeys, writing: Writing) -> Chain:
    _make(kept, keys, writing)
    store = kept.store()
    if faults := store.schema_faults():
        raise BrokenReceipt(f"{store.place.name} is not as it was made: {'; '.join(faults)}")
    tail = tail_of(store, keys)
    require_not_behind(kept.witness, store, keys)
    return Chain(store, keys, tail, writing)


def _make(kept: Kept, keys: ReceiptKeys, writing: Writing) -> None:
    """A new store where there is none; its head file comes first, so that a store without one was robbed of it."""
    heads = kept.heads
    if heads.exists() and heads.stat().st_size and writing.empty():
        way = "put it back, or move both away to begin anew"
        raise BrokenReceipt(f"{heads} knows of receipts, and there is no {place_of(kept.folder, kept.database).name}: {way}")
    if _begun(kept):
        return
    if writing.empty() and not heads.exists():
        durable.replace(heads, b"", PRIVATE)
    created = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    writing.make({"id": secrets.token_hex(16), "created": created, "public_key": keys.public_key, "format": FORMAT})


def _begun(kept: Kept) -> bool:
    """Whether there is a store; only looked at, for who opens a database to write to it merges its log into it, come what may."""
    try:
        kept.store()
    except NoStore:
        return False
    return True
