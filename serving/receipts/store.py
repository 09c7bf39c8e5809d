"""The receipts as they are read: one record after another, and each content with the key of its patient.

Reading disturbs no writer, and alters nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection, Engine, Select, and_, select

from serving.receipts.heads import HEADS
from serving.receipts.keys import ReceiptKeys, decrypt
from serving.receipts.place import DATABASE as DATABASE
from serving.receipts.place import FAILURES, Place, place_of, unreadable
from serving.receipts.record import FORMAT, KINDS, BrokenReceipt, Record
from serving.receipts.tables import DATA_KEYS, RECORDS, STORE

_BLOCK = 1000  # records read at once


class NoStore(BrokenReceipt):
    """There are no receipts where some are looked for, or no database that can be read as such."""


class Erased(Exception):
    """A content that can be read by nobody any more: its key was erased on request."""


@dataclass(frozen=True)
class Store:
    """The receipts of one folder, for reading."""

    folder: Path
    heads: Path
    id: str
    created: str
    public_key: str
    place: Place = field(repr=False)
    engine: Engine = field(repr=False)

    @classmethod
    def open(cls, folder: Path, *, heads: Path | None = None, database: str = "") -> Store:
        """The receipts in `folder`, whose records may lie in a `database` (URL of PostgreSQL); NoStore where there are none."""
        place = place_of(folder, database)
        if place.fault():
            raise NoStore(f"there are no receipts in {folder}: no {DATABASE}")
        engine = place.reading()
        try:
            with engine.connect() as connection:
                id, created, public_key, _ = described(connection, place)
        except FAILURES as error:
            raise NoStore(f"{place.name} cannot be read as receipts ({getattr(error, 'orig', None) or error})") from error
        return cls(folder, heads or folder / HEADS, id, created, public_key, place, engine)

    def records(self, after: int = 0, upto: int | None = None) -> Iterator[Record]:
        """The records from `after` + 1 to `upto` in their order, a block at a time."""
        asked = select(RECORDS).where(RECORDS.c.sequence > after).order_by(RECORDS.c.sequence)
        return self._read(asked if upto is None else asked.where(RECORDS.c.sequence <= upto))

    def backwards(self, before: int | None = None, after: int = 0, kinds: Sequence[str] = KINDS) -> Iterator[Record]:
        """The records of these kinds before that one (all, without it), down to `after` + 1: the last one first."""
        asked = select(RECORDS).where(RECORDS.c.sequence > after, RECORDS.c.kind.in_(kinds)).order_by(RECORDS.c.sequence.desc())
        return self._read(asked if before is None else asked.where(RECORDS.c.sequence < before))

    def rows(self, after: int = 0) -> Iterator[Sequence[Any]]:
        """The fields of each record after that one as they stand there, the data key it names, and whose that is (or None)."""
        key = and_(DATA_KEYS.c.key == RECORDS.c.key, RECORDS.c.key != "")
        asked = select(RECORDS, DATA_KEYS.c.wrapped, DATA_KEYS.c.subject).outerjoin(DATA_KEYS, key)
        return self._rows(asked.where(RECORDS.c.sequence > after).order_by(RECORDS.c.sequence))

    def unused_keys(self) -> Iterator[str]:
        """The data keys that no record names: none, unless somebody added them."""
        with self.engine.connect() as connection:
            yield from connection.execute(select(DATA_KEYS.c.key).except_(select(RECORDS.c.key))).scalars()

    def of_subject(self, subject: str) -> Iterator[Record]:
        """The records of one patient (`ReceiptKeys.subject`); of nobody in particular where it is empty."""
        return self._read(select(RECORDS).where(RECORDS.c.subject == subject).order_by(RECORDS.c.sequence))

    def of_digest(self, beginning: str) -> Iterator[Record]:
        """The records whose digest begins with these hex digits."""
        return self._read(select(RECORDS).where(RECORDS.c.digest.startswith(beginning)).order_by(RECORDS.c.sequence))

    def record(self, sequence: int) -> Record | None:
        """The record of that number, if there is one."""
        return next(self.records(sequence - 1, sequence), None)

    def last(self) -> Record | None:
        """The last record, if there is any."""
        return next(self._read(select(RECORDS).order_by(RECORDS.c.sequence.desc()).limit(1)), None)

    def wrapped(self, key: str) -> bytes | None:
        """A data key as it is kept; None where it was erased, or never was."""
        with self.engine.connect() as connection:
            found: bytes | None = connection.execute(select(DATA_KEYS.c.wrapped).where(DATA_KEYS.c.key == key)).scalar()
        return found

    def data_keys(self) -> Iterator[tuple[str, str, bytes]]:
        """Every data key: its name, whose it is, and the key as it is kept."""
        for row in self._rows(select(DATA_KEYS).order_by(DATA_KEYS.c.key)):
            yield row.key, row.subject, row.wrapped

    def content(self, record: Record, keys: ReceiptKeys) -> bytes:
        """What the record holds, decrypted. Raises Erased, and BrokenReceipt where it was altered or exchanged."""
        if not record.key:
            return record.payload
        wrapped = self.wrapped(record.key)
        if wrapped is None:
            raise Erased(f"the content of record {record.sequence} was erased")
        key = AESGCM(keys.unwrap(record.key, wrapped))
        return decrypt(key, record.payload, bound_to(record.key, record.subject), f"record {record.sequence}")

    def schema_faults(self) -> list[str]:
        """In what the database differs from the one that was made: a trigger that was dropped, a table that was added."""
        with self.engine.connect() as connection:
            return list(self.place.schema_faults(connection))

    def damage(self) -> list[str]:
        """What is wrong with the database beneath its tables; reads all of it."""
        with self.engine.connect() as connection:
            return list(self.place.damage(connection))

    def _rows(self, asked: Select[Any]) -> Iterator[Any]:
        """What is asked for, a block at a time; whoever goes away in the middle leaves nothing open."""
        with self.engine.connect() as connection, connection.execution_options(yield_per=_BLOCK).execute(asked) as rows:
            yield from rows

    def _read(self, asked: Select[Any]) -> Iterator[Record]:
        try:
            yield from map(as_record, self._rows(asked))
        except FAILURES as error:
            raise BrokenReceipt(f"the records cannot be read from the database: {unreadable(error)}") from error


def bound_to(key: str, subject: str) -> bytes:
    """What a payload is bound to: its key and its patient; under others it does not open."""
    return f"{key}\n{subject}".encode()


def as_record(row: Sequence[Any]) -> Record:
    """A row of the records, whose columns stand in the order of the fields."""
    return Record(*row)


def read_records(connection: Connection, after: int) -> Iterator[Record]:
    """The records after that one, on a connection that is open already."""
    return map(as_record, connection.execute(select(RECORDS).where(RECORDS.c.sequence > after).order_by(RECORDS.c.sequence)))


def described(connection: Connection, place: Place) -> tuple[str, str, str, int]:
    """The store's id, when it was made, its public key and its format; NoStore where it is not one of this program."""
    found = connection.execute(select(STORE)).all()
    if len(found) != 1 or found[0].format != FORMAT:
        raise NoStore(f"{place.name} holds no receipts of format {FORMAT}")
    id, created, public_key, form = found[0]
    return id, created, public_key, form
