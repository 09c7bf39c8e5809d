"""The walk along the chain, from record to record, the signed heads and whatever was kept elsewhere beside it.

A record names the head that was the last durable one when it was written, and no group is written before the head of the one
before it is on the disk. So each record names the head that precedes it, and a head file from which anything was taken away
contradicts the records; but for the head of the last group, which a service that was stopped in between did not write.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from serving.receipts.chain import Links, require_forward
from serving.receipts.key_book import KeyBook
from serving.receipts.mark import Mark
from serving.receipts.record import SCORE, BrokenReceipt
from serving.receipts.statements import Checking, Named, Signer

Kept = Mapping[int, Sequence[Named]]  # what somebody kept elsewhere, by the record of which it was signed
Heads = Iterator[tuple[int, Named]]  # where each begins in its file (bytes), and the head


class Walk:
    """Where the walk is: the record that went by last, the head that was met last (`mark`), the one that is due."""

    def __init__(self, begin: Mark, links: Links, book: KeyBook, signer: Signer) -> None:
        self.mark, self.sequence, self.digest, self.time = begin, begin.sequence, begin.digest, begin.time
        self.due: tuple[int, Named] | None = None
        self.events: list[tuple[int, str, bytes]] = []  # number, kind and content of every record that is no score
        self._links, self._book, self._signer = links, book, signer

    def follow(self, rows: Iterable[Sequence[Any]], heads: Heads, kept: Kept, checking: Checking) -> Iterator[int]:
        """Walk on, yielding the number of each record that was as it was written; BrokenReceipt names the first that is not.

        A row holds the fields of a record, the wrapped data key that it names, and whose that is (None where there is none).
        """
        self.due = next(heads, None)
        for row in rows:
            self._take(row)
            for named in kept.get(self.sequence, ()):
                self._signer.require_same(named, self.digest)
            if self.due and self.due[1][0].sequence == self.sequence:
                self._meet(*self.due)
                checking.add(self.due[1])
                self.due = next(heads, None)
            yield self.sequence

    def _take(self, row: Sequence[Any]) -> None:
        number = self.sequence + 1
        self._links.require(tuple(row[:10]), number, self.digest)
        _, time, kind, subject, key, payload, head, _, digest, _, wrapped, owner = row
        require_forward(number, time, self.time, kind)
        if head != self.mark.sequence:
            told = f"record {number} was written after head {head}, and the one before it is {self.mark.sequence}"
            raise BrokenReceipt(f"{told}: heads were taken away, or put back to an older copy")
        self._book.meet(number, kind, subject, key, wrapped, owner)
        if kind != SCORE:
            self.events.append((number, kind, payload))
        self.sequence, self.digest, self.time = number, digest, time

    def _meet(self, at: int, named: Named) -> None:
        self._signer.require_same(named, self.digest)
        self.mark = Mark(self._signer.store, self.sequence, self.digest, self.time, at, self.mark.heads + 1)
