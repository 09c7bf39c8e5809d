"""The witness: it has the newest head soon, holds up nobody, and finds out that everything else was put back."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from serving.receipts import witness as watched
from serving.receipts.heads import read_heads
from serving.receipts.keys import ReceiptKeys
from serving.receipts.record import SCORE, BrokenReceipt, Draft
from serving.receipts.writer import open_writer


def drafts(*contents: bytes) -> list[Draft]:
    return [Draft(SCORE, "p-1", content) for content in contents]


def await_that(holds: Callable[[], object], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watched, "SECONDS", 0.05)


def test_it_has_the_last_head_when_the_writer_closes_and_none_twice(folder: Path, keys: ReceiptKeys, tmp_path: Path) -> None:
    with open_writer(folder, keys, witness=tmp_path / "w") as writer:
        receipts = [writer.record(drafts(b"a"))[0] for _ in range(3)]
    assert read_heads(tmp_path / "w")[-1] == receipts[-1]
    for _ in range(2):
        open_writer(folder, keys, witness=tmp_path / "w").close()
    seen = [head.sequence for head in read_heads(tmp_path / "w")]
    assert seen == sorted(set(seen))


def test_it_is_written_while_the_receipts_are_open(folder: Path, keys: ReceiptKeys, tmp_path: Path) -> None:
    with open_writer(folder, keys, witness=tmp_path / "w") as writer:
        for _ in range(3):
            (receipt,) = writer.record(drafts(b"a"))
            await_that(lambda due=receipt: (tmp_path / "w").exists() and read_heads(tmp_path / "w")[-1:] == [due])


def test_one_that_cannot_be_reached_is_told_once_and_caught_up_later(
    folder: Path, keys: ReceiptKeys, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "volume" / "w"
    with open_writer(folder, keys, witness=path) as writer:
        for _ in range(4):
            (receipt,) = writer.record(drafts(b"a"))
            await_that(lambda: writer.witness_fault)
            time.sleep(0.06)
        assert writer.ready() == ""
        path.parent.mkdir()
        await_that(lambda: not writer.witness_fault)
        assert read_heads(path) == [receipt]
    assert [record.message.partition(":")[0] for record in caplog.records] == ["the witness cannot be written"]


def test_one_that_hangs_holds_up_nobody(
    folder: Path, keys: ReceiptKeys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers, asked = threading.Event(), threading.Event()

    def hang(*_: object) -> None:
        asked.set()
        answers.wait(30)

    monkeypatch.setattr(watched, "_append", hang)
    monkeypatch.setattr(watched, "CLOSING_SECONDS", 0.1)
    try:
        with open_writer(folder, keys, witness=tmp_path / "w") as writer:
            writer.record(drafts(b"a"))
            assert asked.wait(10)
            assert writer.record(drafts(b"b"), patience=10)[0].sequence == 2
    finally:
        answers.set()


def test_a_half_line_is_written_over(folder: Path, keys: ReceiptKeys, tmp_path: Path) -> None:
    for _ in range(2):
        with open_writer(folder, keys, witness=tmp_path / "w") as writer:
            writer.record(drafts(b"a"))
        os.truncate(tmp_path / "w", (tmp_path / "w").stat().st_size - 9)
    with open_writer(folder, keys, witness=tmp_path / "w") as writer:
        (receipt,) = writer.record(drafts(b"a"))
    assert read_heads(tmp_path / "w")[-1] == receipt


@pytest.mark.parametrize("again", [False, True])
def test_receipts_that_were_put_back_with_their_heads_are_found_out(
    folder: Path, keys: ReceiptKeys, tmp_path: Path, again: bool
) -> None:
    with open_writer(folder, keys, witness=tmp_path / "w") as writer:
        writer.record(drafts(b"a"))
    shutil.copytree(folder, tmp_path / "older")
    with open_writer(folder, keys, witness=tmp_path / "w") as writer:
        writer.record(drafts(b"b"))
    shutil.rmtree(folder)
    shutil.copytree(tmp_path / "older", folder)
    if again:  # and others written in the place of what was
        with open_writer(folder, keys) as writer:
            writer.record(drafts(b"c"))
    found = "has another" if again else "does not have"
    with pytest.raises(BrokenReceipt, match=f"knows of record 2, which the database {found}"):
        open_writer(folder, keys, witness=tmp_path / "w")


def test_the_witness_of_another_store_and_a_forged_one_are_refused(folder: Path, keys: ReceiptKeys, tmp_path: Path) -> None:
    with open_writer(tmp_path / "other", keys, witness=tmp_path / "w") as writer:
        writer.record(drafts(b"a"))
    with pytest.raises(BrokenReceipt, match="is the witness of another store"):
        open_writer(folder, keys, witness=tmp_path / "w")
    (tmp_path / "w").write_bytes((tmp_path / "w").read_bytes().replace(b'"sequence":1', b'"sequence":2'))
    with pytest.raises(BrokenReceipt, match="does not bear a signature"):
        open_writer(folder, keys, witness=tmp_path / "w")
