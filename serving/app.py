"""The service: a request in, a risk with its reasons out, once its receipt is durable; no error repeats a value.

Starlette routes; the body is read by `serving.wire`, the same reader that reads files. No score leaves the service
without a receipt: what is answered is recorded first, and where it cannot be, nothing of it is shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from models.artifact import Artifact
from models.identity import Identity
from models.patient import Patient
from serving.access.door import Access, Door, route, who
from serving.access.forms import posted
from serving.access.noting import Notes
from serving.access.sessions import Sessions
from serving.body import Unacceptable, received
from serving.caller import over_http
from serving.cds.service import CdsHooks
from serving.company import Together
from serving.comparing import Comparing
from serving.current import Current
from serving.described import described
from serving.fhir import operation as fhir
from serving.fhir.outcome import Outcomes
from serving.gathering import Gathering
from serving.operating import Operating, Operation
from serving.pages.joined import pages
from serving.pages.layout import Layout
from serving.pages.reader import Reader, no_forms
from serving.pages.signing import Signing, Ways
from serving.pages.trouble import Readable
from serving.problems import Problems
from serving.receipts.archive import Archive
from serving.receipts.payload import Receipts, dumped
from serving.receipts.record import NoReceipt
from serving.recorded import Answered
from serving.refused import Refused
from serving.scoring import AT_ONCE, Scoring
from serving.standing import example
from serving.strict_json import InvalidRequest, TooLarge
from serving.wire import Request as Asked

_NO_STORE = {"Cache-Control": "no-store"}


def create_app(
    model: Artifact | Current,
    receipts: Receipts,
    site: str = "",
    *,
    access: Access,
    archive: Archive | None = None,
    sessions: Sessions | None = None,
    ways: Ways | None = None,
    operation: Operation | None = None,
    address: str = "",
) -> Starlette:
    """The service of a verified model, or of whichever answers now; scores are recorded in `receipts`, every answer tells `site`.

    `access` finds out who asks; what they may do stands in `serving.access.permissions`. Pages read `archive`, and take forms
    from the browsers of `sessions`, which sign in by `ways`: without them there are none. `address` is the one under which
    hospital systems reach the service, and to which the links of their cards lead.
    """
    current = model if isinstance(model, Current) else Current(model)
    problems = Problems(example(current.artifact.model))
    operation = operation or Operation()
    scoring = Scoring(receipts, Together(current, site, _refusal), Gathering(receipts), operation.metrics)
    door = Door(access, Notes(receipts), problems, operation.waiting)
    service = Service(current, problems, scoring, Comparing(door.notes, archive))
    asked = [*Operating(operation, current, receipts, problems).routes(), *service.routes(), *fhir.routes(scoring, current)]
    if archive is not None:
        asked += CdsHooks(scoring, current, problems, door.notes, archive, address).routes()
        forms = partial(posted, sessions=sessions) if sessions is not None else no_forms
        asked += pages(Reader(archive, door.notes, forms), scoring)
    if sessions is not None:
        asked += Signing(sessions, door.notes, ways or Ways()).routes()
    app = Starlette(routes=door.before(asked))
    app.state.layout = Layout(current, site)
    if archive is not None:
        app.add_middleware(Readable)
    app.add_middleware(Outcomes)
    app.router.redirect_slashes = False
    problems.install(app)
    return app


@dataclass(frozen=True)
class Service:
    """Answers requests, each in the name of one model: read, scored and written down, recorded, and only then shown."""

    current: Current
    problems: Problems
    scoring: Scoring
    comparing: Comparing

    def routes(self) -> list[Route]:
        """What may be asked over HTTP, apart from pages."""
        return [
            route("GET", "/openapi.json", self._openapi),
            route("GET", "/v1/me", self._me),
            route("GET", "/v1/model", self._model),
            route("POST", "/v1/scores", self._scores),
        ]

    async def _openapi(self, request: Request) -> Response:
        return JSONResponse(self.current.contract)

    async def _me(self, request: Request) -> Response:
        return JSONResponse(who(request).as_json(), headers=_NO_STORE)

    async def _model(self, request: Request) -> Response:
        return JSONResponse(described(self.current.artifact))

    async def _scores(self, request: Request) -> Response:
        try:
            body = await received(request)
        except Unacceptable as refused:
            return self.problems.problem(refused.status, refused.title)
        return await self.scored(body, over_http(request, who(request)), who(request))

    async def scored(self, body: bytes, caller: Mapping[str, object], identity: Identity) -> Response:
        """The answer to a request body, or the problem why there is none."""
        asked = self._read(body) if len(body) <= AT_ONCE else await self.scoring.apart(self._read, body)
        if isinstance(asked, Response):
            return asked
        answered = await self._answered(body, asked, caller, identity)
        if isinstance(answered, Refused):
            return self.problems.refusal(answered)
        if answered.refused and not asked.many:
            return self.problems.refusal(answered.refused[0])
        return await self._recorded(answered, asked.many)

    async def _answered(
        self, body: bytes, asked: Asked, caller: Mapping[str, object], identity: Identity
    ) -> Answered | Refused:
        """What will be said; the refusal of a patient who is not to be compared with the score that was named."""
        patient = asked.patients[0]
        if asked.compared_with is None or not isinstance(patient, Patient):
            return await self.scoring.answered(body, asked, caller)
        earlier = await self.comparing.earlier(patient, asked.compared_with, asked.day, identity)
        if isinstance(earlier, Refused):
            self.scoring.turned_away(earlier)
            return earlier
        return await self.scoring.compared(body, asked, caller, earlier)

    async def _recorded(self, answered: Answered, many: bool) -> Response:
        """What will be said, once it is recorded; the problem where it cannot be."""
        try:
            signed = await self.scoring.recorded(answered)
        except NoReceipt as error:
            return self.problems.unscored(error)
        shown = answered.shown(signed, self.scoring.receipts.public_key)
        return Response(self._several(shown) if many else shown[0], 200, _NO_STORE, "application/json")

    def _read(self, body: bytes) -> Asked | Response:
        """Who is to be scored; the problem where the request cannot be read as a whole."""
        try:
            return self.scoring.read(body)
        except TooLarge as error:
            return self.problems.unreadable(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, error.faults)
        except InvalidRequest as error:
            return self.problems.unreadable(HTTPStatus.BAD_REQUEST, error.faults)

    def _several(self, shown: Sequence[bytes]) -> bytes:
        opening = dumped(example(self.current.artifact.model) | {"scores": []})
        return opening.removesuffix(b"]}") + b",".join(shown) + b"]}"


def _refusal(place: int, refused: Refused) -> dict[str, object]:
    return refused.as_json(f"/patients/{place}")
