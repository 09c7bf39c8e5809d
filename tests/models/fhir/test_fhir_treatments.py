"""What was given, in FHIR: drugs by name and by class, orders that do not count twice, radiation, steroids, and how it went."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from models.fhir.drugs import drugs_named
from models.fhir.understood import Understood

from .conftest import LOINC, RXNORM, SNOMED, concept, drug, of_patient

Read = Callable[..., Understood]
ADMINISTERED, STATED, ORDERED = "MedicationAdministration", "MedicationStatement", "MedicationRequest"


def test_drugs_begun_together_are_one_line_and_a_new_one_later_is_the_next(read: Read) -> None:
    days = ("2025-10-01", "2025-10-15", "2025-12-20")
    given = [drug(ADMINISTERED, f"o{place}", "Oxaliplatin 5 MG/ML Injection", day) for place, day in enumerate(days)]
    given += [drug(ADMINISTERED, "f", "fluorouracil", "2025-10-02"), drug(ADMINISTERED, "g", "gemcitabine", "2026-03-01")]
    assert read(*given).document["treatments"] == [
        {
            "modality": "chemotherapy",
            "line": 1,
            "start": "2025-10-01",
            "agents": ["fluorouracil", "oxaliplatin"],
            "end": "2025-12-20",
        },
        {"modality": "chemotherapy", "line": 2, "start": "2026-03-01", "agents": ["gemcitabine"], "end": "2026-03-01"},
    ]


def test_an_order_counts_only_where_nothing_was_given_of_the_drug(read: Read) -> None:
    given = drug(ADMINISTERED, "a", "gemcitabine", "2026-01-10")
    orders = [drug(ORDERED, "o1", "gemcitabine", "2026-01-02"), drug(ORDERED, "o2", "capecitabine", "2026-01-12")]
    found = read(given, *orders)
    assert [one["agents"] for one in found.document["treatments"]] == [["capecitabine", "gemcitabine"]]
    assert [str(one) for one in found.listed] == ["MedicationRequest/o1: order: what was given of the drug is known, and counts"]


@pytest.mark.parametrize("intent", ["proposal", "plan", "option", None])
def test_what_is_no_order_is_not_given(read: Read, intent: str | None) -> None:
    found = read(drug(ORDERED, "o", "gemcitabine", "2026-01-02", intent=intent))
    assert "treatments" not in found.document
    assert found.listed[0].why == "a plan, a proposal or an option, and no order"


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        *[(ADMINISTERED, one) for one in ("entered-in-error", "not-done", "unknown")],
        *[(STATED, one) for one in ("entered-in-error", "intended", "not-taken", "unknown")],
        *[(ORDERED, one) for one in ("cancelled", "entered-in-error", "draft", "unknown", None)],
    ],
)
def test_what_was_not_given_is_listed(read: Read, kind: str, status: str | None) -> None:
    found = read(drug(kind, "x", "gemcitabine", "2026-01-02", status=status))
    assert "treatments" not in found.document
    assert found.listed[0].why == "a status of what was not given, or not known to be"


def test_what_runs_is_what_says_so(read: Read) -> None:
    spans = {"effectiveDateTime": None, "effectivePeriod": {"start": "2026-04-01"}}
    running = drug(STATED, "r", "capecitabine", "", status="active") | spans
    assert "end" not in read(running).document["treatments"][0]
    ended = running | {"effectivePeriod": {"start": "2026-04-01", "end": "2026-05-01"}}
    assert read(ended).document["treatments"][0]["end"] == "2026-05-01"
    beyond = running | {"effectivePeriod": {"start": "2026-04-01", "end": "2026-07-01"}, "status": "completed"}
    assert "end" not in read(beyond).document["treatments"][0]  # that it will end is not known on the index date


@pytest.mark.parametrize(("day", "runs"), [("2026-05-01", True), ("2025-05-01", False)])
def test_an_old_order_that_is_still_active_does_not_run_for_ever(read: Read, day: str, runs: bool) -> None:
    (found,) = read(drug(ORDERED, "o", "gemcitabine", day, status="active")).document["treatments"]
    assert ("end" not in found) is runs


@pytest.mark.parametrize("day", ["2026-05-21", "2026", "2026-05", "soon", ""])
def test_what_has_no_whole_day_up_to_the_index_date_is_listed(read: Read, day: str) -> None:
    found = read(drug(ADMINISTERED, "a", "gemcitabine", day))
    assert "treatments" not in found.document
    assert len(found.listed) == 1


def test_a_drug_is_found_behind_its_reference(read: Read) -> None:
    medication = {"resourceType": "Medication", "id": "m", "code": {"text": "pembrolizumab 25 MG/ML"}}
    for where, reference in ((None, "Medication/m"), ([medication], "#m")):
        pointing = drug(ADMINISTERED, "a", "", "2026-01-02") | {"medicationReference": {"reference": reference}}
        del pointing["medicationCodeableConcept"]
        sent = [pointing | {"contained": where}] if where else [medication, pointing]
        assert read(*sent).document["treatments"][0]["modality"] == "immunotherapy"


def test_a_class_tells_the_modality_of_a_drug_whose_name_is_not_known(read: Read) -> None:
    unknown = drug(ADMINISTERED, "a", "", "2026-01-02", medicationCodeableConcept=concept("http://www.whocc.no/atc", "L01EX99"))
    assert read(unknown).document["treatments"][0]["modality"] == "targeted"


@pytest.mark.parametrize(
    ("name", "agent", "modality"),
    [
        ("paclitaxel protein-bound 100 MG Injection", "nab-paclitaxel", "chemotherapy"),
        ("irinotecan liposomal injection", "liposomal irinotecan", "chemotherapy"),
        ("leuprolide Injetable Product", "leuprorelin", "endocrine"),
        ("1 ML DOCEtaxel 20 MG/ML Injection", "docetaxel", "chemotherapy"),
        ("dexamethasone 4 MG Oral Tablet", "dexamethasone", "steroid"),
        ("pegfilgrastim 6 MG Prefilled Syringe", "pegfilgrastim", "g-csf"),
        ("methylprednisolone", "methylprednisolone", "steroid"),
    ],
)
def test_a_product_is_told_by_its_ingredient(name: str, agent: str, modality: str) -> None:
    assert drugs_named(name) == ((agent, modality),)


@pytest.mark.parametrize("name", ["Simvastatin 10 MG Oral Tablet", "Leucovorin 100 MG Injection", "dexamethasone eye drops", ""])
def test_what_treats_no_tumour_and_moves_no_count_is_none(name: str) -> None:
    assert drugs_named(name) == ()


def test_a_drug_that_is_not_known_here_is_listed(read: Read) -> None:
    found = read(drug(STATED, "s", "wonderdrug", "2026-01-02"))
    assert [one.why for one in found.listed] == ["no systemic therapy that is known here"]
    assert "wonderdrug" not in str(found.listed)


def test_steroids_and_growth_factors_stand_beside_the_lines(read: Read) -> None:
    found = read(drug(ADMINISTERED, "d", "dexamethasone", "2026-05-15"), drug(ADMINISTERED, "g", "filgrastim", "2026-05-10"))
    assert [(one["modality"], one.get("line")) for one in found.document["treatments"]] == [("g-csf", None), ("steroid", None)]


@pytest.mark.parametrize(
    ("said", "kinds"),
    [
        ("Teleradiotherapy procedure (procedure)", ["radiotherapy"]),
        ("Combined chemotherapy and radiation therapy (procedure)", ["chemotherapy", "radiotherapy"]),
        ("Chemotherapy (procedure)", ["chemotherapy"]),
        ("Concurrent chemoradiation", ["chemotherapy", "radiotherapy"]),
        ("Radiotherapy treatment planning (procedure)", []),
        ("Insertion of central venous catheter for chemotherapy", []),
        ("Colonoscopy", []),
    ],
)
def test_procedures_are_told_by_their_names(read: Read, said: str, kinds: list[str]) -> None:
    done = of_patient("Procedure", "x", status="completed", code=concept(SNOMED, "1", said), performedDateTime="2026-02-01")
    found = read(done)
    assert [one["modality"] for one in found.document.get("treatments", [])] == kinds
    assert bool(found.listed) is not bool(kinds)


def status(id: str, day: str, code: str) -> dict[str, Any]:
    told = {"code": concept(LOINC, "97509-4"), "valueCodeableConcept": concept(SNOMED, code)}
    return of_patient("Observation", id, status="final", effectiveDateTime=day) | told


def test_a_progression_ends_a_line_and_is_its_outcome(read: Read) -> None:
    given = [drug(ADMINISTERED, "a", "gemcitabine", "2026-03-01"), drug(ADMINISTERED, "b", "docetaxel", "2026-03-20")]
    together = read(*given).document["treatments"]
    assert [one["line"] for one in together] == [1]
    apart = read(*given, status("s", "2026-03-15", "271299001")).document["treatments"]
    assert [(one["line"], one.get("outcome")) for one in apart] == [(1, "progression"), (2, None)]


def test_a_status_after_the_index_date_is_not_known(read: Read) -> None:
    found = read(drug(ADMINISTERED, "a", "gemcitabine", "2026-03-01"), status("s", "2026-06-01", "271299001"))
    assert "outcome" not in found.document["treatments"][0]
    assert [one.reference for one in found.listed] == ["Observation/s"]


def test_a_status_that_is_not_final_is_listed(read: Read) -> None:
    told = of_patient("Observation", "s", status="preliminary", code=concept(LOINC, "97509-4"), effectiveDateTime="2026-01-01")
    found = read(told | {"valueCodeableConcept": concept(SNOMED, "271299001")})
    assert [one.why for one in found.listed] == ["not final: it may change, or was entered in error"]


@pytest.mark.parametrize(
    ("name", "agents"),
    [
        ("FOLFIRINOX", ["fluorouracil", "irinotecan", "oxaliplatin"]),
        ("mFOLFOX6 q14d", ["fluorouracil", "oxaliplatin"]),
        ("NALIRIFOX", ["fluorouracil", "liposomal irinotecan", "oxaliplatin"]),
        ("gemcitabine + nab-paclitaxel", ["gemcitabine", "nab-paclitaxel"]),
        ("pertuzumab 60 MG/ML / trastuzumab 60 MG/ML Injection", ["pertuzumab", "trastuzumab"]),
    ],
)
def test_every_drug_of_a_regimen_is_read(read: Read, name: str, agents: list[str]) -> None:
    found = read(drug(ADMINISTERED, "a", name, "2026-01-02")).document["treatments"]
    assert sorted(agent for one in found for agent in one["agents"]) == agents
    assert {one["line"] for one in found} == {1}


def test_every_ingredient_of_a_medication_is_read(read: Read) -> None:
    parts = [{"itemCodeableConcept": concept(RXNORM, code)} for code in ("12574", "56946")]
    medication = {"resourceType": "Medication", "id": "m", "ingredient": parts}
    pointing = drug(ADMINISTERED, "a", "", "2026-01-02") | {"medicationReference": {"reference": "Medication/m"}}
    del pointing["medicationCodeableConcept"]
    found = read(medication, pointing, {"resourceType": "Medication", "id": "stray"})
    assert found.document["treatments"][0]["agents"] == ["gemcitabine", "paclitaxel"]
    assert [str(one) for one in found.listed] == ["Medication/stray: Medication: nothing that is read points to it"]


def test_a_code_of_a_drug_that_nobody_confirmed_is_listed_and_not_guessed(read: Read) -> None:
    found = read(drug(ADMINISTERED, "a", "", "2026-01-02", medicationCodeableConcept=concept(RXNORM, "999999999")))
    assert [str(one) for one in found.listed] == [
        "MedicationAdministration/a: drug 999999999: no systemic therapy that is known here"
    ]


def test_an_order_not_to_give_a_drug_gives_none(read: Read) -> None:
    found = read(drug(ORDERED, "o", "gemcitabine", "2026-05-02", status="active", doNotPerform=True))
    assert "treatments" not in found.document
    assert found.listed[0].why == "an order not to give it"


def test_an_active_order_says_that_what_was_given_since_goes_on(read: Read) -> None:
    doses = [drug(ADMINISTERED, f"a{day}", "gemcitabine", f"2026-05-{day}") for day in ("04", "11")]
    order = drug(ORDERED, "o", "gemcitabine", "2026-05-01", status="active")
    (alone,), (going_on,) = (read(*every).document["treatments"] for every in (doses, [*doses, order]))
    assert (alone["start"], alone["end"]) == ("2026-05-04", "2026-05-11")
    assert (going_on["start"], going_on.get("end")) == ("2026-05-04", None)
    earlier = drug(ADMINISTERED, "b", "gemcitabine", "2026-01-11")  # given before the order, and not since: nothing goes on
    assert read(earlier, order).document["treatments"][0]["end"] == "2026-01-11"


def test_thousands_of_doses_and_statuses_are_read_in_time_that_grows_with_their_number(read: Read) -> None:
    days = [f"20{10 + place % 16}-01-{1 + place % 28:02d}" for place in range(10_000)]
    doses = [drug(ADMINISTERED, f"a{n}", ("gemcitabine", "cisplatin")[n % 2], day) for n, day in enumerate(days)]
    told = of_patient("Observation", "s", status="final", code=concept(LOINC, "97509-4"))
    told |= {"valueCodeableConcept": concept(SNOMED, "271299001")}
    begun = time.perf_counter()
    found = read(*doses, *(told | {"id": f"s{n}", "effectiveDateTime": day} for n, day in enumerate(days)))
    assert time.perf_counter() - begun < 5  # half a second
    assert found.document["treatments"][-1]["outcome"] == "progression"


def test_an_essay_instead_of_a_name_is_not_searched(read: Read) -> None:
    begun = time.perf_counter()
    found = read(drug(ADMINISTERED, "a", "gemcitabine " * 100_000, "2026-01-02"))
    assert "treatments" not in found.document
    assert time.perf_counter() - begun < 1


@pytest.mark.parametrize(
    ("profile", "modality"),
    [("mcode-radiotherapy-course-summary", "radiotherapy"), ("mcode-cancer-related-surgical-procedure|4.0.0", "surgery")],
)
def test_a_profile_of_mcode_tells_the_treatment_whose_code_is_not_known(read: Read, profile: str, modality: str) -> None:
    meta = {"profile": [f"http://hl7.org/fhir/us/mcode/StructureDefinition/{profile}"]}
    done = of_patient("Procedure", "x", status="completed", code=concept(SNOMED, "1"), performedDateTime="2026-02-01", meta=meta)
    assert read(done).document["treatments"] == [{"modality": modality, "start": "2026-02-01", "end": "2026-02-01"}]


def test_what_ends_before_it_begins_is_listed(read: Read) -> None:
    span = {"effectiveDateTime": None, "effectivePeriod": {"start": "2026-04-01", "end": "2026-03-01"}}
    assert read(drug(STATED, "x", "capecitabine", "") | span).listed[0].why == "an end before its beginning"


def test_what_begins_on_the_index_date_is_no_prior_line(read: Read) -> None:
    given = [drug(ADMINISTERED, "a", "gemcitabine", "2026-01-10"), drug(ADMINISTERED, "b", "docetaxel", "2026-05-20")]
    assert [(one["line"], one.get("end")) for one in read(*given).document["treatments"]] == [(1, "2026-01-10"), (2, None)]
