"""A seal shows whether a record is still what it was when it was written: a chain of digests, each closed with a secret key.

Digests alone show damage: whoever alters a record can compute them anew. The seal (HMAC-SHA-256; RFC 2104, 1997) cannot be made
without the key, which is kept apart from what it seals. The promotion ledger and the receipts of scores use the same.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

START = "0" * 64  # what the first record of a chain names as the one before it


class BrokenSeal(ValueError):
    """What is sealed is not as it was sealed, or cannot be checked.

    The rule it defends: nothing that fails its seal is used, and the message says what is wrong with it.
    """


@dataclass(frozen=True)
class Key:
    """A secret of 32 bytes; whoever holds it can seal and can check, and nobody else can seal."""

    secret: bytes = field(repr=False)

    @property
    def name(self) -> str:
        """Sixteen hex digits by which a record says with which key it was sealed; they do not give the key away."""
        return hashlib.sha256(b"lymphorisk key " + self.secret).hexdigest()[:16]

    def derived(self, purpose: str) -> Key:
        """The key for one purpose: it gives away neither this one nor those for other purposes."""
        return Key(hmac.new(self.secret, b"lymphorisk key for " + purpose.encode(), hashlib.sha256).digest())

    def seal(self, purpose: str, document: object) -> str:
        """The seal of `document`, 64 hex digits; a seal made for one purpose is worth nothing for another."""
        return hmac.new(self.secret, canonical([purpose, document]), hashlib.sha256).hexdigest()

    def require(self, purpose: str, document: object, seal: object, sealed_with: object) -> None:
        """BrokenSeal unless `seal` is the one this key makes of `document`."""
        if sealed_with != self.name:
            raise BrokenSeal(f"was sealed with another key ({sealed_with}); the key at hand is {self.name}")
        if not hmac.compare_digest(self.seal(purpose, document).encode(), str(seal).encode(errors="replace")):
            raise BrokenSeal("does not bear its seal: written or altered by somebody without the key")


@dataclass(frozen=True)
class Link:
    """One record of a chain: its place (from 1), the digest of the one before it, and its own, by which the next will name it."""

    sequence: int
    previous: str
    record: Mapping[str, Any]
    digest: str


def canonical(document: object) -> bytes:
    """Canonical JSON: UTF-8, keys in the order given by sorting, no blanks, no NaN."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def digest_of(document: object) -> str:
    """SHA-256 of canonical JSON, 64 hex digits."""
    return hashlib.sha256(canonical(document)).hexdigest()


def sealed(purpose: str, document: Mapping[str, object], key: Key) -> bytes:
    """`document` as one line of canonical JSON with the name of the key and the seal, which are fields of their own."""
    return canonical({**document, "key": key.name, "seal": key.seal(purpose, document)}) + b"\n"


def unsealed(purpose: str, line: bytes, key: Key) -> dict[str, Any]:
    """What `sealed` was given; BrokenSeal says what is wrong with the line."""
    document = _as_written(line)
    seal, sealed_with = document.pop("seal", None), document.pop("key", None)
    key.require(purpose, document, seal, sealed_with)
    return document


def link(purpose: str, record: Mapping[str, object], sequence: int, previous: str, key: Key) -> bytes:
    """The line of the next record of a chain."""
    rest = {"previous": previous, "record": record, "sequence": sequence}
    return sealed(purpose, {**rest, "digest": digest_of(rest)}, key)


def read_link(purpose: str, line: bytes, sequence: int, previous: str, key: Key) -> Link:
    """The record that the line holds, as the one of this place; BrokenSeal says what is wrong with it."""
    document = _as_written(line)
    rest = {name: document.get(name) for name in ("previous", "record", "sequence")}
    if document.get("digest") != digest_of(rest):
        raise BrokenSeal("was altered: what it says has another digest than the one it carries")
    record = unsealed(purpose, line, key)
    if record["sequence"] != sequence:
        raise BrokenSeal(f"carries the number {record['sequence']} where {sequence} is due: a line was removed, added or moved")
    if record["previous"] != previous:
        raise BrokenSeal("does not follow the line before it: that one was replaced, or this one is from another chain")
    return Link(sequence, previous, record["record"], record["digest"])


def _as_written(line: bytes) -> dict[str, Any]:
    """The object in the line, which must be canonical to the byte: no second reading of the same bytes is possible."""
    try:
        document = json.loads(line)
        if isinstance(document, dict) and canonical(document) + b"\n" == line:
            return document
    except (ValueError, RecursionError):  # what bytes that are no JSON, or JSON of another kind, raise
        pass
    raise BrokenSeal("is not as this program writes it: damaged, or altered by hand")
