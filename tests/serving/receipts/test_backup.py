"""A backup made while receipts are written takes their place: it is restored into an empty place, and verified there."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from postgres import Server
from scenes import EXAMPLE

from models.artifact import load
from models.seal import canonical
from serving.receipts import backup
from serving.receipts.backup import DUMP, NoBackup, back_up
from serving.receipts.heads import HEADS, read_heads
from serving.receipts.keys import ReceiptKeys
from serving.receipts.models_kept import MODELS, keep_model
from serving.receipts.place import DATABASE
from serving.receipts.postgresql_owner import prepare
from serving.receipts.record import OPENED, SCORE, SIGNED_AGAIN, Draft
from serving.receipts.store import Store
from serving.receipts.verify import verify
from serving.receipts.writer import Writer, open_writer

Urls = tuple[str, str]


@contextmanager
def writing(writer: Writer, folder: Path) -> Iterator[None]:
    """A model kept and recorded, and then receipts one after another, until this is left."""
    end = threading.Event()

    def write() -> None:
        while not end.is_set():
            writer.record([Draft(SCORE, f"p-{at}", b"a score") for at in range(3)])

    digest = load(EXAMPLE).digest
    keep_model(folder, EXAMPLE, digest)
    writer.record([Draft(OPENED, "", canonical({"model": {"digest": digest}}))])
    writer.record([Draft(SCORE, "p", b"the first")])
    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join()


def backed_up(folder: Path, out: Path, keys: ReceiptKeys, database: str = "") -> int:
    """Back up three times while receipts are written; the last number in the last copy."""
    with open_writer(folder, keys, database=database) as writer, writing(writer, folder):
        for at in range(3):
            last = back_up(Store.open(folder, database=database), database, out.with_name(f"{out.name}-{at}"))
        writer.record([Draft(SCORE, "p", b"newer than all copies")])
    shutil.move(out.with_name(f"{out.name}-2"), out)
    return last


def restored(postgres: Server, program: str, out: Path, name: str) -> str:
    """The dump in an empty database, as the README says it; the URL for the service."""
    postgres.does(f"CREATE DATABASE {name} OWNER owner")
    words = ["--no-owner", "--no-privileges", "--exit-on-error", f"--dbname={postgres.url(name, 'owner')}"]
    subprocess.run([program, *words, out / DUMP], check=True, timeout=60)
    prepare(postgres.url(name, "owner"), "service")
    return postgres.url(name, "service")


def test_a_file_is_copied_whole_while_it_is_written(folder: Path, keys: ReceiptKeys, tmp_path: Path) -> None:
    last = backed_up(folder, out := tmp_path / "copy", keys)
    found = verify(Store.open(out), keys)
    assert (found.faults, found.warnings, found.records) == ((), (), last)
    assert found.unsigned <= 3, "at most the group that was not signed at that moment"
    assert sorted(path.name for path in out.iterdir()) == [HEADS, MODELS, DATABASE]
    assert {path.stat().st_mode & 0o077 for path in (out, *out.rglob("*"))} == {0}
    with open_writer(out, keys) as writer:
        writer.record([Draft(SCORE, "p", b"goes on from there")])
    assert verify(Store.open(out), keys).faults == ()


def test_a_dump_is_restored_into_an_empty_database_and_holds(
    postgres: Server, folder: Path, keys: ReceiptKeys, urls: Urls, tmp_path: Path, debian: Callable[[str, str | None], str]
) -> None:
    program = debian("postgresql-client", shutil.which("pg_restore"))
    last = backed_up(folder, out := tmp_path / "copy", keys, urls[0])
    url = restored(postgres, program, out, "restored")
    store = Store.open(out, database=url)
    found = verify(store, keys)
    assert (found.faults, found.warnings, found.records) == ((), (), last)
    assert [store.content(one, keys) for one in store.records(1, 2)] == [b"the first"]
    with open_writer(out, keys, database=url) as writer:
        writer.record([Draft(SCORE, "p", b"goes on from there")])
    assert verify(Store.open(out, database=url), keys).faults == ()


def test_a_witness_tells_that_receipts_are_newer_than_the_copy(folder: Path, keys: ReceiptKeys, tmp_path: Path) -> None:
    last = backed_up(folder, out := tmp_path / "copy", keys)
    (fault,) = verify(Store.open(out), keys, witnesses=[folder / HEADS]).faults
    assert fault.startswith("the heads end at record ")
    assert "the end was cut off, or put back to an older copy" in fault
    assert read_heads(folder / HEADS)[-1].sequence > last


def test_a_copy_between_a_commit_and_its_head_is_taken_up_as_after_a_crash(
    folder: Path, keys: ReceiptKeys, tmp_path: Path
) -> None:
    with open_writer(folder, keys) as writer:
        writer.record([Draft(SCORE, "p", b"a")])
        heads = (folder / HEADS).read_bytes()
        writer.record([Draft(SCORE, "p", b"b")])
    (folder / HEADS).write_bytes(heads)
    out = tmp_path / "copy"
    assert back_up(Store.open(folder), "", out) == 2
    assert verify(Store.open(out), keys).unsigned == 1
    open_writer(out, keys).close()
    assert [record.kind for record in Store.open(out).records()] == [SCORE, SCORE, SIGNED_AGAIN]


def test_heads_signed_after_the_records_were_copied_are_left_out(
    folder: Path, keys: ReceiptKeys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other order, or all of the heads, would look like a log that was cut."""
    copied = backup._copied
    with open_writer(folder, keys) as writer:
        writer.record([Draft(SCORE, "p", b"a")])

        def then_another(path: Path, to: Path) -> int:
            last = copied(path, to)
            writer.record([Draft(SCORE, "p", b"b")])
            return last

        monkeypatch.setattr(backup, "_copied", then_another)
        out = tmp_path / "copy"
        assert back_up(Store.open(folder), "", out) == 1
    assert [head.sequence for head in read_heads(out / HEADS)] == [1]
    assert verify(Store.open(out), keys).faults == ()


def test_a_folder_that_holds_something_is_left_as_it_is(folder: Path, keys: ReceiptKeys, tmp_path: Path) -> None:
    open_writer(folder, keys).close()
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "an older one").touch()
    with pytest.raises(FileExistsError, match="is not empty: each backup has a folder of its own"):
        back_up(Store.open(folder), "", tmp_path / "copy")


def test_without_pg_dump_or_where_it_fails_there_is_no_backup(
    folder: Path, keys: ReceiptKeys, urls: Urls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_writer(folder, keys, database=urls[0]).close()
    store = Store.open(folder, database=urls[0])
    with monkeypatch.context() as patch:
        patch.setattr(backup, "_PROGRAM", "false")
        with pytest.raises(NoBackup, match="false ended with 1"):
            back_up(store, urls[0], tmp_path / "one")
    monkeypatch.setattr(backup, "_PROGRAM", "no-such-program")
    with pytest.raises(NoBackup, match="no-such-program is not here"):
        back_up(store, urls[0], tmp_path / "two")
