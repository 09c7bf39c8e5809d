"""Who the patient is: the one Patient of what was sent, with completed years of age and sex; no name is read.

References
----------
HL7 FHIR R4 (4.0.1, 2019): Patient. mCODE 4 (2024): CancerPatient.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from models.fault import Fault
from models.fhir.days import moment, years_between
from models.fhir.resources import Object, Resource, Resources, object_in, text_in
from models.fhir.understood import Listing

SEXES = ("female", "male")


def the_patient(resources: Resources, listing: Listing) -> Resource | None:
    """The one Patient; a fault where there is none, or where there are several."""
    found = resources.of("Patient")
    if len(found) == 1 or (all(one.id for one in found) and len({one.reference for one in found}) == 1):
        _refuse_the_modified(found[0], listing)
        return found[0]
    given = f"{len(found)} Patient resources" if found else "nothing"
    listing.faults.append(Fault("Patient", given, "exactly one Patient: nobody can be told from another"))
    return None


def person_of(patient: Resource, as_of: date, listing: Listing) -> dict[str, Any]:
    """Age and sex for the patient document, and a fault where the patient had died by `as_of`."""
    _refuse_the_dead(patient, as_of, listing)
    listing.use(patient.reference)
    found: dict[str, Any] = {}
    age = _age(patient, as_of, listing)
    if age is not None:
        found["age_years"] = age
    gender = text_in(patient.body, "gender")
    if gender in SEXES:
        found["sex"] = gender
    elif gender:
        listing.aside(patient.reference, "gender", f"neither {' nor '.join(SEXES)}: read as unknown")
    return found


def _age(patient: Resource, as_of: date, listing: Listing) -> int | None:
    born = moment(text_in(patient.body, "birthDate"))
    if born is None or born.day > as_of:
        if "birthDate" in patient.body:
            listing.aside(patient.reference, "birthDate", "no date of birth" if born is None else "after the index date")
        return None
    if not born.exact:
        listing.aside(patient.reference, "birthDate", "without a day: the age may be a year too high")
    return years_between(born.day, as_of)


def _refuse_the_modified(patient: Resource, listing: Listing) -> None:
    """FHIR forbids to read what carries a modifier that the reader does not know (2.4.0.3)."""
    if modified(patient.body):
        listing.faults.append(Fault("Patient.modifierExtension", "a modifier", "none: it may turn the meaning of the resource"))


def modified(body: Object) -> bool:
    """Whether an element says that something unknown here changes its meaning."""
    return "modifierExtension" in body or "implicitRules" in body


def _refuse_the_dead(patient: Resource, as_of: date, listing: Listing) -> None:
    died = moment(text_in(patient.body, "deceasedDateTime"))
    if died is not None and died.day > as_of:
        return  # nothing after the index date is known on it
    if patient.body.get("deceasedBoolean") is True or died is not None:
        listing.faults.append(Fault("Patient.deceased", "a patient who has died", "a living patient"))


def is_of(resource: Resource, patient: Resource, resources: Resources, listing: Listing) -> bool:
    """Whether the resource says that it is of this patient; what says so of nobody or of another is listed."""
    subject: Object = object_in(resource.body, "subject") or object_in(resource.body, "patient")
    if not text_in(subject, "reference"):
        listing.aside(resource.reference, resource.kind, "it does not say of whom it is")
        return False
    found = resources.found(subject, resource)
    if found is None or found.reference != patient.reference:
        listing.aside(resource.reference, resource.kind, "it is of another patient")
        return False
    return True
