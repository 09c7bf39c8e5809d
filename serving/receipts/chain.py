"""The links of the chain checked fast: a million receipts in the time it takes to fetch a coffee, by the same rules as ever.

What is fast is to accept: the header of a record is written down as canonical JSON by hand. Whatever is not accepted that way is
put before `record.require_link`, which knows the rules and says what is wrong; so nothing is accepted here that it would refuse.
"""

from __future__ import annotations

import hmac
import re
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from models.seal import Key
from serving.receipts.record import CLOCK_SET_BACK, KINDS, BrokenReceipt, Record, require_link

SLACK = timedelta(seconds=2)  # a clock may run back so far without a word: clocks are put right all the time
_PLAIN = re.compile(r"[ !#-\[\]-~]*")  # texts that stand in JSON as they are
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")
_TYPES = (int, str, str, str, str, bytes, int, str, str, str)  # of the fields of a Record, in their order


class Links:
    """The links of the chain of one store, sealed with one key."""

    def __init__(self, store: str, key: Key) -> None:
        self.store, self.key = store, key
        self._sealing = hmac.new(key.secret, digestmod=sha256)

    def require(self, row: tuple[Any, ...], sequence: int, previous: str) -> None:
        """BrokenReceipt unless `row` is the record of this place, as it was written."""
        if self._holds(row, sequence, previous):
            return
        if tuple(map(type, row)) != _TYPES:
            raise BrokenReceipt(f"record {sequence} was altered: it holds values of another kind than this program writes")
        try:
            require_link(self.store, Record(*row), sequence, previous, self.key)
        except UnicodeEncodeError as error:
            raise BrokenReceipt(f"record {sequence} was altered: it holds what is no text") from error
        if row[2] not in KINDS or not _TIME.fullmatch(row[1]):
            raise BrokenReceipt(f"record {sequence} is of no kind or time that this version writes")

    def _holds(self, row: tuple[Any, ...], sequence: int, previous: str) -> bool:
        if tuple(map(type, row)) != _TYPES:  # first of all: 1 and true are equal, and bytes can be told as a text
            return False
        number, time, kind, subject, key, payload, head, before, digest, seal = row
        if number != sequence or before != previous or kind not in KINDS or not 0 <= head < number:
            return False
        if not _TIME.fullmatch(time) or not _PLAIN.fullmatch(subject + key + self.store):
            return False
        header = (
            f'{{"head":{head},"key":"{key}","kind":"{kind}","payload":"{sha256(payload).hexdigest()}","previous":"{before}",'
            f'"sequence":{number},"store":"{self.store}","subject":"{subject}","time":"{time}"}}'
        )
        if sha256(header.encode()).hexdigest() != digest:
            return False
        sealing = self._sealing.copy()
        sealing.update(b'["receipt","%b"]' % digest.encode())
        return bool(sealing.hexdigest() == seal)


def require_forward(sequence: int, time: str, before: str, kind: str) -> None:
    """BrokenReceipt where the clock ran back by more than SLACK, and no event says so."""
    if time >= before or kind == CLOCK_SET_BACK:
        return
    try:
        back = datetime.fromisoformat(before) - datetime.fromisoformat(time)
    except ValueError as error:
        raise BrokenReceipt(f"record {sequence}, or the one before it, bears a time that is none") from error
    if back > SLACK:
        raise BrokenReceipt(f"record {sequence} was written before the one before it; no event says that the clock was set back")
