"""`audit verify`: what it says of a whole store, from where it goes on, and how fast."""

import contextlib
import json
import re
import shutil
import threading
from dataclasses import replace
from pathlib import Path

import million
import pytest
from hypothesis import given
from hypothesis import strategies as st
from manipulated import MANIPULATIONS
from marks import Mark
from scenes import KEYS, Scene, scene
from typer.testing import CliRunner

from lymphorisk import app
from models.seal import Key
from serving.receipts.chain import Links, require_forward
from serving.receipts.mark import read_mark
from serving.receipts.record import (
    FIELDS,
    KINDS,
    SCORE,
    BrokenReceipt,
    Draft,
    Record,
    digest_of_record,
    require_link,
    seal_of,
    start,
)
from serving.receipts.store import NoStore, Store
from serving.receipts.verify import verify
from serving.receipts.writer import open_writer

RUN = CliRunner()
TEXTS = st.one_of(st.text(), st.text(st.characters(codec="ascii")), st.just("a" * 32))


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return scene(tmp_path_factory.mktemp("honest"))


@pytest.fixture
def command(honest: Scene, tmp_path: Path) -> list[str]:
    key = tmp_path / "receipts.key"
    key.write_text(KEYS.secret.secret.hex())
    key.chmod(0o600)
    return ["audit", "verify", "--receipts", str(honest.folder), "--receipts-key", str(key)]


def test_it_ends_with_what_was_verified(command: list[str]) -> None:
    done = RUN.invoke(app, command)
    assert done.exit_code == 0
    assert re.search(r"verified: 34 records, 13 heads, last \S+Z, 1 erased$", done.stdout.strip())


def test_it_names_the_first_bad_record_and_leaves_with_1(command: list[str], honest: Scene, tmp_path: Path) -> None:
    made = honest.copied(tmp_path / "tampered")
    MANIPULATIONS["the seal"].done_to(made)
    command[command.index("--receipts") + 1] = str(made.folder)
    done = RUN.invoke(app, command)
    assert done.exit_code == 1
    assert "not as it was written: record 9 does not bear its seal" in done.stdout
    assert "looked at: 8 records, 3 heads" in done.stdout
    document = json.loads(RUN.invoke(app, [*command, "--json"]).stdout)
    assert (document["holds"], document["records"], len(document["faults"])) == (False, 8, 1)


def test_what_it_finds_is_had_as_json(command: list[str], honest: Scene) -> None:
    done = RUN.invoke(app, [*command, "--json", "--witness", str(honest.witness), "--expect-receipt", str(honest.receipt)])
    document = json.loads(done.stdout)
    expected = {"holds": True, "records": 34, "heads": 13, "since": 0, "unsigned": 0, "erased": 1, "faults": [], "warnings": []}
    assert {name: document[name] for name in expected} == expected
    assert document["public_key"] == KEYS.public_key


def test_with_a_mark_it_goes_on_where_it_ended(command: list[str], honest: Scene, tmp_path: Path) -> None:
    made, mark = honest.copied(tmp_path / "growing"), tmp_path / "mark"
    command[command.index("--receipts") + 1] = str(made.folder)
    command += ["--mark", str(mark), "--json"]
    assert json.loads(RUN.invoke(app, command).stdout)["since"] == 0
    with open_writer(made.folder, KEYS) as writer:
        writer.record([Draft(SCORE, "", b"one more")])
    found = json.loads(RUN.invoke(app, command).stdout)
    assert (found["holds"], found["since"], found["records"], found["heads"]) == (True, 34, 35, 14)
    assert read_mark(mark, found["store"], KEYS.sealing).sequence == 35


def test_a_verification_that_fails_writes_no_mark(command: list[str], honest: Scene, tmp_path: Path) -> None:
    made = honest.copied(tmp_path / "tampered")
    made.heads.write_bytes(b"")
    command[command.index("--receipts") + 1] = str(made.folder)
    assert RUN.invoke(app, [*command, "--mark", str(tmp_path / "mark")]).exit_code == 1
    assert not (tmp_path / "mark").exists()


def test_whatever_was_verified_before_is_looked_at_again_where_somebody_kept_it(honest: Scene) -> None:
    store = Store.open(honest.folder)
    mark = verify(store, KEYS).mark
    assert verify(store, KEYS, since=mark, witnesses=[honest.witness], answers=[honest.receipt]).holds


def test_a_model_that_is_not_kept_is_a_warning(honest: Scene, tmp_path: Path) -> None:
    made = honest.copied(tmp_path / "receipts")
    shutil.rmtree(made.folder / "models")
    found = verify(Store.open(made.folder), KEYS)
    assert found.holds
    (warning,) = found.warnings
    assert "its scores cannot be computed again" in warning


def test_a_store_is_verified_while_it_grows(tmp_path: Path) -> None:
    """Heads and records move on while the walk goes; nothing of that is a fault."""
    done = threading.Event()

    def write() -> None:
        with open_writer(tmp_path / "receipts", KEYS) as writer:
            for size in range(120):
                writer.record([Draft(SCORE, "", b"a")] * (1 + size % 5))
        done.set()

    thread = threading.Thread(target=write)
    thread.start()
    looks, faults = 0, list[str]()
    while not done.is_set():
        if (tmp_path / "receipts" / "receipts.db").exists():
            with contextlib.suppress(NoStore):  # before the tables are made
                faults += verify(Store.open(tmp_path / "receipts"), KEYS).faults
                looks += 1
    thread.join()
    assert faults == []
    assert looks > 3
    assert verify(Store.open(tmp_path / "receipts"), KEYS).records == sum(1 + size % 5 for size in range(120))


def test_a_thousand_receipts_are_verified_as_a_million_are(tmp_path: Path) -> None:
    marks = million.sit(tmp_path, lambda doing, done, total: None, receipts=320, group=16)
    assert [one.what for one in marks if one.falls_short] == []
    assert marks[0] == Mark("receipts verified, faults none", 321, least=321, most=321)


KEY, STORE = Key(b"s" * 32), "d" * 32
RECORDS = st.builds(
    Record,
    sequence=st.integers(1, 2**62),
    time=st.sampled_from(["2026-11-23T02:47:54.123456Z", "2026", "\u00e9"]),
    kind=st.sampled_from([*KINDS, "another", 'qu"ote']),
    subject=TEXTS,
    key=TEXTS,
    payload=st.binary(),
    head=st.integers(-1, 3),
    previous=st.just(start(STORE)),
    digest=st.just(""),
    seal=st.just(""),
)


def sealed(record: Record) -> Record:
    digest = digest_of_record(STORE, record)
    return replace(record, digest=digest, seal=seal_of(KEY, digest))


def judged(record: Record, sequence: int, previous: str) -> tuple[bool, bool]:
    """Whether the fast look holds, and whether the rules of the record do."""
    row = tuple(getattr(record, name) for name in FIELDS)
    fast = Links(STORE, KEY)._holds(row, sequence, previous)
    try:
        require_link(STORE, record, sequence, previous, KEY)
    except BrokenReceipt:
        return fast, False
    return fast, True


@given(record=RECORDS.filter(lambda one: one.subject.isprintable() and one.key.isprintable()))
def test_what_the_fast_look_accepts_the_rules_accept(record: Record) -> None:
    fast, slow = judged(sealed(record), record.sequence, record.previous)
    assert slow or not fast
    if record.time.endswith("Z") and record.kind in KINDS and (record.subject + record.key).isascii() and slow:
        plain = not set(record.subject + record.key) & set('"\\\x7f')
        assert fast or not plain


NUMBERS = st.one_of(st.integers(-2, 5), st.booleans(), st.floats(allow_nan=False))
OTHERS = st.one_of(NUMBERS, st.text(max_size=5), st.binary(max_size=5), st.none())


@given(record=RECORDS, name=st.sampled_from(FIELDS), other=OTHERS)
def test_no_other_value_in_any_field_is_accepted_fast_or_slow(record: Record, name: str, other: object) -> None:
    record = replace(record, time="2026-11-23T02:47:54.123456Z", kind=SCORE, sequence=3, head=1, subject="a", key="b")
    true = sealed(record)
    row = [getattr(true, one) for one in FIELDS]
    assert Links(STORE, KEY)._holds(tuple(row), 3, record.previous)
    place = FIELDS.index(name)
    if type(row[place]) is type(other) and row[place] == other:
        return
    row[place] = other
    with pytest.raises(BrokenReceipt, match="record 3"):
        Links(STORE, KEY).require(tuple(row), 3, record.previous)


@pytest.mark.parametrize(
    ("time", "kind", "refused"),
    [
        ("2026-11-23T00:00:10.000000Z", SCORE, False),
        ("2026-11-23T00:00:08.000000Z", SCORE, False),
        ("2026-11-23T00:00:07.999999Z", SCORE, True),
        ("2026-11-23T00:00:07.999999Z", "clock set back", False),
        ("2025-11-23T00:00:00.000000Z", "opened", True),
        ("2026-02-30T00:00:00.000000Z", SCORE, True),
    ],
)
def test_a_clock_may_run_back_by_two_seconds_without_a_word(time: str, kind: str, refused: bool) -> None:
    if refused:
        with pytest.raises(BrokenReceipt, match="record 7"):
            require_forward(7, time, "2026-11-23T00:00:10.000000Z", kind)
    else:
        require_forward(7, time, "2026-11-23T00:00:10.000000Z", kind)
