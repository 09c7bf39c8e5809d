"""The keys of the receipts: one secret file, and what is derived from it for sealing, signing, hiding and encrypting.

Only the public key leaves the operator: with it anybody can check what was signed. Ed25519 is RFC 8032 (2017), AES-GCM NIST
SP 800-38D (2007).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from models.seal import Key
from models.seal_key import RECEIPTS, read_key, read_or_make_key
from serving.receipts.record import BrokenReceipt, Signed, statement

_NONCE = 12  # bytes
_SUBJECT = 32  # hex digits of the keyed hash of a patient's pseudonym


@dataclass(frozen=True)
class ReceiptKeys:
    """Everything derived from the secret of the receipts; the secret itself is never used for anything else."""

    secret: Key = field(repr=False)

    @cached_property
    def sealing(self) -> Key:
        """Seals records and the verifier's mark (`models.seal`)."""
        return self.secret.derived("sealing")

    @cached_property
    def _signing(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.secret.derived("signing").secret)

    @cached_property
    def _hiding(self) -> Key:
        return self.secret.derived("hiding")

    @cached_property
    def _wrapping(self) -> AESGCM:
        return AESGCM(self.secret.derived("wrapping").secret)

    @cached_property
    def public_key(self) -> str:
        """64 hex digits, for whoever checks what was signed."""
        return self._signing.public_key().public_bytes_raw().hex()

    def subject(self, id: str) -> str:
        """The keyed hash under which a patient's records are found again; "" where no pseudonym was given."""
        return self._hiding.seal("patient", id)[:_SUBJECT] if id else ""

    def sign(self, store: str, sequence: int, digest: str, time: str) -> Signed:
        """The signed statement of one record."""
        signature = self._signing.sign(statement(store, sequence, digest, time))
        return Signed(store, sequence, digest, time, signature.hex())

    def wrap(self, name: str, data_key: bytes) -> bytes:
        """A data key, encrypted so that it can be kept in the store; it opens under its own name alone."""
        return encrypt(self._wrapping, data_key, name.encode())

    def unwrap(self, name: str, wrapped: bytes) -> bytes:
        """The data key; BrokenReceipt where it is not the one that was kept under this name."""
        return decrypt(self._wrapping, wrapped, name.encode(), f"data key {name}")


def read_keys(given: Path | None = None) -> ReceiptKeys:
    """The keys of `models.seal_key.key_path(given, RECEIPTS)`; InvalidKey where there is no such file."""
    return ReceiptKeys(read_key(given, RECEIPTS))


def read_or_make_keys(given: Path | None, say: Callable[[str], object]) -> ReceiptKeys:
    """The same; where there is no file a new one is made, and `say` hears that a copy must be kept."""
    return ReceiptKeys(read_or_make_key(given, say, RECEIPTS))


def verify(public_key: str, signed: Signed, called: str) -> None:
    """BrokenReceipt unless the statement was signed with the private key of `public_key` (64 hex digits)."""
    try:
        key, signature = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key)), bytes.fromhex(signed.signature)
        key.verify(signature, statement(signed.store, signed.sequence, signed.digest, signed.time))
    except (InvalidSignature, ValueError) as error:
        raise BrokenReceipt(f"{called} does not bear a signature of the key {public_key[:16]}...") from error


def new_data_key() -> tuple[str, bytes]:
    """A new name (32 hex digits) and 32 random bytes: the key of one patient, or of one record of nobody in particular."""
    return secrets.token_hex(16), secrets.token_bytes(32)


def encrypt(key: AESGCM, content: bytes, bound_to: bytes) -> bytes:
    """Nonce and ciphertext; `bound_to` must be the same on decryption."""
    nonce = secrets.token_bytes(_NONCE)
    return nonce + key.encrypt(nonce, content, bound_to)


def decrypt(key: AESGCM, sealed: bytes, bound_to: bytes, called: str) -> bytes:
    """The content; BrokenReceipt where it was not encrypted with this key, for this place."""
    try:
        return key.decrypt(sealed[:_NONCE], sealed[_NONCE:], bound_to)
    except (InvalidTag, ValueError) as error:
        raise BrokenReceipt(f"{called} does not open: altered, exchanged, or encrypted with another key") from error
