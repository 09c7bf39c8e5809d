"""The writer: whatever is acknowledged is in the chain, in order, signed; whatever cannot be is refused, and it goes on."""

from __future__ import annotations

import contextlib
import datetime
import os
import shutil
import sqlite3
import threading
from collections.abc import Sequence
from concurrent.futures import CancelledError
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.seal import Key
from serving.receipts import group
from serving.receipts.heads import HEADS, head_line, read_heads
from serving.receipts.keys import ReceiptKeys, verify
from serving.receipts.record import CLOCK_SET_BACK, SCORE, BrokenReceipt, Draft, NoReceipt, Record, Signed, require_link, start
from serving.receipts.store import DATABASE, Store
from serving.receipts.writer import Writer, open_writer


def drafts(*contents: bytes, id: str = "p-1") -> list[Draft]:
    return [Draft(SCORE, id, content) for content in contents]


def require_whole(folder: Path, keys: ReceiptKeys) -> list[Record]:
    """Walk the chain by the rules alone, and hold every head against it; the records."""
    store = Store.open(folder)
    previous, records = start(store.id), list(store.records())
    for place, record in enumerate(records, 1):
        require_link(store.id, record, place, previous, keys.sealing)
        previous = record.digest
    heads = read_heads(folder / HEADS)
    for head in heads:
        verify(keys.public_key, head, "head")
        assert records[head.sequence - 1].digest == head.digest
    assert [head.sequence for head in heads] == sorted({head.sequence for head in heads})
    return records


def test_receipts_come_in_the_order_of_the_drafts_and_each_is_signed(writer: Writer, folder: Path, keys: ReceiptKeys) -> None:
    receipts = writer.record(drafts(b"a", b"b", b"c"))
    records = require_whole(folder, keys)
    assert [(one.sequence, one.digest) for one in receipts] == [(one.sequence, one.digest) for one in records]
    for receipt in receipts:
        verify(writer.public_key, receipt, "receipt")


def test_the_last_receipt_of_a_group_is_the_head_that_covers_it(writer: Writer, folder: Path) -> None:
    receipts = writer.record(drafts(b"a", b"b"))
    assert read_heads(folder / HEADS)[-1] == receipts[-1]


@settings(max_examples=15, deadline=None)
@given(st.lists(st.lists(st.tuples(st.sampled_from(["", "a", "b"]), st.binary(max_size=40)), max_size=5), max_size=12), st.data())
def test_any_submissions_by_any_number_of_threads_make_one_whole_chain(
    requests: list[list[tuple[str, bytes]]], data: st.DataObject
) -> None:
    keys = ReceiptKeys(Key(b"h" * 32))
    reopened = data.draw(st.integers(0, len(requests)))
    with TemporaryDirectory() as name:
        found: dict[int, list[Signed]] = {}
        for part in (requests[:reopened], requests[reopened:]):
            with open_writer(Path(name) / "r", keys) as writer:
                def ask(place: int, asked: Sequence[tuple[str, bytes]], writer: Writer = writer) -> None:
                    found[place] = writer.record([Draft(SCORE, id, content) for id, content in asked])

                threads = [threading.Thread(target=ask, args=(len(found) + at, one)) for at, one in enumerate(part)]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()
        records = require_whole(Path(name) / "r", keys)
        store = Store.open(Path(name) / "r")
        said = [[store.content(records[one.sequence - 1], keys) for one in found[place]] for place in sorted(found)]
    assert said == [[content for _, content in asked] for asked in requests]
    assert len(records) == sum(map(len, requests))


def test_what_waits_while_the_disk_is_busy_is_written_as_one_group(writer: Writer, folder: Path) -> None:
    writer.record(drafts(b"first"))
    with sqlite3.connect(folder / DATABASE, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        held = writer.submit(drafts(b"held"))
        waiting = [writer.submit(drafts(b"%d" % place)) for place in range(20)]
        with pytest.raises(NoReceipt, match="database is locked"):
            held.result(10)
        other.execute("ROLLBACK")
    other.close()
    given = {one.exception(10) is None for one in waiting}
    assert True in given or writer.record(drafts(b"later"))
    assert len(read_heads(folder / HEADS)) <= 3


def test_a_locked_database_refuses_receipts_and_recovers_by_itself(writer: Writer, folder: Path, keys: ReceiptKeys) -> None:
    with sqlite3.connect(folder / DATABASE, isolation_level=None) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(NoReceipt, match="locked"):
            writer.record(drafts(b"lost"))
        assert "locked" in writer.ready()
        other.execute("ROLLBACK")
    other.close()
    assert writer.record(drafts(b"kept"))[0].sequence == 1
    assert writer.ready() == ""
    require_whole(folder, keys)


def test_who_gave_up_before_the_group_began_is_not_written(writer: Writer, folder: Path) -> None:
    with sqlite3.connect(folder / DATABASE, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        held, withdrawn = writer.submit(drafts(b"held")), writer.submit(drafts(b"withdrawn"))
        gone = withdrawn.cancel()
        with contextlib.suppress(NoReceipt):
            held.result(10)
        other.execute("ROLLBACK")
    other.close()
    writer.record(drafts(b"later"))
    if gone:
        with pytest.raises(CancelledError):
            withdrawn.result(0)
        assert len(list(Store.open(folder).records())) == 1


def test_a_head_file_that_is_gone_stops_receipts_until_it_is_back(writer: Writer, folder: Path, keys: ReceiptKeys) -> None:
    writer.record(drafts(b"a"))
    aside = (folder / HEADS).rename(folder / "aside")
    for _ in range(2):
        with pytest.raises(NoReceipt, match="head file"):
            writer.record(drafts(b"b"))
    assert "head file" in writer.ready()
    shutil.copy(aside, folder / HEADS)  # another file with the same heads
    assert writer.record(drafts(b"c"))
    require_whole(folder, keys)


def test_a_head_file_cut_back_while_running_is_not_taken_up(writer: Writer, folder: Path) -> None:
    writer.record(drafts(b"a"))
    first = (folder / HEADS).read_bytes()
    writer.record(drafts(b"b"))
    (folder / HEADS).write_bytes(first)
    with pytest.raises(NoReceipt, match="does not end with head 2"):
        writer.record(drafts(b"c"))


def test_an_older_copy_of_the_database_is_not_written_to(writer: Writer, folder: Path, tmp_path: Path) -> None:
    writer.record(drafts(b"a"))
    with sqlite3.connect(folder / DATABASE) as there, sqlite3.connect(tmp_path / "older") as older:
        there.backup(older)
    there.close()
    older.close()
    writer.record(drafts(b"b"))
    for name in (DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm"):
        (folder / name).unlink()
    shutil.copy(tmp_path / "older", folder / DATABASE)
    for _ in range(2):
        with pytest.raises(NoReceipt, match="another file lies in the place of the database"):
            writer.record(drafts(b"c"))


def test_a_database_that_is_gone_stops_receipts_until_it_is_back(writer: Writer, folder: Path, keys: ReceiptKeys) -> None:
    writer.record(drafts(b"a"))
    aside = folder.rename(folder.with_name("aside"))
    with pytest.raises(NoReceipt, match="the database is missing"):
        writer.record(drafts(b"b"))
    assert "missing" in writer.ready()
    aside.rename(folder)
    assert writer.record(drafts(b"c"))[0].sequence == 2
    require_whole(folder, keys)


def test_a_log_of_the_database_that_was_removed_takes_nothing_with_it(writer: Writer, folder: Path, keys: ReceiptKeys) -> None:
    writer.record(drafts(b"a"))
    (folder / f"{DATABASE}-wal").unlink()
    assert writer.record(drafts(b"b"))[0].sequence == 2
    assert len(require_whole(folder, keys)) == 2


def test_a_clock_that_is_set_back_is_told_in_the_chain(
    writer: Writer, folder: Path, keys: ReceiptKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Earlier(datetime.datetime):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> datetime.datetime:  # type: ignore[override]
            return datetime.datetime.fromtimestamp(10**9, tz)

    writer.record(drafts(b"a"))
    monkeypatch.setattr(group.datetime, "datetime", Earlier)
    (receipt,) = writer.record(drafts(b"b"))
    writer.record(drafts(b"c"))
    monkeypatch.undo()
    assert [one.kind for one in require_whole(folder, keys)] == [SCORE, CLOCK_SET_BACK, SCORE, SCORE]
    assert (receipt.sequence, receipt.time) == (3, "2001-09-09T01:46:40.000000Z")


def test_a_second_process_refuses_to_write(writer: Writer, folder: Path, keys: ReceiptKeys) -> None:
    with pytest.raises(NoReceipt, match="another process writes"):
        open_writer(folder, keys)


def test_whoever_writes_beside_another_whose_lock_was_taken_away_gets_no_receipt_and_harms_nothing(
    writer: Writer, folder: Path, keys: ReceiptKeys
) -> None:
    writer.record(drafts(b"a"))
    (folder / "lock").unlink()
    with open_writer(folder, keys) as other:
        other.record(drafts(b"b"))
        for _ in range(2):
            with pytest.raises(NoReceipt, match="does not end with head 1"):
                writer.record(drafts(b"lost"))
        other.record(drafts(b"c"))
    require_whole(folder, keys)


def test_closed_receipts_take_nothing_and_what_waited_was_written(folder: Path, keys: ReceiptKeys) -> None:
    with open_writer(folder, keys) as writer:
        waiting = [writer.submit(drafts(b"a")) for _ in range(50)]
    assert [one.result(0)[0].sequence for one in waiting] == list(range(1, 51))
    with pytest.raises(NoReceipt, match="closed"):
        writer.record(drafts(b"b"))
    assert writer.ready() == "the receipts are closed"
    writer.close()
    with open_writer(folder, keys) as again:
        assert again.record(drafts(b"c"))[0].sequence == 51


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_writer_that_ends_before_its_time_lets_nobody_wait(
    writer: Writer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("nobody thought of this")

    monkeypatch.setattr(group.Chain, "write", broken)
    waiting = [writer.submit(drafts(b"a")) for _ in range(3)]
    for one in waiting:
        with pytest.raises(NoReceipt, match="closed"):
            one.result(10)
    assert writer.ready() == "the receipts are closed"
    with pytest.raises(NoReceipt, match="closed"):
        writer.record(drafts(b"b"))


def test_who_asks_whether_anything_can_be_written_has_it_tried_anew(writer: Writer, folder: Path) -> None:
    writer.record(drafts(b"a"))
    aside = (folder / HEADS).rename(folder / "aside")
    with pytest.raises(NoReceipt, match="the head file is missing"):
        writer.record(drafts(b"lost"))
    assert writer.ready() == "the head file is missing"
    aside.rename(folder / HEADS)
    assert writer.ready() == ""
    assert writer.record(drafts(b"b"))[0].sequence == 2


def test_while_the_disk_has_no_room_nothing_is_ready(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", full)
        patch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=0))
        with pytest.raises(NoReceipt, match="No space left"):
            writer.record(drafts(b"lost"))
        assert "No space left" in writer.ready()
    assert writer.ready() == ""


def test_a_pseudonym_that_is_no_text_harms_nobody_else(writer: Writer) -> None:
    with pytest.raises(ValueError, match="half a character"):
        writer.record(drafts(b"a", id="\ud800"))
    assert writer.record(drafts(b"b"))[0].sequence == 1


@pytest.mark.parametrize("name", ["a b", "a?mode=ro", "100%41", "#", "ä"])
def test_a_folder_may_have_any_name(tmp_path: Path, keys: ReceiptKeys, name: str) -> None:
    with open_writer(tmp_path / name, keys) as writer:
        writer.record(drafts(b"a"))
        assert [record.sequence for record in Store.open(tmp_path / name).records()] == [1]


def test_heads_may_lie_on_another_volume(folder: Path, keys: ReceiptKeys, tmp_path: Path) -> None:
    with open_writer(folder, keys, heads=tmp_path / "heads") as writer:
        (receipt,) = writer.record(drafts(b"a"))
    assert (tmp_path / "heads").read_bytes() == head_line(receipt)
    with pytest.raises(BrokenReceipt, match="is missing"):
        open_writer(folder, keys)


def test_what_is_written_is_for_its_owner_alone(writer: Writer, folder: Path) -> None:
    writer.record(drafts(b"a"))
    assert {oct(os.stat(folder / name).st_mode & 0o777) for name in (DATABASE, f"{DATABASE}-wal", HEADS)} == {"0o600"}
