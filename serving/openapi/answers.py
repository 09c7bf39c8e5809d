"""The answers as JSON Schema: a risk with its reasons and its receipt, a refusal, the model, and what went wrong."""

from __future__ import annotations

from typing import get_args

from models.example import EXAMPLE
from models.population import TIME_ORIGIN
from models.published import PUBLISHED
from models.quality import State
from models.risk import LEVEL, RiskModel
from serving.openapi.words import HEX_64, Schema, closed, keyed, nullable, ref, rows
from serving.refused import Why
from serving.standing import DISCLAIMER

_ANY = {"type": "number"}
_RISK = {"type": "number", "minimum": 0, "maximum": 1}
_WORDS = {"type": "string"}
_SAID = rows(_WORDS)
_BESIDE = _SAID | {"description": "what confounds this very number; of an estimate, its range; absent where there is nothing"}
_DAYS = "^[1-9][0-9]*$"
_UTC = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|\+00:00)$"
_HEX_128 = {"type": "string", "pattern": "^[0-9a-f]{128}$"}
_NUMBER_OR_NULL = {"type": ["number", "null"]}
_SHOWN_AS = (
    "by days: share where the percentage is known to hold for such patients at this site; rank where only the rank among "
    "development patients may be told"
)


def answer_schemas(model: RiskModel) -> dict[str, Schema]:
    """The components of everything that is answered by `model`; what one of simulated patients says, begins by saying so."""
    refusal = {"id": {"type": ["string", "null"]}, "refused": {"enum": list(get_args(Why))}, "errors": _errors()}
    return {
        "Answer": _opened(model, _answer()),
        "Scores": _opened(model, _scores()),
        "Model": _opened(model, _model()),
        "Problem": _opened(model, _problem(), always=False),  # before the request reaches the model, none of it is known
        "Refusal": closed(refusal),
        "Change": _change(),
        "Explanation": _explanation(),
        "Estimate": _estimate(),
        "Receipt": _receipt(),
        "PublishedScore": _published(),
        "Release": _release(),
        "Calibration": _calibration(),
    }


def _opened(model: RiskModel, schema: Schema, always: bool = True) -> Schema:
    if not model.simulated:
        return schema
    fields = {"example": {"const": EXAMPLE}} | schema["properties"]
    return schema | {"required": [*(["example"] if always else []), *schema["required"]], "properties": fields}


def _answer() -> Schema:
    """An answer; what changed since an earlier score is told where that was asked for."""
    fields = _fields()
    return closed(fields, [name for name in fields if name != "change"])


def _fields() -> Schema:
    return {
        "id": {"type": ["string", "null"]},
        "standing": _SAID | {"description": "for whom the number is meant and how far it may be believed: to be read first"},
        "risks": keyed(_risk(), _DAYS) | {"description": "by days after the index date"},
        "shown_as": keyed({"enum": ["share", "rank"]}, _DAYS) | {"description": _SHOWN_AS},
        "why_rank": _SAID | {"description": "why a rank is to be shown in the place of a percentage"},
        "intervals": closed({"percent": {"const": LEVEL}, "cover": _WORDS}),
        "refused_horizons": keyed(_WORDS, _DAYS) | {"description": "days that are not answered, and why"},
        "lymphopenia": nullable(_lymphopenia()),
        "explanation": ref("Explanation"),
        "estimates": rows(ref("Estimate")) | {"description": "labs that were not measured, and what they could change"},
        "quality": rows(_quality()),
        "published_scores": rows(ref("PublishedScore")),
        "warnings": _SAID,
        "text": _WORDS | {"description": "the answer as a clinician reads it, one sentence a line"},
        "model": _answering(),
        "disclaimer": {"const": DISCLAIMER},
        "change": ref("Change"),
        "receipt": ref("Receipt"),
    }


def _change() -> Schema:
    """What changed since an earlier score of the same patient; in `earlier` stands the sum behind each risk of then."""
    points = keyed(_ANY) | {"description": "percentage points by clinical group"}
    then = closed({"risk": _RISK, "base": _ANY, "groups": keyed(_ANY), "terms": keyed(_ANY)})
    model = closed({"name": _WORDS, "digest": HEX_64})
    which = {"receipt": {"type": "integer", "minimum": 1}, "digest": HEX_64, "time": {"type": "string", "pattern": _UTC}}
    earlier = closed({**which, "as_of": _WORDS, "model": model, "estimated": _SAID, "horizons": keyed(then, _DAYS)})
    parts = {"patient": points, "model": points, "estimated": _SAID, "text": _WORDS}
    horizons = keyed(closed({"from": _RISK, "to": _RISK, **parts}), _DAYS)
    fields = {"earlier": earlier, "about": _WORDS, "horizons": horizons, "not_compared": keyed(_WORDS, _DAYS)}
    return closed(fields) | {"description": _change.__doc__}


def _risk() -> Schema:
    of_cohort = {
        "reference": _RISK | {"description": "the risk at the development cohort's average log-odds"},
        "died_share": _RISK | {"description": "the share of the development cohort that had died by then (Kaplan-Meier)"},
    }
    rank = {"type": ["number", "null"], "minimum": 0, "maximum": 1}
    rank |= {"description": "the share of development patients with lower log-odds; null where the model keeps no ranks"}
    return closed({"risk": _RISK, "low": _RISK, "high": _RISK, **of_cohort, "rank": rank})


def _lymphopenia() -> Schema:
    grade = {"type": "integer", "minimum": 0, "maximum": 4}
    return closed({"grade": grade, "scale": {"const": "CTCAE 5.0"}, "since_days_before_as_of": _NUMBER_OR_NULL})


def _explanation() -> Schema:
    used = closed(
        {
            "feature": _WORDS,
            "label": _WORDS,
            "group": _WORDS,
            "unit": _WORDS,
            "value": {"type": ["number", "string", "null"], "description": "as the model used it: clipped, estimated"},
            "remarks": _BESIDE,
        },
        ["feature", "label", "group", "unit", "value"],
    )
    horizon = closed({"base": _ANY, "terms": keyed(_ANY), "time_bound": _ANY, "log_odds": _ANY, "groups": rows(_group())})
    return closed({"scale": _WORDS, "inputs": rows(used), "horizons": keyed(horizon, _DAYS)})


def _group() -> Schema:
    return closed(
        {
            "group": _WORDS,
            "term": _ANY,
            "low": _ANY,
            "high": _ANY,
            "percentage_points": {"type": "number", "minimum": -100, "maximum": 100},
            "distinguishable": {"type": "boolean"},
            "estimated_share": _RISK,
        }
    )


def _estimate() -> Schema:
    at_end = keyed(_RISK, _DAYS)
    numbers = {"value": _ANY, "low": _ANY, "high": _ANY}
    return closed({"feature": _WORDS, "label": _WORDS, "unit": _WORDS, **numbers, "risk_at_low": at_end, "risk_at_high": at_end})


def _quality() -> Schema:
    states = rows({"enum": list(get_args(State))}, minItems=1)
    return closed({"input": _WORDS, "label": _WORDS, "states": states, "remarks": _BESIDE}, ["input", "label", "states"])


def _published() -> Schema:
    constant = {"name": {"enum": list(PUBLISHED)}, "label": _WORDS, "made_for": _WORDS, "higher_is_worse": {"type": "boolean"}}
    return closed({**constant, "source": _WORDS, "value": _NUMBER_OR_NULL, "band": _WORDS, "why": _WORDS})


def _answering() -> Schema:
    """The model in an answer; who promoted it, where somebody did."""
    fields = {"name": _WORDS, "digest": HEX_64, "release": ref("Release"), "calibration": ref("Calibration")}
    return closed(fields, ["name", "digest"])


def _calibration() -> Schema:
    """What the sealed ledger knows of the model at the site of the service; absent where it knows of nothing."""
    ratio: Schema = {"type": "number", "minimum": 0}
    horizon = closed({"day": {"type": "integer", "exclusiveMinimum": 0}, "value": ratio, "low": ratio, "high": ratio})
    counted: Schema = {"type": ["integer", "null"], "minimum": 0}
    kind = {"enum": ["evaluated", "recalibrated"]}
    entry: Schema = {"type": "integer", "minimum": 1}
    fields = {"kind": kind, "site": _WORDS, "time": _WORDS, "entry": entry, "patients": counted, "horizons": rows(horizon)}
    return closed(fields) | {"description": _calibration.__doc__}


def _release() -> Schema:
    people = {"version": _WORDS, "by": _WORDS, "approved_by": _WORDS, "time": _WORDS}
    needed = {**people, "sequence": {"type": "integer", "minimum": 1}, "champion": {"type": "boolean"}}
    return closed(needed | {"proved": {"const": True}}, list(needed))


def _receipt() -> Schema:
    """Signed with Ed25519 (RFC 8032) over the canonical JSON of ["lymphorisk receipt", store, sequence, digest, time]."""
    return closed(
        {
            "sequence": {"type": "integer", "minimum": 1},
            "digest": HEX_64,
            "time": {"type": "string", "pattern": _UTC},
            "store": _WORDS,
            "signature": _HEX_128,
            "public_key": HEX_64,
        }
    ) | {"description": _receipt.__doc__}


def _scores() -> Schema:
    return closed({"scores": rows({"anyOf": [ref("Answer"), ref("Refusal")]}, minItems=1)})


def _model() -> Schema:
    feature = closed({"name": _WORDS, "label": _WORDS, "group": _WORDS, "unit": _WORDS, "required": {"type": "boolean"}})
    level = {"enum": ["evaluable", "promotable"]}
    horizon = closed({"days": {"type": "number", "exclusiveMinimum": 0}, "level": level, "why": _WORDS, "died_share": _RISK})
    deaths = keyed({"type": "integer", "minimum": 0})
    fields = {
        "name": _WORDS,
        "digest": HEX_64,
        "release": ref("Release"),
        "calibration": ref("Calibration"),
        "trained_on": _WORDS,
        "provenance": {"type": "object", "description": "cohort, code, libraries and settings"},
        "time_origin": _WORDS | {"description": f"such as {TIME_ORIGIN}"},
        "horizons": rows(horizon, minItems=1),
        "refused_horizons": keyed(_WORDS, _DAYS),
        "features": rows(feature),
        "development_deaths": closed({"by_tumour": deaths, "by_prior_line": deaths}),
        "facts": {"type": "object", "description": "what the model card says of the development"},
        "disclaimer": {"const": DISCLAIMER},
    }
    return closed(fields, [name for name in fields if name not in ("release", "calibration")])


def _errors() -> Schema:
    pointer = {"type": "string", "format": "json-pointer", "description": 'RFC 6901; "" is the whole request'}
    return rows(closed({"pointer": pointer, "detail": _WORDS | {"description": "what is allowed; never what was given"}}))


def _problem() -> Schema:
    """RFC 9457."""
    status = {"type": "integer", "minimum": 400, "maximum": 599}
    return closed({"type": {"const": "about:blank"}, "title": _WORDS, "status": status, "errors": _errors()})
