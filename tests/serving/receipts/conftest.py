"""Receipts of a test's own: a key, a folder, a writer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from models.seal import Key
from serving.receipts.keys import ReceiptKeys
from serving.receipts.writer import Writer, open_writer


@pytest.fixture(scope="session")
def keys() -> ReceiptKeys:
    return ReceiptKeys(Key(b"r" * 32))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where receipts may be kept; nothing is there yet."""
    return tmp_path / "receipts"


@pytest.fixture
def writer(folder: Path, keys: ReceiptKeys) -> Iterator[Writer]:
    with open_writer(folder, keys) as opened:
        yield opened
