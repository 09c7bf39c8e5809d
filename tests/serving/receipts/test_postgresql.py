"""Receipts in PostgreSQL: several processes take turns, and what one leaves behind the next takes up."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partialmethod
from pathlib import Path

import psycopg
import pytest
from postgres import Server, programs, receipts_database, server
from sqlalchemy import Connection, Engine

from models.seal import Key
from serving.receipts import postgresql
from serving.receipts.heads import HEADS, HeadFile, read_heads
from serving.receipts.keys import ReceiptKeys
from serving.receipts.place import LOCK, Place, place_of
from serving.receipts.postgresql import PostgreSQLWriting
from serving.receipts.record import ERASED, SCORE, SIGNED_AGAIN, BrokenReceipt, Draft, NoReceipt
from serving.receipts.store import Erased, Store
from serving.receipts.verify import verify
from serving.receipts.writer import open_writer

Urls = tuple[str, str]
_CUT = r"terminating connection|it cannot be reached"  # what is said of it depends on who notices first


def drafts(*contents: bytes, id: str = "p-1") -> list[Draft]:
    return [Draft(SCORE, id, content) for content in contents]


def kinds(folder: Path, url: str) -> list[str]:
    return [record.kind for record in Store.open(folder, database=url).records()]


def faults(folder: Path, url: str, keys: ReceiptKeys) -> tuple[str, ...]:
    return verify(Store.open(folder, database=url), keys).faults


def done(url: str, *statements: str) -> list[tuple[object, ...]]:
    """What the last of the statements says, each a transaction."""
    with psycopg.connect(url, autocommit=True, options="-c search_path=lymphorisk") as connection:
        for one in statements:
            found = connection.execute(one)
        return found.fetchall() if found.description else []


def test_what_was_recorded_is_read_again_to_the_byte(folder: Path, keys: ReceiptKeys, urls: Urls) -> None:
    with open_writer(folder, keys, database=urls[0]) as writer:
        writer.record([*drafts(b"one", b""), Draft(SCORE, "", b"\x00\xff")])
    store = Store.open(folder, database=urls[0])
    assert [store.content(record, keys) for record in store.records()] == [b"one", b"", b"\x00\xff"]
    assert (store.schema_faults(), store.damage(), faults(folder, urls[0], keys)) == ([], [], ())
    assert sorted(path.name for path in folder.iterdir()) == [HEADS, LOCK]


def test_several_take_turns_and_make_one_chain(folder: Path, keys: ReceiptKeys, urls: Urls) -> None:
    writers = [open_writer(folder, keys, database=urls[0]) for _ in range(3)]
    with ThreadPoolExecutor(6) as pool:
        told = list(pool.map(lambda at: writers[at % 3].record(drafts(b"%d" % at, id=f"p-{at % 5}")), range(60)))
    for writer in writers:
        writer.close()
    assert sorted(one.sequence for (one,) in told) == list(range(1, 61))
    assert faults(folder, urls[0], keys) == ()
    store = Store.open(folder, database=urls[0])
    assert {store.content(one, keys) for one in store.records()} == {b"%d" % at for at in range(60)}
    assert len(list(store.data_keys())) == 5, "one key a patient, whoever made it"


def test_of_what_another_left_unsigned_the_next_tells_and_signs_it(
    folder: Path, keys: ReceiptKeys, urls: Urls, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It dies between its commit and its head, and another process was open all the while."""
    with open_writer(folder, keys, database=urls[0]) as living:
        living.record(drafts(b"a"))
        dying = open_writer(folder, keys, database=urls[0])
        with monkeypatch.context() as patch:

            def dies(*_: object) -> None:
                raise OSError(28, "No space left on device")

            patch.setattr(HeadFile, "append", dies)
            with pytest.raises(NoReceipt, match="No space left"):
                dying.record(drafts(b"not acknowledged"))
        (receipt,) = living.record(drafts(b"b"))
        assert receipt.sequence == 4
        assert dying.record(drafts(b"c"))[0].sequence == 5, "it goes on after what the other signed"
        dying.close()
    assert kinds(folder, urls[0]) == [SCORE, SCORE, SIGNED_AGAIN, SCORE, SCORE]
    assert faults(folder, urls[0], keys) == ()


def test_a_process_begun_after_one_that_died_says_what_it_signs_again(folder: Path, keys: ReceiptKeys, urls: Urls) -> None:
    with open_writer(folder, keys, database=urls[0]) as writer:
        writer.record(drafts(b"a"))
        writer.record(drafts(b"b", b"c"))
    lines = (folder / HEADS).read_bytes().splitlines(keepends=True)
    (folder / HEADS).write_bytes(lines[0] + lines[1][:40])
    said: list[str] = []
    with open_writer(folder, keys, database=urls[0], say=said.append):
        pass
    assert said[0].startswith("2 records after record 1 had been written and not signed")
    assert [head.sequence for head in read_heads(folder / HEADS)] == [1, 4]
    assert faults(folder, urls[0], keys) == ()


def test_the_owner_erases_beside_a_service_whose_next_receipt_of_the_patient_has_another_key(
    folder: Path, keys: ReceiptKeys, urls: Urls
) -> None:
    with open_writer(folder, keys, database=urls[0]) as service:
        service.record(drafts(b"a", b"b"))
        with open_writer(folder, keys, database=urls[1]) as owner:
            owner.erase(by="an officer", reason="asked for", subject=keys.subject("p-1"))
        service.record(drafts(b"c"))
    store = Store.open(folder, database=urls[0])
    first, _, erased, last = store.records()
    assert (erased.kind, store.content(last, keys)) == (ERASED, b"c")
    assert first.key != last.key
    with pytest.raises(Erased, match="record 1 was erased"):
        store.content(first, keys)
    assert faults(folder, urls[0], keys) == ()


def test_several_write_one_witness_which_ends_with_the_newest_head(
    folder: Path, keys: ReceiptKeys, urls: Urls, tmp_path: Path
) -> None:
    witness = tmp_path / "witness.jsonl"
    writers = [open_writer(folder, keys, database=urls[0], witness=witness) for _ in range(2)]
    for at in range(20):
        writers[at % 2].record(drafts(b"%d" % at))
    for writer in writers:
        writer.close()
    found = read_heads(witness)
    assert found[-1].sequence == 20
    assert [head.sequence for head in found] == sorted({head.sequence for head in found})
    assert verify(Store.open(folder, database=urls[0]), keys, witnesses=[witness]).faults == ()


def test_the_service_cannot_erase(folder: Path, keys: ReceiptKeys, urls: Urls) -> None:
    with open_writer(folder, keys, database=urls[0]) as service:
        service.record(drafts(b"a"))
        with pytest.raises(NoReceipt, match="permission denied for table data_keys"):
            service.erase(by="x", reason="y", subject=keys.subject("p-1"))
        assert service.record(drafts(b"b"))[0].sequence == 2
    assert faults(folder, urls[0], keys) == ()


def test_nothing_of_an_erased_key_is_left_in_the_table_s_file(
    postgres: Server, folder: Path, keys: ReceiptKeys, urls: Urls
) -> None:
    with open_writer(folder, keys, database=urls[0]) as service:
        service.record(drafts(b"a"))
    ((_, _, wrapped),) = Store.open(folder, database=urls[0]).data_keys()

    def on_the_disk() -> bytes:
        done(postgres.url(), "CHECKPOINT")
        ((path,),) = done(urls[1], "SELECT pg_relation_filepath('data_keys')")
        return Path(postgres.home, "data", str(path)).read_bytes()

    assert wrapped in on_the_disk()
    with open_writer(folder, keys, database=urls[1]) as owner:
        owner.erase(by="an officer", reason="asked for", subject=keys.subject("p-1"))
    assert wrapped not in on_the_disk()


def test_a_connection_that_is_cut_costs_one_answer_and_no_restart(
    postgres: Server, folder: Path, keys: ReceiptKeys, urls: Urls
) -> None:
    with open_writer(folder, keys, database=urls[0]) as writer:
        writer.record(drafts(b"a"))
        done(postgres.url(), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'service'")
        with pytest.raises(NoReceipt, match=_CUT):
            writer.record(drafts(b"b"))
        assert writer.ready() == "", "who asks whether it is ready has it tried"
        (receipt,) = writer.record(drafts(b"c"))
    assert receipt.sequence == 2
    assert faults(folder, urls[0], keys) == ()


def test_no_receipt_is_given_while_the_server_is_gone_and_again_when_it_is_back(folder: Path, keys: ReceiptKeys) -> None:
    with server(programs() or "") as own:
        url, _ = receipts_database(own, "gone")
        with open_writer(folder, keys, database=url) as writer:
            writer.record(drafts(b"a"))
            own.stop()
            assert "the database refuses to write" in writer.ready(), "it is noticed before anybody asks for a score"
            for _ in range(2):
                with pytest.raises(NoReceipt, match="the database refuses to write"):
                    writer.record(drafts(b"lost"))
            assert "the database refuses to write" in writer.ready()
            store = Store(folder, folder / HEADS, "a store", "", keys.public_key, *_place_and_engine(folder, url))
            assert verify(store, keys).faults == (
                "the records cannot be read from the database: it cannot be reached",
                "the database cannot be read: it cannot be reached",
            )
            own.start()
            assert writer.ready() == ""
            assert writer.record(drafts(b"b"))[0].sequence == 2
        assert faults(folder, url, keys) == ()


def _place_and_engine(folder: Path, url: str) -> tuple[Place, Engine]:
    place = place_of(folder, url)
    return place, place.reading()


def test_no_fault_names_the_server(folder: Path, keys: ReceiptKeys) -> None:
    with server(programs() or "") as own:
        url, _ = receipts_database(own, "named")
        with open_writer(folder, keys, database=url) as writer:
            own.stop()
            with pytest.raises(NoReceipt, match=_CUT) as told:
                writer.record(drafts(b"a"))
            with pytest.raises(NoReceipt, match="it cannot be reached") as again:
                writer.record(drafts(b"a"))
    assert own.home not in f"{told.value} {again.value}"


@pytest.mark.parametrize("signalled", [False, True], ids=["by another's lock", "by a server that stands still"])
def test_nobody_waits_longer_than_their_patience(
    signalled: bool, postgres: Server, folder: Path, keys: ReceiptKeys, urls: Urls, monkeypatch: pytest.MonkeyPatch
) -> None:
    turn = PostgreSQLWriting.turn
    with psycopg.connect(urls[0], autocommit=True) as other, open_writer(folder, keys, database=urls[0]) as writer:
        writer.record(drafts(b"a"))
        asked = "SELECT pid FROM pg_stat_activity WHERE application_name = 'lymphorisk' AND datname = current_database()"
        monkeypatch.setattr(PostgreSQLWriting, "turn", partialmethod(turn, 0.5))
        ((pid,),) = done(postgres.url().replace("/postgres?", f"/{other.info.dbname}?"), asked)
        if signalled:
            os.kill(int(str(pid)), signal.SIGSTOP)
        else:
            other.execute("SELECT pg_advisory_lock(%s)", (postgresql._KEY,))
        began = time.monotonic()
        with pytest.raises(NoReceipt, match=r"it cannot be reached|due to lock timeout"):
            writer.record(drafts(b"b"))
        assert time.monotonic() - began < 2.0
        if signalled:
            os.kill(int(str(pid)), signal.SIGCONT)
        else:
            other.execute("SELECT pg_advisory_unlock_all()")
        monkeypatch.setattr(PostgreSQLWriting, "turn", turn)
        assert writer.record(drafts(b"c"))[0].sequence == 2


def test_who_begins_waits_longer_for_others_than_who_writes(folder: Path, urls: Urls) -> None:
    writing, found = place_of(folder, urls[0]).writing(), []
    folder.mkdir()
    for patience in (30.0, 4.5, 4.5):
        with writing.turn(patience):
            found.append(done_within(writing.connection))
    writing.close()
    assert found == [("24s", "27s"), ("3600ms", "4050ms"), ("3600ms", "4050ms")]


def done_within(connection: Connection) -> tuple[object, ...]:
    asked = "SELECT current_setting('lock_timeout'), current_setting('statement_timeout')"
    return tuple(connection.exec_driver_sql(asked).one())


def test_who_lost_the_connection_while_signing_keeps_others_from_the_heads(
    postgres: Server, folder: Path, keys: ReceiptKeys, urls: Urls, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lock in the server goes with its session; the head is written even so, and nobody writes another in its place."""
    written, cut = HeadFile.append, threading.Event()

    def slowly(self: HeadFile, line: bytes) -> None:
        if not cut.is_set():
            done(postgres.url(), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'service'")
            cut.set()
            time.sleep(0.5)
        written(self, line)

    with open_writer(folder, keys, database=urls[0]) as slow, open_writer(folder, keys, database=urls[0]) as other:
        other.record(drafts(b"a"))
        monkeypatch.setattr(HeadFile, "append", slowly)
        first = slow.submit(drafts(b"slow"))
        cut.wait(10)
        with pytest.raises(NoReceipt, match=_CUT):
            other.record(drafts(b"b"))
        (receipt,) = other.record(drafts(b"b"))
        (acknowledged,) = first.result(5)
        assert (acknowledged.sequence, receipt.sequence) == (2, 3)
        assert slow.record(drafts(b"c"))[0].sequence == 4
    assert kinds(folder, urls[0]) == [SCORE] * 4
    assert faults(folder, urls[0], keys) == ()


def test_a_database_put_back_under_a_running_service_gives_no_receipt(folder: Path, keys: ReceiptKeys, urls: Urls) -> None:
    with open_writer(folder, keys, database=urls[0]) as writer:
        writer.record(drafts(b"a"))
        writer.record(drafts(b"b"))
        done(
            urls[1],
            "ALTER TABLE records DISABLE TRIGGER USER",
            "DELETE FROM records WHERE sequence = 2",
            "ALTER TABLE records ENABLE ALWAYS TRIGGER no_alteration_of_records",
            "ALTER TABLE records ENABLE ALWAYS TRIGGER no_gap_in_records",
        )
        for _ in range(2):
            with pytest.raises(NoReceipt, match="record 2 is not in the database as this process wrote it"):
                writer.record(drafts(b"c"))
    with pytest.raises(BrokenReceipt, match="knows of record 2, and the database does not"):
        open_writer(folder, keys, database=urls[0])


def test_a_record_that_somebody_else_added_is_not_signed(folder: Path, keys: ReceiptKeys, urls: Urls) -> None:
    with open_writer(folder, keys, database=urls[0]) as writer:
        writer.record(drafts(b"a"))
        done(urls[0], "INSERT INTO records SELECT 2, time, kind, subject, key, payload, 1, digest, digest, seal FROM records")
        with pytest.raises(NoReceipt, match="record 2 was altered"):
            writer.record(drafts(b"b"))


def test_heads_that_were_cut_are_told(folder: Path, keys: ReceiptKeys, urls: Urls) -> None:
    with open_writer(folder, keys, database=urls[0]) as writer:
        writer.record(drafts(b"a"))
        writer.record(drafts(b"b"))
        os.truncate(folder / HEADS, 0)
        with pytest.raises(NoReceipt, match="what lies there now does not end with head 2"):
            writer.record(drafts(b"c"))


def test_another_key_and_a_folder_without_the_heads_are_refused(
    folder: Path, keys: ReceiptKeys, urls: Urls, tmp_path: Path
) -> None:
    with open_writer(folder, keys, database=urls[0]) as writer:
        writer.record(drafts(b"a"))
    with pytest.raises(BrokenReceipt, match="begun with another key"):
        open_writer(folder, ReceiptKeys(Key(b"o" * 32)), database=urls[0])
    with pytest.raises(BrokenReceipt, match="is missing: without it nobody can say"):
        open_writer(tmp_path / "other", keys, database=urls[0])


def test_heads_of_a_database_that_is_new_are_refused(
    postgres: Server, folder: Path, keys: ReceiptKeys, urls: Urls
) -> None:
    with open_writer(folder, keys, database=urls[0]) as writer:
        writer.record(drafts(b"a"))
    new, _ = receipts_database(postgres, "new_beside_heads")
    with pytest.raises(BrokenReceipt, match="knows of receipts, and there is no"):
        open_writer(folder, keys, database=new)


@pytest.mark.parametrize("setting", ["fsync", "full_page_writes"])
def test_a_server_that_was_told_not_to_care_is_refused(setting: str, folder: Path, keys: ReceiptKeys) -> None:
    with server(programs() or "", f"-c {setting}=off") as careless:
        url, _ = receipts_database(careless, "careless")
        with pytest.raises(NoReceipt, match=f"{setting} is off: it could lose what it has committed"):
            open_writer(folder, keys, database=url)


def test_a_role_set_to_answer_before_the_disk_does_waits_for_it_even_so(
    postgres: Server, folder: Path, keys: ReceiptKeys, urls: Urls
) -> None:
    name = urls[0].split("@/")[1].split("?")[0]
    postgres.does(f"ALTER DATABASE {name} SET synchronous_commit = off")
    writing = place_of(folder, urls[0]).writing()
    folder.mkdir()
    with writing.turn():
        assert writing.connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"
    writing.close()


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("postgresql://service:secret@/receipts", "holds a password"),
        ("postgresql://service@/receipts?password=secret", "holds a password"),
        ("sqlite:///receipts.db", "allowed is a URL of PostgreSQL"),
        ("host=localhost dbname=receipts", "allowed is a URL of PostgreSQL"),
        ("postgresql://service@/receipts?nonsense=1", "allowed is a URL of PostgreSQL"),
    ],
)
def test_what_is_no_url_or_holds_a_password_is_refused_without_repeating_it(url: str, why: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=why) as told:
        place_of(tmp_path, url)
    assert "secret" not in str(told.value)


def test_without_the_driver_it_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delitem(sys.modules, "serving.receipts.postgresql")
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(ModuleNotFoundError, match="psycopg"):
        place_of(tmp_path, "postgresql://service@/receipts")


def test_an_index_that_leaves_out_a_record_is_found(folder: Path, keys: ReceiptKeys) -> None:
    with server(programs() or "") as own:
        url, owner = receipts_database(own, "indexed")
        with open_writer(folder, keys, database=url) as writer:
            writer.record(drafts(b"a"))
            own.does("CHECKPOINT")
            ((path,),) = done(owner, "SELECT pg_relation_filepath('ix_records_subject')")
            index = Path(own.home, "data", str(path))
            older = index.read_bytes()
            writer.record(drafts(b"b"))
        own.does("CHECKPOINT")
        own.stop()
        index.write_bytes(older)
        own.start()
        store = Store.open(folder, database=url)
        assert [one.sequence for one in store.records()] == [1, 2]
        assert store.damage() == ["the index of records by patient does not hold what its table does"]
