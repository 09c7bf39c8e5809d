"""A patient document told in FHIR: the same measurements, treatments and diagnosis, as a hospital system would send them."""

from __future__ import annotations

from typing import Any

from models.analytes import ANALYTES

LOINC, UCUM = "http://loinc.org", "http://unitsofmeasure.org"
ICD = "http://hl7.org/fhir/sid/icd-10"
CODES = {"pancreatic": "C25.9", "colorectal": "C18.9", "breast": "C50.9", "gastric": "C16.9", "melanoma": "C43.9", "renal": "C64"}
CODES |= {"bladder": "C67.9", "ovarian": "C56", "prostate": "C61", "hepatobiliary": "C22.0", "sarcoma": "C49.9", "cns": "C71.9"}
CODES |= {"oesophageal": "C15.9", "endometrial": "C54.1", "mesothelioma": "C45.0", "head and neck": "C32.9"}
CODES |= {"unknown primary": "C80.9", "other": "C73"}
NAMES = {"nsclc": "Non-small cell lung cancer", "sclc": "Small cell carcinoma of lung"}
Json = dict[str, Any]


def bundle_of(document: Json, birth: str, id: str = "p1") -> Json:
    """The Bundle of a patient document whose age is that of somebody born on `birth`."""
    subject = {"subject": {"reference": f"Patient/{id}"}}
    person: Json = {"resourceType": "Patient", "id": id, "birthDate": birth}
    if document.get("sex") in ("female", "male"):
        person["gender"] = document["sex"]
    every = [person, _condition(document["tumour"]) | subject]
    every += [_observation(place, one) | subject for place, one in enumerate(document["measurements"])]
    every += [one | subject for place, course in enumerate(document.get("treatments", ())) for one in _course(place, course)]
    if document.get("history", {}).get("liver_metastases") == "yes":
        liver = {"coding": [{"system": ICD, "code": "C78.7"}]}
        every.append({"resourceType": "Condition", "id": "liver", "code": liver} | subject)
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in every]}


def _condition(tumour: str) -> Json:
    code: Json = {"coding": [{"system": ICD, "code": CODES[tumour]}]} if tumour in CODES else {"text": NAMES[tumour]}
    return {"resourceType": "Condition", "id": "tumour", "code": code}


def _observation(place: int, one: Json) -> Json:
    code = ANALYTES[one["analyte"]].loinc[0]
    value, comparator = one["value"], ""
    if isinstance(value, str):
        comparator, value = value[0], float(value[1:])
    quantity = {"value": value, "unit": one["unit"], "system": UCUM, "code": one["unit"]}
    found: Json = {
        "resourceType": "Observation",
        "id": f"o{place}",
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": code}]},
        "effectiveDateTime": one["date"],
        "valueQuantity": quantity | ({"comparator": comparator} if comparator else {}),
    }
    if "uln" in one:
        found["referenceRange"] = [{"high": {"value": one["uln"], "unit": one["unit"]}}]
    return found


def _course(place: int, course: Json) -> list[Json]:
    """A statement for each drug of a course, over its whole span."""
    span = {"start": course["start"]} | ({"end": course["end"]} if "end" in course else {})
    status = "completed" if "end" in course else "active"
    return [
        {
            "resourceType": "MedicationStatement",
            "id": f"m{place}-{number}",
            "status": status,
            "medicationCodeableConcept": {"text": agent},
            "effectivePeriod": span,
        }
        for number, agent in enumerate(course["agents"])
    ]
