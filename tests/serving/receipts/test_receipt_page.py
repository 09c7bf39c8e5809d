"""A receipt on paper and in a terminal: everything in it stands there, nothing in it is markup, and nothing is fetched."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest

from models.artifact import Artifact
from models.example import EXAMPLE
from models.patient import Patient
from serving.answer import Answer
from serving.receipts.checks import Check
from serving.receipts.finding import BROKEN, ERASED, Receipt
from serving.receipts.page import FEW, of_receipts, page
from serving.receipts.payload import ROW, Form, code_version, draft_of, dumped, unpack
from serving.receipts.record import Record, Signed
from serving.receipts.telling import DOES_NOT_HOLD, NOT_KEPT, Section, sections
from serving.receipts.text import as_text, right_aligned
from serving.score import score
from serving.standing import DISCLAIMER
from serving.wire import read_patient

HOSTILE = '</td><script>alert(1)</script>&"\''
GIVEN: dict[str, Any] = {
    "id": "p-1",
    "as_of": "2026-03-02",
    "age_years": 93,
    "sex": "female",
    "tumour": "pancreatic",
    "measurements": [
        {"analyte": "alc", "value": 800, "unit": "cells/uL", "date": "2026-02-26"},
        {"analyte": "anc", "value": 4.1, "unit": "10*9/L", "date": "2026-02-26"},
        {"analyte": "albumin", "value": 34.0, "unit": "g/L", "date": "2026-02-26"},
    ],
    "treatments": [{"modality": "chemotherapy", "start": "2025-12-01", "end": "2026-01-15", "agents": ["gemcitabine"]}],
    "history": {"steroids_14d": "no"},
}
RECORD = Record(7, "2026-11-23T02:47:54.123456Z", "score", "ab" * 16, "cd" * 16, b"", 6, "e" * 64, "f" * 64, "a" * 64)
SIGNED = Signed("5" * 32, 7, "f" * 64, RECORD.time, "9" * 128)


@pytest.fixture
def receipt() -> Callable[..., Receipt]:
    def made(artifact: Artifact, site: str = "north", form: Form = "request") -> Receipt:
        patient = read_patient(GIVEN)
        (answer,) = score(artifact, [patient], site)
        assert isinstance(patient, Patient)
        assert isinstance(answer, Answer)
        draft = draft_of(dumped(GIVEN), patient, dumped(answer.as_json()), {"by": "HTTP"}, artifact, site, code_version(), form)
        return Receipt(RECORD, unpack(draft.content))

    return made


class Page(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self, written: str):
        super().__init__()
        self.tags: list[str] = []
        self.attributes: dict[str, list[str]] = {}
        self.texts: list[str] = []
        self.feed(written)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            self.attributes.setdefault(name, []).append(value or "")

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append(data.strip())


def test_everything_of_the_answer_stands_in_the_text(loaded: Artifact, receipt: Callable[..., Receipt]) -> None:
    one = receipt(loaded)
    answer = (one.document or {})["answer"]
    checked = [Check("digest", True, "whole"), Check("seal", False, "no"), Check("record after", None)]
    text = as_text(sections(one, SIGNED, checked))
    lines = [re.sub(r"\s+", " ", line) for line in text.split("\n")]
    for days, risk in answer["risks"].items():
        assert any(line.strip().startswith(f"{days} days {100 * risk['risk']:.1f} %") for line in lines)
    labels = {used["feature"]: used["label"] for used in answer["explanation"]["inputs"]}
    explained = answer["explanation"]["horizons"].values()
    for feature, label in labels.items():
        assert f"{label} " + " ".join(f"{horizon['terms'][feature]:+.4f}" for horizon in explained) in lines
    assert "base " + " ".join(f"{horizon['base']:+.4f}" for horizon in explained) in lines
    made = [loaded.digest, code_version()["digest"], SIGNED.signature, RECORD.seal]
    for said in [*answer["warnings"], *answer["standing"], DISCLAIMER, *made]:
        assert said.replace(" ", "") in text.replace(" ", "").replace("\n", "")
    assert "digest holds whole" in lines
    assert f"seal {DOES_NOT_HOLD} no" in lines
    assert "record after cannot be told yet" in lines


def test_what_came_in_and_how_it_was_understood_stand_side_by_side_with_their_units(
    loaded: Artifact, receipt: Callable[..., Receipt]
) -> None:
    found = {section.title: section for section in sections(receipt(loaded))}
    came, understood = found["What came in: measurements"].table, found["How it was understood: measurements"].table
    assert dict(zip(came[0], came[1], strict=True))["value"] == "800"
    first = dict(zip(understood[0], understood[1], strict=True))
    assert (first["analyte"], first["value"], first["unit"], first["days_before_index"]) == ("alc", "0.8", "10*9/L", "4")
    assert (first["converted"], first["given"]) == ("yes", "800 cells/uL")
    assert ("history.steroids_14d", "no") in found["What came in"].table
    assert ("history.steroids_14d", "0") in found["How it was understood"].table
    assert found["What came in: treatments"].table[1][0] == "chemotherapy"


def test_a_row_of_a_table_is_called_so(loaded: Artifact, receipt: Callable[..., Receipt]) -> None:
    titles = [section.title for section in sections(receipt(loaded, form=ROW))]
    assert "What came in: a row of a table" in titles


def test_a_page_fetches_nothing_runs_nothing_and_takes_no_value_for_markup(
    loaded: Artifact, receipt: Callable[..., Receipt]
) -> None:
    one = receipt(loaded, site=HOSTILE)
    for part in ("given", "patient"):  # an earlier reader may have let it in
        (one.document or {})[part]["measurements"][2]["method"] = HOSTILE
    written = of_receipts([one])
    read = Page(written)
    assert not {"script", "link", "img", "iframe", "object", "form"} & set(read.tags)
    assert not {"src", "href", "onclick", "onload"} & set(read.attributes)
    assert "url(" not in written
    assert "@import" not in written
    assert read.attributes["content"][0].startswith("default-src 'none'")
    assert read.texts.count(HOSTILE) >= 3  # the site, and the method as given and as understood
    assert DISCLAIMER in read.texts


def test_a_model_of_simulated_patients_is_an_example_on_every_page(
    loaded: Artifact, simulated: Artifact, receipt: Callable[..., Receipt]
) -> None:
    real, example = receipt(loaded), receipt(simulated)
    assert EXAMPLE not in Page(of_receipts([real])).texts
    assert Page(of_receipts([real, example])).texts[2] == EXAMPLE  # after the title and the style
    assert EXAMPLE in Page(of_receipts([real] * FEW + [example])).texts


def test_few_receipts_get_a_sheet_each_and_many_a_row(loaded: Artifact, receipt: Callable[..., Receipt]) -> None:
    one = receipt(loaded)
    erased = Receipt(replace(RECORD, sequence=8), None, ERASED, "")
    assert Page(of_receipts([one] * FEW)).tags.count("article") == FEW
    many = Page(of_receipts([one] * FEW + [erased]))
    assert many.tags.count("article") == 1
    assert many.tags.count("tr") == FEW + 2
    risk = (one.document or {})["answer"]["risks"]["90"]["risk"]
    assert many.texts.count(f"{100 * risk:.1f} %") == FEW
    assert "erased" in many.texts


def test_an_erased_receipt_says_that_it_was_and_when_it_was_given() -> None:
    erased = Receipt(RECORD, None, ERASED, "the key of the patient is gone")
    text = as_text(sections(erased, SIGNED, [], ["erased by ann (record 9)"]))
    assert NOT_KEPT in text.replace("\n  ", " ")
    assert "erased by ann (record 9)" in text
    assert RECORD.time in text
    assert "Risk of death" not in text


def test_a_receipt_that_does_not_open_says_so() -> None:
    assert "record 7 does not open" in as_text(sections(Receipt(RECORD, None, BROKEN, "record 7 does not open")))


def test_an_event_is_told_as_what_it_is() -> None:
    event = Receipt(replace(RECORD, kind="opened", key="", subject=""), {"version": "1.0"})
    text = as_text(sections(event))
    assert text.startswith("Event 'opened' 7, 2026-11-23")
    assert "version  1.0" in text


def test_numbers_with_their_units_are_set_to_the_right() -> None:
    rows = [("a", "1.5 %", "+0.1", "", "1e-05", "30 days"), ("b", "12.0 %", "-0.2", "", "7", "365 days")]
    assert right_aligned(rows) == [False, True, True, False, True, True]
    assert right_aligned([("2026-02-26", "1.5 g")]) == [False, False]


def test_a_page_of_nothing_is_a_page() -> None:
    read = Page(page("Receipts", ["none was given"], [[Section("Nothing")]], False))
    assert "none was given" in read.texts
    assert json.dumps(read.tags).count("table") == 0
