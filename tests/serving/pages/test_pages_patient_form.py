"""The form answered: the same risk as over HTTP to the bit, every fault beside its field, and nothing that was filled in lost."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from models.artifact import Artifact
from models.identity import Role
from serving.access.forms import MOST
from serving.pages.patient_fields import MEASURED, MOST_ROWS, ONE_UNIT
from serving.pages.patient_form import FIELDS
from serving.receipts.payload import unpack
from serving.receipts.record import SCORE
from serving.recorded import Answering
from serving.wire import read_line

from .conftest import HERE, SITE, House, somebody

LABS = {"alc": ("0.6", "10*9/L"), "anc": ("4500", "cells/uL"), "albumin": ("34", "g/L")}
FILLED = {"as_of": "2026-11-20", "drawn": "2026-11-18", "age_years": "66", "sex": "female", "tumour": "pancreatic", "id": "p-77"}
FILLED |= {name: value for name, (value, _) in LABS.items()} | {f"{name}_unit": unit for name, (_, unit) in LABS.items()}
MORE = {"draws": "2026-09-01 ALC 0.9 10*9/L\n2026-10-01\tCA 19-9\t<2.0\tU/mL", "ca19_9": "37", "ca19_9_unit": "U/mL"}
MORE |= {"ca19_9_uln": "34", "t0_modality": "chemotherapy", "t0_agents": "gemcitabine, nab-paclitaxel", "t0_start": "2026-03-01"}
MORE |= {"t0_end": "2026-08-01", "t0_outcome": "progression", "t0_line": "1", "liver_metastases": "yes", "metastatic_sites": "2"}


class Controls(HTMLParser):
    """What stands in the fields of a page, and what describes them."""

    def __init__(self, page: str):
        super().__init__()
        self.values: dict[str, str] = {}
        self.attributes: dict[str, dict[str, str | None]] = {}
        self.ids: set[str] = set()
        self.links: list[str] = []
        self._select = self._area = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.ids.add(found.get("id") or "")
        if tag == "a" and (found.get("href") or "").startswith("#"):
            self.links.append((found["href"] or "")[1:])
        if tag in ("input", "select", "textarea") and (name := found.get("name")):
            self.attributes[name] = found
            self.values[name] = found.get("value") or ""
            self._select, self._area = (name if tag == "select" else ""), (name if tag == "textarea" else "")
        if tag == "option" and "selected" in found:
            self.values[self._select] = found.get("value", "shown") or ""

    def handle_data(self, data: str) -> None:
        if self._area:
            self.values[self._area] = data.removeprefix("\n")
        if self._select and self.values[self._select] == "shown":
            self.values[self._select] = data

    def handle_endtag(self, tag: str) -> None:
        self._area = "" if tag == "textarea" else self._area


def form(shared: House, filled: dict[str, str], status: int = 422) -> Controls:
    answer = shared.ask(Role.CLINICIAN, "/patient", filled)
    assert answer.status_code == status
    return Controls(answer.text)


def test_nothing_but_the_day_stands_in_an_empty_form(shared: House) -> None:
    page = Controls(shared.ask(Role.CLINICIAN, "/patient").text)
    assert {name for name, value in page.values.items() if value} == {"csrf", "rows", "as_of"}
    assert {f"{name}_unit" for name in MEASURED if name not in ONE_UNIT} <= set(page.values)
    assert set(page.values) - {"csrf", "rows"} <= FIELDS


@pytest.mark.parametrize("filled", [FILLED, FILLED | MORE], ids=["few values", "many"])
def test_the_risk_is_that_of_the_service_to_the_bit(shared: House, simulated: Artifact, filled: dict[str, str]) -> None:
    answer = shared.ask(Role.CLINICIAN, "/patient", filled | {"act": "ask"})
    assert answer.status_code == 303
    assert re.fullmatch(r"/patient/\d+", answer.headers["location"])
    receipt = shared.document(int(answer.headers["location"].rpartition("/")[2]))
    given = json.dumps(receipt["given"]).encode()
    native = Answering(simulated, SITE).answered([(read_line(given), lambda: given)], {}, lambda place, refused: {})
    (answered,) = native.drafts.values()
    expected = unpack(answered.content)["answer"]
    assert receipt["answer"]["risks"] == expected["risks"]
    assert receipt["answer"]["explanation"] == expected["explanation"]
    assert (receipt["caller"]["by"], receipt["caller"]["who"]["unit"]) == ("page", HERE)


def test_what_was_filled_in_is_what_the_receipt_holds(shared: House) -> None:
    answer = shared.ask(Role.CLINICIAN, "/patient", FILLED | MORE)
    given = shared.document(int(answer.headers["location"].rpartition("/")[2]))["given"]
    assert (given["id"], given["age_years"], given["as_of"]) == ("p-77", 66, "2026-11-20")
    assert [(one["analyte"], one["value"], one["unit"], one["date"]) for one in given["measurements"]] == [
        ("alc", 0.6, "10*9/L", "2026-11-18"),
        ("anc", 4500, "cells/uL", "2026-11-18"),
        ("ca19_9", 37, "U/mL", "2026-11-18"),
        ("albumin", 34, "g/L", "2026-11-18"),
        ("alc", 0.9, "10*9/L", "2026-09-01"),
        ("ca19_9", "<2.0", "U/mL", "2026-10-01"),
    ]
    assert given["treatments"][0]["agents"] == ["gemcitabine", "nab-paclitaxel"]
    assert given["history"] == {"liver_metastases": "yes", "metastatic_sites": 2}


FAULTS = {
    "age_years": "sixty",
    "as_of": "20.11.2026",
    "sex": "",
    "tumour": "",
    "alc": "0,6",
    "anc_unit": "",
    "albumin_date": "2027-01-01",
    "crp_uln": "5",
    "draws": "\n2026-09-01 ALT 0.9\n2026-09-01 ALC 0.9 kg",
    "t1_agents": "gemcitabine",
    "t4_end": "2026-01-01",
    "metastatic_sites": "many",
    "id": "Jane Doe 1960-01-01",
}


def test_every_fault_stands_beside_its_field_and_is_linked_from_the_top(shared: House) -> None:
    page = form(shared, FILLED | FAULTS | {"act": "ask"})
    faulty = {name for name, found in page.attributes.items() if found.get("aria-invalid") == "true"}
    assert faulty >= {"age_years", "as_of", "tumour", "alc", "anc_unit", "crp", "draws", "metastatic_sites"}
    assert faulty >= {"t1_modality", "t1_start", "t4_modality", "t4_start"}
    assert set(page.links) - {"content"} == faulty
    assert faulty | {f"{name}-fault" for name in faulty} <= page.ids
    for name in faulty:
        assert f"{name}-fault" in (page.attributes[name]["aria-describedby"] or "").split()


def test_nothing_that_was_filled_in_is_lost_when_it_is_refused(shared: House) -> None:
    filled = FILLED | MORE | FAULTS | {"draws": "\n\n" + "2026-09-01 ALC 0.9 x\n" * 400, "t19_agents": "x & <b>\"'"}
    page = form(shared, filled)
    assert {name: page.values[name] for name in filled} == filled


def test_a_name_or_a_value_that_is_refused_is_nowhere_but_in_its_field(shared: House) -> None:
    text = shared.ask(Role.CLINICIAN, "/patient", FILLED | {"id": "Jane Doe 1960", "age_years": "4711.5"}).text
    assert text.count("Jane Doe 1960") == 1
    assert text.count("4711.5") == 1


def test_a_patient_without_what_the_model_requires_is_told_so_with_the_lymphocytes(shared: House) -> None:
    filled = FILLED | {"albumin": "", "albumin_unit": "", "draws": "2026-10-20 ALC 0.7 10*9/L\n2026-09-20 ALC 1.4 10*9/L"}
    text = re.sub(r"<[^>]+>", "", shared.ask(Role.CLINICIAN, "/patient", filled).text)
    assert "Insufficient data" in text
    assert "Missing: albumin, at most 28 days before the index date" in text
    assert "CTCAE grade 2" in text
    assert "since at least 31 days" in text
    assert "0.6 10*9/L (2 d before), 0.7 10*9/L (31 d before), 1.4 10*9/L (61 d before)." in text


def test_old_counts_are_shown_though_no_grade_can_be_told_of_them(shared: House) -> None:
    filled = FILLED | {"alc": "", "alc_unit": "", "draws": "2026-09-20 ALC 0.4 10*9/L"}
    text = re.sub(r"<[^>]+>", "", shared.ask(Role.CLINICIAN, "/patient", filled).text)
    assert "no grade can be told" in text
    assert "0.4 10*9/L (61 d before)." in text
    assert "CTCAE grade" not in text


def test_whoever_no_model_is_meant_for_is_told_so_beside_the_field(shared: House) -> None:
    answer = shared.ask(Role.CLINICIAN, "/patient", FILLED | {"age_years": "7"})
    assert answer.status_code == 422
    assert "No model of this kind is meant for this patient." in answer.text
    assert set(Controls(answer.text).links) - {"content"} == {"age_years"}
    assert "CTCAE grade 2" in re.sub(r"<[^>]+>", "", answer.text)


def test_a_line_that_still_runs_is_told_where_its_end_is_missing(shared: House) -> None:
    rows = {"t0_modality": "surgery", "t0_start": "2026-01-01", "t0_end": "2026-01-01"}
    rows |= {"t2_modality": "chemotherapy", "t2_start": "2026-05-01", "rows": "4"}
    page = form(shared, FILLED | rows)
    assert set(page.links) - {"content"} == {"t2_end"}


def test_two_values_of_one_day_are_told_with_the_line_of_the_second(shared: House) -> None:
    text = shared.ask(Role.CLINICIAN, "/patient", FILLED | {"draws": "2026-09-01 ALC 0.9 10*9/L\n2026-11-18 ALC 0.8 10*9/L"}).text
    assert "Line 2, value: Allowed: one value a day." in text


def test_more_rows_are_given_without_a_word_of_faults(shared: House) -> None:
    filled: dict[str, Any] = FILLED | {"rows": "2", "act": "more", "alc": "0,6"}
    page = form(shared, filled, 200)
    assert {f"t{place}_start" for place in range(4)} <= set(page.values)
    assert "t4_start" not in page.values
    assert page.values["alc"] == "0,6"
    most = form(shared, filled | {"rows": f"{MOST_ROWS - 1}"}, 200).values
    assert f"t{MOST_ROWS - 1}_start" in most
    assert f"t{MOST_ROWS}_start" not in most


def test_the_form_names_the_receipt_that_its_address_names_if_it_is_a_number(shared: House) -> None:
    assert Controls(shared.ask(Role.CLINICIAN, "/patient?compared_with=17").text).values["compared_with"] == "17"
    for other in ("0", "Jane", "1e3", "-2", "1" * 16, "%3Cb%3E"):
        assert Controls(shared.ask(Role.CLINICIAN, f"/patient?compared_with={other}").text).values["compared_with"] == ""


def test_a_patient_who_is_entered_again_is_compared_with_the_receipt_that_is_named(shared: House) -> None:
    first = shared.ask(Role.CLINICIAN, "/patient", FILLED | {"id": "p-500"}).headers["location"].rpartition("/")[2]
    worse = FILLED | {"id": "p-500", "anc": "9000", "compared_with": first}
    answer = shared.ask(Role.CLINICIAN, "/patient", worse)
    assert answer.status_code == 303
    receipt = shared.document(int(answer.headers["location"].rpartition("/")[2]))
    assert receipt["given"]["compared_with"] == int(first)
    change = receipt["answer"]["change"]["horizons"]["90"]
    assert change["from"] == shared.document(int(first))["answer"]["risks"]["90"]["risk"]
    assert change["patient"]["lymphocytes and inflammation"] > 0


@pytest.mark.parametrize(("named", "id"), [("4711", "p-77"), ("2", "p-77"), ("2", ""), ("two", "p-77"), ("1.5", "p-77")])
def test_a_receipt_with_which_nothing_can_be_compared_is_told_beside_its_field(shared: House, named: str, id: str) -> None:
    scores = sum(one.kind == SCORE for one in shared.archive.store.records())
    page = form(shared, FILLED | {"id": id, "compared_with": named})
    assert page.attributes["compared_with"]["aria-invalid"] == "true"
    assert page.values["compared_with"] == named
    assert "compared_with" in page.links
    assert sum(one.kind == SCORE for one in shared.archive.store.records()) == scores


def test_a_field_that_the_form_never_had_is_refused(shared: House) -> None:
    for name in ("risk", "alc_method", "t20_start", "t0_x", "__proto__"):
        assert shared.ask(Role.CLINICIAN, "/patient", FILLED | {name: "1"}).status_code == 400


def test_a_form_with_every_field_filled_in_is_taken_as_a_whole(shared: House) -> None:
    every = dict.fromkeys(FIELDS, "1") | {"rows": f"{MOST_ROWS}", "act": "ask"}
    assert len(every) + 1 <= MOST
    page = form(shared, every)
    assert {page.values[name] for name in ("weight", "t19_agents", "draws", "last_line_months")} == {"1"}


def test_a_form_of_another_page_scores_nobody(shared: House) -> None:
    before = sum(1 for _ in shared.archive.store.records())
    assert shared.ask(Role.CLINICIAN, "/patient", FILLED, token="0" * 64).status_code == 403
    for role in (Role.AUDITOR, Role.DATA_SCIENTIST, Role.ADMINISTRATOR):
        assert shared.ask(role, "/patient").status_code == 403
        assert shared.ask(somebody(role), "/patient", FILLED).status_code == 403
    kinds = [one.kind for one in shared.archive.store.records()][before:]
    assert "score" not in kinds


def test_the_first_page_leads_a_clinician_to_the_form_and_nobody_else(shared: House) -> None:
    assert '<a href="/patient">' in shared.ask(Role.CLINICIAN, "/").text
    assert 'href="/patient"' not in shared.ask(Role.AUDITOR, "/").text


def test_a_page_full_of_faults_is_still_light(shared: House) -> None:
    lines = "2026-05-01 ALT 35 U/L\n" * 400
    page = shared.ask(Role.CLINICIAN, "/patient", {"draws": lines, "age_years": "x", "alc": "y", "rows": "20"})
    assert page.status_code == 422
    assert len(page.content) < 100_000
    assert page.text.count("line 10 ") == 2
    assert "And 390 more." in page.text
