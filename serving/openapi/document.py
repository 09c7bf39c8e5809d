"""What the service takes and gives, as an OpenAPI 3.1 document: for one model, since it says which inputs that one requires."""

from __future__ import annotations

from models.risk import RiskModel
from serving.json_fields import MOST_ROWS
from serving.openapi.answers import answer_schemas
from serving.openapi.examples import EXAMPLES, Document
from serving.openapi.request import request_schema, request_schemas
from serving.openapi.words import PARTS, Schema, closed, ref
from serving.problems import PROBLEM
from serving.refused import Refused
from serving.score import admit
from serving.standing import DISCLAIMER, opening
from serving.strict_json import DEEPEST, LARGEST, LONGEST, LONGEST_KEY, LONGEST_TEXT
from serving.wire import MOST_PATIENTS, read_patient

VERSION = "1"  # of what is asked and answered, not of the program
_STRICT = (
    f"The body is strict JSON: UTF-8, each key once, no NaN or Infinity, no number beyond {LARGEST:g}, at most {DEEPEST} levels, "
    f"texts of at most {LONGEST_TEXT} and names of at most {LONGEST_KEY} plain characters, {LONGEST // 2**20} MiB, "
    f"{MOST_PATIENTS:,} patients, {MOST_ROWS:,} measurements and treatments of each."
)
_ELSEWHERE = (
    "Every error is a problem document (RFC 9457) that names each field at fault by JSON pointer and repeats no value. Another "
    "path is answered with 404, another method of a path with 405 and Allow. This document is to be had at /openapi.json. What "
    "is asked in FHIR R4 is described at /fhir/metadata, what by CDS Hooks at /cds-services; both get the same numbers."
)
_CLINICAL = (
    "Tumours, sexes, outcomes and modalities may also be written in capitals. What fits the schema may still be refused with "
    "422: that parts are no larger than their wholes, no draw later than the index date and two values of one day the same is no "
    "matter of shape."
)
_REASONS = {
    400: "no HTTP, not strict JSON, or not the shape of a request for several patients",
    401: "who asks is not known: no API key or token, or one that is not good any more",
    403: "the role of whoever asks may not do that",
    404: "there is no such receipt, or none that whoever asks may see",
    408: "the request did not arrive in time",
    413: "more than 1 MiB",
    415: "not application/json in UTF-8, or compressed",
    422: "the patient cannot be read, is not one the model is for, lacks a required input, or is not to be compared as asked",
    429: "too many requests in the name of one; try again later",
    431: "more than 16 KiB of headers",
    500: "something unexpected happened, and it is not the request; no score",
    503: "no room, or no score since its receipt could not be made durable; try again",
}
_ANYWHERE = (400, 408, 431, 500, 503)
_KNOWN = (401, 403, 429)  # of what is answered to nobody but whom the service knows
_BEARER = (
    "An API key (lymphorisk keys add) or a token of the identity provider, with every request. Roles decide what may be asked: "
    "clinicians score and see the receipts of their unit, auditors see all receipts."
)


def document(model: RiskModel) -> Schema:
    """The OpenAPI document of the service of `model`; a dictionary ready for JSON."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "lymphorisk", "version": VERSION, "description": _described(model)},
        "paths": {
            "/v1/scores": {"post": _scores(model)},
            "/v1/receipts/{sequence}": {"get": _receipt()},
            "/v1/model": {"get": _model()},
            "/v1/me": {"get": _me()},
            "/livez": {"get": _alive()},
            "/readyz": {"get": _ready()},
        },
        "security": [{"bearer": []}],
        "components": {
            "schemas": PARTS | request_schemas() | answer_schemas(model),
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "description": _BEARER}},
        },
    }


def _described(model: RiskModel) -> str:
    return "\n\n".join([*opening(model), DISCLAIMER, _ELSEWHERE])


def _scores(model: RiskModel) -> Schema:
    content = {"application/json": {"schema": request_schema(model), "examples": _examples(model)}}
    return {
        "operationId": "score",
        "summary": "The risk of one patient, or of several, with its reasons and a receipt",
        "description": f"{_STRICT} {_CLINICAL}",
        "requestBody": {"required": True, "content": content},
        "responses": {
            "200": _json("risks with their reasons and receipts", {"anyOf": [ref("Answer"), ref("Scores")]}, no_store=True),
            **_problems(413, 415, 422, *_KNOWN),
        },
    }


def _model() -> Schema:
    return {
        "operationId": "model",
        "summary": "The model that answers: what it learned from, whom and what it is for",
        "responses": {"200": _json("the model", ref("Model")), **_problems(*_KNOWN)},
    }


def _me() -> Schema:
    text = {"type": "string"}
    me = closed({"name": text, "roles": {"type": "array", "items": text}, "unit": text, "by": text})
    return {
        "operationId": "me",
        "summary": "As whom and in which roles the service knows whoever asks",
        "responses": {"200": _json("who it is", me, no_store=True), **_problems(*_KNOWN)},
    }


def _receipt() -> Schema:
    numbers = {"type": "integer", "minimum": 1, "maximum": 10**18 - 1}
    number = {"name": "sequence", "in": "path", "required": True, "schema": numbers}
    return {
        "operationId": "receipt",
        "summary": "A receipt: what came in, how it was understood, what was answered; the look is itself recorded",
        "parameters": [number],
        "responses": {"200": _json("the receipt", {"type": "object"}, no_store=True), **_problems(404, *_KNOWN)},
    }


def _alive() -> Schema:
    alive = closed({"status": {"const": "alive"}})
    return {
        "operationId": "alive",
        "summary": "Whether the process answers",
        "security": [],
        "responses": {"200": _json("it does", alive), **_problems()},
    }


def _ready() -> Schema:
    ready = closed({"status": {"const": "ready"}})
    return {
        "operationId": "ready",
        "summary": "Whether a score would be answered: its receipt could be made durable now",
        "security": [],
        "responses": {"200": _json("it would", ready), **_problems()},
    }


def _examples(model: RiskModel) -> Schema:
    """The examples that this model scores: another may require what they lack."""
    return {name: {"summary": said, "value": one} for name, (said, one) in EXAMPLES.items() if _is_scored(model, one)}


def _is_scored(model: RiskModel, example: Document) -> bool:
    return not any(isinstance(admit(model, read_patient(one)), Refused) for one in example.get("patients", [example]))


def _json(said: str, schema: Schema, no_store: bool = False) -> Schema:
    headers = {"headers": {"Cache-Control": _header({"const": "no-store"})}} if no_store else {}
    return {"description": said, "content": {"application/json": {"schema": schema}}, **headers}


def _problems(*statuses: int) -> Schema:
    return {str(status): _problem(status) for status in sorted({*_ANYWHERE, *statuses})}


def _problem(status: int) -> Schema:
    headers = {"Cache-Control": _header({"const": "no-store"})}
    if status in (429, 503):
        headers["Retry-After"] = _header({"type": "integer", "minimum": 1, "description": "seconds"})
    schema = ref("Problem") | {"properties": {"status": {"const": status}}}
    return {"description": _REASONS[status], "headers": headers, "content": {PROBLEM: {"schema": schema}}}


def _header(schema: Schema) -> Schema:
    return {"required": True, "schema": schema}
