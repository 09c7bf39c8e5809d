"""The receipts opened for writing: made where there are none, verified at their end where there are, or left as they are."""

from __future__ import annotations

import datetime
import logging
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import insert, select

from models import durable
from models.durable import PRIVATE
from serving.receipts.database import FAILURES, writing
from serving.receipts.group import Chain
from serving.receipts.heads import HEADS
from serving.receipts.keys import ReceiptKeys
from serving.receipts.record import FORMAT, BrokenReceipt, NoReceipt
from serving.receipts.recovery import tail_of
from serving.receipts.store import DATABASE, NoStore, Store
from serving.receipts.tables import STORE
from serving.receipts.witness import require_not_behind

_log = logging.getLogger("lymphorisk.receipts")


@contextmanager
def opened(
    folder: Path, keys: ReceiptKeys, heads: Path | None, witness: Path | None, say: Callable[[str], object]
) -> Iterator[Chain]:
    """The chain in `folder`, open to add to; the caller holds its lock. `say` hears what was signed again.

    Raises BrokenReceipt where it does not verify from its last head on, or the witness knows of more, and then all is left as
    it was found; NoReceipt where the disk or the database refuses.
    """
    try:
        _make(folder, keys, heads or folder / HEADS)
        store = Store.open(folder, heads=heads)
        if faults := store.schema_faults():
            raise BrokenReceipt(f"{folder / DATABASE} is not as it was made: {'; '.join(faults)}")
        tail = tail_of(store, keys)
        require_not_behind(witness, store, keys)
        chain = Chain(store, keys, tail)
    except (OSError, *FAILURES) as error:
        raise NoReceipt(f"{folder} cannot be written: {getattr(error, 'orig', None) or error}") from error
    try:
        chain.write([])
        if tail.unsigned:
            many = f"{tail.unsigned} record{'s' * (tail.unsigned > 1)} after record {tail.signed}"
            said = f"{many} had been written and not signed when all stopped; verified, and signed now"
            _log.warning("%s", said)
            say(said)
        yield chain
    finally:
        chain.close()


def _make(folder: Path, keys: ReceiptKeys, heads: Path) -> None:
    """A new store where there is none; its head file comes first, so that a store without one was robbed of it."""
    path = folder / DATABASE
    if heads.exists() and heads.stat().st_size and not path.exists():
        raise BrokenReceipt(f"{heads} knows of receipts, and there is no {path}: put it back, or move both away to begin anew")
    if _begun(folder):
        return
    if not path.exists() and not heads.exists():
        durable.replace(heads, b"", PRIVATE)
    engine = writing(path)
    with engine.begin() as connection:
        if connection.execute(select(STORE)).first() is None:
            created = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
            made = {"id": secrets.token_hex(16), "created": created, "public_key": keys.public_key, "format": FORMAT}
            connection.execute(insert(STORE), made)
    engine.dispose()
    path.chmod(PRIVATE)
    durable.sync(folder)


def _begun(folder: Path) -> bool:
    """Whether there is a store; only looked at, for who opens a database to write to it merges its log into it, come what may."""
    try:
        Store.open(folder)
    except NoStore:
        return False
    return True
