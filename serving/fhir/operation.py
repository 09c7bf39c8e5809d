"""The operation $early-mortality: a patient's resources in, a RiskAssessment out, by the one way that every patient is scored.

What came in is recorded by its SHA-256, the resources that were used and those that were not; the patient document that was made
of it is what was scored, and what a replay scores again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from models.fhir.reading import understood
from models.fhir.understood import Understood
from serving.access.door import route, who
from serving.body import Unacceptable, received
from serving.caller import over_http
from serving.current import Current
from serving.fhir.asked import Asked, asked_of
from serving.fhir.capability import capability
from serving.fhir.outcome import JSON, Issue, outcome, refused, said
from serving.fhir.reading_json import LONGEST, read_fhir
from serving.fhir.risk_assessment import risk_assessment
from serving.plain_words import is_pseudonym
from serving.receipts.payload import dumped
from serving.receipts.record import NoReceipt
from serving.scoring import NotScored, Scoring
from serving.strict_json import WHOLE, InvalidRequest, TooLarge

OPERATION = "early-mortality"
PATH = f"/fhir/${OPERATION}"
BY = "FHIR"
MEDIA = (JSON, "application/json")


def routes(scoring: Scoring, current: Current) -> list[Route]:
    """The operation, and what the service says that it can do."""
    operation = EarlyMortality(scoring, current)
    return [route("POST", PATH, operation.answer), route("GET", "/fhir/metadata", operation.metadata)]


@dataclass(frozen=True)
class EarlyMortality:
    """Answers the operation."""

    scoring: Scoring
    current: Current

    async def metadata(self, request: Request) -> Response:
        """The CapabilityStatement."""
        return JSONResponse(capability(), media_type=JSON)

    async def answer(self, request: Request) -> Response:
        """A RiskAssessment, or an OperationOutcome with every reason why there is none."""
        try:
            body = await received(request, MEDIA, LONGEST)
            asked, found = await self.scoring.apart(_read, body, request.query_params.multi_items())
        except Unacceptable as error:
            raise HTTPException(error.status, error.title) from error
        except TooLarge as error:
            return _unreadable(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, error)
        except InvalidRequest as error:
            return _unreadable(HTTPStatus.BAD_REQUEST, error)
        if found.faults:
            return refused("invalid", found.faults, found.places, found.listed, self._simulated)
        return await self._scored(request, asked, found)

    async def _scored(self, request: Request, asked: Asked, found: Understood) -> Response:
        caller = over_http(request, who(request)) | {"by": BY, "source": source_of(asked.sha256, found)}
        try:
            scored = await self.scoring.one(dumped(found.document), caller)
        except NotScored as error:
            return refused(error.refused.why, error.refused.faults, found.places, found.listed, self._simulated)
        except InvalidRequest as error:
            return refused("invalid", error.faults, found.places, found.listed, self._simulated)
        except NoReceipt as error:
            detail = f"no score: it could not be recorded ({error.reason})"
            raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, detail, {"Retry-After": "2"}) from error
        resource = risk_assessment(scored.document, found, asked.as_of)
        return JSONResponse(resource, headers={"Cache-Control": "no-store"}, media_type=JSON)

    @property
    def _simulated(self) -> bool:
        return self.current.artifact.model.simulated


def _read(body: bytes, query: Iterable[tuple[str, str]]) -> tuple[Asked, Understood]:
    """What was sent and what of it was understood; done in a thread, since a patient's record may be large."""
    asked = asked_of(read_fhir(body), query, hashlib.sha256(body).hexdigest(), datetime.now(UTC).date())
    return asked, with_pseudonym(understood(asked.document, asked.as_of))


def with_pseudonym(found: Understood) -> Understood:
    """The same with the id of the Patient as its pseudonym, where that may be one here: ids that name a person are not kept."""
    id = found.subject.removeprefix("Patient/")
    if found.faults or not is_pseudonym(id):
        return found
    return Understood({**found.document, "id": id}, found.used, found.listed, found.faults, found.places, found.subject)


def source_of(sha256: str, found: Understood) -> Mapping[str, Any]:
    """For the receipt: what the patient document was made of, and what was left aside."""
    return {"sha256": sha256, "used": list(found.used), "listed": [one.as_json() for one in found.listed]}


def _unreadable(status: HTTPStatus, error: InvalidRequest) -> Response:
    issues = [Issue("error", "structure", said(fault, {})[0].replace(WHOLE, "the body")) for fault in error.faults]
    return outcome(status, issues)
