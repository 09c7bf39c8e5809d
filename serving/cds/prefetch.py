"""What a hospital system is asked to send along, and what of it came: nothing else is ever fetched.

A caller may name a FHIR server in its request; nobody is called there, whoever names it. What the work cannot do without is the
patient, the diagnoses and the laboratory; of treatments that were not sent nothing is assumed, and that is said.

References
----------
HL7 CDS Hooks 2.0 (2022): prefetch templates, prefetch query restrictions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from models.analytes import BY_LOINC
from models.fhir.resources import LOINC, list_in, resources_of, text_in
from models.fhir.treatments import DISEASE_STATUS

_OF = "patient={{context.patientId}}"
_CODES = ",".join(f"{LOINC}|{code}" for code in (*BY_LOINC, DISEASE_STATUS))
TEMPLATES: Mapping[str, str] = {
    "patient": "Patient/{{context.patientId}}",
    "conditions": f"Condition?{_OF}&_count=200",
    "observations": f"Observation?{_OF}&code={_CODES}&_sort=-date&_count=400",
    "administrations": f"MedicationAdministration?{_OF}&_count=400",
    "statements": f"MedicationStatement?{_OF}&_count=400",
    "orders": f"MedicationRequest?{_OF}&_count=400",
    "procedures": f"Procedure?{_OF}&_count=200",
}
NEEDED = ("patient", "conditions", "observations")
_KINDS: Mapping[str, str] = {"patient": "Patient"}  # what must be there, and not merely a Bundle without it


def lacking(prefetch: Mapping[str, Any]) -> list[str]:
    """What is needed and was not sent: left out, null, an error in its place, or no resource at all."""
    return [name for name in NEEDED if not _sent(prefetch.get(name), _KINDS.get(name, ""))]


def _sent(found: object, kind: str) -> bool:
    kinds = {one.kind for one in resources_of(found).all}
    if kind:
        return kind in kinds
    empty = isinstance(found, dict) and found.get("resourceType") == "Bundle"  # there are none of the patient: an answer, too
    return bool(kinds - {"OperationOutcome", ""}) or (empty and "OperationOutcome" not in kinds)


def missing(prefetch: Mapping[str, Any]) -> list[str]:
    """What would have been of use and was not sent."""
    return [name for name in TEMPLATES if name not in NEEDED and not _sent(prefetch.get(name), "")]


def cut(prefetch: Mapping[str, Any]) -> list[str]:
    """The lists that go on where they came from: a Bundle that names a next page."""
    return [name for name, found in prefetch.items() if name in TEMPLATES and _goes_on(found)]


def _goes_on(found: object) -> bool:
    return any(isinstance(one, dict) and text_in(one, "relation") == "next" for one in list_in(found, "link"))


def resources(prefetch: Mapping[str, Any]) -> list[Any]:
    """Everything that was sent under the names of the templates."""
    return list(_each(prefetch))


def _each(prefetch: Mapping[str, Any]) -> Iterator[Any]:
    for name in TEMPLATES:
        found = prefetch.get(name)
        if isinstance(found, dict) and found.get("resourceType") != "OperationOutcome":
            yield found
