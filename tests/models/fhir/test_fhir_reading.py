"""The samples that the field publishes, whole and broken: understood, or refused with the reason, and never a surprise."""

from __future__ import annotations

import copy
import json
import os
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
ODD: list[Any] = [None, "", 0, -1, 10**400, 1e400, float("nan"), True, [], {}, "x" * 300, ["x"], [[]]]
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
                holder[place[-1]] = copy.deepcopy(odd)
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


def samples(pattern: str = "fhir_*/**/*.json") -> list[Path]:
    folder = os.environ.get("LYMPHORISK_COHORTS")
    return sorted(Path(folder).glob(pattern)) if folder else []


def sample(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.skipif(not samples(), reason="the published samples are not beside this checkout (LYMPHORISK_COHORTS)")
def test_the_published_samples_are_understood_or_refused_with_the_reason() -> None:
    for path in samples():
        found = understood(sample(path), date(2021, 6, 1))
        read = {one["analyte"] for one in found.document.get("measurements", ())}
        assert found.faults or found.document["age_years"] >= 0, path.name
        if "synthea" in str(path):
            assert not read & {"alc", "anc", "nlr", "ca19_9", "ecog"}
            assert read & {"hemoglobin", "platelets", "wbc", "weight"}, path.name


@pytest.mark.skipif(not samples(), reason="the published samples are not beside this checkout (LYMPHORISK_COHORTS)")
def test_the_published_patient_with_breast_cancer_is_read_as_its_authors_describe_her() -> None:
    (path,) = (one for one in samples() if one.name == "TrialMatching_Patient01.json")
    found = understood(sample(path), date(2019, 7, 1))
    assert found.document["tumour"] == "breast"
    assert found.document["history"] == {"liver_metastases": "yes"}
    assert [(one["analyte"], one["value"]) for one in found.document["measurements"]] == [("ecog", 1)]
    agents = {agent for one in found.document["treatments"] for agent in one["agents"]}
    assert agents == {"leuprorelin", "fulvestrant", "abemaciclib", "ribociclib"}


@pytest.mark.skipif(not samples(), reason="the published samples are not beside this checkout (LYMPHORISK_COHORTS)")
def test_every_resource_of_the_published_samples_is_accounted_for() -> None:
    for path in samples():
        found = understood(document := sample(path), date(2021, 6, 1))
        if not found.document:
            continue
        sent = document if isinstance(document, list) else [entry["resource"] for entry in document["entry"]]
        accounted = set(found.used) | {one.reference for one in found.listed}
        kinds = {one.reference.partition("/")[0] for one in found.listed}
        for one in sent:  # of what is not used for the same reason the first stands for all, with their number
            assert f"{one['resourceType']}/{one['id']}" in accounted or one["resourceType"] in kinds, path.name
        assert len(found.used) + sum(one.times for one in found.listed) >= len(sent), path.name


@pytest.mark.skipif(not samples("cds_hooks"), reason="the published samples are not beside this checkout (LYMPHORISK_COHORTS)")
def test_what_the_published_cds_requests_prefetched_is_understood_or_refused_with_the_reason() -> None:
    read = 0
    for path in samples("cds_hooks/*/*.json"):
        if "malformed" in path.parent.name:
            continue
        asked = sample(path)
        prefetched = asked.get("prefetch") if isinstance(asked, dict) else None
        if isinstance(prefetched, dict):
            found = understood(list(prefetched.values()), date(2020, 1, 1))
            assert found.faults or "tumour" not in found.document, path.name  # patients with pain, and no cancer that is told
            read += 1
    assert read > 5


@pytest.mark.skipif(not samples(), reason="the published samples are not beside this checkout (LYMPHORISK_COHORTS)")
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_published_sample_with_fields_gone_wrong_is_understood_or_refused(data: st.DataObject) -> None:
    document = copy.deepcopy(TRIAL if data.draw(st.booleans()) else data.draw(st.sampled_from(SMALL)))
    for _ in range(data.draw(st.integers(1, 4))):
        holder = document
        while isinstance(holder, dict | list) and holder:
            name = data.draw(st.sampled_from(sorted(holder) if isinstance(holder, dict) else range(len(holder))))
            if not isinstance(holder[name], dict | list) or data.draw(st.integers(0, 4)) == 0:
                holder[name] = copy.deepcopy(data.draw(st.sampled_from(ODD) | ANY_JSON))
                break
            holder = holder[name]
    found = understood(document, date(2021, 6, 1))
    assert found.faults or found.document["as_of"] == "2021-06-01"
    json.dumps([found.document, [one.as_json() for one in found.listed]], allow_nan=False)


SMALL = [sample(path) for path in samples("fhir_mcode/extraction_fixtures/*.json")]
TRIAL = next((sample(path) for path in samples("fhir_mcode/TrialMatching_Patient01.json")), None)
