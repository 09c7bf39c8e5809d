"""What a receipt holds is what came in, what was understood and what was answered, to the byte; small, and nothing else opens."""

from __future__ import annotations

import hashlib
import json
import sys
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.artifact import Artifact
from models.patient import Patient
from models.patient_document import patient_from
from serving.answer import Answer
from serving.receipts import packing, payload
from serving.receipts.packing import LARGEST, packed, unpacked
from serving.receipts.payload import ROW, code_version, draft_of, plain, unpack, with_receipt
from serving.receipts.record import SCORE, BrokenReceipt, Draft, Signed
from serving.receipts.written import dumped, written
from serving.score import score
from serving.wire import read_patient

GIVEN: dict[str, Any] = {
    "id": "p-1",
    "as_of": "2026-03-02",
    "age_years": 61.5,
    "sex": "female",
    "tumour": "pancreatic",
    "measurements": [
        {"analyte": "alc", "value": 800, "unit": "cells/uL", "date": "2026-02-26"},
        {"analyte": "anc", "value": 4.1, "unit": "10*9/L", "date": "2026-02-26", "method": "\u00e9"},
        {"analyte": "albumin", "value": 3.4, "unit": "g/dL", "date": "2026-02-10"},
        {"analyte": "ca19_9", "value": "<2.0", "unit": "U/mL", "date": "2026-02-26"},
    ],
    "history": {"prior_lines": 2, "steroids_14d": "no"},
}
CALLER, SITE = {"by": "HTTP"}, "north"
DICTIONARIES = Path(packing.__file__).parent / "dictionaries"


def answered(artifact: Artifact, given: dict[str, Any] = GIVEN) -> tuple[Patient, bytes]:
    patient = read_patient(given)
    (answer,) = score(artifact, [patient], SITE)
    assert isinstance(patient, Patient)
    assert isinstance(answer, Answer)
    return patient, written(answer)


@pytest.fixture(scope="module")
def draft(loaded: Artifact) -> Draft:
    return draft_of(dumped(GIVEN), *answered(loaded), CALLER, loaded, SITE, code_version())


def test_a_receipt_holds_what_came_in_what_was_understood_and_what_was_answered(draft: Draft, loaded: Artifact) -> None:
    patient, answer = answered(loaded)
    document = unpack(draft.content)
    assert (draft.kind, draft.id) == (SCORE, "p-1")
    assert document["given"] == GIVEN
    assert patient_from(document["patient"]) == patient
    assert dumped(document["answer"]) == answer
    assert document["caller"] == CALLER
    assert document["code"] == code_version()
    assert document["model"] == {"name": "hand-made", "digest": loaded.digest}
    assert (document["format"], document["form"], document["site"]) == (1, "request", SITE)


def test_the_body_of_a_request_is_kept_as_it_came(loaded: Artifact) -> None:
    body = b"\n" + json.dumps(GIVEN, indent=2).encode().replace(b"61.5", b"61.50") + b"\n"
    content = unpacked(draft_of(body, *answered(loaded), CALLER, loaded, SITE, code_version()).content)
    assert body.strip() in content


def test_a_row_of_a_table_is_told_apart_from_a_request(loaded: Artifact) -> None:
    row = dumped({"age": "61.5", "alc": "0,8"})
    document = unpack(draft_of(row, *answered(loaded), CALLER, loaded, SITE, code_version(), ROW).content)
    assert (document["form"], document["given"]) == ("row", {"age": "61.5", "alc": "0,8"})


def test_the_answer_with_its_receipt_is_the_answer_and_then_the_receipt(loaded: Artifact) -> None:
    _, answer = answered(loaded)
    signed = Signed("s" * 32, 7, "d" * 64, "2026-11-23T02:47:54.123456Z", "f" * 128)
    told = json.loads(with_receipt(answer, signed, "0" * 64))
    assert list(told)[-1] == "receipt"
    assert told.pop("receipt") == signed.as_json() | {"public_key": "0" * 64}
    assert told == json.loads(answer)


def test_the_dictionary_saves_at_least_three_bytes_in_ten(draft: Draft) -> None:
    plainly = len(zlib.compress(unpacked(draft.content), 1))
    assert len(draft.content) < 0.7 * plainly


@given(content=st.binary(max_size=300))
def test_whatever_is_packed_is_unpacked(content: bytes) -> None:
    assert unpacked(packed(content)) == content


@given(content=st.binary(max_size=300))
def test_what_was_packed_with_the_first_dictionary_is_unpacked(content: bytes) -> None:
    by_zlib = zlib.compressobj(3, zdict=(DICTIONARIES / "1.json").read_bytes())
    assert unpacked(b"\x01" + by_zlib.compress(content) + by_zlib.flush()) == content


def test_several_threads_pack_at_the_same_time() -> None:
    contents = [bytes([number]) * 40_000 for number in range(64)]
    with ThreadPoolExecutor(8) as threads:
        assert list(map(unpacked, threads.map(packed, contents))) == contents


@pytest.mark.parametrize(("number", "digest"), [
    (1, "9cf0eaa3cb5cf5c57c540357443bf5af389274a8ba3d9ee9a9e8889dff64090a"),
    (2, "59b3542eb76b85b368fbfac8d72bfbbbb267dc85cb474ccb4afb9152251e03e9"),
])  # fmt: skip
def test_a_dictionary_is_as_it_always_was(number: int, digest: str) -> None:
    """Receipts packed with it could not be read any more: another one gets another number."""
    assert hashlib.sha256((DICTIONARIES / f"{number}.json").read_bytes()).hexdigest() == digest


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda content: b"", "not as this version packs it"),
        (lambda content: b"\xff" + content[1:], "not as this version packs it"),
        (lambda content: content[:1] + b"\x00" + content[2:], "not as this version packs it"),
        (lambda content: content[:-9], "cut short"),
        (lambda content: content + b"\x00", "longer than it says"),
        (lambda content: packed(b"[" * 100_000), "is no JSON"),
        (lambda content: packed(b"{"), "is no JSON"),
        (lambda content: packed(b"[]"), "another format than 1"),
        (lambda content: packed(b'{"format":2}'), "another format than 1"),
        (lambda content: packed(b" " * (LARGEST + 1)), "cut short, or longer"),
    ],
)
def test_what_was_not_packed_so_is_not_unpacked(draft: Draft, damage: Any, said: str) -> None:
    with pytest.raises(BrokenReceipt, match=said):
        unpack(damage(draft.content))


def test_no_number_that_is_none_is_written_down() -> None:
    with pytest.raises(ValueError, match="Out of range float"):
        dumped({"risk": float("nan")})


def test_the_code_that_answers_is_named_by_its_sources_and_what_numbers_depend_on() -> None:
    code = code_version()
    assert set(code) == {"version", "digest", "python", "numpy", "machine"}
    assert code["python"] == ".".join(map(str, sys.version_info[:3]))
    assert "exp:" in code["machine"]
    assert code_version() is code


def test_the_digest_of_the_code_changes_with_any_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Worked on a small room of its own: one byte of one source, or a source's name, makes another digest."""
    found = set()
    for step, (name, source) in enumerate([("a.py", "x = 1\n"), ("a.py", "x = 2\n"), ("b.py", "x = 2\n")]):
        room = tmp_path / str(step) / "models"
        room.mkdir(parents=True)
        (room / "__init__.py").write_text("")
        (room / name).write_text(source)
        (room / "notes.txt").write_text(str(step))
        monkeypatch.setattr(payload.models, "__file__", str(room / "__init__.py"))
        found.add(payload._digest_of_sources())
    assert len(found) == 3


def test_as_whoever_reads_the_json_gets_it() -> None:
    assert plain({"a": (1, 2.0), "b": None}) == {"a": [1, 2.0], "b": None}
