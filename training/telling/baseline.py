"""Who was in the cohort: tumour, prior lines, sex, age, laboratory values, and what was not measured in how many.

Groups of fewer than ten patients are hidden, and so is every share that would give one away.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from models.analytes import ANALYTES
from models.patient import Patient
from models.population import prior_line
from models.tumours import LABELS
from training.small_cells import SMALLEST, masked_by_name, masked_parts

ELDERLY = 75.0  # years
_MOST_LINES = 3  # prior lines from which on they are counted together

_GROUPED: Mapping[str, Callable[[Patient], str]] = {
    "tumour": lambda patient: LABELS.get(patient.tumour, patient.tumour),
    "previously treated": prior_line,
    "prior lines": lambda patient: _lines(patient.history.prior_lines),
    "sex": lambda patient: patient.sex,
    "age": lambda patient: f"{ELDERLY:g} years or older" if patient.age_years >= ELDERLY else f"under {ELDERLY:g} years",
    "site": lambda patient: patient.site or "not stated",
}


def _lines(count: float | None) -> str:
    if count is None:
        return "unknown"
    return f"{_MOST_LINES} or more" if count >= _MOST_LINES else f"{count:.0f}"


def baseline(patients: Sequence[Patient]) -> dict[str, object]:
    """The baseline table, JSON-ready: `groups` (of, level, patients) and `numbers` (of, unit, median, quartiles, missing)."""
    audited = sorted({name for patient in patients for name in patient.audit})
    kinds = dict(_GROUPED) | {f"{name} (for audit only)": _audit(name) for name in audited}
    return {
        "groups": [row for of, level in kinds.items() for row in _group(of, Counter(map(level, patients)))],
        "numbers": [_number("age", "years", [patient.age_years for patient in patients]), *_measured(patients)],
    }


def _audit(name: str) -> Callable[[Patient], str]:
    return lambda patient: patient.audit.get(name, "") or "not stated"


def _group(of: str, counts: Mapping[str, int]) -> list[dict[str, object]]:
    if set(counts) <= {"unknown", "not stated"}:
        return []
    return [{"of": of, "level": level, "patients": n} for level, n in sorted(masked_by_name(counts).items())]


def _measured(patients: Sequence[Patient]) -> list[dict[str, object]]:
    """Every laboratory value that somebody has within 28 days, in its canonical unit."""
    found = [(name, [patient.current(name) for patient in patients]) for name in ANALYTES]
    values = ((name, [one.value for one in given if one is not None]) for name, given in found)
    told = ((name, known) for name, known in values if known)
    return [_number(ANALYTES[name].label, ANALYTES[name].unit, known, len(patients)) for name, known in told]


def _number(of: str, unit: str, known: Sequence[float], patients: int | None = None) -> dict[str, object]:
    """Median and quartiles of the known values; hidden where fewer than ten have one."""
    whole = len(known) if patients is None else patients
    measured, missing = masked_parts([len(known), whole - len(known)])
    told: dict[str, object] = {"of": of, "unit": unit, "measured": measured, "missing": missing}
    if isinstance(missing, int):
        told["missing_share"] = float(f"{missing / whole:.3g}")
    if len(known) >= SMALLEST:
        lower, median, upper = (float(f"{value:.3g}") for value in np.quantile(known, [0.25, 0.5, 0.75]))
        told |= {"median": median, "lower_quartile": lower, "upper_quartile": upper}
    return told
