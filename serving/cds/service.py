"""The hook patient-view: what a hospital system sends along becomes one card, or none where there is nothing to say.

Nothing is said of whom the models are not for, of whom too little is known, or who lies outside the development population: a
card that shows itself for everybody is not read by anybody. What is said is recorded first, as everywhere.

References
----------
HL7 CDS Hooks 2.0 (2022).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from models.fault import Fault
from models.fhir.reading import understood
from models.fhir.resources import object_in, text_in
from models.fhir.understood import Understood
from models.patient import Patient
from serving.access.door import route, who
from serving.access.noting import Notes
from serving.body import JSON, Unacceptable, received
from serving.caller import over_http
from serving.cds import names, prefetch
from serving.cds.card import card_of
from serving.cds.feedback import feedback_of, is_of
from serving.current import Current
from serving.fhir.operation import source_of, with_pseudonym
from serving.fhir.reading_json import LONGEST, read_fhir
from serving.pages.words import say, words
from serving.problems import Problems
from serving.receipts.archive import Archive
from serving.receipts.payload import dumped
from serving.receipts.record import NoReceipt
from serving.scoring import NotScored, NotWanted, Scoring
from serving.strict_json import InvalidRequest, TooLarge

ID = "early-mortality"
DISCOVERY = "/cds-services"
PATH = f"{DISCOVERY}/{ID}"
BY = "CDS Hooks"
_NO_CARDS: Mapping[str, Any] = {names.CARDS: []}
_NO_STORE = {"Cache-Control": "no-store"}


@dataclass(frozen=True)
class Hook:
    """What was asked: whose screen, of whom, with which resources; the SHA-256 of the bytes."""

    prefetch: Mapping[str, Any]
    user: str
    sha256: str


@dataclass(frozen=True)
class CdsHooks:
    """Answers hospital systems; `service` is the address under which they reach this one, "" for the one they asked."""

    scoring: Scoring
    current: Current
    problems: Problems
    notes: Notes
    archive: Archive
    service: str = ""

    def routes(self) -> list[Route]:
        """Discovery, the hook and its feedback."""
        return [
            route("GET", DISCOVERY, self.discovery),
            route("POST", PATH, self.asked),
            route("POST", f"{PATH}/{names.FEEDBACK}", self.feedback),
        ]

    async def discovery(self, request: Request) -> Response:
        """Which services there are, and what they want sent along."""
        said = words()["cds"]
        one = {"hook": names.HOOK, "title": said.title, "description": said.description, "id": ID}
        return JSONResponse({names.SERVICES: [one | {"prefetch": dict(prefetch.TEMPLATES), "usageRequirements": said.usage}]})

    async def asked(self, request: Request) -> Response:
        """The card, or none; 412 where too little was sent along to know."""
        try:
            hook, found = await self.scoring.apart(_read, await self._body(request))
        except InvalidRequest as error:
            return self._unreadable(error)
        if lacking := prefetch.lacking(hook.prefetch):
            title = f"prefetch lacks {', '.join(lacking)}: the service works from prefetch alone, and calls no server"
            return self.problems.problem(HTTPStatus.PRECONDITION_FAILED, title)
        if found.faults:
            return JSONResponse(_NO_CARDS, headers=_NO_STORE)
        return await self._card(request, hook, found)

    async def feedback(self, request: Request) -> Response:
        """What was done with cards, noted beside their receipts before it is acknowledged."""
        try:
            given = feedback_of(await self.scoring.apart(read_fhir, await self._body(request)))
        except InvalidRequest as error:
            return self._unreadable(error)
        identity = who(request)
        if not await self.scoring.apart(lambda: all(is_of(one, self.archive, identity.by, identity.name) for one in given)):
            self.notes.soon(identity, "gave feedback on no card of theirs")
            return self.problems.problem(HTTPStatus.NOT_FOUND, "there is no such card")
        for one in given:
            await self.notes.made(identity, "gave feedback", **one.as_note())
        return JSONResponse({}, headers=_NO_STORE)

    async def _body(self, request: Request) -> bytes:
        try:
            return await received(request, (JSON,), LONGEST)
        except Unacceptable as error:
            raise HTTPException(error.status, error.title) from error

    def _unreadable(self, error: InvalidRequest) -> Response:
        large = isinstance(error, TooLarge)
        return self.problems.unreadable(HTTPStatus.REQUEST_ENTITY_TOO_LARGE if large else HTTPStatus.BAD_REQUEST, error.faults)

    def _inside(self, patient: Patient) -> bool:
        """Whether patients like that were among those whom the model learned from."""
        return not self.current.artifact.model.population.outside(patient)

    async def _card(self, request: Request, hook: Hook, found: Understood) -> Response:
        source = source_of(hook.sha256, found)
        caller = over_http(request, who(request)) | {"by": BY, "on_behalf_of": hook.user, "source": source}
        try:
            scored = await self.scoring.one(dumped(found.document), caller, self._inside)
        except (NotScored, NotWanted):
            return JSONResponse(_NO_CARDS, headers=_NO_STORE)
        except NoReceipt as error:
            return self.problems.unscored(error)
        home = f"{self.service}/" if self.service else str(request.base_url)
        page = f"{home}patient/{scored.receipt.sequence}"
        card = card_of(scored.document, scored.receipt, page, home, _remarks(hook.prefetch))
        return JSONResponse({names.CARDS: [card]}, headers=_NO_STORE)


def _read(body: bytes) -> tuple[Hook, Understood]:
    """The hook and what was understood of its resources on this day (UTC); InvalidRequest for what is no such hook."""
    document = read_fhir(body)
    context = object_in(document, names.CONTEXT)
    faults = [
        Fault(f"/{name}", "another", allowed)
        for name, holds, allowed in (
            (names.HOOK_FIELD, text_in(document, names.HOOK_FIELD) == names.HOOK, names.HOOK),
            (names.INSTANCE, bool(text_in(document, names.INSTANCE)), "a UUID"),
            (f"{names.CONTEXT}/{names.USER_ID}", bool(text_in(context, names.USER_ID)), "a reference to who looks"),
            (f"{names.CONTEXT}/{names.PATIENT_ID}", bool(text_in(context, names.PATIENT_ID)), "the id of a Patient"),
        )
        if not holds
    ]
    if faults:
        raise InvalidRequest(*faults)
    sent = object_in(document, names.PREFETCH)
    found = _understood(sent, text_in(context, names.PATIENT_ID), datetime.now(UTC).date())
    return Hook(sent, text_in(context, names.USER_ID)[:128], hashlib.sha256(body).hexdigest()), found


def _understood(sent: Mapping[str, Any], patient: str, today: date) -> Understood:
    """What was understood of the patient of the context; InvalidRequest where another was sent."""
    found = with_pseudonym(understood(prefetch.resources(sent), today))
    if found.subject and found.subject.removeprefix("Patient/") != patient.removeprefix("Patient/"):
        raise InvalidRequest(Fault(f"/{names.PREFETCH}/patient", "another patient", f"the one of context.{names.PATIENT_ID}"))
    return found


def _remarks(sent: Mapping[str, Any]) -> list[str]:
    """What the card says of what was sent: what is not known since it was not, and what was cut."""
    absent, cut = prefetch.missing(sent), prefetch.cut(sent)
    found = [say("cds", "not_sent", names=", ".join(absent))] if absent else []
    return found + ([say("cds", "went_on", names=", ".join(cut))] if cut else [])
