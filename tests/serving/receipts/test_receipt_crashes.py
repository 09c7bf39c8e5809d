"""A computer that stops between any two steps of a group, or a step that fails: nothing that was given out is lost."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import Engine, event

from serving.receipts import heads
from serving.receipts.group import Chain
from serving.receipts.heads import HeadFile
from serving.receipts.keys import ReceiptKeys
from serving.receipts.record import SCORE, SIGNED_AGAIN, Draft, NoReceipt, Signed
from serving.receipts.store import DATABASE, Store
from serving.receipts.verify import verify
from serving.receipts.writer import Writer, open_writer

Act = Callable[[], object]  # what happens at a step


@contextmanager
def before(owner: type, name: str, act: Act) -> Iterator[None]:
    """Before that function of a class is called, something happens."""
    function = getattr(owner, name)

    def called(*given: object) -> object:
        act()
        return function(*given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(owner, name, called)
        yield


@contextmanager
def before_commit(act: Act) -> Iterator[None]:
    def committing(_: object) -> None:
        act()

    event.listen(Engine, "commit", committing)
    yield
    event.remove(Engine, "commit", committing)


@contextmanager
def in_the_file_of_heads(act: Act, *, half: bool, synced: bool) -> Iterator[None]:
    """When half of a head is written, or all of it, or it was synced as well."""

    def pwrite(file: int, data: bytes, at: int) -> int:
        if half:
            os.pwrite(file, data[: len(data) // 2], at)
            act()
        return os.pwrite(file, data, at)

    def fsync(file: int) -> None:
        if not half and not synced:
            act()
        os.fsync(file)
        if synced:
            act()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(heads, "os", SimpleNamespace(**(vars(os) | {"pwrite": pwrite, "fsync": fsync})))
        yield


# the steps of a group in their order; whether its records are on the disk by then, and whether a head covers them
STEPS: dict[str, tuple[Callable[[Act], object], bool, bool]] = {
    "before anything": (lambda act: before(Chain, "_committed", act), False, False),
    "before the commit": (before_commit, False, False),
    "before signing": (lambda act: before(ReceiptKeys, "sign", act), True, False),
    "before the head": (lambda act: before(HeadFile, "append", act), True, False),
    "in the middle of the head": (lambda act: in_the_file_of_heads(act, half=True, synced=False), True, False),
    "before the sync of the head": (lambda act: in_the_file_of_heads(act, half=False, synced=False), True, True),
    "before the answer": (lambda act: in_the_file_of_heads(act, half=False, synced=True), True, True),
}
every_step = pytest.mark.parametrize("step", STEPS)


def drafts(*contents: bytes, id: str = "p-1") -> list[Draft]:
    return [Draft(SCORE, id, content) for content in contents]


def require_held(folder: Path, keys: ReceiptKeys, receipts: Sequence[Signed], contents: Sequence[bytes]) -> list[str]:
    """Every receipt is there as it was given out, and all verifies; the kinds of the records."""
    store = Store.open(folder)
    assert verify(store, keys).faults == ()
    records = {record.sequence: record for record in store.records()}
    for receipt, content in zip(receipts, contents, strict=True):
        assert records[receipt.sequence].digest == receipt.digest
        assert store.content(records[receipt.sequence], keys) == content
    return [record.kind for record in records.values()]


@contextmanager
def at(step: str, act: Act) -> Iterator[None]:
    with ExitStack() as there:
        there.enter_context(STEPS[step][0](act))  # type: ignore[arg-type]  # all of them are context managers
        yield


@every_step
@pytest.mark.parametrize("groups_before", [0, 2])
def test_a_computer_that_stops_there_begins_again_with_all_that_was_given_out(
    step: str, groups_before: int, folder: Path, keys: ReceiptKeys, tmp_path: Path
) -> None:
    left = tmp_path / "left"
    _, written, signed = STEPS[step]
    with open_writer(folder, keys) as writer:
        contents = [b"%d" % place for place in range(groups_before)]
        receipts = [receipt for one in contents for receipt in writer.record(drafts(one))]
        with at(step, lambda: left.exists() or shutil.copytree(folder, left)):
            writer.record(drafts(b"x", b"y"))
    said: list[str] = []
    with open_writer(left, keys, say=said.append) as again:
        receipts += again.record(drafts(b"z", id="p-2"))
    kinds = require_held(left, keys, receipts, [*contents, b"z"])
    crashed = [SCORE, SCORE] * written + [SIGNED_AGAIN] * (written and not signed)
    assert kinds == [SCORE] * groups_before + crashed + [SCORE]
    assert len(said) == (written and not signed)


@pytest.mark.parametrize("step", ["before the commit", "before signing", "in the middle of the head"])
@pytest.mark.parametrize("again", STEPS)
def test_a_computer_that_stops_once_more_while_it_begins_again(
    step: str, again: str, folder: Path, keys: ReceiptKeys, tmp_path: Path
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    with open_writer(folder, keys) as writer:
        receipts = writer.record(drafts(b"a"))
        with at(step, lambda: first.exists() or shutil.copytree(folder, first)):
            writer.record(drafts(b"x"))
    with at(again, lambda: second.exists() or shutil.copytree(first, second)):
        open_writer(first, keys).close()
    if second.exists():
        open_writer(second, keys).close()
        kinds = require_held(second, keys, receipts, [b"a"])
        assert kinds.count(SIGNED_AGAIN) == STEPS[step][1]


@every_step
def test_a_step_that_fails_gives_nothing_out_and_the_next_group_goes_on(
    step: str, writer: Writer, folder: Path, keys: ReceiptKeys
) -> None:
    def fail() -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    receipts = writer.record(drafts(b"a"))
    with at(step, fail):
        for _ in range(2):
            with pytest.raises(NoReceipt, match="Input/output error"):
                writer.record(drafts(b"x"))
    assert writer.ready() == ""
    receipts += writer.record(drafts(b"b"))
    kinds = require_held(folder, keys, receipts, [b"a", b"b"])
    assert kinds.count(SIGNED_AGAIN) <= 1


def test_the_log_of_the_database_does_not_go_into_another_that_lay_in_its_place(
    writer: Writer, folder: Path, keys: ReceiptKeys, tmp_path: Path
) -> None:
    """A copy made while the service runs is older than the log beside it: read with that, and closed, both were lost."""
    shutil.copy(folder / DATABASE, tmp_path / "older")
    writer.record(drafts(*[bytes(9000)] * 20))
    aside = (folder / DATABASE).rename(folder / "aside")
    shutil.copy(tmp_path / "older", folder / DATABASE)
    for _ in range(2):
        with pytest.raises(NoReceipt, match="put back the one that was there"):
            writer.record(drafts(b"c"))
    aside.replace(folder / DATABASE)
    writer.record(drafts(b"d"))
    writer.close()
    assert require_held(folder, keys, [], []) == [SCORE] * 21


