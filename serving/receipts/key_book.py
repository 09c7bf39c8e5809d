"""The keys of the patients' receipts: each must be there and open; those that were erased on request must be gone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from serving.receipts.keys import ReceiptKeys
from serving.receipts.record import ERASED, SCORE, BrokenReceipt


class KeyBook:
    """What the records say of data keys, gathered as they go by, and held against the keys that are kept."""

    def __init__(self, keys: ReceiptKeys) -> None:
        self._keys = keys
        self._missing: dict[str, tuple[int, str]] = {}  # by key: the first record under it, and whose it is

    def meet(self, sequence: int, kind: str, subject: str, key: str, wrapped: object, owner: object) -> None:
        """One record, with the wrapped data key of that name and whose it is said to be (None where there is none)."""
        if (kind == SCORE) != bool(key) or (subject and not key):
            raise BrokenReceipt(f"record {sequence} ({kind}) is not kept as one of its kind is: its data key does not fit")
        if not key:
            return
        if wrapped is None:
            self._missing.setdefault(key, (sequence, subject))
            return
        if owner != subject:
            raise BrokenReceipt(f"record {sequence} is of another patient than its data key: one of them was exchanged")
        try:
            if not isinstance(wrapped, bytes):
                raise BrokenReceipt(f"data key {key} is no key")
            self._keys.unwrap(key, wrapped)
        except BrokenReceipt as error:
            raise BrokenReceipt(f"record {sequence}: {error}") from error

    def faults(self, erasures: Iterable[tuple[int, bytes]], present: Callable[[str], bool]) -> list[str]:
        """What does not fit once every record went by: the first key that is missing, the first that should be.

        `erasures` are the events that say so, with their numbers; `present` says whether a key is kept.
        """
        erased = {key: (sequence, subject) for sequence, payload in erasures for key, subject in [_erasure(sequence, payload)]}
        lost = [one for one in sorted((first, key, owner) for key, (first, owner) in self._missing.items())
                if erased.get(one[1], (0, None))[1] != one[2]]  # fmt: skip
        still = sorted((sequence, key) for key, (sequence, _) in erased.items() if present(key))
        found = [f"record {first}: its data key {key} is missing, and no record says it was erased" for first, key, _ in lost[:1]]
        return found + [f"record {number} says that data key {key} was erased, and it is there" for number, key in still[:1]]


def _erasure(sequence: int, payload: bytes) -> tuple[str, str]:
    """The key that an event says was erased, and whose it was."""
    try:
        facts: Any = json.loads(payload)
        key, subject = facts["key"], facts["subject"]
    except (ValueError, KeyError, TypeError) as error:
        raise BrokenReceipt(f"record {sequence} ({ERASED}) does not say which key was erased") from error
    return str(key), str(subject)
