"""The samples that the field publishes, whole and broken: understood, or refused with the reason, and never a surprise."""

from __future__ import annotations

import copy
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.fhir.reading import understood

from .conftest import AS_OF, drug, lab, of_patient, pancreas, patient

WHOLE = [
    patient(),
    pancreas(),
    lab("a", "731-0", 0.8, "10*9/L"),
    lab("c", "24108-3", 900, "U/mL"),
    drug("MedicationAdministration", "m", "gemcitabine", "2026-01-10"),
    of_patient("Procedure", "r", status="completed", code={"text": "Radiotherapy"}, performedDateTime="2026-02-01"),
]
ODD: list[Any] = [None, "", 0, -1, 1e400, float("nan"), True, [], {}, "x" * 300, ["x"], [[]]]
ODD += [{"reference": "#"}, {"coding": [None, 3]}]
ANY_JSON: st.SearchStrategy[object] = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(), lambda one: st.lists(one) | st.dictionaries(st.text(), one)
)


def places(document: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    return [at, *(place for name, one in inner for place in places(one, (*at, name)))]


PLACES = places(WHOLE)


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.sampled_from(PLACES), st.sampled_from(ODD)), min_size=1, max_size=3))
def test_whatever_stands_in_a_field_nothing_is_raised(changes: list[tuple[tuple[Any, ...], Any]]) -> None:
    document: Any = copy.deepcopy(WHOLE)
    for place, odd in changes:
        holder: Any = document
        try:
            for name in place[:-1]:
                holder = holder[name]
            if place:
                holder[place[-1]] = odd
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change took that place away
    found = understood(document, AS_OF)
    assert found.document or found.faults
    json.dumps(found.document, allow_nan=False)


@given(ANY_JSON)
def test_any_json_at_all_is_understood_or_refused(document: object) -> None:
    assert understood(document, AS_OF).faults


def test_every_resource_is_used_or_listed() -> None:
    found = understood(WHOLE, AS_OF)
    assert set(found.used) == {f"{one['resourceType']}/{one['id']}" for one in WHOLE}
    assert found.listed == ()


def test_the_future_changes_nothing() -> None:
    later = [
        lab("z", "731-0", 3.0, "10*9/L", effectiveDateTime="2026-05-21"),
        drug("MedicationAdministration", "y", "docetaxel", "2026-06-10"),
        of_patient("Condition", "w", code={"text": "Malignant neoplasm of breast"}, onsetDateTime="2026-07-01"),
    ]
    found, without = understood([*WHOLE, *later], AS_OF), understood(WHOLE, AS_OF)
    assert (found.document, found.used) == (without.document, without.used)
    assert {one.reference for one in found.listed} == {"Observation/z", "MedicationAdministration/y", "Condition/w"}


def test_the_list_of_what_was_not_used_has_an_end() -> None:
    many = [lab(f"x{place}", f"{place}-0", 1, "1") for place in range(300)]
    listed = understood([patient(), pancreas(), *many], AS_OF).listed
    assert (len(listed), listed[-1].times) == (201, 100)


def samples() -> list[Path]:
    import os

    folder = os.environ.get("LYMPHORISK_COHORTS")
    return sorted(Path(folder).glob("fhir_*/**/*.json")) if folder else []


@pytest.mark.skipif(not samples(), reason="the published samples are not beside this checkout (LYMPHORISK_COHORTS)")
def test_the_published_samples_are_understood_or_refused_with_the_reason() -> None:
    for path in samples():
        found = understood(json.loads(path.read_text(encoding="utf-8")), date(2021, 6, 1))
        read = {one["analyte"] for one in found.document.get("measurements", ())}
        assert found.faults or found.document["age_years"] >= 0, path.name
        if "synthea" in str(path):
            assert not read & {"alc", "anc", "nlr", "ca19_9", "ecog"}
            assert read & {"hemoglobin", "platelets", "wbc", "weight"}, path.name


@pytest.mark.skipif(not samples(), reason="the published samples are not beside this checkout (LYMPHORISK_COHORTS)")
def test_the_published_patient_with_breast_cancer_is_read_as_its_authors_describe_her() -> None:
    (path,) = (one for one in samples() if one.name == "TrialMatching_Patient01.json")
    found = understood(json.loads(path.read_text(encoding="utf-8")), date(2019, 7, 1))
    assert found.document["tumour"] == "breast"
    assert found.document["history"] == {"liver_metastases": "yes"}
    assert [(one["analyte"], one["value"]) for one in found.document["measurements"]] == [("ecog", 1)]
    agents = {agent for one in found.document["treatments"] for agent in one["agents"]}
    assert agents == {"leuprorelin", "fulvestrant", "abemaciclib", "ribociclib"}
