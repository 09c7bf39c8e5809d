"""Resources of a hospital system become one patient, as known on a day: what was understood, what was not, and why.

The patient document is the one that `POST /v1/scores` takes: whoever sends FHIR and whoever sends that get the same number.
Nothing in the resources after the index date is read. No name, address or identifier is.

References
----------
HL7 FHIR R4 (4.0.1, 2019). HL7 mCODE (STU 4, 2024).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from models.fault import Fault
from models.fhir.conditions import diagnosis_of
from models.fhir.observations import measurements_of
from models.fhir.person import is_of, modified, person_of, the_patient
from models.fhir.resources import ANOTHER_PAGE, LOINC, NO_RESOURCE, Resource, Resources, code_in, entries_of, named, object_in
from models.fhir.treatments import DISEASE_STATUS, GIVEN, ORDERED, treatments_of
from models.fhir.understood import Listing, Understood
from models.fhir.versions import versions

READ = ("Observation", "Condition", *GIVEN, ORDERED, "Procedure")  # of the patient
_RESOLVED = ("Medication", "Specimen")  # read where others point to them
_WHY = {
    ANOTHER_PAGE: "only this page was sent: what the next one holds is not known",
    NO_RESOURCE: "an entry without a resource, or without a resourceType",
}


def understood(document: object, as_of: date) -> Understood:
    """What a Bundle, a list of resources or one resource says of one patient on `as_of`; raises on no JSON at all.

    >>> understood({"resourceType": "Condition"}, date(2026, 5, 1)).faults[0].allowed
    'exactly one Patient: nobody can be told from another'
    """
    sent, left = versions(entries_of(document))
    resources, listing = named(sent), Listing()
    for one, why in left:
        listing.aside(one.reference, one.kind, why)
    if all(one.kind == NO_RESOURCE for one in resources.all):
        listing.faults.append(Fault("Bundle", "no resource", "a Bundle of the patient's resources, or a list of them"))
        return Understood({}, (), (), tuple(listing.faults), {})
    patient = the_patient(resources, listing)
    if patient is None:
        return Understood({}, (), listing.lines, tuple(listing.faults), {})
    found: dict[str, Any] = {"as_of": as_of.isoformat(), **person_of(patient, as_of, listing)}
    theirs = list(_of(patient, resources, listing))
    places = {"": patient.reference, "/age_years": patient.reference, "/sex": patient.reference}
    diagnosis, told_by = diagnosis_of([one for one in theirs if one.kind == "Condition"], as_of, listing)
    found, places = found | diagnosis, places | told_by
    _add_measurements(found, places, theirs, resources, as_of, listing)
    _add_treatments(found, places, theirs, resources, as_of, listing)
    for one in resources.of(*_RESOLVED):
        if one.reference not in resources.pointed_to:
            listing.aside(one.reference, one.kind, "nothing that is read points to it")
    return Understood(found, listing.used, listing.lines, tuple(listing.faults), places, patient.reference)


def _of(patient: Resource, resources: Resources, listing: Listing) -> Iterable[Resource]:
    """The resources of the patient that are read; the others are listed by their kind."""
    for one in resources.all:
        if one.kind in READ and modified(one.body):
            listing.aside(one.reference, one.kind, "a modifierExtension or implicitRules, which may turn its meaning")
        elif one.kind in READ:
            if is_of(one, patient, resources, listing):
                yield one
        elif one.kind not in ("Patient", *_RESOLVED):
            listing.aside(one.reference, one.kind, _WHY.get(one.kind, "a kind of resource that is not read"))


def _add_measurements(
    found: dict[str, Any], places: dict[str, str], theirs: Iterable[Resource], resources: Resources, as_of: date, listing: Listing
) -> None:
    observations = [one for one in theirs if one.kind == "Observation" and not _is_status(one)]
    results = measurements_of(observations, resources, as_of, listing)
    found["measurements"] = [one.document for one in results]
    places.update({f"/measurements/{place}": one.reference for place, one in enumerate(results)})


def _is_status(one: Resource) -> bool:
    """Whether it tells how the disease went, which belongs to the treatments."""
    return code_in(object_in(one.body, "code"), LOINC) == DISEASE_STATUS


def _add_treatments(
    found: dict[str, Any], places: dict[str, str], theirs: Iterable[Resource], resources: Resources, as_of: date, listing: Listing
) -> None:
    treatments = treatments_of(resources, theirs, as_of, listing)
    if treatments:
        found["treatments"] = [one for one, _ in treatments]
        places.update({f"/treatments/{place}": reference for place, (_, reference) in enumerate(treatments)})
