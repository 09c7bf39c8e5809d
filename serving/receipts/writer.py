"""The one writer of the receipts: what waits is written together, synced, signed and synced again, and only then anybody is told.

One thread writes. While it waits for the disk, others score; whatever has come in by then is its next group, so that one sync
serves everybody who waits (group commit). The order of a group: records committed and synced (WAL, synchronous=FULL), head
signed, head synced, receipts given out. Where any of it fails, nobody of the group gets one, and the next group finds out
from the disk itself where the chain ends.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from models import durable
from serving.receipts.erasure import Erasure, Nobody
from serving.receipts.group import Chain
from serving.receipts.heads import HEADS
from serving.receipts.keys import ReceiptKeys
from serving.receipts.opening import Kept, opened
from serving.receipts.place import LOCK
from serving.receipts.record import Draft, NoReceipt, Signed
from serving.receipts.witness import Witness

PATIENCE = 5.0  # seconds that whoever blocks for a receipt waits
LARGEST_GROUP = 4000  # records: a transaction beyond that makes others wait for nothing
READY_SECONDS = 2.0  # that whoever asks whether anything can be written waits while it is tried
_log = logging.getLogger("lymphorisk.receipts")


@dataclass
class _Job:
    drafts: Sequence[Draft]
    erasure: Erasure | None = None
    future: Future[list[Signed]] = field(default_factory=Future)


class Writer:
    """Open receipts; made by `open_writer`."""

    watched: Callable[[int, float], object] = staticmethod(lambda records, seconds: None)  # hears of every group

    def __init__(self, chain: Chain, witness: Witness, closing: ExitStack):
        self._chain, self._witness, self._closing = chain, witness, closing
        self._waiting: deque[_Job] = deque()
        self._woken = threading.Condition()
        self._closed = False
        self._witness.see(chain.head)
        self._thread = threading.Thread(target=self._run, name="receipts", daemon=True)
        self._thread.start()

    @property
    def public_key(self) -> str:
        """64 hex digits, with which anybody can check what was signed."""
        return self._chain.keys.public_key

    def submit(self, drafts: Sequence[Draft]) -> Future[list[Signed]]:
        """Will be the receipts of the drafts, in order, or NoReceipt; cancelled before its group has begun, it is withdrawn.

        Raises ValueError for a pseudonym that is no text.
        """
        for draft in drafts:
            _require_text(draft.id)
        return self._put(_Job(drafts))

    def record(self, drafts: Sequence[Draft], patience: float = PATIENCE) -> list[Signed]:
        """The receipts of the drafts, waited for; NoReceipt where they are not durable within `patience` seconds."""
        return self._wait_for(self.submit(drafts), patience)

    def erase(self, *, by: str, reason: str, subject: str = "", sequence: int = 0, patience: float = PATIENCE) -> list[Signed]:
        """Make the contents of a patient (`ReceiptKeys.subject`), or of one record, unreadable for ever; the receipt of that.

        Raises Nobody where there is nothing to erase, and NoReceipt where it could not be recorded; then nothing was erased.
        """
        return self._wait_for(self._put(_Job((), Erasure(by, reason, subject, sequence))), patience)

    def ready(self) -> str:
        """Why no receipt can be written now; nothing where one can, as far as can be seen without writing one.

        After a failure it is tried anew: who asks here first, and only then for scores, would otherwise never ask again. And a
        server can be gone without a sign of it: that, too, is tried.
        """
        if self._closed or not self._thread.is_alive():
            return "the receipts are closed"
        if self._chain.fault() or self._chain.several:
            try:
                self._wait_for(self._put(_Job(())), READY_SECONDS)
            except NoReceipt as error:
                return self._chain.fault() or error.reason
        return self._chain.fault()

    @property
    def head(self) -> Signed | None:
        """The last head that is durable."""
        return self._chain.head

    @property
    def witness_fault(self) -> str:
        """Why the witness cannot be written now; nothing where it can, or where there is none. No reason to refuse a score."""
        return self._witness.fault

    def close(self) -> None:
        """Write what waits, and give everything back; a second time it does nothing."""
        with self._woken:
            self._closed = True
            self._woken.notify()
        self._thread.join()
        self._closing.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _put(self, job: _Job) -> Future[list[Signed]]:
        with self._woken:
            if self._closed:
                job.future.set_exception(NoReceipt("the receipts are closed"))
            else:
                self._waiting.append(job)
                self._woken.notify()
        return job.future

    def _wait_for(self, future: Future[list[Signed]], patience: float) -> list[Signed]:
        try:
            return future.result(patience)
        except TimeoutError:
            future.cancel()  # withdrawn, if its group has not begun
            raise NoReceipt(f"it was not durable within {patience:g} seconds") from None

    def _run(self) -> None:
        begun: list[_Job] = []
        try:
            while (jobs := self._next()) is not None:
                begun = [job for job in jobs if job.future.set_running_or_notify_cancel()]
                if begun:
                    self._write(begun)
                self._witness.see(self._chain.head)
        finally:  # should this thread ever end before its time, nobody waits for it in vain
            self._end(begun)

    def _end(self, begun: list[_Job]) -> None:
        with self._woken:
            self._closed = True
            left = [job for job in begun if not job.future.done()]
            left += [job for job in self._waiting if job.future.set_running_or_notify_cancel()]
            self._waiting.clear()
        for job in left:
            job.future.set_exception(NoReceipt("the receipts are closed"))

    def _next(self) -> list[_Job] | None:
        """All that waits, one erasure by itself; None after the end of it."""
        with self._woken:
            while not self._waiting:
                if self._closed:
                    return None
                self._woken.wait()
            if self._waiting[0].erasure is not None:
                return [self._waiting.popleft()]
            jobs, records = [], 0
            while self._waiting and self._waiting[0].erasure is None and records < LARGEST_GROUP:
                jobs.append(self._waiting.popleft())
                records += len(jobs[-1].drafts)
            return jobs

    def _write(self, jobs: list[_Job]) -> None:
        began = time.perf_counter()
        try:
            receipts = iter(self._chain.write([draft for job in jobs for draft in job.drafts], jobs[0].erasure))
        except (NoReceipt, Nobody) as error:
            if any(job.drafts or job.erasure for job in jobs):
                _log.error("nothing was recorded: %s", error)
            for job in jobs:
                job.future.set_exception(error)
            return
        self.watched(sum(len(job.drafts) for job in jobs), time.perf_counter() - began)
        for job in jobs:
            # an erasure has one receipt and no draft of the caller's
            job.future.set_result([next(receipts) for _ in range(len(job.drafts) or job.erasure is not None)])


def open_writer(
    folder: Path,
    keys: ReceiptKeys,
    *,
    heads: Path | None = None,
    witness: Path | None = None,
    database: str = "",
    say: Callable[[str], object] = lambda said: None,
) -> Writer:
    """Open the receipts in `folder` for writing; made where there are none. `say` hears what was signed again.

    Their records lie in the folder, and one process writes them; or in a `database` (URL of PostgreSQL), and several take turns.

    Raises BrokenReceipt where they do not verify from their last head on, or the witness knows of more than they do; NoReceipt
    where another process writes or the disk refuses.
    """
    durable.make_folder(folder, 0o700)
    with ExitStack() as until_opened:
        try:
            if not database:
                until_opened.enter_context(durable.locked(folder / LOCK, wait=False))
        except durable.Busy:
            raise NoReceipt(f"another process writes the receipts in {folder}: one at a time may") from None
        kept = Kept(folder, heads or folder / HEADS, database, witness)
        chain = until_opened.enter_context(opened(kept, keys, say))
        seen = until_opened.enter_context(closing(Witness(witness)))
        while_open = until_opened.pop_all()
    return Writer(chain, seen, while_open)


def _require_text(id: str) -> None:
    try:
        id.encode()
    except UnicodeEncodeError:
        raise ValueError("a pseudonym is no text: half a character stands in it (a lone surrogate)") from None
