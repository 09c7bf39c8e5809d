"""The request and the answers as an OpenAPI document: made from the same lists that the reader checks against."""

from __future__ import annotations

from typing import Any

from models.analytes import ANALYTES
from models.courses import MODALITIES
from models.history import FLAGS, NUMBERS, OUTCOMES
from serving.patient_json import LONGEST_ID, MOST_LINES, MOST_ROWS
from serving.problems import PROBLEM
from serving.wire import MOST_PATIENTS

Schema = dict[str, Any]
_TEXT: Schema = {"type": ["string", "null"], "maxLength": 256}
_DATE: Schema = {"type": "string", "format": "date"}


def _object(properties: Schema, *required: str) -> Schema:
    return {"type": "object", "additionalProperties": False, "required": list(required), "properties": properties}


def _rows(item: Schema) -> Schema:
    return {"type": ["array", "null"], "maxItems": MOST_ROWS, "items": item}


_MEASUREMENT = _object(
    {
        "analyte": {"enum": list(ANALYTES), "description": "or loinc"},
        "loinc": {"type": "string", "description": "or analyte"},
        "value": {"type": ["number", "string"], "description": 'a number, or a limit such as "<2.0"'},
        "unit": {"type": "string", "description": "UCUM or a usual spelling; never guessed"},
        "date": _DATE,
        "uln": {"type": ["number", "null"], "description": "the laboratory's upper limit of normal, in the unit of the analyte"},
        "method": _TEXT,
    },
    "value",
    "unit",
    "date",
)
_TREATMENT = _object(
    {
        "line": {"type": ["integer", "null"], "minimum": 1, "maximum": MOST_LINES},
        "modality": {"enum": list(MODALITIES)},
        "agents": {"type": ["array", "null"], "items": {"type": "string"}},
        "start": _DATE,
        "end": {"type": ["string", "null"], "format": "date", "description": "null while it runs"},
        "outcome": {"enum": [*OUTCOMES, None]},
    },
    "modality",
    "start",
)
_HISTORY = _object(
    {name: {"enum": ["yes", "no", "unknown", True, False, None]} for name in FLAGS}
    | {name: {"type": ["number", "null"], "minimum": low, "maximum": high} for name, (low, high) in NUMBERS.items()}
    | {"last_line_outcome": {"enum": [*OUTCOMES, None]}}
)
PATIENT = _object(
    {
        "id": {"type": ["string", "null"], "maxLength": LONGEST_ID, "description": "a pseudonym"},
        "as_of": _DATE | {"description": "the index date: the decision to start the next line"},
        "age_years": {"type": "number", "minimum": 0, "maximum": 120},
        "sex": {"type": ["string", "null"], "description": "female, male or unknown"},
        "tumour": {"type": "string", "maxLength": 256},
        "measurements": _rows(_MEASUREMENT),
        "treatments": _rows(_TREATMENT),
        "history": {"anyOf": [_HISTORY, {"type": "null"}]},
        "extra": {"type": ["object", "null"], "additionalProperties": {"type": ["number", "string"]}},
    },
    "as_of",
    "age_years",
    "tumour",
)
_SEVERAL = _object({"patients": {"type": "array", "minItems": 1, "maxItems": MOST_PATIENTS, "items": PATIENT}}, "patients")
_PROBLEM = {
    "type": "object",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "errors": {
            "type": "array",
            "items": {"type": "object", "properties": {"pointer": {"type": "string"}, "detail": {"type": "string"}}},
        },
    },
}
SCORES: Schema = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": {"anyOf": [PATIENT, _SEVERAL]}}}},
}


def problems(**reasons: str) -> dict[int | str, Schema]:
    """The responses of an operation that are problems, by status ("status_413": why)."""
    content = {PROBLEM: {"schema": _PROBLEM}}
    return {int(name.removeprefix("status_")): {"description": why, "content": content} for name, why in reasons.items()}
