"""What a crash leaves is taken up where it stopped; what no crash leaves is refused."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import alembic.op
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from models.seal import Key
from serving.receipts.heads import HEADS, HeadFile, read_heads
from serving.receipts.keys import ReceiptKeys
from serving.receipts.record import SCORE, SIGNED_AGAIN, BrokenReceipt, Draft, NoReceipt
from serving.receipts.store import DATABASE, Store
from serving.receipts.writer import Writer, open_writer


def drafts(*contents: bytes, id: str = "p-1") -> list[Draft]:
    return [Draft(SCORE, id, content) for content in contents]


def kinds(folder: Path) -> list[str]:
    return [record.kind for record in Store.open(folder).records()]


def without_last_heads(folder: Path, how_many: int) -> None:
    lines = (folder / HEADS).read_bytes().splitlines(keepends=True)
    (folder / HEADS).write_bytes(b"".join(lines[: len(lines) - how_many]))


def contents(folder: Path) -> dict[str, bytes]:
    """All but what is empty (a log that was gone), and the index of the log, which is made anew whenever it is needed."""
    files = [path for path in folder.iterdir() if path.is_file() and not path.name.endswith("-shm")]
    return {path.name: path.read_bytes() for path in files if path.stat().st_size}


def altered(folder: Path, *statements: str) -> None:
    with sqlite3.connect(folder / DATABASE) as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.execute(statement)
    connection.close()


@pytest.fixture
def left(folder: Path, keys: ReceiptKeys) -> Path:
    """The receipts of three groups: 1, 2-3, 4."""
    with open_writer(folder, keys) as writer:
        for group in (drafts(b"a"), drafts(b"b", b"c"), drafts(b"d")):
            writer.record(group)
    return folder


def test_records_that_were_committed_and_not_signed_are_signed_again_and_the_chain_tells_of_it(
    left: Path, keys: ReceiptKeys
) -> None:
    without_last_heads(left, 1)
    said: list[str] = []
    with open_writer(left, keys, say=said.append):
        pass
    assert kinds(left) == [SCORE] * 4 + [SIGNED_AGAIN]
    assert [head.sequence for head in read_heads(left / HEADS)] == [1, 3, 5]
    (told,) = said
    assert told.startswith("1 record after record 3 had been written and not signed")
    last = Store.open(left).last()
    assert last is not None
    assert {"after": 3, "to": 4}.items() <= json.loads(last.payload).items()


def test_a_whole_log_is_opened_without_a_word(left: Path, keys: ReceiptKeys) -> None:
    said: list[str] = []
    with open_writer(left, keys, say=said.append):
        pass
    assert (said, kinds(left)) == ([], [SCORE] * 4)


def test_a_half_written_head_is_none_and_is_cleared_away(left: Path, keys: ReceiptKeys) -> None:
    content = (left / HEADS).read_bytes()
    (left / HEADS).write_bytes(content[:-30])
    with open_writer(left, keys) as writer:
        assert writer.record(drafts(b"e"))[0].sequence == 6
    assert [head.sequence for head in read_heads(left / HEADS)] == [1, 3, 5, 6]


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda left: without_last_heads(left, 2), "the head file was cut back"),
        (lambda left: without_last_heads(left, 3), "the head file was cut back"),
        (lambda left: (left / HEADS).unlink(), "is missing: without it nobody can say"),
        (lambda left: (left / DATABASE).unlink(), "knows of receipts, and there is no"),
        (lambda left: altered(left), "is not as it was made: the trigger"),
    ],
)
def test_what_no_crash_leaves_is_refused(left: Path, keys: ReceiptKeys, damage: Callable[[Path], object], reason: str) -> None:
    damage(left)
    before = contents(left)
    with pytest.raises(BrokenReceipt, match=reason):
        open_writer(left, keys)
    assert contents(left) == before, "what was refused is left as it was found"


def test_a_log_of_the_database_with_a_spoilt_end_is_refused_and_left_to_be_mended(
    folder: Path, keys: ReceiptKeys, tmp_path: Path
) -> None:
    with open_writer(folder, keys) as writer:
        writer.record(drafts(b"a"))
        writer.record(drafts(b"b"))
        shutil.copytree(folder, tmp_path / "killed")  # without the end, which merges the log into the database
    log = tmp_path / "killed" / f"{DATABASE}-wal"
    whole = log.read_bytes()
    log.write_bytes(whole[:-100] + bytes([whole[-100] ^ 1]) + whole[-99:])
    before = contents(tmp_path / "killed")
    with pytest.raises(BrokenReceipt, match="knows of record 2, and the database does not"):
        open_writer(tmp_path / "killed", keys)
    assert contents(tmp_path / "killed") == before
    log.write_bytes(whole)
    open_writer(tmp_path / "killed", keys).close()
    assert kinds(tmp_path / "killed") == [SCORE] * 2


def test_another_key_and_another_store_s_heads_are_refused(
    left: Path, keys: ReceiptKeys, tmp_path: Path
) -> None:
    with pytest.raises(BrokenReceipt, match="begun with another key"):
        open_writer(left, ReceiptKeys(Key(b"o" * 32)))
    with open_writer(tmp_path / "other", keys) as writer:
        writer.record(drafts(b"a"))
    (left / HEADS).write_bytes((tmp_path / "other" / HEADS).read_bytes())
    with pytest.raises(BrokenReceipt, match="belongs to another store"):
        open_writer(left, keys)


def test_nothing_is_left_locked_by_what_could_not_be_opened(left: Path, keys: ReceiptKeys) -> None:
    aside = (left / HEADS).rename(left / "aside")
    with pytest.raises(BrokenReceipt, match="is missing"):
        open_writer(left, keys)
    aside.rename(left / HEADS)
    open_writer(left, keys).close()



@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sizes=st.lists(st.integers(1, 4), min_size=1, max_size=4), lost=st.integers(0, 400))
def test_a_computer_that_stops_anywhere_in_the_last_head_loses_no_record(
    sizes: list[int], lost: int, keys: ReceiptKeys, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("cut") / "receipts"
    with open_writer(folder, keys) as writer:
        for size in sizes:
            writer.record(drafts(*[b"x"] * size))
    lines = (folder / HEADS).read_bytes().splitlines(keepends=True)
    os.truncate(folder / HEADS, sum(map(len, lines)) - min(lost, len(lines[-1])))
    with open_writer(folder, keys) as writer:
        (receipt,) = writer.record(drafts(b"y"))
    assert kinds(folder) == [SCORE] * sum(sizes) + [SIGNED_AGAIN] * (lost > 0) + [SCORE]
    assert read_heads(folder / HEADS)[-1] == receipt


@pytest.mark.parametrize(
    "statement",
    ["UPDATE records SET payload = 'a text'", "UPDATE records SET time = x'00'", "UPDATE records SET digest = x'00'"],
)
def test_a_value_of_another_type_is_told_as_an_alteration(left: Path, keys: ReceiptKeys, statement: str) -> None:
    with sqlite3.connect(left / DATABASE) as connection:
        triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute(statement)
        for _, sql in triggers:
            connection.execute(sql)
    connection.close()
    with pytest.raises(BrokenReceipt, match=r"record 4 was altered"):
        open_writer(left, keys)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from([DATABASE, HEADS]), place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
@example(name=DATABASE, place=0.0, bit=0)
def test_a_flipped_bit_is_told_or_harms_nothing_at_the_end(
    name: str, place: float, bit: int, left: Path, keys: ReceiptKeys, tmp_path_factory: pytest.TempPathFactory
) -> None:
    copied = tmp_path_factory.mktemp("flipped") / "receipts"
    shutil.copytree(left, copied)
    content = bytearray((copied / name).read_bytes())
    content[int(place * len(content))] ^= 1 << bit
    (copied / name).write_bytes(content)
    with contextlib.suppress(BrokenReceipt, NoReceipt), open_writer(copied, keys) as writer:
        (receipt,) = writer.record(drafts(b"e"))
        assert receipt.sequence in (5, 6)


def test_a_database_whose_error_is_no_text_is_told_as_damaged(folder: Path, keys: ReceiptKeys) -> None:
    """SQLite names what it does not understand, and Python cannot read that name."""
    with open_writer(folder, keys) as writer:
        writer.record(drafts(b"a"))
    content = (folder / DATABASE).read_bytes()
    (folder / DATABASE).write_bytes(content.replace(b"CREATE TABLE records", b"CREATE TABLE rec\xdfrds"))
    with pytest.raises((BrokenReceipt, NoReceipt), match=r"malformed|cannot be written|cannot be used|damaged"):
        open_writer(folder, keys)


def test_a_program_killed_while_it_made_the_tables_is_followed_by_one_that_makes_them(
    folder: Path, keys: ReceiptKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:

        def killed(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        patch.setattr(alembic.op, "create_index", killed)
        with pytest.raises(KeyboardInterrupt):
            open_writer(folder, keys)
    with open_writer(folder, keys) as writer:
        assert writer.record(drafts(b"a"))[0].sequence == 1


def test_a_computer_that_stops_while_it_tells_of_what_it_signs_again_tells_of_it_later(
    left: Path, keys: ReceiptKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_last_heads(left, 1)
    with monkeypatch.context() as patch:

        def killed(*_: object) -> None:
            raise KeyboardInterrupt

        patch.setattr(HeadFile, "append", killed)
        with pytest.raises(KeyboardInterrupt):
            open_writer(left, keys)
    open_writer(left, keys).close()
    assert kinds(left) == [SCORE] * 4 + [SIGNED_AGAIN]
    assert [head.sequence for head in read_heads(left / HEADS)] == [1, 3, 5]


@pytest.mark.parametrize("on_the_head", [False, True])
def test_a_head_that_cannot_be_written_tells_nobody_and_is_written_when_it_can_be(
    writer: Writer, folder: Path, monkeypatch: pytest.MonkeyPatch, on_the_head: bool
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    writer.record(drafts(b"a"))
    with monkeypatch.context() as patch:
        patch.setattr(HeadFile, "append", full) if on_the_head else patch.setattr(os, "pwrite", full)
        for _ in range(3):
            with pytest.raises(NoReceipt, match="No space left"):
                writer.record(drafts(b"lost"))
    (receipt,) = writer.record(drafts(b"b"))
    assert kinds(folder) == [SCORE, SCORE, SIGNED_AGAIN, SCORE]
    assert receipt.sequence == 4
