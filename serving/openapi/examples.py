"""Whole requests to begin with, of no real person: every one of them is scored by the model that comes with the product."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

AS_OF = "2026-11-20"
Document = dict[str, Any]


def _measured(name: str, value: float | str, unit: str, date: str = "2026-11-18", **more: object) -> Document:
    named = {"loinc": name} if name[0].isdigit() else {"analyte": name}
    return {**named, "value": value, "unit": unit, "date": date, **more}


def _patient(id: str, age: float, sex: str, tumour: str, *measured: Document, **more: object) -> Document:
    plain = {"id": id, "as_of": AS_OF, "age_years": age, "sex": sex, "tumour": tumour}
    return {**plain, "measurements": list(measured), **more}


def _line(number: int, agents: str, start: str, end: str, outcome: str = "progression") -> Document:
    named = {"line": number, "modality": "chemotherapy", "agents": [agents]}
    return {**named, "start": start, "end": end, "outcome": outcome}


_NO_CONFOUNDERS = {"steroids_14d": "no", "gcsf_14d": "no", "infection_14d": "no"}
_COMPLETE = _patient(
    "example-1", 66, "female", "pancreatic",
    _measured("alc", 0.7, "10*9/L"),
    _measured("anc", 6300, "cells/uL"),
    _measured("ca19_9", 4120, "U/mL"),
    _measured("albumin", 3.3, "g/dL"),
    _measured("hemoglobin", 10.4, "g/dL"),
    _measured("platelets", 240, "10*9/L"),
    _measured("ldh", 310, "U/L", uln=250),
    _measured("crp", 48, "mg/L"),
    _measured("bilirubin", 14, "umol/L", uln=21),
    _measured("bmi", 21.4, "kg/m2"),
    _measured("ecog", 1, "{score}"),
    treatments=[_line(1, "FOLFIRINOX", "2026-01-12", "2026-06-15"), _line(2, "gemcitabine", "2026-07-06", "2026-10-26")],
    history={**_NO_CONFOUNDERS, "liver_metastases": "yes", "metastatic_sites": 2},
)  # fmt: skip
_FEW_LABS = _patient("example-2", 71, "male", "nsclc", _measured("nlr", 4.2, "1"), history={"prior_lines": 2})
_LIMITS = _patient(
    "example-3", 58, "male", "pancreatic cancer",
    _measured("alc", 1.1, "K/uL"),
    _measured("anc", 3.9, "K/uL"),
    _measured("ca19_9", "<2.0", "U/mL"),
    _measured("crp", "<0.6", "mg/L"),
    history={"prior_lines": 2, "last_line_outcome": "progression", "steroids_14d": "yes"},
)  # fmt: skip
_CODED = _patient(
    "example-4", 49, "female", "colorectal",
    _measured("6690-2", 8.0, "10*3/uL"),
    _measured("736-9", 15, "%"),
    _measured("neutrophil_pct", 74, "%"),
    _measured("1751-7", 36, "g/L"),
    _measured("1988-5", 2.1, "mg/dL"),
    history={"prior_lines": 2, "prior_chemotherapy": "yes", "prior_immunotherapy": "unknown"},
)  # fmt: skip
_EARLIER = _patient(
    "example-5", 63, "male", "rcc",
    _measured("alc", 1.4, "10*9/L", "2026-09-21"),
    _measured("anc", 4.1, "10*9/L", "2026-09-21"),
    _measured("alc", 0.9, "10*9/L", "2026-11-02"),
    _measured("anc", 5.6, "10*9/L", "2026-11-02"),
    _measured("karnofsky", 80, "%", "2026-11-19"),
    treatments=[
        {"line": 1, "modality": "immunotherapy", "start": "2025-05-05", "end": "2026-01-19", "outcome": "progression"},
        {"line": 2, "modality": "targeted", "agents": ["cabozantinib"], "start": "2026-02-03", "end": "2026-11-09"},
        {"modality": "radiotherapy", "start": "2026-10-12", "end": "2026-10-16"},
    ],
)  # fmt: skip

EXAMPLES: Mapping[str, tuple[str, Document]] = {
    "complete": ("metastatic pancreatic cancer after two lines, every laboratory value known", _COMPLETE),
    "few": ("a ratio and little else: what was not measured is estimated, said and shown as a range", _FEW_LABS),
    "limits": ("CA 19-9 below the assay, possibly a non-secretor; CRP too", _LIMITS),
    "coded": ("by LOINC: the counts follow from the white cells and the percentages of the draw", _CODED),
    "earlier": ("two draws, the newer one more than two weeks old: it is used, and said to be stale", _EARLIER),
    "several": ("several patients in one request", {"patients": [_COMPLETE, _FEW_LABS, _CODED]}),
}
