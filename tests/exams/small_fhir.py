"""The patient of `small_cdm` as FHIR resources."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from small_cdm import INDEX

LOINC, UCUM, SNOMED = "http://loinc.org", "http://unitsofmeasure.org", "http://snomed.info/sct"
Resource = dict[str, Any]
_OF = {"subject": {"reference": "Patient/1"}}


def on(days: int) -> str:
    return (INDEX + timedelta(days)).isoformat()


def result(code: str, value: float, unit: str, days: int = -1, time: str = "", **more: object) -> Resource:
    return {
        "resourceType": "Observation", "status": "final", "code": {"coding": [{"system": LOINC, "code": code}]},
        "effectiveDateTime": f"{on(days)}{time}", "valueQuantity": {"value": value, "unit": unit, "system": UCUM, "code": unit},
    } | _OF | more


def dose(drug: str, days: int, **more: object) -> Resource:
    return {
        "resourceType": "MedicationAdministration", "status": "completed", "effectiveDateTime": on(days),
        "medicationCodeableConcept": {"text": drug},
    } | _OF | more


def condition(name: str, days: int, **more: object) -> Resource:
    return {"resourceType": "Condition", "code": {"text": name}, "onsetDateTime": on(days), "recordedDate": on(days)} | _OF | more


def visit(days: int) -> Resource:
    return {"resourceType": "Encounter", "status": "finished", "class": {"code": "AMB"},
            "period": {"start": on(days), "end": on(days)}} | _OF


def a_patient(*more: Resource) -> list[Resource]:
    """The same history as `small_cdm.a_cdm`, and `more`."""
    found = [
        {"resourceType": "Patient", "id": "1", "gender": "female", "birthDate": "1960-06-02"},
        visit(-400), visit(200),
        condition("Malignant neoplasm of pancreas", -300),
        dose("gemcitabine", -200), dose("gemcitabine", -186), dose("fluorouracil", 0), dose("fluorouracil", 14),
        result("731-0", 1.1, "10*9/L"), result("751-8", 4.4, "10*9/L"),
        *more,
    ]
    return numbered(found)


def numbered(resources: Iterable[Resource]) -> list[Resource]:
    """Each with an id, where it has none."""
    return [one if "id" in one else one | {"id": f"r{place}"} for place, one in enumerate(resources)]


def bundle(resources: Iterable[Resource]) -> Resource:
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in resources]}
