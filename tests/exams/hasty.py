"""A recorder that answers first and writes a moment later: whoever looks for lost receipts must catch it.

Imported by a service before it begins (`kills.BEFORE_HASTY`); nothing else uses it.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Sequence

from sqlalchemy import insert

from serving.receipts import group
from serving.receipts.erasure import Erasure
from serving.receipts.heads import head_line
from serving.receipts.record import Draft, Record, Signed
from serving.receipts.recovery import Tail
from serving.receipts.tables import RECORDS

LATER = 0.05  # seconds; with as many, 47 of 100 receipts were lost in a trial (security.md section 2.3)
_BEGUN = 3  # records written as ever, so that the service begins


class Hasty(group.Chain):
    """Gives receipts out for records that wait in memory."""

    def write(self, drafts: Sequence[Draft], erasure: Erasure | None = None) -> list[Signed]:
        if not drafts or self._tail.last is None or self._tail.last.sequence < _BEGUN:
            return super().write(drafts, erasure)
        records = self._chained(drafts, datetime.datetime.now(datetime.UTC))
        self._connection.rollback()  # ends the reading of keys
        self._tail = Tail(records[-1], self._tail.head, self._tail.heads_end, 0)
        receipts = [self.keys.sign(self.store.id, one.sequence, one.digest, one.time) for one in records]
        self._wait(records, receipts[-1])
        return receipts

    def _wait(self, records: Sequence[Record], head: Signed) -> None:
        late = self.__dict__.setdefault("late", [])
        since = self.__dict__.setdefault("since", time.monotonic())
        late += records
        if time.monotonic() - since < LATER:
            return
        with self._connection.begin():
            self._data_keys.write_new(self._connection)
            self._connection.execute(insert(RECORDS), [group._row(one) for one in late])
        line = head_line(head)
        self._heads.append(line)
        self._tail = Tail(records[-1], head, self._tail.heads_end + len(line), 0)
        del self.late, self.since


def _install() -> None:
    from serving.receipts import opening

    opening.Chain = Hasty  # type: ignore[misc]


_install()
