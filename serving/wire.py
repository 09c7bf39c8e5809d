"""The words on the wire: a request becomes patients, and every field at fault is named at once, never its value.

One patient is a JSON object; several are {"patients": [...]}. A line of an NDJSON file is one patient. There is no clock:
`as_of`, the index date, is part of the request, and every date is turned into days before it. Whoever knows what day it is says
so (`today`): an index date that has not come yet is then refused, and one of long ago is answered with a warning.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from models.fault import Fault
from models.patient import InvalidPatient, Patient
from serving.patient_json import ENOUGH, Reading
from serving.refused import Refused
from serving.strict_json import WHOLE, InvalidRequest, read_json

MOST_PATIENTS = 1000
COMPARED = "compared_with"  # beside the fields of the one patient: it says nothing of him
MOST_RECEIPTS = 10**15  # beyond it strict JSON has no number


@dataclass(frozen=True)
class Request:
    """What was asked: readable patients and refused ones in their order, and whether several were asked for.

    Of one patient, `compared_with` is the number of an earlier receipt, if one is named, and `day` its as_of as it was given.
    """

    patients: tuple[Patient | Refused, ...]
    many: bool
    compared_with: int | None = None
    day: str = ""


def read_request(body: bytes, today: date | None = None) -> Request:
    """The patients of a request body; InvalidRequest where the body as a whole cannot be read."""
    document = read_json(body)
    if isinstance(document, dict) and "patients" in document:
        return Request(tuple(_several(document, today)), many=True)
    if not isinstance(document, dict) or document.get(COMPARED) is None:
        return Request((read_patient(described(document), today=today),), many=False)
    return _compared(document, today)


def described(document: object) -> object:
    """What a request says of its one patient, without the receipt that it names beside him."""
    return {name: value for name, value in document.items() if name != COMPARED} if isinstance(document, dict) else document


def _compared(document: Mapping[str, object], today: date | None) -> Request:
    """The request of one patient who is to be compared with an earlier score."""
    number, one = document[COMPARED], read_patient(described(document), today=today)
    if isinstance(number, int) and not isinstance(number, bool) and 0 < number <= MOST_RECEIPTS:
        return Request((one,), many=False, compared_with=number, day=str(document.get("as_of")))
    fault = Fault(f"/{COMPARED}", "something else", "the number of an earlier receipt, a whole number from 1 on")
    faults = (*one.faults, fault) if isinstance(one, Refused) else (fault,)
    return Request((Refused(one.id, "invalid", faults),), many=False)


def read_line(line: bytes, today: date | None = None) -> Patient | Refused:
    """The patient of one NDJSON line; a line that cannot be read is a refused patient without an id."""
    try:
        return read_patient(read_json(line), today=today)
    except InvalidRequest as error:
        return Refused("", "invalid", error.faults)


def read_patient(document: object, at: str = "", today: date | None = None) -> Patient | Refused:
    """The patient that `document` describes, or every fault of it; `at` is its place in the request."""
    if not isinstance(document, dict):
        return Refused("", "invalid", (Fault(at or WHOLE, "something else", "an object that describes a patient"),))
    reading = Reading(today)
    id = reading.id(document, at)
    try:
        return reading.patient(document, id, at)
    except InvalidPatient as error:
        return Refused(id, "invalid", _named(error.faults, at))


def _named(faults: Sequence[Fault], at: str) -> tuple[Fault, ...]:
    """The faults, as many as anybody can mend at once."""
    if len(faults) <= ENOUGH:
        return tuple(faults)
    return (*faults[:ENOUGH], Fault(at or WHOLE, "more", f"less to put right: only the first {ENOUGH} faults are named"))


def _several(document: Mapping[str, object], today: date | None) -> list[Patient | Refused]:
    patients = document["patients"]
    if set(document) != {"patients"}:
        raise InvalidRequest(Fault(WHOLE, "other fields beside it", 'either one patient or {"patients": [...]}'))
    if not isinstance(patients, list) or not 0 < len(patients) <= MOST_PATIENTS:
        raise InvalidRequest(Fault("/patients", "another length or kind", f"a list of 1 to {MOST_PATIENTS} patients"))
    read = [read_patient(one, f"/patients/{index}", today) for index, one in enumerate(patients)]
    often = Counter((one.id, _day(given)) for one, given in zip(read, patients, strict=True) if one.id)
    return [_once(one, often[one.id, _day(given)], place) for place, (one, given) in enumerate(zip(read, patients, strict=True))]


def _day(given: object) -> object:
    """The index date as it was given, of what is a patient."""
    return str(given.get("as_of")) if isinstance(given, dict) else None


def _once(one: Patient | Refused, times: int, place: int) -> Patient | Refused:
    """The patient; refused where he stands more than once for one day, since nobody knows which description is true."""
    if times < 2 or isinstance(one, Refused):
        return one
    return Refused(one.id, "invalid", (Fault(f"/patients/{place}/id", f"{times} patients", "each patient once for one as_of"),))
