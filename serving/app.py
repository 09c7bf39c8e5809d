"""The service: a request in, a risk with its reasons out; every error a problem document that repeats no value.

FastAPI routes and documents; the body is read by `serving.wire`, the same reader that reads files.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus

from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from starlette.requests import ClientDisconnect

from models.artifact import Artifact
from models.risk import RiskModel
from serving import openapi
from serving.problems import Problems
from serving.refused import Refused
from serving.score import score
from serving.standing import DISCLAIMER, example, release
from serving.strict_json import LONGEST, InvalidRequest, TooLarge
from serving.wire import Request as Asked
from serving.wire import read_request

BODY_SECONDS = 15.0  # a body that has not arrived by then never will
_NO_STORE = {"Cache-Control": "no-store"}


class Unacceptable(Exception):
    """A request refused before its body is read; carries the problem to answer with."""

    def __init__(self, status: HTTPStatus, title: str):
        super().__init__(title)
        self.status, self.title = status, title


def create_app(artifact: Artifact, site: str = "") -> FastAPI:
    """The service of one verified model; `site` is the deployment's name, said in every answer."""
    app = FastAPI(
        title="lymphorisk", description=DISCLAIMER, version="1", docs_url=None, redoc_url=None, redirect_slashes=False
    )
    problems = Problems(example(artifact.model))
    problems.install(app)

    @app.get("/livez", summary="Whether the process answers")
    async def livez() -> dict[str, str]:
        return {"status": "alive"}

    @app.get("/v1/model", summary="The model that answers: what it learned from, whom and what it is for")
    async def model() -> JSONResponse:
        return JSONResponse(described(artifact))

    @app.post(
        "/v1/scores",
        summary="The risk of one patient, or of several, with its reasons",
        openapi_extra=openapi.SCORES,
        responses=openapi.problems(
            status_400="no strict JSON, or not the shape of a request",
            status_408="the body did not arrive",
            status_413="more than 1 MiB",
            status_415="not application/json, or compressed",
            status_422="the patient cannot be read, is not one the model is for, or lacks an input it requires",
        ),
    )
    async def scores(request: Request) -> Response:
        try:
            body = await _body(request)
            return await run_in_threadpool(_answer, artifact, problems, body, site)
        except Unacceptable as refused:
            return problems.problem(refused.status, refused.title)

    return app


def described(artifact: Artifact) -> dict[str, object]:
    """The body of GET /v1/model."""
    model = artifact.model
    return example(model) | {
        "name": model.name,
        "digest": artifact.digest,
        **release(artifact),
        "trained_on": model.trained_on,
        "provenance": dict(artifact.provenance),
        "time_origin": model.population.time_origin,
        "horizons": [vars(horizon) for horizon in model.horizons],
        "refused_horizons": dict(model.refused),
        "features": _features(model),
        "development_deaths": {
            "by_tumour": dict(model.population.deaths_by_tumour),
            "by_prior_line": dict(model.population.deaths_by_prior_line),
        },
        "facts": dict(model.facts),
        "disclaimer": DISCLAIMER,
    }


def _features(model: RiskModel) -> list[dict[str, object]]:
    return [
        {"name": name, "label": one.label, "group": one.group, "unit": one.unit, "required": name in model.required}
        for name, one in model.design.of.items()
    ]


def _answer(artifact: Artifact, problems: Problems, body: bytes, site: str) -> JSONResponse:
    try:
        asked = read_request(body)
    except TooLarge as error:
        return problems.unreadable(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, error.faults)
    except InvalidRequest as error:
        return problems.unreadable(HTTPStatus.BAD_REQUEST, error.faults)
    return _scored(artifact, problems, asked, site)


def _scored(artifact: Artifact, problems: Problems, asked: Asked, site: str) -> JSONResponse:
    answers = score(artifact, asked.patients, site)
    if asked.many:
        found = [one.as_json(f"/patients/{at}") if isinstance(one, Refused) else one.as_json() for at, one in enumerate(answers)]
        return JSONResponse(example(artifact.model) | {"scores": found}, headers=_NO_STORE)
    (one,) = answers
    return problems.refusal(one) if isinstance(one, Refused) else JSONResponse(one.as_json(), headers=_NO_STORE)


async def _body(request: Request) -> bytes:
    """The whole body, or Unacceptable as soon as it is clear that it will not be read."""
    media_type, _, parameters = request.headers.get("content-type", "").lower().partition(";")
    if media_type.strip() != "application/json" or parameters.replace(" ", "") not in ("", "charset=utf-8"):
        raise Unacceptable(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "the body must be application/json in UTF-8")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise Unacceptable(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "the body must not be compressed")
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length[:20]) > LONGEST:
        raise Unacceptable(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "the body must have at most 1 MiB")
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await _received(request)
    except (TimeoutError, ClientDisconnect):
        raise Unacceptable(HTTPStatus.REQUEST_TIMEOUT, "the body did not arrive") from None


async def _received(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LONGEST:
            raise Unacceptable(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "the body must have at most 1 MiB")
    return bytes(body)
