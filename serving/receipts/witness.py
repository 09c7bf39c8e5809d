"""A copy of the newest signed heads elsewhere, which finds out what nothing beside the receipts can: that all was put back.

Another volume, or another machine's share. It is behind by a second at most; where it cannot be reached, scores go on and it
is caught up later, for the newest head vouches for all before it.
"""

from __future__ import annotations

import logging
import os
import threading
from pathlib import Path

from models.durable import PRIVATE, sync
from serving.receipts.heads import head_line, last_head
from serving.receipts.keys import ReceiptKeys, verify
from serving.receipts.record import BrokenReceipt, Signed
from serving.receipts.store import Store

SECONDS = 1.0  # between one writing and the next: so long the witness may be behind
CLOSING_SECONDS = 5.0  # that the last head is waited for, on a share that does not answer
_log = logging.getLogger("lymphorisk.receipts")


class Witness:
    """Writes the newest head it has seen, in a thread of its own: a share that hangs holds up nobody."""

    def __init__(self, path: Path | None):
        self.path, self.fault = path, ""
        self._newest: Signed | None = None
        self._written: Signed | None = None
        self._seen, self._closed = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="witness", daemon=True)
        if path is not None:
            self._thread.start()

    def see(self, head: Signed | None) -> None:
        """Remember the newest head, to be written soon."""
        if self.path is not None and head is not None and head != self._newest:
            self._newest = head
            self._seen.set()

    def close(self) -> None:
        """Write what is not written yet, unless that takes too long."""
        if self.path is None:
            return
        self._closed.set()
        self._seen.set()
        self._thread.join(CLOSING_SECONDS)
        if self._written != self._newest:
            _log.warning("the witness %s does not have the last head", self.path)

    def _run(self) -> None:
        while not self._closed.is_set():
            self._seen.wait()
            self._seen.clear()
            self._write()
            self._closed.wait(SECONDS)
            if self._written != self._newest:  # it could not be written, or a newer one came in the meantime
                self._seen.set()
        self._write()

    def _write(self) -> None:
        head = self._newest
        if self.path is None or head is None or head == self._written:
            return
        try:
            _append(self.path, head)
        except (OSError, BrokenReceipt) as error:
            if not self.fault:
                _log.warning("the witness cannot be written: %s", error)
            self.fault = f"the witness cannot be written ({getattr(error, 'strerror', None) or 'it was altered'})"
        else:
            self._written, self.fault = head, ""


def require_not_behind(path: Path | None, store: Store, keys: ReceiptKeys) -> None:
    """BrokenReceipt where the witness knows of a record that the store does not have: an older copy was put back, say.

    One that cannot be read is no reason to refuse, nor is one that is not there yet.
    """
    try:
        head = last_head(path)[0] if path else None
    except OSError:
        return
    if head is None:
        return
    verify(keys.public_key, head, f"{path}: the last head")
    if head.store != store.id:
        raise BrokenReceipt(f"{path} is the witness of another store ({head.store}): give this one a witness of its own")
    record = store.record(head.sequence)
    if record is None or record.digest != head.digest:
        found = "does not have" if record is None else "has another in the place of"
        said = f"the witness {path} knows of record {head.sequence}, which the database {found}"
        raise BrokenReceipt(f"{said}: it was cut short together with its heads, or an older copy was put back")


def _append(path: Path, head: Signed) -> None:
    """Add the line, synced, after the last whole one, unless a head of this or a later record stands there already.

    Several processes may write one witness: each in its turn, and the newest head vouches for those of the others.
    """
    import fcntl  # not on every system: whoever only reads does not need it

    file = os.open(path, os.O_RDWR | os.O_CREAT, PRIVATE)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        last, end = last_head(path)
        if last is not None and last.sequence >= head.sequence:
            return
        line = head_line(head)
        os.ftruncate(file, end)
        if os.pwrite(file, line, end) != len(line):
            raise OSError(f"{path}: the disk took only a part of a head")
        os.fsync(file)
    finally:
        os.close(file)
    if not end:
        sync(path.parent)
