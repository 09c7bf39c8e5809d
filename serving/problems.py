"""What goes wrong over HTTP, said in one way: RFC 9457 problem documents that name every field and repeat no value."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from models.fault import Fault
from serving.refused import Refused, pointed

PROBLEM = "application/problem+json"
_KINDS = {
    "invalid": "the patient cannot be read",
    "not eligible": "no model of this kind is meant for the patient",
    "insufficient data": "insufficient data: an input that the model requires is missing or too old",
}


def problem(
    status: HTTPStatus, title: str, errors: Sequence[dict[str, str]] = (), headers: dict[str, str] | None = None
) -> JSONResponse:
    """A problem document; `errors` are JSON pointers with reasons.

    References
    ----------
    RFC 9457, Problem Details for HTTP APIs, 2023.
    """
    content = {"type": "about:blank", "title": title, "status": status.value, "errors": list(errors)}
    return JSONResponse(content, status.value, {"Cache-Control": "no-store", **(headers or {})}, PROBLEM)


def unreadable(status: HTTPStatus, faults: Sequence[Fault]) -> JSONResponse:
    """The problem of a request that could not be read as a whole."""
    return problem(status, "the request cannot be read", pointed(faults))


def refusal(refused: Refused) -> JSONResponse:
    """The problem of the one patient who is not scored."""
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, _KINDS[refused.why], pointed(refused.faults))


def install(app: FastAPI) -> None:
    """Lets every error of `app` leave as a problem document."""
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(500, _unexpected)


async def _http(request: Request, error: Exception) -> JSONResponse:
    status = HTTPStatus(error.status_code if isinstance(error, HTTPException) else 500)
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    return problem(status, status.phrase, headers=headers)


async def _unexpected(request: Request, error: Exception) -> JSONResponse:
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "no score: something unexpected happened, and it is not the request")
