"""A record of the chain: who was scored is hidden, what was said is encrypted, and neither can be changed unseen.

The chain runs over ciphertext, so that whoever checks it need read no patient, and a patient whose key was erased breaks nothing.
Each record carries the digest of the one before it, its own, the HMAC seal of the operator, and the number of the last signed
head that was durable when it was written: a head file that was cut back afterwards contradicts the records it once covered.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, fields
from typing import Any

from models.seal import BrokenSeal, Key, canonical, digest_of

FORMAT = 1
SCORE, OPENED, SIGNED_AGAIN, CLOCK_SET_BACK, ERASED = "score", "opened", "signed again", "clock set back", "erased"
ACCESS = "access"  # somebody looked at receipts, took them away, signed in, or was turned back
KINDS = (SCORE, OPENED, SIGNED_AGAIN, CLOCK_SET_BACK, ERASED, ACCESS)
_SEAL, _STATEMENT = "receipt", "lymphorisk receipt"


class BrokenReceipt(BrokenSeal):
    """A record or a head that is not as it was written; the message says which and how."""


class NoReceipt(Exception):
    """No receipt could be made durable; `reason` says why, and holds no value of a patient.

    The rule it defends: a score that is not recorded is not shown.
    """

    def __init__(self, reason: str):
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Draft:
    """What is to be recorded: its kind, the patient's pseudonym ("" where none was given), and the content before encryption."""

    kind: str
    id: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Record:
    """One record: its place (from 1), when (UTC), what, of whom (keyed hash), under which data key, and the links of the chain.

    `payload` is nonce and ciphertext; where `key` is empty (events, which tell of no patient) it is plain canonical JSON.
    """

    sequence: int
    time: str  # 2026-11-23T02:47:54.123456Z
    kind: str
    subject: str
    key: str
    payload: bytes
    head: int  # the sequence of the last head that was durable when this was written; 0 before the first
    previous: str
    digest: str
    seal: str


@dataclass(frozen=True, slots=True)
class Signed:
    """A statement signed with Ed25519: in this store, the record of this number has this digest. Heads and receipts are such."""

    store: str
    sequence: int
    digest: str
    time: str
    signature: str  # 128 hex digits

    def as_json(self) -> dict[str, Any]:
        """A line of the head file; the receipt in an answer, to which the public key is added there."""
        return {name: getattr(self, name) for name in ("digest", "sequence", "signature", "store", "time")}


FIELDS = tuple(field.name for field in fields(Record))


def start(store: str) -> str:
    """What the first record of a store names as the one before it: no chain of another store fits."""
    return digest_of({"format": FORMAT, "lymphorisk receipts": store})


def statement(store: str, sequence: int, digest: str, time: str) -> bytes:
    """The bytes that are signed for a record: canonical JSON of a list."""
    return canonical([_STATEMENT, store, sequence, digest, time])


def digest_of_record(store: str, record: Record) -> str:
    """SHA-256 of the record's header as canonical JSON; the payload stands in it as its own SHA-256."""
    return digest_of(
        {
            "head": record.head,
            "key": record.key,
            "kind": record.kind,
            "payload": hashlib.sha256(record.payload).hexdigest(),
            "previous": record.previous,
            "sequence": record.sequence,
            "store": store,
            "subject": record.subject,
            "time": record.time,
        }
    )


def seal_of(key: Key, digest: str) -> str:
    """The operator's seal of a record, over its digest."""
    return key.seal(_SEAL, digest)


def require_link(store: str, record: Record, sequence: int, previous: str, key: Key | None) -> None:
    """BrokenReceipt unless `record` is the one of this place, as it was written; without the key the seal is not looked at."""
    if record.sequence != sequence:
        raise BrokenReceipt(f"record {sequence} is missing: record {record.sequence} stands in its place")
    if record.digest != digest_of_record(store, record):
        raise BrokenReceipt(f"record {sequence} was altered: what it says has another digest than the one it carries")
    if record.previous != previous:
        raise BrokenReceipt(f"record {sequence} does not follow the one before it: one of them was replaced")
    if key is not None and not hmac.compare_digest(record.seal.encode(), seal_of(key, record.digest).encode()):
        raise BrokenReceipt(f"record {sequence} does not bear its seal: written or altered by somebody without the key")
    if not 0 <= record.head < sequence:
        raise BrokenReceipt(f"record {sequence} names head {record.head}, which cannot have been signed before it")
