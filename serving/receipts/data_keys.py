"""The keys that patients' receipts are encrypted with: one a patient, one a record where nobody was named; erased, nothing opens.

They lie in the store, wrapped with a key that does not; a key that is new is written in the same transaction as its first record.
"""

from __future__ import annotations

from collections import OrderedDict

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

    def sealed(self, draft: Draft, connection: Connection) -> tuple[str, str, bytes]:
        """Subject, name of the key and payload of a draft; events, which tell of no patient, stay as they are."""
        if draft.kind != SCORE:
            return "", "", draft.content
        subject = self._keys.subject(draft.id)
        name, key = self._of(subject, connection) if subject else self._made("")
        return subject, name, encrypt(key, draft.content, bound_to(name, subject))

    def write_new(self, connection: Connection) -> None:
        """Write the keys that were made since the last time."""
        if self._new:
            connection.execute(insert(DATA_KEYS), self._new)
            self._new = []

    def forget(self) -> None:
        """Forget every key at hand: the store alone says which there are."""
        self._at_hand.clear()
        self._new = []

    def _of(self, subject: str, connection: Connection) -> tuple[str, AESGCM]:
        found = self._at_hand.get(subject) or self._kept(subject, connection) or self._made(subject)
        self._at_hand[subject] = found
        self._at_hand.move_to_end(subject)
        if len(self._at_hand) > _REMEMBERED:
            self._at_hand.popitem(last=False)
        return found

    def _kept(self, subject: str, connection: Connection) -> tuple[str, AESGCM] | None:
        row = connection.execute(select(DATA_KEYS.c.key, DATA_KEYS.c.wrapped).where(DATA_KEYS.c.subject == subject)).first()
        return None if row is None else (row.key, AESGCM(self._keys.unwrap(row.key, row.wrapped)))

    def _made(self, subject: str) -> tuple[str, AESGCM]:
        name, secret = new_data_key()
        self._new.append({"key": name, "subject": subject, "wrapped": self._keys.wrap(name, secret)})
        return name, AESGCM(secret)
