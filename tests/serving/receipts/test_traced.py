"""The exam of the traced system calls, scaled down; how calls are read, and what of a disk a power cut leaves."""

import shutil
from pathlib import PurePath

import pytest
from power import ALL, NOTHING, Disk
from system_calls import calls, forbidden
from traced import BEFORE_NORMAL, BEFORE_UNSYNCED_HEADS, examined, record, sit


@pytest.fixture(scope="session")
def strace(debian):
    program = debian("strace", shutil.which("strace"))
    if why := forbidden(program):
        pytest.skip(why)
    return program


def test_every_answer_is_sent_after_its_receipt_and_head_were_synced(tmp_path, strace):
    marks = sit(tmp_path, lambda *_: None, answers=24, cuts=30)
    assert [str(mark) for mark in marks if mark.falls_short] == []


@pytest.mark.parametrize("before", [BEFORE_NORMAL, BEFORE_UNSYNCED_HEADS], ids=["synchronous=NORMAL", "heads not synced"])
def test_a_service_that_syncs_later_is_caught(tmp_path, strace, before):
    found = examined(tmp_path, record(tmp_path, strace, answers=4, before=before), cuts=0)
    assert found.answers >= 4
    assert found.unsynced == found.answers


def _hex(text):
    return "".join(f"\\x{one:02x}" for one in text.encode())


@pytest.fixture
def played(tmp_path):
    """The disk after calls written as strace writes them, in which `{...}` stands for a path or a text."""

    def play(*lines):
        trace = tmp_path / "trace"
        trace.write_text("".join(f"{line}\n" for line in lines), encoding="ascii")
        disk = Disk(tmp_path / "disk")
        for call in calls(trace):
            disk.see(call)
        return {reached: dict(disk.left(reached)) for reached in (NOTHING, ALL)}

    return play


def test_what_was_synced_is_left_and_what_was_not_may_be(tmp_path, played):
    root, file = _hex(str(tmp_path / "disk")), _hex(str(tmp_path / "disk" / "f"))
    made = f'1 openat(AT_FDCWD<{root}>, "{file}", O_RDWR|O_CREAT, 0644) = 3<{file}>'
    found = played(
        made,
        f"1 fsync(4<{root}>) = 0",
        f'1 pwrite64(3<{file}>, "{_hex("abc")}", 3, 0) = 3',
        f"1 fdatasync(3<{file}>) = 0",
        f'1 pwrite64(3<{file}>, "{_hex("XYZ")}", 3, 2) = 3',
    )
    assert found == {NOTHING: {PurePath("f"): b"abc"}, ALL: {PurePath("f"): b"abXYZ"}}


def test_a_file_whose_name_was_not_synced_may_be_gone_with_all_that_is_in_it(tmp_path, played):
    root, file = _hex(str(tmp_path / "disk")), _hex(str(tmp_path / "disk" / "f"))
    found = played(
        f'1 openat(AT_FDCWD<{root}>, "{file}", O_RDWR|O_CREAT, 0644) = 3<{file}>',
        f'1 pwrite64(3<{file}>, "{_hex("abc")}", 3, 0) = 3',
        f"1 fdatasync(3<{file}>) = 0",
    )
    assert found == {NOTHING: {}, ALL: {PurePath("f"): b"abc"}}


def test_a_write_that_ends_while_a_sync_is_under_way_was_not_synced_by_it(tmp_path, played):
    root, file = _hex(str(tmp_path / "disk")), _hex(str(tmp_path / "disk" / "f"))
    found = played(
        f'1 openat(AT_FDCWD<{root}>, "{file}", O_RDWR|O_CREAT, 0644) = 3<{file}>',
        f"1 fsync(4<{root}>) = 0",
        f"1 fdatasync(3<{file}> <unfinished ...>",
        f'2 pwrite64(3<{file}>, "{_hex("abc")}", 3, 0) = 3',
        "1 <... fdatasync resumed>)             = 0",
        f'2 pwrite64(3<{file}>, "{_hex("late")}", 4, 0) = -1 EIO (Input/output error)',
    )
    assert found == {NOTHING: {PurePath("f"): b""}, ALL: {PurePath("f"): b"abc"}}
