"""The groups in which attributions may be seen apart: a closed list, each read from what the receipt holds of the patient.

The cut-offs are those in circulation: CTCAE 5.0 grades of lymphopenia (National Cancer Institute 2017), the upper limit of normal
of CA19-9 (37 U/mL) and 59 times it (the stratum of the MPACT trial), 65 and 75 years of age.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping
from typing import Any

from models.features import undetectable
from models.patient import Patient
from models.population import prior_line
from models.tumours import CA19_9_TUMOURS, LABELS

UNKNOWN, MISSING = "not known", "not measured"
Level = Callable[[Patient, Mapping[str, Any]], str]  # of a patient as understood, and the receipt's document
_MOST_LINES = 3
_AGES = (65.0, 75.0)  # years
_AGE_BANDS = ("under 65", "65 to 74", "75 or older")
_CA19_9_EDGES = (37.0, 2183.0)  # U/mL
_NO_LYMPHOPENIA = "no lymphopenia"
_CA19_9_BANDS = ("up to 37 U/mL", "37 to 2,183 U/mL", "above 2,183 U/mL")


def _line(patient: Patient, document: Mapping[str, Any]) -> str:
    lines = patient.history.prior_lines
    if lines is None:
        return {"yes": "treated before, lines not known", "no": "0 prior lines"}.get(prior_line(patient), UNKNOWN)
    if lines >= _MOST_LINES:
        return f"{_MOST_LINES} or more prior lines"
    return f"{lines:g} prior line{'' if lines == 1 else 's'}"


def _ca19_9(patient: Patient, document: Mapping[str, Any]) -> str:
    if patient.tumour not in CA19_9_TUMOURS:
        return "not applicable to the tumour"
    found = patient.current("ca19_9")
    if found is None:
        return MISSING
    if undetectable(found):
        return "undetectable"
    if found.limit and found.value < _CA19_9_EDGES[-1]:
        return "known only as a limit"
    return _CA19_9_BANDS[bisect_left(_CA19_9_EDGES, found.value)]


def _grade(patient: Patient, document: Mapping[str, Any]) -> str:
    found = document["answer"]["lymphopenia"]
    if found is None:
        return MISSING
    return f"CTCAE grade {found['grade']}" if found["grade"] else _NO_LYMPHOPENIA


def _ecog(patient: Patient, document: Mapping[str, Any]) -> str:
    found = patient.current("ecog")
    return MISSING if found is None else f"ECOG {found.value:g}"


def _unit(patient: Patient, document: Mapping[str, Any]) -> str:
    return str((document["caller"].get("who") or {}).get("unit") or "none named")


STRATA: Mapping[str, Level] = {
    "tumour": lambda patient, document: LABELS.get(patient.tumour, patient.tumour),
    "line": _line,
    "age": lambda patient, document: _AGE_BANDS[bisect_right(_AGES, patient.age_years)],
    "sex": lambda patient, document: patient.sex,
    "ecog": _ecog,
    "ca19-9": _ca19_9,
    "alc": _grade,
    "unit": _unit,
    "site": lambda patient, document: patient.site or str(document["site"]) or "none named",
}
CALLED: Mapping[str, str] = {
    "tumour": "tumour",
    "line": "prior lines of systemic treatment",
    "age": "age in years",
    "sex": "sex",
    "ecog": "ECOG performance status",
    "ca19-9": "CA19-9",
    "alc": "absolute lymphocyte count",
    "unit": "unit that asked",
    "site": "site of the patient",
}
ORDER: tuple[str, ...] = (*_AGE_BANDS, "undetectable", *_CA19_9_BANDS, _NO_LYMPHOPENIA)  # levels that do not follow by name
