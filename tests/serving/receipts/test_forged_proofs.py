"""Proofs that somebody forged: receipts, heads, witnesses and marks that were never given, before both verifiers.

A verifier is worth what it refuses: one that checked half of a proof once let a server present a history that never was.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from looking import operator_says, outsider_says
from manipulations import FOREIGN
from scenes import KEYS, Scene, scene

from models.seal import canonical, sealed
from serving.receipts.mark import InvalidMark, read_mark, write_mark
from serving.receipts.record import Signed
from serving.receipts.store import Store
from serving.receipts.verify import verify

OTHER = "0" * 32


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return scene(tmp_path_factory.mktemp("honest"))


@pytest.fixture(scope="module")
def receipt(honest: Scene) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(honest.receipt.read_text())["receipt"]
    return found


def both_refuse(honest: Scene, saying: str, **kept: list[Path]) -> None:
    assert saying in "; ".join(operator_says(honest.folder, **kept))
    assert saying in outsider_says(honest.folder, **kept)


def signed(keys: Any, receipt: dict[str, Any], **other: Any) -> dict[str, Any]:
    """A statement signed by somebody, of what the receipt says or of something else."""
    said = receipt | other
    made: Signed = keys.sign(said["store"], said["sequence"], said["digest"], said["time"])
    return made.as_json()


FORGED: dict[str, tuple[Callable[[dict[str, Any]], dict[str, Any]], str]] = {
    "a digest altered": (lambda one: one | {"digest": "0" * 64}, "does not bear a signature"),
    "another digest, truly signed": (lambda one: signed(KEYS, one, digest="0" * 64), "is not the one that was signed"),
    "another number": (lambda one: one | {"sequence": one["sequence"] - 1}, "does not bear a signature"),
    "a record that is not there, truly signed": (lambda one: signed(KEYS, one, sequence=10**6), "the heads end at record 34"),
    "another time": (lambda one: one | {"time": "2026-01-01T00:00:00.000000Z"}, "does not bear a signature"),
    "signed by somebody": (lambda one: signed(FOREIGN, one), "does not bear a signature"),
    "signed by somebody who names their key": (
        lambda one: signed(FOREIGN, one) | {"public_key": FOREIGN.public_key},
        "names another public key",
    ),
    "of another store, truly signed": (lambda one: signed(KEYS, one, store=OTHER), "of another store"),
}
MALFORMED: dict[str, Callable[[dict[str, Any]], Any]] = {
    "a signature cut short": lambda one: one | {"signature": one["signature"][:-2]},
    "a signature prolonged": lambda one: one | {"signature": one["signature"] + "00"},
    "an empty signature": lambda one: one | {"signature": ""},
    "a signature in capitals": lambda one: one | {"signature": one["signature"].upper()},
    "a signature that is no text": lambda one: one | {"signature": 1},
    "true for a number": lambda one: one | {"sequence": True},
    "a number with a point": lambda one: one | {"sequence": float(one["sequence"])},
    "a number as text": lambda one: one | {"sequence": str(one["sequence"])},
    "a negative number": lambda one: one | {"sequence": -1},
    "no number": lambda one: one | {"sequence": None},
    "zero": lambda one: one | {"sequence": 0},
    "a huge number": lambda one: one | {"sequence": 10**400},
    "half a character": lambda one: one | {"time": "\ud800"},
    "a field more": lambda one: one | {"note": ""},
    "a field less": lambda one: {name: value for name, value in one.items() if name != "time"},
    "nothing": lambda one: {},
    "a list": lambda one: [],
}


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_receipt_is_refused_by_both_verifiers(
    name: str, honest: Scene, receipt: dict[str, Any], tmp_path: Path
) -> None:
    forge, saying = FORGED[name]
    answer = tmp_path / "answer.json"
    answer.write_text(json.dumps({"risks": {"90": 0.1}, "receipt": {"public_key": KEYS.public_key} | forge(receipt)}))
    both_refuse(honest, saying, answers=[answer])


@pytest.mark.parametrize("name", [name for name in FORGED if "names their key" not in name])
def test_a_forged_witness_is_refused_by_both_verifiers(name: str, honest: Scene, receipt: dict[str, Any], tmp_path: Path) -> None:
    bare = {key: value for key, value in receipt.items() if key != "public_key"}
    forge, saying = FORGED[name]
    witness = tmp_path / "witness.jsonl"
    witness.write_bytes(honest.witness.read_bytes() + canonical(forge(bare)) + b"\n")
    both_refuse(honest, saying, witnesses=[witness])


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_no_receipt_is_refused_and_raises_nothing_else(
    name: str, honest: Scene, receipt: dict[str, Any], tmp_path: Path
) -> None:
    answer = tmp_path / "answer.json"
    answer.write_text(json.dumps(MALFORMED[name](receipt)))
    assert operator_says(honest.folder, answers=[answer])
    assert outsider_says(honest.folder, answers=[answer])


@pytest.mark.parametrize(
    "written",
    [
        b"",
        b"{",
        b"\xff",
        b"null",
        b"[" * 100_000,
        b'{"receipt": NaN}',
        b'{"scores": []}',
        b'{"risks": {}}',
        b'{"receipt": null}',
    ],
)
def test_a_file_that_holds_no_receipt_is_no_proof(written: bytes, honest: Scene, tmp_path: Path) -> None:
    answer = tmp_path / "answer.json"
    answer.write_bytes(written)
    assert operator_says(honest.folder, answers=[answer])
    assert outsider_says(honest.folder, answers=[answer])


def test_an_answer_that_names_a_key_twice_is_refused(honest: Scene, receipt: dict[str, Any], tmp_path: Path) -> None:
    answer = tmp_path / "answer.json"
    answer.write_text(json.dumps(receipt).replace('{"', '{"digest": "' + "0" * 64 + '", "', 1))
    assert operator_says(honest.folder, answers=[answer])
    assert outsider_says(honest.folder, answers=[answer])


@pytest.mark.parametrize(
    ("said", "says"),
    [
        (b":", b": "),
        (b'"digest"', b'"d\\u0069gest"'),
        (b'"store":"', b'"store":"x","store":"'),
        (b'"sequence":', b'"sequence":+'),
        (b'"sequence":', b'"sequence":0'),
        (b'"sequence":', b'"sequence":NaN,"a":'),
        (b"}", b',"zzz":1e999}'),
        (b"}", b"}}"),
        (b"{", b"\xef\xbb\xbf{"),
    ],
)
def test_a_witness_in_another_form_is_refused(said: bytes, says: bytes, honest: Scene, tmp_path: Path) -> None:
    first, *rest = honest.witness.read_bytes().splitlines(keepends=True)
    witness = tmp_path / "witness.jsonl"
    witness.write_bytes(first.replace(said, says, 1) + b"".join(rest))
    both_refuse(honest, "is not as this program writes it", witnesses=[witness])


def test_receipts_of_several_patients_are_all_looked_at(honest: Scene, receipt: dict[str, Any], tmp_path: Path) -> None:
    answer = tmp_path / "answers.json"
    answer.write_text(json.dumps({"scores": [{"receipt": receipt}, {"title": "refused"}, {"receipt": receipt}]}))
    assert (operator_says(honest.folder, answers=[answer]), outsider_says(honest.folder, answers=[answer])) == ((), "")
    answer.write_text(json.dumps({"scores": [{"receipt": receipt}, {"receipt": receipt | {"digest": "0" * 64}}]}))
    both_refuse(honest, "does not bear a signature", answers=[answer])


def test_a_receipt_that_does_not_need_the_last_head_is_found_in_the_middle(honest: Scene, tmp_path: Path) -> None:
    record = Store.open(honest.folder).record(8)
    assert record is not None
    answer = tmp_path / "answer.json"
    answer.write_text(json.dumps(KEYS.sign(Store.open(honest.folder).id, 8, record.digest, record.time).as_json()))
    assert (operator_says(honest.folder, answers=[answer]), outsider_says(honest.folder, answers=[answer])) == ((), "")


def test_a_mark_is_refused_that_is_forged_foreign_or_of_another_store(honest: Scene, tmp_path: Path) -> None:
    mark, path = verify(Store.open(honest.folder), KEYS).mark, tmp_path / "mark"
    write_mark(path, mark, KEYS.sealing)
    assert read_mark(path, mark.store, KEYS.sealing) == mark
    with pytest.raises(InvalidMark, match="of another store"):
        read_mark(path, OTHER, KEYS.sealing)
    with pytest.raises(InvalidMark, match="sealed with another key"):
        read_mark(path, mark.store, FOREIGN.sealing)
    path.write_bytes(path.read_bytes().replace(b'"sequence":34', b'"sequence":33'))
    with pytest.raises(InvalidMark, match="does not bear its seal"):
        read_mark(path, mark.store, KEYS.sealing)
    path.write_bytes(sealed("mark of a verification", {"store": mark.store}, KEYS.sealing))
    with pytest.raises(InvalidMark, match="of another version"):
        read_mark(path, mark.store, KEYS.sealing)
    path.write_bytes(b"{}")
    with pytest.raises(InvalidMark, match="is not as this program writes it"):
        read_mark(path, mark.store, KEYS.sealing)


@pytest.mark.parametrize(
    ("other", "saying"),
    [
        ({"sequence": 10**6}, "was verified before, and is missing"),
        ({"digest": "0" * 64}, "is not the one that was verified before"),
        ({"head_at": 10}, "is not as this program writes it"),
        ({"head_at": 10**9}, "heads were cut or moved"),
        ({"head_at": 0}, "heads were moved or doubled"),
    ],
)
def test_a_mark_that_does_not_fit_the_store_says_that_the_log_was_moved(
    other: dict[str, Any], saying: str, honest: Scene
) -> None:
    store = Store.open(honest.folder)
    mark = verify(store, KEYS).mark
    (fault,) = verify(store, KEYS, since=replace(mark, **other)).faults
    assert saying in fault


def test_the_key_of_somebody_else_verifies_nothing(honest: Scene) -> None:
    (fault,) = verify(Store.open(honest.folder), FOREIGN).faults
    assert "another key (--receipts-key), or another store" in fault
