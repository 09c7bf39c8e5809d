"""Why there is no answer, as FHIR says it: an OperationOutcome with an issue for every reason, and no value of a patient in it.

References
----------
HL7 FHIR R4 (4.0.1, 2019): OperationOutcome; its issue types.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from models.example import EXAMPLE
from models.fault import Fault
from models.fhir.understood import Listed
from serving.turned import Turned

JSON = "application/fhir+json"
PREFIX = "/fhir/"
INSUFFICIENT = "insufficient data"
_CODES: Mapping[int, str] = {  # the type of issue that a status amounts to
    400: "structure",
    401: "login",
    403: "forbidden",
    404: "not-found",
    405: "not-supported",
    408: "timeout",
    413: "too-long",
    415: "not-supported",
    422: "processing",
    429: "throttled",
    500: "exception",
    503: "transient",
}
_OF_A_REFUSAL: Mapping[str, str] = {"invalid": "invalid", "not eligible": "business-rule", INSUFFICIENT: "required"}


@dataclass(frozen=True)
class Issue:
    """One reason: how grave, of which type of FHIR's list, in words, and which resource it is about."""

    severity: str
    code: str
    words: str
    about: str = ""

    def as_json(self) -> dict[str, Any]:
        """The issue of an OperationOutcome."""
        found: dict[str, Any] = {"severity": self.severity, "code": self.code, "details": {"text": self.words}}
        return found | ({"expression": [self.about]} if self.about else {})


def outcome(status: int, issues: Sequence[Issue], headers: Mapping[str, str] | None = None) -> JSONResponse:
    """The answer that holds them."""
    body = {"resourceType": "OperationOutcome", "issue": [one.as_json() for one in issues]}
    return JSONResponse(body, status, {"Cache-Control": "no-store", **(headers or {})}, JSON)


def refused(
    why: str, faults: Iterable[Fault], places: Mapping[str, str], listed: Iterable[Listed], simulated: bool
) -> JSONResponse:
    """Why there is no risk: every fault at the resource it came from, then what was not used, which may be the cause."""
    found = [Issue("information", "informational", EXAMPLE)] if simulated else []
    found.append(Issue("error", _OF_A_REFUSAL.get(why, "invalid"), f"{why}: there is no risk for this patient"))
    found += [Issue("error", _OF_A_REFUSAL.get(why, "invalid"), *said(fault, places)) for fault in faults]
    found += [Issue("information", "informational", _aside(one), one.reference) for one in listed]
    return outcome(HTTPStatus.UNPROCESSABLE_ENTITY, found)


def _aside(one: Listed) -> str:
    """What was not used, and how often: of several alike only the first is pointed at."""
    often = f" ({one.times} times)" if one.times > 1 else ""
    return f"not used: {one.what}{often}: {one.why}"


def said(fault: Fault, places: Mapping[str, str]) -> tuple[str, str]:
    """A fault without what was given, and the resource that its place came from."""
    place = fault.field
    name = place.rpartition("/")[2]
    while place.startswith("/") and place not in places:
        place = place.rpartition("/")[0]
    return replace(fault, field=name or "the patient").without_value(), places.get(place, "") if place.startswith("/") else ""


class Outcomes:
    """Turns problem documents of the paths of FHIR into OperationOutcomes; status and headers stay."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        turning = scope["type"] == "http" and scope["path"].startswith(PREFIX)
        await self.app(scope, receive, Turned(send, _told) if turning else send)


def _told(problem: Mapping[str, Any], status: int) -> JSONResponse:
    code = _CODES.get(status, "processing")
    issues = [Issue("error", code, problem["title"])]
    return outcome(status, [*issues, *(Issue("error", code, one["detail"]) for one in problem.get("errors", ()))])
