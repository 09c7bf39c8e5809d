"""A score is computed again from its receipt, to the bit; whatever differs is told by place, and why it may."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.artifact import Artifact, Promotion
from models.patient import Patient
from models.patient_document import patient_document
from serving.answer import Answer
from serving.patient_json import LONG_AGO
from serving.receipts import replay
from serving.receipts.finding import BROKEN, ERASED, Receipt
from serving.receipts.models_kept import KeptModels, keep_model
from serving.receipts.payload import ROW, Form, code_version, draft_of, dumped, plain, unpack
from serving.receipts.record import Record
from serving.receipts.replay import CLOSE, DIFFERS, EQUAL, NOT_REPLAYABLE, OTHERWISE, Replayed, replayed
from serving.score import score
from serving.wire import read_patient

OTHER = code_version() | {"numpy": "1.26.4"}


def request(id: str = "p-1", **changes: Any) -> dict[str, Any]:
    labs = {"alc": (0.8, "10*9/L"), "anc": (4.1, "10*9/L"), "albumin": (34.0, "g/L")}
    return {
        "id": id,
        "as_of": "2026-03-02",
        "age_years": 61.5,
        "sex": "female",
        "tumour": "pancreatic",
        "measurements": [
            {"analyte": name, "value": value, "unit": unit, "date": "2026-02-26"} for name, (value, unit) in labs.items()
        ],
        "history": {"prior_lines": 2},
    } | changes


def record(sequence: int) -> Record:
    return Record(sequence, "2026-11-23T02:47:54.123456Z", "score", "", "k", b"", 0, "", f"{sequence:064x}", "")


def receipt(
    artifact: Artifact,
    given: dict[str, Any],
    sequence: int = 1,
    site: str = "",
    form: Form = "request",
    patient: Patient | None = None,
) -> Receipt:
    """What `payload` makes of an answer on the way to a caller, as it is read again."""
    read = patient or read_patient(given)
    (answer,) = score(artifact, [read], site)
    assert isinstance(read, Patient)
    assert isinstance(answer, Answer)
    draft = draft_of(dumped(given), read, dumped(answer.as_json()), {}, artifact, site, code_version(), form)
    return Receipt(record(sequence), unpack(draft.content))


def changed(one: Receipt, change: Callable[[Any], object], code: dict[str, str] | None = None) -> Receipt:
    document = deepcopy(dict(one.document or {}))
    change(document)
    return replace(one, document=document | {"code": code or document["code"]})


@pytest.fixture
def kept(tmp_path: Path, model_folder: Path, loaded: Artifact) -> KeptModels:
    keep_model(tmp_path, model_folder, loaded.digest)
    return KeptModels(tmp_path)


def verdict(one: Receipt, kept: KeptModels) -> Replayed:
    (found,) = replayed([one], kept)
    return found


@settings(max_examples=40, deadline=None)
@given(
    ages=st.lists(st.floats(18, 95), min_size=1, max_size=6),
    alc=st.floats(0.1, 4),
    site=st.sampled_from(["", "north"]),
)
def test_scores_are_computed_again_to_the_bit(
    tmp_path_factory: pytest.TempPathFactory, model_folder: Path, loaded: Artifact, ages: list[float], alc: float, site: str
) -> None:
    kept = KeptModels(tmp_path_factory.getbasetemp() / "kept")
    keep_model(kept.receipts, model_folder, loaded.digest)
    labs = [
        {"analyte": "alc", "value": alc, "unit": "10*9/L", "date": "2026-02-26"},
        {"analyte": "albumin", "value": 34.0, "unit": "g/L", "date": "2026-02-26"},
    ]
    receipts = [receipt(loaded, request(age_years=age, measurements=labs), at, site) for at, age in enumerate(ages, 1)]
    assert list(replayed(receipts, kept)) == [Replayed(at, EQUAL) for at in range(1, len(ages) + 1)]


def test_more_receipts_than_are_replayed_at_once_come_back_in_order(
    kept: KeptModels, loaded: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay, "_BLOCK", 3)
    one, other = receipt(loaded, request()), receipt(loaded, request(), site="north")
    many: Iterator[Receipt] = (replace((one, other)[at % 2], record=record(at)) for at in range(1, 9))
    assert [(found.sequence, found.verdict) for found in replayed(many, kept)] == [(at, EQUAL) for at in range(1, 9)]


@pytest.mark.parametrize("proved", [True, False])  # receipts from before there were keys do not tell
def test_who_promoted_the_model_is_part_of_what_is_replayed(kept: KeptModels, loaded: Artifact, proved: bool) -> None:
    promoted = replace(loaded, promotion=Promotion("1.0", "ann", "bea", "2026-11-01T00:00:00Z", 3, True, proved))
    one = receipt(promoted, request())
    answer = (one.document or {})["answer"]
    assert "promoted 2026-11-01 by ann" in answer["text"]
    assert ("approved by bea, each by a key of their own (entry 3" in answer["text"]) == proved
    assert ("proved" in answer["model"]["release"]) == proved
    assert verdict(one, kept).verdict == EQUAL


def move(document: Any, by: float) -> None:
    document["answer"]["risks"]["90"]["risk"] += by


def test_a_number_that_is_another_differs_and_is_named_without_its_value(kept: KeptModels, loaded: Artifact) -> None:
    one = changed(receipt(loaded, request()), lambda document: move(document, 1e-9))
    found = verdict(one, kept)
    assert (found.verdict, found.places) == (DIFFERS, ("/risks/90/risk",))
    assert str(found) == "receipt 1: differs; /risks/90/risk; computed by the same program on the same machine"
    assert verdict(changed(one, lambda document: None, OTHER), kept).verdict == DIFFERS


def test_a_last_bit_may_differ_with_another_numpy_and_only_then(kept: KeptModels, loaded: Artifact) -> None:
    def nudge(document: Any) -> None:
        terms = document["answer"]["explanation"]["horizons"]["90"]["terms"]
        terms["ln_alc"] = math.nextafter(terms["ln_alc"], 9)

    one = receipt(loaded, request())
    assert verdict(changed(one, nudge), kept).verdict == DIFFERS
    found = verdict(changed(one, nudge, OTHER), kept)
    assert (found.verdict, found.places) == (CLOSE, ("/explanation/horizons/90/terms/ln_alc",))
    assert found.why == f"numpy 1.26.4 then, {code_version()['numpy']} now"
    assert verdict(changed(one, lambda document: None, OTHER), kept).verdict == EQUAL


def test_words_may_differ_with_another_version_and_only_then(kept: KeptModels, loaded: Artifact) -> None:
    def reword(document: Any) -> None:
        document["answer"]["text"] = "as it was said then"

    one = receipt(loaded, request())
    assert verdict(changed(one, reword), kept).verdict == DIFFERS
    found = verdict(changed(one, reword, OTHER), kept)
    assert (found.verdict, found.places) == (OTHERWISE, ("/text",))


def test_a_term_that_is_gone_differs_whatever_the_version(kept: KeptModels, loaded: Artifact) -> None:
    def add(document: Any) -> None:
        document["answer"]["explanation"]["horizons"]["90"]["terms"]["luck"] = 0.1

    found = verdict(changed(receipt(loaded, request()), add, OTHER), kept)
    assert (found.verdict, found.places) == (DIFFERS, ("/explanation/horizons/90/terms/luck",))


def test_what_came_in_is_read_again_and_must_be_the_patient_who_was_scored(kept: KeptModels, loaded: Artifact) -> None:
    def another(document: Any) -> None:
        document["given"]["measurements"][0]["value"] = 0.9

    def unreadable(document: Any) -> None:
        document["given"]["measurements"][0]["unit"] = "miles"

    one = receipt(loaded, request())
    found = verdict(changed(one, another), kept)
    assert found.verdict == DIFFERS
    assert "/patient/measurements/0/value" in found.places
    assert verdict(changed(one, another, OTHER), kept).verdict == OTHERWISE
    assert verdict(changed(one, unreadable), kept).places == ("/given",)


@pytest.mark.parametrize("read_on", [date(2026, 11, 23), date(2026, 11, 22), None])
def test_what_came_in_is_read_as_on_the_day_on_which_it_was_recorded(
    kept: KeptModels, loaded: Artifact, read_on: date | None
) -> None:
    """An index date of long ago is doubted by a reader who knows the day, and that doubt is part of the patient."""
    before = str(date(2026, 11, 23) - LONG_AGO - timedelta(days=30))
    labs = [one | {"date": before} for one in request()["measurements"]]
    given = request(as_of=before, measurements=labs)
    patient = read_patient(given, today=read_on)
    assert isinstance(patient, Patient)
    assert bool(patient.doubts) == (read_on is not None)
    assert verdict(receipt(loaded, given, patient=patient), kept).verdict == EQUAL


def test_a_row_of_a_table_is_not_read_as_a_request(kept: KeptModels, loaded: Artifact) -> None:
    one = changed(receipt(loaded, request(), form=ROW), lambda document: document.update(given={"col": "7"}))
    assert verdict(one, kept).verdict == EQUAL


def test_a_patient_who_gets_no_answer_today_differs(kept: KeptModels, loaded: Artifact) -> None:
    minor = replace(read_patient(request()), age_years=17.0)  # type: ignore[type-var]  # a Patient, as the request is readable
    one = changed(receipt(loaded, request()), lambda document: document.update(patient=plain(patient_document(minor))))  # type: ignore[arg-type]  # the same
    found = verdict(one, kept)
    assert (found.verdict, found.why) == (DIFFERS, "today there is no answer: not eligible")


def test_what_cannot_be_replayed_says_why_and_leaves_the_others_alone(kept: KeptModels, loaded: Artifact) -> None:
    one = receipt(loaded, request())
    unreadable = changed(one, lambda document: document["patient"].update(format=9))
    strange = changed(one, lambda document: document["model"].update(digest="0" * 64))
    strange.document["answer"]["model"]["digest"] = "0" * 64  # type: ignore[index]  # there is a document
    erased, broken = Receipt(record(4), None, ERASED, "erased by ann"), Receipt(record(5), None, BROKEN, "record 5 does not open")
    receipts = [replace(two, record=record(at)) for at, two in enumerate((one, unreadable, strange), 1)]
    found = list(replayed([*receipts, erased, broken], kept))
    assert [two.verdict for two in found] == [EQUAL, NOT_REPLAYABLE, NOT_REPLAYABLE, ERASED, NOT_REPLAYABLE]
    assert found[1].why == "this version cannot read the patient"
    assert found[2].why.startswith("model missing: no model 0000")
    assert [two.why for two in found[3:]] == ["erased by ann", "record 5 does not open"]


def test_a_model_that_is_gone_is_a_word_and_a_copy_elsewhere_a_way_out(
    kept: KeptModels, loaded: Artifact, model_folder: Path
) -> None:
    shutil.rmtree(kept.receipts / "models")
    one = receipt(loaded, request())
    assert "--model FOLDER" in verdict(one, kept).why
    assert verdict(one, KeptModels(kept.receipts, [model_folder])).verdict == EQUAL
