"""Erasure: the content is gone for ever and from every file, the chain stays whole and tells of it."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from serving.receipts.erasure import Nobody
from serving.receipts.keys import ReceiptKeys
from serving.receipts.record import ERASED, SCORE, Draft, NoReceipt, require_link, start
from serving.receipts.store import DATABASE, Erased, Store
from serving.receipts.writer import Writer


def drafts(*contents: bytes, id: str = "p-1") -> list[Draft]:
    return [Draft(SCORE, id, content) for content in contents]


def test_the_contents_of_a_patient_are_gone_and_those_of_others_are_there(
    writer: Writer, folder: Path, keys: ReceiptKeys
) -> None:
    writer.record([*drafts(b"a", b"b"), *drafts(b"c", id="p-2")])
    (receipt,) = writer.erase(by="B. Okoro", reason="asked for", subject=keys.subject("p-1"))
    store = Store.open(folder)
    first, second, third, told = store.records()
    for record in (first, second):
        with pytest.raises(Erased, match="was erased"):
            store.content(record, keys)
    assert store.content(third, keys) == b"c"
    assert (told.kind, receipt.sequence) == (ERASED, 4)
    assert json.loads(told.payload) == {
        "by": "B. Okoro", "key": first.key, "reason": "asked for", "subject": keys.subject("p-1"),
    }  # fmt: skip


def test_the_chain_stays_whole(writer: Writer, folder: Path, keys: ReceiptKeys) -> None:
    writer.record(drafts(b"a"))
    writer.erase(by="x", reason="y", sequence=1)
    writer.record(drafts(b"b"))
    store = Store.open(folder)
    previous = start(store.id)
    for place, record in enumerate(store.records(), 1):
        require_link(store.id, record, place, previous, keys.sealing)
        previous = record.digest


def test_no_file_holds_the_key_any_more(writer: Writer, folder: Path, keys: ReceiptKeys) -> None:
    writer.record(drafts(b"a"))
    ((_, _, wrapped),) = Store.open(folder).data_keys()
    assert any(wrapped in path.read_bytes() for path in folder.iterdir())
    writer.erase(by="x", reason="y", subject=keys.subject("p-1"))
    assert not any(wrapped in path.read_bytes() for path in folder.iterdir())


def test_what_somebody_who_reads_keeps_in_the_log_is_gone_when_that_ends(
    writer: Writer, folder: Path, keys: ReceiptKeys, caplog: pytest.LogCaptureFixture
) -> None:
    writer.record(drafts(*[b"a"] * 2001))
    store = Store.open(folder)
    ((_, _, wrapped),) = store.data_keys()
    reading = store.records()
    next(reading)
    writer.erase(by="x", reason="y", subject=keys.subject("p-1"))
    writer.record(drafts(b"b"))
    assert [record.message.partition(":")[0] for record in caplog.records] == ["somebody reads the receipts"]
    assert wrapped in (folder / f"{DATABASE}-wal").read_bytes()
    list(reading)
    writer.record(drafts(b"c"))
    assert not any(wrapped in path.read_bytes() for path in folder.iterdir())


def test_a_patient_scored_after_an_erasure_has_a_new_key(writer: Writer, folder: Path, keys: ReceiptKeys) -> None:
    writer.record(drafts(b"a"))
    writer.erase(by="x", reason="y", subject=keys.subject("p-1"))
    writer.record(drafts(b"b"))
    store = Store.open(folder)
    first, _, third = store.records()
    assert (first.key != third.key, store.content(third, keys)) == (True, b"b")


def test_one_record_of_nobody_in_particular_is_erased_by_its_number(writer: Writer, folder: Path, keys: ReceiptKeys) -> None:
    writer.record(drafts(b"a", b"b", id=""))
    writer.erase(by="x", reason="y", sequence=2)
    store = Store.open(folder)
    first, second, _ = store.records()
    assert store.content(first, keys) == b"a"
    with pytest.raises(Erased, match="record 2"):
        store.content(second, keys)


def test_there_is_nothing_to_erase_of_nobody_or_twice(writer: Writer, folder: Path, keys: ReceiptKeys) -> None:
    writer.record(drafts(b"a"))
    with pytest.raises(Nobody, match="nothing to erase"):
        writer.erase(by="x", reason="y", subject=keys.subject("p-9"))
    writer.erase(by="x", reason="y", sequence=1)
    for asked in ({"sequence": 1}, {"subject": keys.subject("p-1")}, {"sequence": 2}):
        with pytest.raises(Nobody, match="nothing to erase"):
            writer.erase(by="x", reason="y", **asked)  # type: ignore[arg-type]
    assert writer.record(drafts(b"b"))[0].sequence == 3


def test_an_erasure_that_could_not_be_recorded_erases_nothing(writer: Writer, folder: Path, keys: ReceiptKeys) -> None:
    writer.record(drafts(b"a"))
    with sqlite3.connect(folder / DATABASE, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(NoReceipt, match="locked"):
            writer.erase(by="x", reason="y", sequence=1)
        other.execute("ROLLBACK")
    other.close()
    store = Store.open(folder)
    assert [store.content(record, keys) for record in store.records()] == [b"a"]
