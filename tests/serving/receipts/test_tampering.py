"""Whatever is done to receipts without the key is found out, by the operator and, where it shows from there, by an outsider."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from looking import export_says, operator_says, outsider_says
from manipulated import MANIPULATIONS
from scenes import KEYS, Scene, scene
from tampering import missed_by

from serving.receipts.mark import write_mark
from serving.receipts.record import FIELDS
from serving.receipts.store import Store
from serving.receipts.verify import verify

NEEDS_SOMETHING_KEPT = [name for name, one in MANIPULATIONS.items() if one.kept and "anew" not in name]


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return scene(tmp_path_factory.mktemp("honest"))


def test_nobody_finds_anything_wrong_before_anything_was_done(honest: Scene, tmp_path: Path) -> None:
    kept = {"witnesses": [honest.witness], "answers": [honest.receipt]}
    assert operator_says(honest.folder, **kept) == ()
    assert outsider_says(honest.folder, **kept) == ""
    assert export_says(honest.folder, tmp_path / "export", **kept) == ""
    assert operator_says(honest.live, **kept) == ()  # beside a running service
    assert operator_says(honest.older) == ()


@pytest.mark.parametrize("name", MANIPULATIONS)
def test_a_manipulation_is_found_out_by_whoever_can_see_it(name: str, honest: Scene, tmp_path: Path) -> None:
    assert missed_by(MANIPULATIONS[name], honest.copied(tmp_path / "tampered")) == []


@pytest.mark.parametrize("name", NEEDS_SOMETHING_KEPT)
def test_a_store_put_back_whole_takes_something_kept_elsewhere_or_a_mark(name: str, honest: Scene, tmp_path: Path) -> None:
    made = honest.copied(tmp_path / "tampered")
    mark = verify(Store.open(made.folder), KEYS).mark
    MANIPULATIONS[name].done_to(made)
    assert operator_says(made.folder) == ()  # this is why something must be kept
    (fault,) = verify(Store.open(made.folder), KEYS, since=mark).faults
    assert "verified before" in fault


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("a bit of an encrypted score", "record 10 was altered"),
        ("the time", "record 9 was altered"),
        ("the seal", "record 9 does not bear its seal"),
        ("a score, and the whole chain computed again", "record 10 does not bear its seal"),
        ("the first record deleted", "record 1 is missing"),
        ("a record deleted in the middle", "record 10 is missing"),
        ("the last record deleted", "record 34 is missing"),
        ("every record deleted", "record 1 is missing"),
        ("two records exchanged", "record 10 was altered"),
        ("a byte more, which makes it a text", "record 9 cannot be read"),
        ("a data key deleted", "its data key"),
        ("a trigger dropped", "the trigger no_update_of_records is missing"),
        ("an erasure forged", "record 35 does not bear its seal"),
        ("several heads cut off", "record 28 was written after head 27"),
    ],
)
def test_the_first_bad_record_is_named_and_what_is_wrong_with_it(name: str, first: str, honest: Scene, tmp_path: Path) -> None:
    made = honest.copied(tmp_path / "tampered")
    MANIPULATIONS[name].done_to(made)
    assert first in operator_says(made.folder)[0]


def test_no_fault_tells_what_was_encrypted(honest: Scene, tmp_path: Path) -> None:
    made = honest.copied(tmp_path / "tampered")
    MANIPULATIONS["a byte more, which makes it a text"].done_to(made)
    assert all(one.isascii() and one.isprintable() for one in operator_says(made.folder))


def test_a_last_group_that_is_not_signed_is_told_and_is_no_alarm(honest: Scene, tmp_path: Path) -> None:
    made = honest.copied(tmp_path / "stopped")
    made.heads.write_bytes(b"".join(made.heads.read_bytes().splitlines(keepends=True)[:-1]) + b'{"digest":"')
    found = verify(Store.open(made.folder), KEYS)
    assert (found.faults, found.unsigned, found.records) == ((), 6, 34)
    assert outsider_says(made.folder) == ""


FLIPS = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@FLIPS
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_a_bit_flipped_in_the_database_is_found_or_stands_where_nothing_is_read(
    place: float, bit: int, honest: Scene, tmp_path_factory: pytest.TempPathFactory
) -> None:
    made = honest.copied(tmp_path_factory.mktemp("flipped") / "receipts")
    flip(made.database, place, bit)
    if not operator_says(made.folder):
        assert read(made.folder) == read(honest.folder)
    if not outsider_says(made.folder):
        assert read_outside(made) == read_outside(honest)


@FLIPS
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_a_bit_flipped_in_the_heads_is_found_or_leaves_the_last_line_unfinished(
    place: float, bit: int, honest: Scene, tmp_path_factory: pytest.TempPathFactory
) -> None:
    made = honest.copied(tmp_path_factory.mktemp("flipped") / "receipts")
    at = flip(made.heads, place, bit)
    unfinished = at == made.heads.stat().st_size - 1  # as a service leaves it that was stopped while it wrote
    assert unfinished or operator_says(made.folder)
    # signatures in the middle are not all checked outside: the last one vouches for what is before it
    last = made.heads.read_bytes().rfind(b"\n", 0, -1) + 1
    assert unfinished or outsider_says(made.folder) or at < last


def flip(path: Path, place: float, bit: int) -> int:
    content = bytearray(path.read_bytes())
    at = int(place * len(content))
    content[at] ^= 1 << bit
    path.write_bytes(content)
    return at


def read(folder: Path) -> list[tuple[object, ...]]:
    store = Store.open(folder)
    rows = [tuple(row) for row in store.rows()]
    found = {row[3]: [(one.sequence,) for one in store.of_subject(row[3])] for row in rows}  # by the index
    return rows + [one for some in found.values() for one in some]


def read_outside(made: Scene) -> list[tuple[object, ...]]:
    """All but the seals, which only the operator can check."""
    with closing(sqlite3.connect(made.database)) as connection:
        return connection.execute(f"SELECT {', '.join(FIELDS[:-1])} FROM records ORDER BY sequence").fetchall()


def test_an_index_that_leaves_out_a_record_is_found(honest: Scene, tmp_path: Path) -> None:
    made = honest.copied(tmp_path / "tampered")
    content = made.database.read_bytes()
    subject = KEYS.subject("patient-4").encode()
    places = [found.start() for found in re.finditer(subject, content)]
    hidden = [altered(content, at) for at in places]
    faults = []
    for one in hidden:
        made.database.write_bytes(one)
        faults.append(operator_says(made.folder))
    assert all(faults)
    assert any("an index was altered" in one[0] for one in faults)


def altered(content: bytes, at: int) -> bytes:
    return content[:at] + (b"0" if content[at : at + 1] != b"0" else b"1") + content[at + 1 :]


def test_a_mark_is_written_for_its_owner_alone(honest: Scene, tmp_path: Path) -> None:
    write_mark(tmp_path / "mark", verify(Store.open(honest.folder), KEYS).mark, KEYS.sealing)
    assert (tmp_path / "mark").stat().st_mode & 0o077 == 0
