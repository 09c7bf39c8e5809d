"""The ledger is only ever added to: whatever else is done to it is found out, and the first wrong line is named."""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import ledger
from models.ledger import HEAD, LEDGER, LOOK, PROMOTED, InvalidLedger, append, read_ledger
from models.seal import START, Key, canonical, digest_of

KEY, OTHER = Key(bytes(range(32))), Key(bytes(32))
ENTRIES = 5


def filled(root: Path, entries: int = ENTRIES, key: Key = KEY) -> Path:
    for number in range(entries):
        append(root, LOOK if number % 2 else PROMOTED, {"number": number, "by": "A. Frey"}, key)
    return root


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return filled(tmp_path / "releases")


def rewrite(root: Path, change: Callable[[list[bytes]], list[bytes]]) -> None:
    path = root / LEDGER
    path.write_bytes(b"".join(change(path.read_bytes().splitlines(keepends=True))))


def test_what_was_added_reads_back_in_order(root: Path) -> None:
    entries = read_ledger(root, KEY)
    assert [entry.sequence for entry in entries] == [1, 2, 3, 4, 5]
    assert [entry.facts["number"] for entry in entries] == [0, 1, 2, 3, 4]
    assert [entry.kind for entry in entries] == [PROMOTED, LOOK] * 2 + [PROMOTED]
    assert [entry.previous for entry in entries] == [START, *(entry.digest for entry in entries[:-1])]
    assert all(entry.time.endswith("+00:00") for entry in entries)


def test_a_folder_without_a_ledger_has_no_entries(tmp_path: Path) -> None:
    assert read_ledger(tmp_path, KEY) == ()


def test_adding_touches_nothing_that_was_there(root: Path) -> None:
    before = (root / LEDGER).read_bytes()
    added = append(root, LOOK, {"number": 5}, KEY)
    assert (root / LEDGER).read_bytes().startswith(before)
    assert read_ledger(root, KEY)[-1] == added


def edited(lines: list[bytes]) -> list[bytes]:
    return [*lines[:2], lines[2].replace(b"A. Frey", b"B. Frey"), *lines[3:]]


def computed_anew(lines: list[bytes]) -> list[bytes]:
    """Line 3 says something else, and every digest from there on is computed anew: all that can be done without the key."""
    found, previous = list(lines[:2]), json.loads(lines[1])["digest"]
    for line in lines[2:]:
        document = json.loads(line) | {"previous": previous}
        document["record"]["facts"]["by"] = "B. Frey"
        rest = {name: document[name] for name in ("previous", "record", "sequence")}
        previous = document["digest"] = digest_of(rest)
        found.append(canonical(document) + b"\n")
    return found


def renumbered(lines: list[bytes]) -> list[bytes]:
    document = json.loads(lines[3]) | {"sequence": 3}
    rest = {name: document[name] for name in ("previous", "record", "sequence")}
    return [*lines[:2], canonical(document | {"digest": digest_of(rest)}) + b"\n", lines[4]]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (edited, "line 3 was altered"),
        (computed_anew, "line 3 does not bear its seal"),
        (renumbered, "line 3 does not bear its seal"),
        (lambda lines: lines[1:], "line 1 carries the number 2 where 1 is due"),
        (lambda lines: [*lines[:2], *lines[3:]], "line 3 carries the number 4 where 3 is due"),
        (lambda lines: [lines[0], lines[2], lines[1], *lines[3:]], "line 2 carries the number 3"),
        (lambda lines: [*lines[:3], lines[2], *lines[3:]], "line 4 carries the number 3"),
        (lambda lines: lines[:-1], "ends after line 4, and head.json knows of 5: the last lines were removed"),
        (lambda lines: lines[:1], "ends after line 1, and head.json knows of 5"),
        (lambda lines: [], "ends after line 0"),
        (lambda lines: [*lines[:-1], lines[-1][:-20]], "ends after line 4"),
        (lambda lines: [*lines[:2], b"\n", *lines[2:]], "line 3 is not as this program writes it"),
        (lambda lines: [*lines, b'{"by":"nobody"}\n'], "line 6 was altered"),
        (lambda lines: [*lines, b'{"by":'], "line 6 was not written to the end"),
    ],
)
def test_whatever_is_done_to_its_lines_is_found_out(root: Path, change: Callable[[list[bytes]], list[bytes]], said: str) -> None:
    rewrite(root, change)
    with pytest.raises(InvalidLedger, match=said):
        read_ledger(root, KEY)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_byte_of_it_can_be_changed(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    root = filled(tmp_path_factory.mktemp("ledger"), 2)
    path = root / data.draw(st.sampled_from([LEDGER, HEAD]))
    content = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    with pytest.raises(InvalidLedger, match=r"ledger.jsonl|head.json"):
        read_ledger(root, KEY)


def test_what_stands_before_the_first_wrong_line_can_still_be_told(root: Path) -> None:
    written = read_ledger(root, KEY)
    rewrite(root, edited)
    with pytest.raises(InvalidLedger, match="line 3") as refused:
        read_ledger(root, KEY)
    assert refused.value.verified == written[:2]


def test_a_line_forged_without_the_key_is_found_out(root: Path, tmp_path: Path) -> None:
    forger = filled(tmp_path / "forged", ENTRIES + 1, OTHER)
    last = json.loads((forger / LEDGER).read_bytes().splitlines()[-1])
    document = last | {"previous": read_ledger(root, KEY)[-1].digest, "key": KEY.name}
    rest = {name: document[name] for name in ("previous", "record", "sequence")}
    rewrite(root, lambda lines: [*lines, canonical(document | {"digest": digest_of(rest)}) + b"\n"])
    with pytest.raises(InvalidLedger, match="line 6 does not bear its seal: written or altered by somebody without the key"):
        read_ledger(root, KEY)


def test_another_ledger_of_the_same_key_does_not_pass_for_this_one(root: Path, tmp_path: Path) -> None:
    append(tmp_path / "other", LOOK, {"number": -1}, KEY)
    other = filled(tmp_path / "other", ENTRIES + 1)
    rewrite(root, lambda lines: (other / LEDGER).read_bytes().splitlines(keepends=True))
    with pytest.raises(InvalidLedger, match="names another entry than line 5"):
        read_ledger(root, KEY)


def test_the_wrong_key_is_named_beside_the_right_one(root: Path) -> None:
    with pytest.raises(InvalidLedger, match=rf"sealed with another key \({KEY.name}\); the key at hand is {OTHER.name}"):
        read_ledger(root, OTHER)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda root: (root / HEAD).unlink(), "head.json is missing"),
        (lambda root: (root / LEDGER).unlink(), "ends after line 0, and head.json knows of 5"),
        (lambda root: (root / HEAD).write_bytes(b"{}\n"), r"head.json was sealed with another key \(None\)"),
        (lambda root: (root / HEAD).write_bytes((root / HEAD).read_bytes().replace(b":5}", b":4}")), "head.json"),
    ],
)
def test_a_ledger_that_misses_a_part_is_a_broken_one(root: Path, damage: Callable[[Path], object], said: str) -> None:
    damage(root)
    with pytest.raises(InvalidLedger, match=said):
        read_ledger(root, KEY)


@pytest.mark.parametrize("change", [edited, lambda lines: lines[:-1], lambda lines: []])
def test_nothing_is_added_to_a_ledger_that_does_not_verify(root: Path, change: Callable[[list[bytes]], list[bytes]]) -> None:
    rewrite(root, change)
    before = (root / LEDGER).read_bytes()
    with pytest.raises(InvalidLedger, match=r"line 3 was altered|ends after line"):
        append(root, LOOK, {}, KEY)
    assert (root / LEDGER).read_bytes() == before


def test_nobody_adds_with_another_key(root: Path) -> None:
    with pytest.raises(InvalidLedger, match="another key"):
        append(root, LOOK, {}, OTHER)


def test_a_line_left_half_written_is_cleared_by_the_next_and_nothing_else_is(root: Path) -> None:
    before = (root / LEDGER).read_bytes()
    (root / LEDGER).write_bytes(before + b'{"digest":"12')
    with pytest.raises(InvalidLedger, match="line 6 was not written to the end: what it was to record was never acknowledged"):
        read_ledger(root, KEY)
    append(root, LOOK, {"number": 5}, KEY)
    assert (root / LEDGER).read_bytes().startswith(before)
    assert [entry.facts["number"] for entry in read_ledger(root, KEY)] == [0, 1, 2, 3, 4, 5]


def test_a_computer_that_stops_between_the_line_and_the_head_leaves_a_ledger_that_verifies(root: Path) -> None:
    behind = (root / HEAD).read_bytes()
    append(root, LOOK, {"number": 5}, KEY)
    (root / HEAD).write_bytes(behind)
    assert len(read_ledger(root, KEY)) == ENTRIES + 1
    append(root, LOOK, {"number": 6}, KEY)
    assert len(read_ledger(root, KEY)) == ENTRIES + 2


def test_a_first_entry_that_was_not_written_leaves_an_empty_ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def power_cut(path: Path, content: bytes) -> None:
        raise OSError("no power")

    with monkeypatch.context() as failing:
        failing.setattr(ledger.durable, "append", power_cut)
        with pytest.raises(OSError, match="no power"):
            append(tmp_path, LOOK, {}, KEY)
    assert read_ledger(tmp_path, KEY) == ()
    assert append(tmp_path, LOOK, {}, KEY).sequence == 1


def test_facts_that_no_reader_could_read_back_are_not_written(root: Path) -> None:
    before = (root / LEDGER).read_bytes()
    with pytest.raises(ValueError, match="not JSON compliant"):
        append(root, LOOK, {"auc": float("nan")}, KEY)
    assert (root / LEDGER).read_bytes() == before


def test_only_known_kinds_of_entries_are_written(root: Path) -> None:
    with pytest.raises(ValueError, match=r"kind 'deleted': allowed are promoted, rolled back, look"):
        append(root, "deleted", {}, KEY)


def _look(root: Path, times: int) -> None:
    for number in range(times):
        append(root, LOOK, {"number": number}, KEY)


def test_writers_at_the_same_time_wait_for_each_other(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_look, args=(tmp_path, 10)) for _ in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    assert [entry.sequence for entry in read_ledger(tmp_path, KEY)] == list(range(1, 31))


def test_what_these_files_alone_cannot_show_is_both_put_back_together(root: Path) -> None:
    """Said in the module and in the README: the pointer, MLflow's tags or a copy kept elsewhere show it."""
    older = {name: (root / name).read_bytes() for name in (LEDGER, HEAD)}
    append(root, LOOK, {"number": 5}, KEY)
    for name, content in older.items():
        (root / name).write_bytes(content)
    assert len(read_ledger(root, KEY)) == ENTRIES
