"""Receipts of a test's own: a key, a folder, a writer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from postgres import Server, programs, receipts_database, server

from models.seal import Key
from serving.receipts.keys import ReceiptKeys
from serving.receipts.writer import Writer, open_writer

_NUMBERS = count(1)  # of databases


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


@pytest.fixture(scope="session")
def postgres(debian: Callable[[str, str | None], str]) -> Iterator[Server]:
    """A PostgreSQL of our own, which ends with these tests."""
    with server(debian("postgresql", programs())) as found:
        yield found


@pytest.fixture(scope="session")
def prepared(postgres: Server) -> str:
    """The name of a database with the tables of receipts, of which copies are made."""
    receipts_database(postgres, "prepared")
    return "prepared"


@pytest.fixture
def urls(postgres: Server, prepared: str) -> tuple[str, str]:
    """A database with the tables of receipts and nothing in them: its URL for the service, and for its owner."""
    name = f"receipts_{next(_NUMBERS)}"
    postgres.does(f"CREATE DATABASE {name} TEMPLATE {prepared} OWNER owner")
    return postgres.url(name, "service"), postgres.url(name, "owner")
