"""What goes wrong over HTTP, said in one way: RFC 9457 problem documents that name every field and repeat no value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from models.fault import Fault
from serving.receipts.record import NoReceipt
from serving.refused import Refused, pointed

RETRY_SECONDS = 2
PROBLEM = "application/problem+json"
_KINDS = {
    "invalid": "the patient cannot be read",
    "not eligible": "no model of this kind is meant for the patient",
    "insufficient data": "insufficient data: an input that the model requires is missing or too old",
    "not comparable": "no score: it cannot be compared with the earlier one that was named",
}


@dataclass(frozen=True)
class Problems:
    """The problem documents of one service; each begins with `opening`, as every output of a model of simulated patients does."""

    opening: Mapping[str, object] = field(default_factory=dict)

    def problem(
        self, status: HTTPStatus, title: str, errors: Sequence[dict[str, str]] = (), headers: Mapping[str, str] | None = None
    ) -> JSONResponse:
        """A problem document; `errors` are JSON pointers with reasons.

        References
        ----------
        RFC 9457, Problem Details for HTTP APIs, 2023.
        """
        content = {**self.opening, "type": "about:blank", "title": title, "status": status.value, "errors": list(errors)}
        return JSONResponse(content, status.value, {"Cache-Control": "no-store", **(headers or {})}, PROBLEM)

    def unreadable(self, status: HTTPStatus, faults: Sequence[Fault]) -> JSONResponse:
        """The problem of a request that could not be read as a whole."""
        return self.problem(status, "the request cannot be read", pointed(faults))

    def refusal(self, refused: Refused) -> JSONResponse:
        """The problem of the one patient who is not scored."""
        return self.problem(HTTPStatus.UNPROCESSABLE_ENTITY, _KINDS[refused.why], pointed(refused.faults))

    def unscored(self, error: NoReceipt) -> JSONResponse:
        """The problem of a score that could not be recorded, and is not shown."""
        title = f"no score: it could not be recorded ({error.reason})"
        return self.problem(HTTPStatus.SERVICE_UNAVAILABLE, title, headers={"Retry-After": str(RETRY_SECONDS)})

    def install(self, app: Starlette) -> None:
        """Lets every error of `app` leave as a problem document."""
        app.add_exception_handler(HTTPException, self._http)
        app.add_exception_handler(NoReceipt, self._unrecorded)
        app.add_exception_handler(500, self._unexpected)

    async def _http(self, request: Request, error: Exception) -> JSONResponse:
        """The detail of an HTTPException is in words of ours, or the phrase of its status."""
        if not isinstance(error, HTTPException):
            return await self._unexpected(request, error)
        return self.problem(HTTPStatus(error.status_code), error.detail, headers=error.headers)

    async def _unrecorded(self, request: Request, error: Exception) -> JSONResponse:
        """What is to be shown is recorded first: see `serving.access.noting`."""
        reason = error.reason if isinstance(error, NoReceipt) else "it is not known why"
        title = f"nothing is shown: that it was asked for could not be recorded ({reason})"
        return self.problem(HTTPStatus.SERVICE_UNAVAILABLE, title, headers={"Retry-After": str(RETRY_SECONDS)})

    async def _unexpected(self, request: Request, error: Exception) -> JSONResponse:
        return self.problem(
            HTTPStatus.INTERNAL_SERVER_ERROR, "no score: something unexpected happened, and it is not the request"
        )
