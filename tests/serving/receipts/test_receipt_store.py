"""The store: what was recorded is read again to the byte, by whoever has the key, and altered by nobody."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import MetaData, text
from sqlalchemy.exc import OperationalError

from models.seal import Key
from serving.receipts.heads import HEADS
from serving.receipts.keys import ReceiptKeys
from serving.receipts.record import SCORE, BrokenReceipt, Draft
from serving.receipts.store import DATABASE, NoStore, Store
from serving.receipts.tables import METADATA
from serving.receipts.writer import Writer, open_writer


def drafts(*contents: bytes, id: str = "p-1") -> list[Draft]:
    return [Draft(SCORE, id, content) for content in contents]


def test_what_was_recorded_is_read_again_to_the_byte(writer: Writer, folder: Path, keys: ReceiptKeys) -> None:
    writer.record([*drafts(b"one", b""), Draft(SCORE, "", b"\x00\xff")])
    store = Store.open(folder)
    assert [store.content(record, keys) for record in store.records()] == [b"one", b"", b"\x00\xff"]
    assert [record.sequence for record in store.records(1, 2)] == [2]
    assert (store.record(4), store.last()) == (None, store.record(3))


def test_a_patient_s_receipts_are_found_by_the_keyed_hash_of_the_pseudonym(
    writer: Writer, folder: Path, keys: ReceiptKeys
) -> None:
    writer.record([*drafts(b"a"), *drafts(b"b", id="p-2"), *drafts(b"c")])
    found = Store.open(folder).of_subject(keys.subject("p-1"))
    assert [record.sequence for record in found] == [1, 3]


def test_neither_pseudonym_nor_content_lies_in_the_folder(writer: Writer, folder: Path) -> None:
    writer.record([Draft(SCORE, "patient-4711", b"a content that nobody should see")])
    written = b"".join(path.read_bytes() for path in folder.iterdir())
    assert b"patient-4711" not in written
    assert b"nobody should see" not in written


def test_one_patient_has_one_key_and_a_record_of_nobody_its_own(writer: Writer, folder: Path) -> None:
    writer.record([*drafts(b"a", b"b"), *drafts(b"c", b"d", id="")])
    named = [record.key for record in Store.open(folder).records()]
    assert named[0] == named[1]
    assert len(set(named)) == 3 == len(list(Store.open(folder).data_keys()))


def test_a_content_opens_with_its_own_keys_and_in_its_own_place_alone(
    writer: Writer, folder: Path, keys: ReceiptKeys
) -> None:
    writer.record([*drafts(b"a"), *drafts(b"b", id="p-2")])
    store = Store.open(folder)
    first, second = store.records()
    with pytest.raises(BrokenReceipt, match="does not open"):
        store.content(first, ReceiptKeys(Key(b"o" * 32)))
    with pytest.raises(BrokenReceipt, match="record 1 does not open"):
        store.content(replace(first, payload=second.payload), keys)
    with pytest.raises(BrokenReceipt, match="record 1 does not open"):
        store.content(replace(first, subject=second.subject), keys)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE records SET time = ''",
        "DELETE FROM records",
        "UPDATE store SET public_key = ''",
        "DELETE FROM store",
        "UPDATE data_keys SET subject = ''",
        "REPLACE INTO records SELECT sequence, '', kind, subject, key, payload, head, previous, digest, seal FROM records",
        "REPLACE INTO store SELECT id, created, '', format FROM store",
        "INSERT INTO store SELECT 'another', created, public_key, format FROM store",
        "REPLACE INTO data_keys SELECT key, '', wrapped FROM data_keys",
        "INSERT INTO records SELECT 9, time, kind, subject, key, payload, head, previous, digest, seal FROM records",
    ],
)
def test_the_database_itself_refuses_to_alter_what_was_written(writer: Writer, folder: Path, statement: str) -> None:
    writer.record(drafts(b"a"))
    with sqlite3.connect(folder / DATABASE) as connection, pytest.raises(sqlite3.IntegrityError, match="never altered"):
        connection.execute(statement)
    connection.close()


def test_the_tables_are_made_as_ever_to_the_byte(writer: Writer, folder: Path) -> None:
    """A store made by an earlier version is held against what this one would make: anything else is an alarm there."""
    with sqlite3.connect(folder / DATABASE) as connection:
        made = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY 1, 2").fetchall()
    connection.close()
    of_version_0_1 = "b4b9c954aaa14d286aaac5330023e45594d91b3b31ee56394d761cfabf8a0ab4"
    assert hashlib.sha256(json.dumps(made).encode()).hexdigest() == of_version_0_1


def test_the_tables_that_are_read_are_those_that_the_migrations_make(writer: Writer, folder: Path) -> None:
    made = MetaData()
    with Store.open(folder).engine.connect() as connection:
        made.reflect(connection)
    for table in METADATA.tables.values():
        there = made.tables[table.name]
        assert [(one.name, str(one.type), one.primary_key, one.nullable) for one in table.columns] == [
            (one.name, str(one.type), one.primary_key, one.nullable) for one in there.columns
        ]
        assert {one.name for one in table.indexes} == {one.name for one in there.indexes}


def test_receipts_on_a_volume_that_nobody_writes_to_are_read(
    folder: Path, keys: ReceiptKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_writer(folder, keys) as opened:
        opened.record(drafts(b"a"))
    monkeypatch.setattr(os, "access", lambda *_: False)
    store = Store.open(folder)
    assert [store.content(record, keys) for record in store.records()] == [b"a"]
    assert sorted(path.name for path in folder.iterdir()) == [HEADS, "lock", DATABASE]


def test_whoever_reads_cannot_write(writer: Writer, folder: Path) -> None:
    with Store.open(folder).engine.connect() as connection, pytest.raises(OperationalError, match="readonly"):
        connection.execute(text("DELETE FROM data_keys"))


def test_a_trigger_that_was_dropped_and_a_table_that_was_added_are_told(writer: Writer, folder: Path) -> None:
    assert Store.open(folder).schema_faults() == []
    with sqlite3.connect(folder / DATABASE) as connection:
        connection.execute("DROP TRIGGER no_update_of_records")
        connection.execute("CREATE TABLE more (a)")
    connection.close()
    faults = Store.open(folder).schema_faults()
    assert faults == ["the trigger no_update_of_records is missing", "there is a table too many: more"]


def test_where_there_are_no_receipts_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(NoStore, match="there are no receipts"):
        Store.open(tmp_path)
    (tmp_path / DATABASE).write_bytes(b"something else" * 100)
    with pytest.raises(NoStore, match="cannot be read as receipts"):
        Store.open(tmp_path)
