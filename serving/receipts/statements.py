"""What was signed and is kept somewhere: the heads beside the store, a copy of them elsewhere, a receipt that a caller was given.

Heads are read one at a time, and their signatures are checked beside the walk along the chain, by as many threads as there are
processors (checking one takes 100 microseconds, in which others may run).
"""

from __future__ import annotations

import json
import os
import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from models.seal import canonical
from serving.receipts.record import BrokenReceipt, Signed, statement

Named = tuple[Signed, str]  # and what it is called: "head 12", "answer.json"
_FIELDS = {"digest": str, "sequence": int, "signature": str, "store": str, "time": str}
_SIGNATURE = re.compile("[0-9a-f]{128}")
_BATCH, _WAITING = 200, 64  # signatures checked at a time; batches that may wait


class Signer:
    """One public key, and the store in which it signs."""

    def __init__(self, store: str, public_key: str) -> None:
        self.store, self.public_key = store, public_key
        try:
            self._key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key))
        except ValueError as error:
            raise BrokenReceipt(f"{public_key[:64]} is no public key") from error

    def named(self, found: object, called: str) -> Named:
        """A statement of this store, as JSON (a receipt names its public key besides); its signature is not looked at."""
        bare = dict(found) if isinstance(found, dict) else {}
        if bare.pop("public_key", self.public_key) != self.public_key:
            raise BrokenReceipt(f"{called} names another public key")
        if {name: type(value) for name, value in bare.items()} != _FIELDS or bare["sequence"] < 1:
            raise BrokenReceipt(f"{called} is no signed statement as this program writes it")
        if bare["store"] != self.store:
            raise BrokenReceipt(f"{called} is of another store")
        return Signed(**bare), called

    def require(self, named: Named) -> None:
        """BrokenReceipt unless it bears its signature."""
        one, called = named
        try:
            if not _SIGNATURE.fullmatch(one.signature):
                raise InvalidSignature
            self._key.verify(bytes.fromhex(one.signature), statement(one.store, one.sequence, one.digest, one.time))
        except (InvalidSignature, UnicodeEncodeError) as error:
            raise BrokenReceipt(f"{called} does not bear a signature of the key {self.public_key[:16]}...") from error

    def require_same(self, named: Named, digest: str) -> None:
        """BrokenReceipt where another record was signed than the one of this digest."""
        if named[0].digest != digest:
            self.require(named)  # or nothing of the kind was signed
            raise BrokenReceipt(f"record {named[0].sequence} is not the one that was signed: {named[1]} names another digest")

    def heads(self, path: Path, at: int = 0, after: int = 0) -> Iterator[tuple[int, Named]]:
        """Where each head begins (bytes) and the head, from byte `at`; each of a later record than the one before (`after`).

        An unfinished last line is none: a program is writing it, or was stopped while it wrote.
        """
        with path.open("rb") as file:
            file.seek(at)
            for line in file:
                if line.endswith(b"\n"):
                    called = f"{path.name}: the head after record {after}"
                    named = self.named(written(line, called), called)
                    if named[0].sequence <= after:
                        raise BrokenReceipt(f"{called} names record {named[0].sequence}: heads were moved or doubled")
                    yield at, named
                    at, after = at + len(line), named[0].sequence

    def witnessed(self, path: Path) -> Iterator[Named]:
        """The heads in a copy kept elsewhere, which may hold some of them only, and one twice."""
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if line.endswith(b"\n"):
                    called = f"{path.name}: line {number}"
                    yield self.named(written(line, called), called)


class Checking:
    """Signatures checked beside other work; leaving it, all of them are."""

    def __init__(self, signer: Signer) -> None:
        self._signer, self._pool = signer, ThreadPoolExecutor(os.cpu_count())
        self._batch: list[Named] = []
        self._waiting: deque[Future[None]] = deque()

    def add(self, named: Named) -> None:
        """One more; BrokenReceipt where an earlier one does not bear its signature."""
        self._batch.append(named)
        if len(self._batch) == _BATCH:
            self._submit()
            if len(self._waiting) > _WAITING:
                self._waiting.popleft().result()

    def end(self) -> None:
        """Wait for all; BrokenReceipt for the first that does not bear its signature."""
        self._submit()
        while self._waiting:
            self._waiting.popleft().result()

    def close(self) -> None:
        """Give up what was not begun."""
        self._pool.shutdown(cancel_futures=True)

    def _submit(self) -> None:
        self._waiting.append(self._pool.submit(self._require, self._batch))
        self._batch = []

    def _require(self, batch: Iterable[Named]) -> None:
        for named in batch:
            self._signer.require(named)


def kept_elsewhere(signer: Signer, witnesses: Iterable[Path], answers: Iterable[Path]) -> dict[int, list[Named]]:
    """The heads of witnesses and the receipts in answers, by record, their signatures checked; BrokenReceipt for a bad one."""
    found = [named for path in witnesses for named in signer.witnessed(path)]
    found += [signer.named(receipt, path.name) for path in answers for receipt in receipts(path)]
    kept: dict[int, list[Named]] = {}
    checking = Checking(signer)
    try:
        for named in found:
            kept.setdefault(named[0].sequence, []).append(named)
            checking.add(named)
        checking.end()
    finally:
        checking.close()
    return kept


def written(line: bytes, called: str) -> object:
    """The JSON in a line that this program wrote, which is canonical to the byte."""
    try:
        found: object = json.loads(line)
        if canonical(found) + b"\n" == line:
            return found
    except (ValueError, RecursionError):  # what bytes that are no JSON, or JSON of another kind, raise
        pass
    raise BrokenReceipt(f"{called} is not as this program writes it: damaged, or altered by hand")


def receipts(path: Path) -> list[Any]:
    """The receipts in an answer as a caller kept it: of one patient, of several, or the receipt alone. BrokenReceipt for none."""
    try:
        found = list(_receipts(json.loads(path.read_bytes(), object_pairs_hook=_once, parse_constant=int)))
    except (ValueError, RecursionError) as error:
        raise BrokenReceipt(f"{path.name} is no strict JSON") from error
    if not found:
        raise BrokenReceipt(f"{path.name} holds no receipt: allowed is an answer, or the receipt in it")
    return found


def _receipts(document: Any) -> Iterator[Any]:
    if isinstance(document, list):
        yield from (one for part in document for one in _receipts(part))
    elif isinstance(document, Mapping):
        whole = "signature" in document
        yield from [document] if whole else _receipts(document.get("receipt", document.get("scores")))


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(found := dict(pairs)) != len(pairs):
        raise ValueError("a key stands twice")
    return found
