"""What is asked: which resources, and on which day; a day that can be read in more than one way is asked about, never chosen.

A day passed over would be today, and another day is another patient: a name misspelt (`asof`), a value of another type, two
days that differ are refused. Names of a query that begin with `_` are FHIR's own (`_format`, `_pretty`) and mean nothing here.

References
----------
HL7 FHIR R4 (4.0.1, 2019): Parameters; general parameters (3.1.0.1.11).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from models.fault import Fault
from models.fhir.days import moment
from models.fhir.resources import object_in
from serving.strict_json import WHOLE, InvalidRequest

AS_OF, BUNDLE = "asOf", "bundle"
_NAMES = (AS_OF, BUNDLE)
_OTHER = Fault("a parameter", "another name", f"{AS_OF}, {BUNDLE}", "a name misspelt: the day would be today instead")


@dataclass(frozen=True)
class Asked:
    """What was sent: the resources, the day they are asked about, and the SHA-256 of the bytes."""

    document: object
    as_of: date
    sha256: str


def asked_of(document: object, query: Iterable[tuple[str, str]], sha256: str, today: date) -> Asked:
    """The resources and the day: of a Parameters its `bundle` and `asOf`, else the document itself and the day of the `query`.

    Where no day is told it is today (UTC), which the answer says as its `occurrenceDateTime`. InvalidRequest for what is no day,
    for days that differ, and for names that are none of the operation's.
    """
    days = list(_days_of(query))
    if isinstance(document, dict) and document.get("resourceType") == "Parameters":
        told = _parameters(document.get("parameter"))
        days += _day_of(told)
        document = object_in(told.get(BUNDLE), "resource")
    if len(set(days)) > 1:
        raise InvalidRequest(Fault(AS_OF, "days that differ", "one day", "it is told in more than one place"))
    return Asked(document, _day(days[0]) if days else today, sha256)


def _days_of(query: Iterable[tuple[str, str]]) -> Iterator[str]:
    for name, value in query:
        if name == AS_OF:
            yield value
        elif not name.startswith("_"):
            raise InvalidRequest(_OTHER)


def _parameters(every: object) -> Mapping[str, Mapping[str, Any]]:
    """The parameters by name; each may stand once."""
    found: dict[str, Mapping[str, Any]] = {}
    if not isinstance(every, list):
        raise InvalidRequest(Fault(WHOLE, "no list of parameters", f"a Parameters with {BUNDLE}, and {AS_OF} if it is not today"))
    for one in every:
        name = one.get("name") if isinstance(one, dict) else None
        if name not in _NAMES:
            raise InvalidRequest(_OTHER)
        if name in found:
            raise InvalidRequest(Fault(name, "two of them", "each parameter once"))
        found[name] = one
    return found


def _day_of(told: Mapping[str, Mapping[str, Any]]) -> list[str]:
    if AS_OF not in told:
        return []
    value = told[AS_OF].get("valueDate")
    if not isinstance(value, str):
        raise InvalidRequest(Fault(AS_OF, "no valueDate", "a valueDate, YYYY-MM-DD", "a valueDateTime or valueString"))
    return [value]


def _day(text: str) -> date:
    found = moment(text)
    if found is None or not found.exact or found.time:
        raise InvalidRequest(Fault(AS_OF, "something else", "a day, YYYY-MM-DD"))
    return found.day
