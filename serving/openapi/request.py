"""The request as JSON Schema: one patient or several, each field as the reader takes it and the model needs it."""

from __future__ import annotations

from models.courses import MODALITIES
from models.history import COUNTED, FLAGS, NUMBERS, OUTCOME_WORDS, OUTCOMES
from models.measurements import SHARES
from models.patient import SEX_WORDS, SEXES, STALE_DAYS
from models.population import ADULT, TIME_ORIGIN
from models.risk import RiskModel
from models.tumours import SPELLINGS
from serving.json_fields import FIRST_DAY, MOST_ROWS
from serving.openapi.measurement import has, measurements
from serving.openapi.words import DATE, NUMBER, Schema, closed, keyed, nullable, one_of_words, ref, rows
from serving.patient_json import FLAG_ANSWERS, MOST_AGENTS, MOST_EXTRAS, MOST_LINES
from serving.wire import COMPARED, MOST_PATIENTS, MOST_RECEIPTS

_MADE_OF = {"nlr": ("anc", "alc"), "ecog": ("karnofsky",)} | {count: ("wbc", share) for count, share in SHARES}


def request_schemas() -> dict[str, Schema]:
    """The components of a request to any model."""
    return measurements() | {"Treatment": _treatment(), "History": _history()}


def request_schema(model: RiskModel) -> Schema:
    """A request to `model`: one patient or several.

    A patient is written out in both places and is no component: what fuzzers draw for an array within a component cannot yet be
    held against `contains`.
    """
    patient = {"title": "Patient", **_patient(model)}
    alone = patient | {"properties": {**patient["properties"], COMPARED: _COMPARED}}
    return {"anyOf": [alone, {"title": "Patients", **_patients(patient)}]}


def _treatment() -> Schema:
    fields = {
        "line": {"type": ["integer", "null"], "minimum": 1, "maximum": MOST_LINES},
        "modality": {"enum": list(MODALITIES)},
        "agents": nullable(rows(ref("Label"), maxItems=MOST_AGENTS)),
        "start": DATE | {"description": "not after as_of"},
        "end": nullable(DATE | {"description": "not before the start, not after as_of; null while it runs"}),
        "outcome": one_of_words([*OUTCOMES, *OUTCOME_WORDS, None]),
    }
    return closed(fields, ["modality", "start"])


def _history() -> Schema:
    """A summary of the treatment history; what is left out is unknown, never "no"."""
    flags = dict.fromkeys(FLAGS, one_of_words([*FLAG_ANSWERS, True, False, None]))
    numbers: Schema = {
        name: {"type": ["integer" if name in COUNTED else "number", "null"], "minimum": low, "maximum": high}
        for name, (low, high) in NUMBERS.items()
    }
    outcome = one_of_words([*OUTCOMES, *OUTCOME_WORDS, None])
    return closed({**flags, **numbers, "last_line_outcome": outcome}, [])


_COMPARED: Schema = {
    "type": ["integer", "null"],
    "minimum": 1,
    "maximum": MOST_RECEIPTS,
    "default": None,
    "description": "the number of the receipt of an earlier score of the same patient (id): the answer tells what changed since",
}
_INDEX_DATE = (
    "of a patient who is scored again while followed: the day from which the follow-up counts, not after as_of, "
    "which is then the landmark; a model for landmarks requires it"
)


def _patient(model: RiskModel) -> Schema:
    fields = {
        "id": nullable(ref("Pseudonym")),
        "as_of": DATE | {"description": f"the index date, {TIME_ORIGIN}; from {FIRST_DAY} on, and not to come"},
        "index_date": nullable(DATE | {"description": _INDEX_DATE}),
        "age_years": {"type": "number", "minimum": ADULT, "maximum": 120, "description": "on the index date; adults only"},
        "sex": one_of_words([*filter(None, [*SEXES, *SEX_WORDS]), None]),
        "tumour": one_of_words(SPELLINGS) | {"description": "a solid tumour of the closed list, in a usual spelling"},
        "measurements": _measurements(model),
        "treatments": nullable(rows(ref("Treatment"), maxItems=MOST_ROWS)),
        "history": nullable(ref("History")),
        "extra": nullable(_extra()),
    }
    required = ["as_of", "age_years", "tumour", *(["measurements"] if _required(model) else [])]
    return closed(fields, required)


def _extra() -> Schema:
    said = "covariates of the site beyond the registry, by the names its cohort file gives them"
    value = {"anyOf": [NUMBER, ref("Label")]}
    return keyed(value) | {"description": said, "maxProperties": MOST_EXTRAS, "propertyNames": ref("Label")}


def _required(model: RiskModel) -> set[str]:
    """The analytes without which this model gives no risk."""
    return {analyte for name in model.required if (analyte := model.design.of[name].analyte)}


def _measurements(model: RiskModel) -> Schema:
    listed = rows(ref("Measurement"), maxItems=MOST_ROWS)
    if not (required := sorted(_required(model))):
        return nullable(listed)
    said = f"among them, at most {STALE_DAYS:g} days before as_of, what this model requires: {', '.join(required)}"
    return listed | {"description": said, "allOf": [_measured(analyte) for analyte in required]}


def _measured(analyte: str) -> Schema:
    """The analyte is among the measurements, or everything of which it is made."""
    found: list[Schema] = [{"contains": has(analyte)}]
    if parts := _MADE_OF.get(analyte):
        found.append({"allOf": [_measured(part) for part in parts]})
    return {"anyOf": found} if len(found) > 1 else found[0]


def _patients(patient: Schema) -> Schema:
    said = "each is scored, or refused in its place; what is no patient is refused too, and leaves the others alone"
    one = {"anyOf": [patient, ref("Anything")]}
    return closed({"patients": rows(one, minItems=1, maxItems=MOST_PATIENTS) | {"description": said}})
