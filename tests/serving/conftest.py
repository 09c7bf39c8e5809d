"""Receipts that are kept in memory: signed with a key of their own, and refused when they are told to fail."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

import pytest

from models.seal import Key
from serving.receipts.keys import ReceiptKeys
from serving.receipts.record import Draft, NoReceipt, Signed


@dataclass
class Remembered:
    """What was recorded, in order; with `fault` nothing is, and when `slow` not before `release`."""

    drafts: list[Draft] = field(default_factory=list)
    groups: list[int] = field(default_factory=list)
    fault: str = ""
    slow: bool = False
    waiting: list[tuple[Sequence[Draft], Future[list[Signed]]]] = field(default_factory=list)
    keys: ReceiptKeys = field(default_factory=lambda: ReceiptKeys(Key(b"k" * 32)))

    @property
    def public_key(self) -> str:
        return self.keys.public_key

    def submit(self, drafts: Sequence[Draft]) -> Future[list[Signed]]:
        found: Future[list[Signed]] = Future()
        if self.fault:
            found.set_exception(NoReceipt(self.fault))
        elif self.slow:
            self.waiting.append((drafts, found))
        else:
            found.set_result(self.record(drafts))
        return found

    def release(self) -> None:
        """Records what waits, but for what was withdrawn."""
        while self.waiting:
            drafts, found = self.waiting.pop(0)
            if found.set_running_or_notify_cancel():
                found.set_result(self.record(drafts))

    def record(self, drafts: Sequence[Draft]) -> list[Signed]:
        if self.fault:
            raise NoReceipt(self.fault)
        first = len(self.drafts) + 1
        self.drafts += drafts
        self.groups.append(len(drafts))
        digests = [f"{place:064x}" for place in range(first, first + len(drafts))]
        return [self.keys.sign("s", first + at, digest, "2026-11-23T00:00:00.000000Z") for at, digest in enumerate(digests)]

    def ready(self) -> str:
        return self.fault


@pytest.fixture
def receipts() -> Remembered:
    return Remembered()
