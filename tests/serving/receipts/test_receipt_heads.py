"""The signed heads: read as they were written or not at all, and a half line told apart from a broken one."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from serving.receipts.heads import HEADS, HeadFile, head_line, last_head, read_heads
from serving.receipts.keys import ReceiptKeys
from serving.receipts.record import BrokenReceipt, Signed


@pytest.fixture
def heads(keys: ReceiptKeys) -> list[Signed]:
    return [keys.sign("s" * 32, place, f"{place:064x}", "2026-11-23T00:00:00.000000Z") for place in (1, 4, 9)]


@pytest.fixture
def path(tmp_path: Path, heads: list[Signed]) -> Path:
    found = tmp_path / HEADS
    found.write_bytes(b"".join(map(head_line, heads)))
    return found


def test_heads_are_read_as_they_were_written(path: Path, heads: list[Signed]) -> None:
    assert read_heads(path) == heads
    assert last_head(path) == (heads[-1], path.stat().st_size)


def test_a_half_line_at_the_end_is_no_head_and_no_fault(path: Path, heads: list[Signed]) -> None:
    whole = path.stat().st_size
    path.write_bytes(path.read_bytes() + head_line(heads[0])[:50])
    assert read_heads(path) == heads
    assert last_head(path) == (heads[-1], whole)


def test_an_empty_file_has_no_head(tmp_path: Path) -> None:
    (tmp_path / HEADS).touch()
    assert last_head(tmp_path / HEADS) == (None, 0)


@pytest.mark.parametrize(
    "change",
    [
        lambda line: line.replace(b'"sequence":4', b'"sequence":4.0'),
        lambda line: line.replace(b'"sequence":4', b'"sequence":true'),
        lambda line: line.replace(b'"sequence":4', b'"sequence": 4'),
        lambda line: line.replace(b'{"digest"', b'{"sequence":4,"digest"'),
        lambda line: b"\n",
        lambda line: b"[" * 100_000 + b"\n",
    ],
)
def test_a_line_in_any_other_form_is_named(path: Path, change: object) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    lines[1] = change(lines[1])  # type: ignore[operator]
    path.write_bytes(b"".join(lines))
    with pytest.raises(BrokenReceipt, match=r"line 2 is not as this program writes it"):
        read_heads(path)


def test_the_file_that_is_written_is_the_one_that_was_opened(path: Path, heads: list[Signed]) -> None:
    file = HeadFile(path, path.stat().st_size)
    file.append(head_line(heads[0]))
    assert (read_heads(path)[-1], file.fault()) == (heads[0], "")
    aside = path.rename(path.with_name("aside"))
    assert "cannot be reached" in file.fault()
    path.write_bytes(aside.read_bytes())
    assert file.fault() == "the head file was exchanged"
    aside.replace(path)
    assert file.fault() == ""
    os.truncate(path, 10)
    assert "was cut" in file.fault()
    file.close()


def test_a_head_that_could_not_be_synced_leaves_nothing(path: Path, heads: list[Signed], monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    file = HeadFile(path, path.stat().st_size)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            file.append(head_line(heads[0]))
    assert read_heads(path) == heads
    file.append(head_line(heads[0]))
    assert read_heads(path) == [*heads, heads[0]]
    file.close()
