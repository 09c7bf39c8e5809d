"""One group of receipts after another: committed, signed, and the chain never ahead of what is on the disk.

After anything that failed, and so may or may not have reached the disk, the end of the chain is read from there again.
"""

from __future__ import annotations

import datetime
import errno
import logging
import os
import shutil
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from sqlalchemy import Connection, Select, and_, insert, or_, select
from sqlalchemy.exc import DBAPIError

from models.seal import canonical
from serving.receipts.data_keys import DataKeys
from serving.receipts.erasure import Erasure
from serving.receipts.heads import HeadFile, head_line, last_head
from serving.receipts.keys import ReceiptKeys
from serving.receipts.place import FAILURES, DatabaseFault, Writing, said
from serving.receipts.record import (
    CLOCK_SET_BACK,
    ERASED,
    FIELDS,
    SIGNED_AGAIN,
    BrokenReceipt,
    Draft,
    NoReceipt,
    Record,
    Signed,
    digest_of_record,
    seal_of,
    start,
)
from serving.receipts.recovery import Tail, signed_again, tail_of
from serving.receipts.store import Store, read_records
from serving.receipts.tables import RECORDS

SLACK = datetime.timedelta(seconds=2)  # a clock may run back so far without a word: clocks are put right all the time
_ROOM = 2**16  # bytes that must be free before anything is tried again
_END = select(RECORDS.c.sequence, RECORDS.c.digest).order_by(RECORDS.c.sequence.desc()).limit(1)
_ADD = insert(RECORDS)
_log = logging.getLogger("lymphorisk.receipts")


class Chain:
    """The end of the chain, and all that is open to add to it. Used by one thread, but for `fault`; made within a turn."""

    def __init__(self, store: Store, keys: ReceiptKeys, tail: Tail, writing: Writing):
        self.store, self.keys, self._writing = store, keys, writing
        self._tail, self._failed = tail, ""
        self._traces = False  # of what was erased, in the log of the database
        self._data_keys = DataKeys(keys)
        self._heads = HeadFile(store.heads, tail.heads_end)
        writing.refresh()

    @property
    def several(self) -> bool:
        """Whether other processes write too."""
        return self._writing.several

    @property
    def unsigned(self) -> tuple[int, int]:
        """How many records no head covers, and the number of the last one that a head does."""
        return self._tail.unsigned, self._tail.signed

    @property
    def head(self) -> Signed | None:
        """The last head that is durable."""
        return self._tail.head

    def fault(self) -> str:
        """Why nothing can be written now, as far as the files show it; nothing where something can."""
        if not self.store.heads.exists():
            return "the head file is missing"
        return self.store.place.fault() or self._failed

    def write(self, drafts: Sequence[Draft], erasure: Erasure | None = None) -> list[Signed]:
        """The receipts of the drafts (of the erasure), durable; NoReceipt, and nothing given out, where they are not."""
        try:
            with self._writing.turn():
                self._stand_on_the_disk()
                receipts = self._signed(self._committed(drafts, erasure)) if drafts or erasure else []
        except (BrokenReceipt, OSError, *FAILURES) as error:
            self._failed = _reason(error)
            raise NoReceipt(self._failed) from error
        self._failed = ""
        self._leave_no_trace(erasure is not None)
        return receipts[-max(len(drafts), 1) :]

    def close(self) -> None:
        """Give the head file back."""
        self._heads.close()

    @property
    def _connection(self) -> Connection:
        return self._writing.connection

    def _stand_on_the_disk(self) -> None:
        """The files are those that were written last, and the chain ends there as we think; else what is there is read again."""
        exchanged = self._writing.exchanged()
        if self._writing.several:
            self._catch_up()
        if not (self._failed or exchanged or self._heads.fault() or self._tail.unsigned):
            return
        if fault := self._heads.fault():
            self._take_up_heads(fault)
        for path in (self.store.folder, self.store.heads.parent):
            if shutil.disk_usage(path).free < _ROOM:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._data_keys.forget()
        self._writing.refresh()
        self._tail = tail_of(self.store, self.keys)
        if self._tail.unsigned:
            self._sign_again()

    def _catch_up(self) -> None:
        """Where another process wrote since, its end, verified, is ours; what we left must be there as we left it."""
        last = self._tail.last
        if self._writing.end() == _end_of(last):
            return
        with self._connection.begin():
            since = list(self._connection.execute(_since(last))) if last else []
            if last and (not since or (since[0].sequence, since[0].digest) != _end_of(last)):
                raise BrokenReceipt(f"record {last.sequence} is not in the database as this process wrote it: it was put back")
            self._tail = tail_of(self.store, self.keys, partial(read_records, self._connection))
        self._heads = self._heads.take_up(self._tail.heads_end)
        if any(one.kind == ERASED for one in since):
            self._data_keys.forget()

    def _take_up_heads(self, fault: str) -> None:
        """Another file in the place of the heads is taken up if it ends where ours did."""
        if not self.store.heads.exists():
            raise BrokenReceipt("the head file is missing")
        head, end = last_head(self.store.heads)
        if head != self._tail.head:
            raise BrokenReceipt(f"{fault}; what lies there now does not end with head {self._tail.signed}")
        self._heads = self._heads.take_up(end)

    def _sign_again(self) -> None:
        """Tell in the chain of what was committed and is covered by no head, and sign all of it with one that covers both."""
        last = self._tail.last
        if last is not None and last.kind == SIGNED_AGAIN:  # told the last time, and not signed even then
            self._signed([last])
        elif last is not None:
            why = "the process or the disk stopped between the writing of records and the signing of their head"
            self._signed(self._committed([signed_again(self._tail.signed, last.sequence, why)], None))

    def _leave_no_trace(self, erased: bool) -> None:
        """What was erased is zero in the database; the log must not hold it either. Whoever reads keeps it: then next time."""
        if not (erased or self._traces):
            return
        self._data_keys.forget()
        before = self._traces
        try:
            self._traces = not self._writing.leave_no_trace()
        except FAILURES:
            self._traces = True
        if self._traces and not before:
            _log.warning("somebody reads the receipts: until that ends, the database holds a copy of the key erased")

    def _committed(self, drafts: Sequence[Draft], erasure: Erasure | None) -> list[Record]:
        """The records of the drafts, in the database and synced."""
        with self._connection.begin():
            self._require_end(self._connection)
            now = datetime.datetime.now(datetime.UTC)
            events = [erasure.carried_out(self._connection)] if erasure else []
            records = self._chained([*self._clock(now), *events, *drafts], now)
            self._data_keys.write_new(self._connection)
            self._connection.execute(_ADD, [_row(one) for one in records])
        if self._writing.exchanged():
            raise BrokenReceipt("the database was exchanged or removed while it was written to")
        return records

    def _require_end(self, connection: Connection) -> None:
        """The database ends where this process left it."""
        found = connection.execute(_END).first()
        if (None if found is None else tuple(found)) != _end_of(self._tail.last):
            raise BrokenReceipt("the database does not end where this process left it: somebody else wrote to it, or put it back")

    def _clock(self, now: datetime.datetime) -> list[Draft]:
        """The event that tells of a clock that was set back."""
        if self._tail.last is None or _stamp(now + SLACK) >= self._tail.last.time:
            return []
        return [Draft(CLOCK_SET_BACK, "", canonical({"from": self._tail.last.time, "to": _stamp(now)}))]

    def _chained(self, drafts: Sequence[Draft], now: datetime.datetime) -> list[Record]:
        last, time = self._tail.last, _stamp(now)
        sequence, previous = (last.sequence, last.digest) if last else (0, start(self.store.id))
        records = []
        for draft, (subject, key, payload) in zip(drafts, self._data_keys.sealed(drafts, self._connection), strict=True):
            sequence += 1
            record = Record(sequence, time, draft.kind, subject, key, payload, self._tail.signed, previous, "", "")
            previous = digest_of_record(self.store.id, record)
            records.append(replace(record, digest=previous, seal=seal_of(self.keys.sealing, previous)))
        return records

    def _signed(self, records: Sequence[Record]) -> list[Signed]:
        """The receipts of committed records, once the head that covers them is durable."""
        self._tail = Tail(records[-1], self._tail.head, self._tail.heads_end, self._tail.unsigned + len(records))
        receipts = [self.keys.sign(self.store.id, one.sequence, one.digest, one.time) for one in records]
        if fault := self._heads.fault():
            raise BrokenReceipt(fault)
        line = head_line(receipts[-1])
        self._heads.append(line)
        self._tail = Tail(records[-1], receipts[-1], self._tail.heads_end + len(line), 0)
        return receipts


def _row(record: Record) -> dict[str, object]:
    return {name: getattr(record, name) for name in FIELDS}


def _stamp(time: datetime.datetime) -> str:
    return time.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _end_of(last: Record | None) -> tuple[int, str] | None:
    return None if last is None else (last.sequence, last.digest)


def _since(last: Record) -> Select[tuple[int, str, str]]:
    """This record as it stands in the database, and after it the erasures."""
    columns, number = RECORDS.c, RECORDS.c.sequence
    ours = and_(number >= last.sequence, or_(number == last.sequence, columns.kind == ERASED))
    return select(number, columns.digest, columns.kind).where(ours).order_by(number)


def _reason(error: Exception) -> str:
    """Why, without a value: a database's error can repeat what it was given."""
    if isinstance(error, DBAPIError):
        return f"the database refuses to write: {said(error.orig)}"
    if isinstance(error, DatabaseFault):
        return f"the database refuses to write: {error}"
    if isinstance(error, OSError):
        return f"the disk refuses: {error.strerror}"
    return str(error) if isinstance(error, BrokenReceipt) else f"the database cannot be used ({type(error).__name__})"
