"""What became of every input: used as given, converted, stale, estimated, out of range or not used; and what to beware of.

A risk is only as good as what went into it, so every answer lists its inputs one by one, and says in words what may mislead.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal, NamedTuple

from models.analytes import ANALYTES
from models.confounders import CONFOUNDERS, FEW, NO_BILIRUBIN, NO_BURDEN, Remarks, confounded, remarks_of
from models.features import Feature, Reading, cholestasis, level_of, undetectable
from models.neutrophils import neutropenic
from models.patient import CURRENT_DAYS, STALE_DAYS, Measurement, Patient
from models.risk import RiskModel
from models.tumours import CA19_9_TUMOURS

State = Literal[
    "ok",
    "converted",
    "stale",
    "at least",  # given as ">x"
    "below detection",  # given as "<x"
    "implausible",
    "out of range",  # of the development cohort
    "not measured",
    "not applicable",
    "not interpretable",
    "estimated",
    "given but not used",
]


class InputQuality(NamedTuple):
    """What became of one input: a feature of the model, or something given that no feature of it reads."""

    name: str
    label: str
    states: tuple[State, ...]
    remarks: Remarks = ()  # what confounds this very number

    @property
    def in_order(self) -> bool:
        """Whether the input was used as it was given."""
        return self.states == ("ok",)


# What a feature is named after, where that is no analyte and no field of the history of the same name.
_NAMED_AFTER = {
    "age": "age_years",
    "sex_male": "sex",
    "last_line_progressed": "last_line_outcome",
    "ln_days_since_radiotherapy": "days_since_radiotherapy",
}
_MADE_OF = {"nlr": ("anc", "alc"), "alc": ("wbc", "lymphocyte_pct"), "anc": ("wbc", "neutrophil_pct")}
# What else is read with an input: it takes part in the reading, so it is not "given but not used".
_READ_WITH: Mapping[str, tuple[str, ...]] = _MADE_OF | {
    "ca19_9": ("bilirubin", "tumour"),
    "prior_lines": ("prior_systemic_therapy",),
    "prior_systemic_therapy": ("prior_lines",),
    "months_on_therapy": ("prior_systemic_therapy",),
    "last_line_months": ("prior_systemic_therapy",),
    "last_line_outcome": ("prior_systemic_therapy",),
    "days_since_radiotherapy": ("prior_radiotherapy",),
}


@dataclass(frozen=True)
class Quality:
    """What became of every input, features of the model first, and what to beware of, in sentences that hold no value given.

    `remarks` are what confounds the newest measurement of an analyte (models.confounders), which the inputs made of it carry.
    """

    inputs: tuple[InputQuality, ...]
    warnings: tuple[str, ...]
    remarks: Mapping[str, Remarks] = field(default_factory=dict)


def quality_of(model: RiskModel, patient: Patient) -> Quality:
    """The quality of what `model` reads of the patient, and of what was given beside it."""
    _, readings = model.design.row(patient)
    few = neutropenic(patient, patient.current("nlr"))
    features, beside = model.design.of, remarks_of(patient, few)
    used = [
        InputQuality(name, one.label, _states(model, one, readings.get(name), patient), beside.get(one.analyte, ()))
        for name, one in features.items()
    ]
    reads = _reads(tuple((name, one.analyte) for name, one in features.items()))
    left = [name for name in _given(patient) if name not in reads]
    unused = [InputQuality(name, _label(name), ("given but not used",), beside.get(name, ())) for name in left]
    warnings = [*_blood_warnings(patient, few), *_ca19_9_warnings(patient), *_lab_warnings(patient)]
    warnings += [*_range_warnings(model, readings), *patient.doubts]
    return Quality((*used, *unused), tuple(warnings), beside)


def _states(model: RiskModel, feature: Feature, reading: Reading | None, patient: Patient) -> tuple[State, ...]:
    if reading is None:
        return _level_states(model, feature, patient)
    if reading.status == "not applicable":
        return ("not applicable",)
    if reading.status != "measured":
        return (reading.status, "estimated")
    lab = patient.current(feature.analyte) if feature.analyte else None
    found = list(_lab_states(lab)) if lab else []
    if _outside(model, feature.name, reading.value):
        found.append("out of range")
    return tuple(found) or ("ok",)


def _level_states(model: RiskModel, feature: Feature, patient: Patient) -> tuple[State, ...]:
    level = level_of(feature, patient)
    if level is None:
        return ("not measured",)
    if feature.name == "tumour" and level in model.population.deaths_by_tumour:
        return ("ok",)
    return ("ok",) if level in _levels(model, feature.name) else ("out of range",)


def _levels(model: RiskModel, name: str) -> list[str]:
    return [column.level for column in model.design.columns if column.feature == name]


def _lab_states(lab: Measurement) -> Iterator[State]:
    if lab.converted:
        yield "converted"
    if lab.stale:
        yield "stale"
    if lab.limit:
        yield "at least" if lab.limit == ">" else "below detection"
    if not lab.plausible:
        yield "implausible"


def _outside(model: RiskModel, name: str, value: float) -> bool:
    low, high = model.development_range.get(name, (-math.inf, math.inf))
    return not low <= value <= high


@lru_cache(maxsize=64)
def _reads(features: Sequence[tuple[str, str]]) -> frozenset[str]:
    """Every input that takes part in reading `features` (name, analyte)."""
    found: set[str] = set()
    waiting = [analyte or _NAMED_AFTER.get(name, name) for name, analyte in features]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _READ_WITH.get(name, ())
    return frozenset(found)


def _given(patient: Patient) -> Iterator[str]:
    """What was given of a patient: not what was computed from it."""
    for analyte in patient.series:
        if not all(part in patient.series for part in _MADE_OF.get(analyte, ("",))):
            yield analyte
    yield from patient.history.known()
    yield "age_years"
    yield "tumour"
    if patient.sex != "unknown":
        yield "sex"
    for name in patient.extra:
        yield f"extra.{name}"


def _label(name: str) -> str:
    return ANALYTES[name].label if name in ANALYTES else name.removeprefix("extra.").replace("_", " ")


def _blood_warnings(patient: Patient, few: bool) -> Iterator[str]:
    ratio = patient.current("nlr")
    if ratio is not None:
        for name, known in zip(CONFOUNDERS.values(), confounded(patient, ratio.days_before_index), strict=True):
            if known != 0:
                yield f"{name} within 14 days: {'not known' if known is None else 'yes'}; NLR may be confounded"
    if few:
        yield f"{FEW}: NLR is not interpretable, and a low one reassures nobody"


def _ca19_9_warnings(patient: Patient) -> Iterator[str]:
    ca19_9 = patient.current("ca19_9")
    if ca19_9 is None or patient.tumour not in CA19_9_TUMOURS:
        return
    if undetectable(ca19_9):
        yield "CA19-9 undetectable: possible Lewis-negative non-secretor; not a low burden"
    elif patient.current("bilirubin") is None:
        yield f"CA19-9: {NO_BILIRUBIN}"
    elif cholestasis(patient):
        yield f"{NO_BURDEN}: CA19-9 is not interpretable as tumour burden"
    if ca19_9.limit == ">":
        yield "CA19-9 above the assay's upper limit: the value is at least that"


def _lab_warnings(patient: Patient) -> Iterator[str]:
    for analyte, series in patient.series.items():
        newest, label = series[0], ANALYTES[analyte].label
        if newest.days_before_index > STALE_DAYS:
            yield f"{label}: older than {STALE_DAYS:g} days before the index date, history only"
        elif newest.stale:
            yield f"{label}: stale, {CURRENT_DAYS + 1:g} to {STALE_DAYS:g} days before the index date"
        if not all(one.plausible for one in series):
            yield f"{label}: outside the plausible range; check the value and its unit"
    ldh = patient.current("ldh")
    if ldh is not None and not ldh.uln:
        yield "LDH without its laboratory's upper limit of normal: assays differ about two-fold, so it is not read"


def _range_warnings(model: RiskModel, readings: Mapping[str, Reading]) -> Iterator[str]:
    for name, reading in readings.items():
        if reading.status == "measured" and _outside(model, name, reading.value):
            yield f"{model.design.of[name].label}: outside the range of the development cohort; taken at the end of that range"
