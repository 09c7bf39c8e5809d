"""Who the patient is, and what is refused: nobody, several, the dead."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from models.fhir.reading import understood
from models.fhir.understood import Understood

from .conftest import AS_OF, lab, pancreas, patient

Read = Callable[..., Understood]


@pytest.mark.parametrize(("born", "age"), [("1961-05-20", 65), ("1961-05-21", 64), ("1961", 65), ("1961-07", 64)])
def test_age_is_in_completed_years(read: Read, born: str, age: int) -> None:
    found = read(patient(birthDate=born), bare=True)
    assert found.document["age_years"] == age
    assert [one.what for one in found.listed] == ([] if len(born) == 10 else ["birthDate"])


@pytest.mark.parametrize("born", [None, "", "yesterday", "2030-01-01", "1899-01-01", "1961-13-01", 1961])
def test_an_age_that_is_not_told_is_none(read: Read, born: Any) -> None:
    assert "age_years" not in read(patient(birthDate=born), bare=True).document


@pytest.mark.parametrize(("gender", "sex"), [("male", "male"), ("other", None), ("", None), (None, None)])
def test_sex_is_read_where_it_is_told(read: Read, gender: str | None, sex: str | None) -> None:
    found = read(patient(gender=gender), bare=True)
    assert found.document.get("sex") == sex
    assert bool(found.listed) is (gender == "other")


@pytest.mark.parametrize("changes", [{"deceasedBoolean": True}, {"deceasedDateTime": "2026-05-19"}])
def test_who_has_died_is_refused(read: Read, changes: dict[str, Any]) -> None:
    assert [fault.field for fault in read(patient(**changes), bare=True).faults] == ["Patient.deceased"]


def test_a_death_after_the_index_date_is_not_known_on_it(read: Read) -> None:
    later, alive = read(patient(deceasedDateTime="2026-06-01"), bare=True), read(patient(), bare=True)
    assert later == alive


@pytest.mark.parametrize("persons", [[], [patient(), patient(id="p2")]])
def test_there_must_be_exactly_one_patient(read: Read, persons: list[dict[str, Any]]) -> None:
    found = read(*persons, pancreas(), bare=True)
    assert [fault.allowed for fault in found.faults] == ["exactly one Patient: nobody can be told from another"]
    assert found.document == {}


@pytest.mark.parametrize("document", [None, 3, "x", [], {}, {"resourceType": "Bundle"}, [[[[[[[[[[[[patient()]]]]]]]]]]]]])
def test_what_holds_no_resource_is_refused(document: object) -> None:
    assert understood(document, AS_OF).faults


@pytest.mark.parametrize("way", ["urn:uuid:p1", "https://ehr.example/fhir/Patient/p1", "Patient/p1/_history/3"])
def test_a_subject_is_found_by_each_way_of_referring_to_it(way: str) -> None:
    result = lab("a", "731-0", 0.8, "10*9/L", subject={"reference": way})
    entries = [{"fullUrl": "urn:uuid:p1", "resource": patient()}, {"resource": result}]
    found = understood({"resourceType": "Bundle", "entry": entries}, date(2026, 5, 20))
    assert len(found.document["measurements"]) == 1
    assert len(understood([patient(), pancreas()], AS_OF).document["tumour"]) > 0


def test_no_name_address_or_identifier_reaches_the_document(read: Read) -> None:
    telling = patient(name=[{"family": "Hollis"}], address=[{"city": "Marigot"}], identifier=[{"value": "777-12"}])
    found = read(telling, pancreas(), bare=True)
    for secret in ("Hollis", "Marigot", "777-12", "1961-06-02"):
        assert secret not in str(found)


def test_two_patients_without_an_id_are_two(read: Read) -> None:
    assert read(patient(id="", birthDate="1950-01-01"), patient(id="", birthDate="1980-01-01"), bare=True).faults
    assert not read(patient(id=""), bare=True).faults


def test_a_patient_whose_meaning_may_be_turned_is_refused(read: Read) -> None:
    found = read(patient(implicitRules="https://example.org/rules"), pancreas(), bare=True)
    assert [one.field for one in found.faults] == ["Patient.modifierExtension"]


@pytest.mark.parametrize("born", ["1899-12-31", "2000-02-30", "long ago", 1961, None])
def test_a_date_of_birth_that_cannot_be_read_is_said(read: Read, born: object) -> None:
    assert [str(one) for one in read(patient(birthDate=born), bare=True).listed] == ["Patient/p1: birthDate: no date of birth"]
