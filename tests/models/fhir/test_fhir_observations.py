"""Laboratory results in FHIR: every way in which one is told, and every reason why one is not read, which is then listed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from models.fhir.understood import Understood

from .conftest import LOINC, SNOMED, concept, lab, of_patient

Read = Callable[..., Understood]
ALC, ANC, CA, LDH, ECOG = "731-0", "751-8", "24108-3", "2532-0", "89247-1"


def why(found: Understood, of: str) -> list[str]:
    return [one.why for one in found.listed if one.reference == of]


def test_a_count_is_read_with_its_unit_and_its_day(read: Read) -> None:
    found = read(lab("a", ALC, 0.8, "10*9/L"))
    assert found.document["measurements"] == [{"analyte": "alc", "value": 0.8, "unit": "10*9/L", "date": "2026-05-18"}]
    assert found.places["/measurements/0"] == "Observation/a"
    assert "Observation/a" in found.used
    assert (found.listed, found.faults) == ((), ())


@pytest.mark.parametrize(("comparator", "value"), [("<", "<2"), ("<=", "<=2"), (">", ">2"), (">=", ">=2")])
def test_a_comparator_stays_with_its_number(read: Read, comparator: str, value: str) -> None:
    one = lab("a", CA, 2, "U/mL")
    one["valueQuantity"]["comparator"] = comparator
    assert read(one).document["measurements"][0]["value"] == value


def test_a_panel_is_read_by_its_components(read: Read) -> None:
    counts = ((ALC, 0.9), (ANC, 5.1))
    parts = [{"code": concept(LOINC, code), "valueQuantity": {"value": value, "unit": "10*9/L"}} for code, value in counts]
    panel = lab("cbc", "58410-2", 0, "1", component=parts)
    del panel["valueQuantity"]
    found = read(panel)
    assert [(one["analyte"], one["value"]) for one in found.document["measurements"]] == [("alc", 0.9), ("anc", 5.1)]
    assert found.places["/measurements/1"] == "Observation/cbc"
    assert found.listed == ()


@pytest.mark.parametrize("status", ["entered-in-error", "cancelled", "unknown", "registered", "", None])
def test_what_is_no_result_is_listed_and_not_used(read: Read, status: str | None) -> None:
    found = read(lab("a", ALC, 0.8, "10*9/L", status=status))
    assert found.document["measurements"] == []
    assert why(found, "Observation/a") == [
        "not amended, corrected, final or preliminary: entered in error, cancelled, or not known"
    ]


def test_a_preliminary_result_is_used_and_said_to_be_one(read: Read) -> None:
    found = read(lab("a", ALC, 0.8, "10*9/L", status="preliminary"))
    assert len(found.document["measurements"]) == 1
    assert why(found, "Observation/a") == ["preliminary: used, and it may change"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"effectiveDateTime": "2026-05-21"}, "after the index date"),
        ({"effectiveDateTime": "2026-05"}, "no whole day of the draw"),
        ({"effectiveDateTime": "last Tuesday"}, "no date of the draw (effective)"),
        ({"effectiveDateTime": None}, "no date of the draw (effective)"),
        ({"valueQuantity": None}, "no valueQuantity: a number with its unit"),
        ({"valueQuantity": None, "dataAbsentReason": {"text": "clotted"}}, "no value: it says why it has none"),
        ({"valueQuantity": {"value": "0.8", "unit": "10*9/L"}}, "no number"),
        ({"valueQuantity": {"value": True, "unit": "10*9/L"}}, "no number"),
        ({"valueQuantity": {"value": 0.8, "unit": "10*9/L", "comparator": "~"}}, "a comparator other than <, <=, > and >="),
        ({"subject": None}, "it does not say of whom it is"),
        ({"subject": {"reference": "Patient/other"}}, "it is of another patient"),
    ],
)
def test_what_cannot_be_used_is_listed_with_the_reason(read: Read, changes: dict[str, Any], reason: str) -> None:
    found = read(lab("a", ALC, 0.8, "10*9/L") | changes)
    assert found.document["measurements"] == []
    assert why(found, "Observation/a") == [reason]


@pytest.mark.parametrize(
    "quantity",
    [
        {"value": 0.8},
        {"value": 0.8, "unit": ""},
        {"value": 0.8, "unit": "mg"},
        {"value": 0.8, "unit": "10*9/L", "system": "http://unitsofmeasure.org", "code": "%"},
    ],
)
def test_a_unit_is_never_guessed(read: Read, quantity: dict[str, Any]) -> None:
    found = read(lab("a", ALC, 0, "1") | {"valueQuantity": quantity})
    assert found.document["measurements"] == []
    assert "unit" in why(found, "Observation/a")[0]


def test_the_code_of_a_unit_and_its_text_must_not_contradict_each_other(read: Read) -> None:
    one = lab("a", ALC, 800, "cells/uL")
    one["valueQuantity"] |= {"code": "10*9/L"}
    assert why(read(one), "Observation/a") == ["its UCUM code and the text of its unit contradict each other"]
    one["valueQuantity"] |= {"unit": "K/uL", "value": 0.8}
    assert read(one).document["measurements"][0]["unit"] == "10*9/L"


def test_the_published_example_of_3000_thousand_neutrophils_is_caught(read: Read) -> None:
    found = read(lab("a", ANC, 3000, "10*3/uL"))
    assert found.document["measurements"] == []
    assert why(found, "Observation/a")[0].startswith("not a possible result: anc: allowed is 0, or 0.01 to ")
    assert "3000" not in str(found.listed)


@pytest.mark.parametrize("code", ["26474-7", "26499-4"])
def test_a_code_that_no_primary_source_has_confirmed_is_not_read(read: Read, code: str) -> None:
    assert "that no primary source has confirmed" in why(read(lab("a", code, 0.8, "10*9/L")), "Observation/a")[0]


def test_what_is_no_input_is_counted_by_its_code(read: Read) -> None:
    found = read(*(lab(f"g{place}", "2339-0", 90 + place, "mg/dL") for place in range(12)))
    assert [str(one) for one in found.listed] == ["Observation/g0: LOINC 2339-0 (12 times): no input of a model"]


def test_codes_that_contradict_each_other_are_not_read(read: Read) -> None:
    both = {"coding": [{"system": LOINC, "code": ALC}, {"system": LOINC, "code": ANC}]}
    found = read(lab("a", ALC, 0.8, "10*9/L") | {"code": both})
    assert why(found, "Observation/a") == ["its codes contradict each other: alc, anc"]


@pytest.mark.parametrize(
    ("code", "display", "taken"),
    [
        *[("119364003", "Serum specimen", True), ("119297000", "Blood specimen", True), ("418564007", "Pleural fluid", False)],
        *[("1", "Plasma specimen with EDTA", True), ("1", "Bloody pleural fluid", False), ("1", "Blood in drained fluid", False)],
        *[("1", "Cord blood", False), ("1", "", False)],
    ],
)
def test_only_blood_serum_and_plasma_are_read(read: Read, code: str, display: str, taken: bool) -> None:
    specimen = of_patient("Specimen", "s", type=concept(SNOMED, code, display))
    found = read(specimen, lab("a", CA, 900, "U/mL", specimen={"reference": "Specimen/s"}))
    assert bool(found.document["measurements"]) is taken
    assert why(found, "Observation/a") == ([] if taken else ["a specimen other than blood, serum or plasma"])


def test_a_contained_specimen_counts_too(read: Read) -> None:
    contained = [{"resourceType": "Specimen", "id": "s", "type": {"text": "Ascites"}}]
    found = read(lab("a", CA, 900, "U/mL", specimen={"reference": "#s"}, contained=contained))
    assert why(found, "Observation/a") == ["a specimen other than blood, serum or plasma"]


def test_the_same_result_twice_counts_once(read: Read) -> None:
    found = read(lab("a", ALC, 0.8, "10*9/L"), lab("b", ALC, 800, "cells/uL"))
    assert len(found.document["measurements"]) == 1
    assert why(found, "Observation/b") == ["the same result of the same day twice: counted once"]


@pytest.mark.parametrize("turned", [False, True])
def test_of_two_results_of_a_day_the_later_is_read(read: Read, turned: bool) -> None:
    early = lab("a", ALC, 0.8, "10*9/L", effectiveDateTime="2026-05-18T07:00:00Z")
    late = lab("b", ALC, 1.1, "10*9/L", effectiveDateTime="2026-05-18T19:00:00Z")
    found = read(*((late, early) if turned else (early, late)))
    assert [one["value"] for one in found.document["measurements"]] == [1.1]
    assert why(found, "Observation/a") == ["an earlier result of the same day: the later one is read"]


def test_of_two_different_results_without_a_time_neither_is_read(read: Read) -> None:
    found = read(*(lab(id, ALC, value, "10*9/L", effectiveDateTime="2026-05-18") for id, value in (("a", 0.8), ("b", 1.1))))
    assert found.document["measurements"] == []
    assert len(found.listed) == 1
    assert found.listed[0].times == 2


def test_several_draws_make_a_history(read: Read) -> None:
    days = ("2026-05-18", "2026-04-20", "2026-03-23")
    found = read(*(lab(f"a{place}", ALC, 0.5 + place / 10, "10*9/L", effectiveDateTime=day) for place, day in enumerate(days)))
    assert [one["date"] for one in found.document["measurements"]] == list(days)


def test_the_laboratory_s_upper_limit_is_read_in_the_unit_of_the_value(read: Read) -> None:
    limit = {"high": {"value": 250, "unit": "U/L"}}
    assert read(lab("a", LDH, 480, "U/L", referenceRange=[limit])).document["measurements"][0]["uln"] == 250.0
    for ranges in ([limit, limit], [{"high": {"value": 4.2, "unit": "ukat/L"}}], [{"high": {"value": 5, "unit": "U/L"}}], [{}]):
        assert "uln" not in read(lab("a", LDH, 480, "U/L", referenceRange=ranges)).document["measurements"][0]


def test_an_upper_limit_that_cannot_be_read_is_said(read: Read) -> None:
    sexes = [{"high": {"value": limit, "unit": "U/L"}} for limit in (214, 225)]
    found = read(lab("a", LDH, 480, "U/L", referenceRange=sexes))
    assert [str(one) for one in found.listed] == [
        "Observation/a: ldh: referenceRange: no one upper limit in the unit of the value that may be one"
    ]


def test_what_was_reported_or_collected_after_the_index_date_is_not_known_on_it(read: Read) -> None:
    drawn = lab("a", ALC, 0.8, "10*9/L", effectiveDateTime="2026-05-20")
    assert len(read(drawn | {"issued": "2026-05-20T18:00:00Z"}).document["measurements"]) == 1
    assert why(read(drawn | {"issued": "2026-05-21T07:00:00Z"}), "Observation/a") == [
        "drawn by the index date and reported after it: not known on it"
    ]
    del drawn["effectiveDateTime"]
    over_night = drawn | {"effectivePeriod": {"start": "2026-05-20", "end": "2026-05-21"}}
    assert why(read(over_night), "Observation/a") == ["after the index date"]


def test_a_method_by_its_code_goes_with_the_result_and_one_in_words_does_not(read: Read) -> None:
    (coded,) = read(lab("a", "24108-3", 900, "U/mL", method=concept("x", "ECLIA-2"))).document["measurements"]
    assert coded["method"] == "ECLIA-2"
    (told,) = read(lab("a", "24108-3", 900, "U/mL", method={"text": "as Dr Hollis asked"})).document["measurements"]
    assert "method" not in told


def test_what_may_turn_the_meaning_of_a_resource_keeps_it_from_being_read(read: Read) -> None:
    turned = {"modifierExtension": [{"url": "https://example.org/not", "valueBoolean": True}]}
    assert why(read(lab("a", ALC, 0.8, "10*9/L", **turned)), "Observation/a") == [
        "a modifierExtension or implicitRules, which may turn its meaning"
    ]
    part = {"code": concept(LOINC, ALC), "valueQuantity": {"value": 0.8, "unit": "10*9/L"}}
    panel = lab("p", "57021-8", 1, "1", component=[part | turned]) | {"valueQuantity": None}
    assert read(panel).document["measurements"] == []
    assert "a modifierExtension, which may turn its meaning" in why(read(panel), "Observation/p")


def test_a_performance_status_is_a_measurement_without_a_unit_of_its_own(read: Read) -> None:
    (found,) = read(lab("e", ECOG, 1, "anything")).document["measurements"]
    assert found == {"analyte": "ecog", "value": 1, "unit": "{score}", "date": "2026-05-18"}
    dead = lab("e", ECOG, 0, "1") | {"valueQuantity": None, "valueCodeableConcept": concept(LOINC, "LA9627-6")}
    assert why(read(dead), "Observation/e") == ["no score: a whole number, or an answer of LOINC or SNOMED CT"]


def test_percentages_are_read_beside_counts_and_not_in_their_place(read: Read) -> None:
    rows = [lab("a", ALC, 0.8, "10*9/L"), lab("p", "736-9", 12, "%"), lab("w", "6690-2", 6.7, "10*3/uL")]
    assert [(one["analyte"], one["unit"]) for one in read(*rows).document["measurements"]] == [
        ("alc", "10*9/L"),
        ("lymphocyte_pct", "%"),
        ("wbc", "10*3/uL"),
    ]
    assert read(lab("a", ALC, 12, "%")).document["measurements"] == []  # a percentage under the code of the count


@pytest.mark.parametrize("value", [10**400, -(10**400), 1e300, float("nan"), float("inf")])
def test_a_number_that_no_measurement_can_be_is_none(read: Read, value: float) -> None:
    assert why(read(lab("a", ALC, value, "10*9/L")), "Observation/a") == ["no number"]
    limit = [{"high": {"value": value, "unit": "U/L"}}]
    assert "uln" not in read(lab("a", LDH, 480, "U/L", referenceRange=limit)).document["measurements"][0]
