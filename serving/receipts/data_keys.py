"""The keys that patients' receipts are encrypted with: one a patient, one a record where nobody was named; erased, nothing opens.

They lie in the store, wrapped with a key that does not; a key that is new is written in the same transaction as its first record.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Sequence

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection, insert, select

from serving.receipts.keys import ReceiptKeys, encrypt, new_data_key
from serving.receipts.record import SCORE, Draft
from serving.receipts.store import bound_to
from serving.receipts.tables import DATA_KEYS

_REMEMBERED = 10_000  # patients whose keys are kept at hand


class DataKeys:
    """Encrypts drafts, each with the key of its patient."""

    def __init__(self, keys: ReceiptKeys):
        self._keys = keys
        self._at_hand: OrderedDict[str, tuple[str, AESGCM]] = OrderedDict()
        self._new: list[dict[str, object]] = []

    def sealed(self, drafts: Sequence[Draft], connection: Connection) -> list[tuple[str, str, bytes]]:
        """Subject, name of the key and payload of each draft; events, which tell of no patient, stay as they are."""
        subjects = [self._keys.subject(draft.id) if draft.kind == SCORE else "" for draft in drafts]
        self._look_up({subject for subject in subjects if subject and subject not in self._at_hand}, connection)
        found = [self._sealed(draft, subject) for draft, subject in zip(drafts, subjects, strict=True)]
        while len(self._at_hand) > _REMEMBERED:
            self._at_hand.popitem(last=False)
        return found

    def write_new(self, connection: Connection) -> None:
        """Write the keys that were made since the last time."""
        if self._new:
            connection.execute(insert(DATA_KEYS), self._new)
            self._new = []

    def forget(self) -> None:
        """Forget every key at hand: the store alone says which there are."""
        self._at_hand.clear()
        self._new = []

    def _sealed(self, draft: Draft, subject: str) -> tuple[str, str, bytes]:
        if draft.kind != SCORE:
            return "", "", draft.content
        name, key = self._of(subject) if subject else self._made("")
        return subject, name, encrypt(key, draft.content, bound_to(name, subject))

    def _of(self, subject: str) -> tuple[str, AESGCM]:
        found = self._at_hand.get(subject) or self._made(subject)
        self._at_hand[subject] = found
        self._at_hand.move_to_end(subject)
        return found

    def _look_up(self, subjects: Collection[str], connection: Connection) -> None:
        """Take those that are kept from the store, all at once: each question costs as much as many answers."""
        if subjects:
            asked = select(DATA_KEYS).where(DATA_KEYS.c.subject.in_(sorted(subjects)))
            for row in connection.execute(asked):
                self._at_hand[row.subject] = row.key, AESGCM(self._keys.unwrap(row.key, row.wrapped))

    def _made(self, subject: str) -> tuple[str, AESGCM]:
        name, secret = new_data_key()
        self._new.append({"key": name, "subject": subject, "wrapped": self._keys.wrap(name, secret)})
        return name, AESGCM(secret)
