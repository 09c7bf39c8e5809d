"""An answer as a FHIR R4 RiskAssessment: a prediction for every horizon, what it rests on, by which model, and how far it goes.

R4 defines `probabilityDecimal` as a percentage (a decimal of at most 100, rule ras-2), while much public code sends fractions:
here it is a percentage, 31.2 for 31.2 %, and a note says so. The time of a prediction is `whenPeriod`, from the index date on;
`whenRange` would read as an age of the patient. `mitigation` stays empty: no treatment is advised.

References
----------
HL7 FHIR R4 (4.0.1, 2019): RiskAssessment. SNOMED CT 419099009, Dead (finding).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from models.example import EXAMPLE
from models.fhir.understood import Understood

SNOMED, DEAD = "http://snomed.info/sct", "419099009"
SYSTEM = "urn:lymphorisk"  # of identifiers that are ours: the model's digest, the number of a receipt
TAGS = "http://terminology.hl7.org/CodeSystem/v3-ActReason"  # HTEST: test health data
PERCENTAGES = "probabilityDecimal is a percentage, as R4 defines it: 31.2 is 31.2 %."
INTERVALS = "urn:lymphorisk:interval"
RANK = "urn:lymphorisk:rank"


def risk_assessment(answer: Mapping[str, Any], understood: Understood, as_of: date) -> dict[str, Any]:
    """The resource; `answer` is the answer with its receipt, `understood` what it was made from."""
    simulated = "example" in answer
    found: dict[str, Any] = {
        "resourceType": "RiskAssessment",
        "identifier": list(_identifiers(answer["receipt"])),
        "status": "preliminary" if simulated else "final",
        "method": _method(answer["model"]),
        "code": {"text": "Risk of death from any cause"},
        "subject": {"reference": understood.subject},
        "occurrenceDateTime": as_of.isoformat(),
        "basis": [{"reference": one} for one in _basis(understood)],
        "prediction": [_prediction(int(days), one, as_of, answer) for days, one in answer["risks"].items()],
        "note": [{"text": line} for line in _notes(answer, understood)],
    }
    if simulated:
        found["meta"] = {"tag": [{"system": TAGS, "code": "HTEST", "display": "test health data"}]}
    if not found["basis"]:
        del found["basis"]
    return found


def _basis(understood: Understood) -> list[str]:
    """The observations behind the measurements, each once."""
    return list(dict.fromkeys(one for place, one in understood.places.items() if place.startswith("/measurements/")))


def _identifiers(receipt: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    yield {"system": f"{SYSTEM}:receipt:{receipt['store']}", "value": str(receipt["sequence"])}
    yield {"system": f"{SYSTEM}:receipt-digest", "value": receipt["digest"]}


def _method(model: Mapping[str, Any]) -> dict[str, Any]:
    coding = {"system": f"{SYSTEM}:model", "code": model["digest"], "display": model["name"]}
    return {"coding": [coding], "text": f"{model['name']}, digest {model['digest']}"}


def _prediction(days: int, one: Mapping[str, Any], as_of: date, answer: Mapping[str, Any]) -> dict[str, Any]:
    end = as_of + timedelta(days)
    return {
        "extension": list(_interval(one)),
        "outcome": {"coding": [{"system": SNOMED, "code": DEAD, "display": "Dead"}], "text": f"Death within {days} days"},
        "probabilityDecimal": percentage(one["risk"]),
        "whenPeriod": {"start": as_of.isoformat(), "end": end.isoformat()},
        "rationale": _rationale(days, answer),
    }


def percentage(share: float) -> float:
    """The share in percent: the decimal number as it is written times a hundred, rounded once.

    >>> percentage(0.07), 100 * 0.07
    (7.0, 7.000000000000001)
    """
    return float(Decimal(repr(share)) * 100)


def _interval(one: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The interval of the risk, in percent, and the rank among development patients."""
    unit = {"unit": "%", "system": "http://unitsofmeasure.org", "code": "%"}
    low, high = ({"value": percentage(one[end]), **unit} for end in ("low", "high"))
    yield {"url": INTERVALS, "valueRange": {"low": low, "high": high}}
    if one.get("rank") is not None:
        yield {"url": RANK, "valueDecimal": percentage(one["rank"])}


def _rationale(days: int, answer: Mapping[str, Any]) -> str:
    """The groups of reasons in percentage points, largest first; what is not distinguishable from nothing says so."""
    groups = sorted(answer["explanation"]["horizons"][str(days)]["groups"], key=lambda group: -abs(group["percentage_points"]))
    told = [
        f"{one['group']} {one['percentage_points']:+.1f} percentage points"
        + ("" if one["distinguishable"] else " (not distinguishable from no effect)")
        + (" (mostly estimated)" if one["estimated_share"] > 0.5 else "")
        for one in groups
        if round(one["percentage_points"], 1)
    ]
    return "Association, not cause. " + ("; ".join(told) or "Nothing sets this patient apart from the average.")


def _notes(answer: Mapping[str, Any], understood: Understood) -> Sequence[str]:
    """What must be read beside the numbers, each in a note of its own."""
    said = [EXAMPLE] if "example" in answer else []
    said += [answer["disclaimer"], *(line for line in answer["standing"] if line not in said), PERCENTAGES]
    said += [f"Shown as a rank and not as a share of a hundred: {line}" for line in answer["why_rank"]]
    said += [f"To beware of: {line}" for line in answer["warnings"]]
    said += [f"Not measured, estimated: {one['label']}, {_range(one)}" for one in answer["estimates"]]
    said += [f"Within {days} days: not answered; {why}" for days, why in answer["refused_horizons"].items()]
    said += [f"Not used: {one}" for one in understood.listed]
    said.append(answer["intervals"]["cover"])
    return said


def _range(one: Mapping[str, Any]) -> str:
    unit = "" if one["unit"] in ("1", "{score}") else f" {one['unit']}"
    return f"10th to 90th percentile {one['low']:.3g} to {one['high']:.3g}{unit}"
