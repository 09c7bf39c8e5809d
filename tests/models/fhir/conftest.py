"""Resources of one made-up patient, as a hospital system would send them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from models.fhir.reading import understood
from models.fhir.understood import Understood

LOINC, SNOMED, UCUM = "http://loinc.org", "http://snomed.info/sct", "http://unitsofmeasure.org"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
AS_OF = date(2026, 5, 20)
Json = dict[str, Any]


def patient(**changes: Any) -> Json:
    return {"resourceType": "Patient", "id": "p1", "gender": "female", "birthDate": "1961-06-02"} | changes


def concept(system: str, code: str, display: str = "") -> Json:
    return {"coding": [{"system": system, "code": code} | ({"display": display} if display else {})]}


def lab(id: str, code: str, value: Any, unit: str, **changes: Any) -> Json:
    quantity = {"value": value, "unit": unit, "system": UCUM, "code": unit}
    usual = {"resourceType": "Observation", "id": id, "status": "final", "code": concept(LOINC, code)}
    rest = {"subject": {"reference": "Patient/p1"}, "effectiveDateTime": "2026-05-18T08:30:00+02:00", "valueQuantity": quantity}
    return usual | rest | changes


def of_patient(kind: str, id: str, **fields: Any) -> Json:
    return {"resourceType": kind, "id": id, "subject": {"reference": "Patient/p1"}} | fields


def pancreas(**changes: Any) -> Json:
    code = concept("http://hl7.org/fhir/sid/icd-10-cm", "C25.9", "Malignant neoplasm of pancreas, unspecified")
    return of_patient("Condition", "c1", code=code) | changes


def drug(kind: str, id: str, name: str, day: str, **changes: Any) -> Json:
    dated = {"authoredOn": day, "intent": "order"} if kind == "MedicationRequest" else {"effectiveDateTime": day}
    return of_patient(kind, id, status="completed", medicationCodeableConcept={"text": name}) | dated | changes


@pytest.fixture
def read() -> Callable[..., Understood]:
    """Understands resources beside a patient and a diagnosis."""

    def one(*resources: Json, as_of: date = AS_OF, bare: bool = False) -> Understood:
        every = list(resources) if bare else [patient(), pancreas(), *resources]
        return understood({"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in every]}, as_of)

    return one
