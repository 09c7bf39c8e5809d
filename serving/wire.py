"""The words on the wire: a request becomes patients, and every field at fault is named at once, never its value.

One patient is a JSON object; several are {"patients": [...]}. A line of an NDJSON file is one patient. There is no clock:
`as_of`, the index date, is part of the request, and every date is turned into days before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from models.fault import Fault
from models.patient import InvalidPatient, Patient
from serving.patient_json import FIELDS, Reading
from serving.refused import Refused
from serving.strict_json import WHOLE, InvalidRequest, read_json

MOST_PATIENTS = 1000


@dataclass(frozen=True)
class Request:
    """What was asked: readable patients and refused ones in their order, and whether several were asked for."""

    patients: tuple[Patient | Refused, ...]
    many: bool


def read_request(body: bytes) -> Request:
    """The patients of a request body; InvalidRequest where the body as a whole cannot be read."""
    document = read_json(body, FIELDS)
    if isinstance(document, dict) and "patients" in document:
        return Request(tuple(_several(document)), many=True)
    return Request((read_patient(document),), many=False)


def read_line(line: bytes) -> Patient | Refused:
    """The patient of one NDJSON line; a line that cannot be read is a refused patient without an id."""
    try:
        return read_patient(read_json(line, FIELDS))
    except InvalidRequest as error:
        return Refused("", "invalid", error.faults)


def read_patient(document: object, at: str = "") -> Patient | Refused:
    """The patient that `document` describes, or every fault of it; `at` is its place in the request."""
    if not isinstance(document, dict):
        return Refused("", "invalid", (Fault(at or WHOLE, "something else", "an object that describes a patient"),))
    reading = Reading()
    id = reading.id(document, at)
    try:
        return reading.patient(document, id, at)
    except InvalidPatient as error:
        return Refused(id, "invalid", error.faults)


def _several(document: Mapping[str, object]) -> list[Patient | Refused]:
    patients = document["patients"]
    if set(document) != {"patients"}:
        raise InvalidRequest(Fault(WHOLE, "other fields beside it", 'either one patient or {"patients": [...]}'))
    if not isinstance(patients, list) or not 0 < len(patients) <= MOST_PATIENTS:
        raise InvalidRequest(Fault("/patients", "another length or kind", f"a list of 1 to {MOST_PATIENTS} patients"))
    return [read_patient(one, f"/patients/{index}") for index, one in enumerate(patients)]
