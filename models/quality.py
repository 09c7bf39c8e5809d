"""What became of every input: used as given, converted, stale, estimated, out of range or not used; and what to beware of.

A risk is only as good as what went into it, so every answer lists its inputs one by one, and says in words what may mislead.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal, NamedTuple

from models.analytes import ANALYTES, Limit
from models.confounders import CONFOUNDERS, FEW, NO_BILIRUBIN, NO_BURDEN, Remarks, confounded, remarks_of
from models.design import feature_named
from models.features import Feature, Reading, cholestasis, level_of, undetectable
from models.landmark_features import AT_INDEX
from models.neutrophils import neutropenic
from models.patient import CURRENT_DAYS, Patient
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


_OK: tuple[State, ...] = ("ok",)
_ANYWHERE = (-math.inf, math.inf)


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


def quality_of(model: RiskModel, patient: Patient, readings: Mapping[str, Reading] | None = None) -> Quality:
    """The quality of what `model` reads of the patient, and of what was given beside it; `readings` as in his design row."""
    if readings is None:
        _, readings = model.design.row(patient)
    few = neutropenic(patient, patient.current("nlr"))
    features, beside = model.design.of, remarks_of(patient, few)
    used = [
        InputQuality(name, one.label, _states(model, one, readings.get(name), patient), beside.get(_today(one), ()))
        for name, one in features.items()
    ]
    reads = _reads(model.design.features)
    left = [name for name in _given(patient) if name not in reads]
    unused = [InputQuality(name, _label(name), ("given but not used",), beside.get(name, ())) for name in left]
    warnings = [*_blood_warnings(patient, few), *_ca19_9_warnings(patient), *_lab_warnings(patient)]
    warnings += [*_range_warnings(used, readings), *patient.doubts]
    return Quality((*used, *unused), tuple(warnings), beside)


def _states(model: RiskModel, feature: Feature, reading: Reading | None, patient: Patient) -> tuple[State, ...]:
    if reading is None:
        return _level_states(model, feature, patient)
    if reading.status != "measured":
        return ("not applicable",) if reading.status == "not applicable" else (reading.status, "estimated")
    lab = patient.current(_today(feature)) if _today(feature) else None
    found = _lab_states(lab.converted, lab.stale, lab.limit, lab.plausible) if lab else ()
    low, high = model.development_range.get(feature.name, _ANYWHERE)
    return (found or _OK) if low <= reading.value <= high else (*found, "out of range")


def _today(feature: Feature) -> str:
    """The analyte whose current value the feature reads, if it reads one."""
    return "" if feature.name in AT_INDEX else feature.analyte


def _level_states(model: RiskModel, feature: Feature, patient: Patient) -> tuple[State, ...]:
    level = level_of(feature, patient)
    if level is None:
        return ("not measured",)
    if feature.name == "tumour" and level in model.population.deaths_by_tumour:
        return _OK
    return _OK if level in _levels(model, feature.name) else ("out of range",)


def _levels(model: RiskModel, name: str) -> list[str]:
    return [column.level for column in model.design.columns if column.feature == name]


@lru_cache(maxsize=24)
def _lab_states(converted: bool, stale: bool, limit: Limit, plausible: bool) -> tuple[State, ...]:
    """What is said of a measurement used: of every combination once."""
    of_limit: State = "at least" if limit == ">" else "below detection"
    said: tuple[tuple[State, bool], ...] = (
        ("converted", converted), ("stale", stale), (of_limit, bool(limit)), ("implausible", not plausible),
    )  # fmt: skip
    return tuple(state for state, so in said if so)


@lru_cache(maxsize=64)
def _reads(features: tuple[str, ...]) -> frozenset[str]:
    """Every input that takes part in reading `features`."""
    found: set[str] = set()
    waiting = [feature_named(name).analyte or _NAMED_AFTER.get(name, name) for name in features]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _READ_WITH.get(name, ())
    return frozenset(found)


def _given(patient: Patient) -> Iterator[str]:
    """What was given of a patient: not what was computed from it."""
    for analyte in patient.series:
        if analyte not in _MADE_OF or not all(part in patient.series for part in _MADE_OF[analyte]):
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
        day = patient.day
        if newest.days_before_index > patient.carried:
            yield f"{label}: older than {patient.carried:g} days before the {day}, history only"
        elif newest.stale:
            yield f"{label}: stale, {CURRENT_DAYS + 1:g} to {patient.carried:g} days before the {day}"
        if not all(one.plausible for one in series):
            yield f"{label}: outside the plausible range; check the value and its unit"
    ldh = patient.current("ldh")
    if ldh is not None and not ldh.uln:
        yield "LDH without its laboratory's upper limit of normal: assays differ about two-fold, so it is not read"


def _range_warnings(used: Sequence[InputQuality], readings: Mapping[str, Reading]) -> Iterator[str]:
    """Of the inputs that are numbers."""
    for one in used:
        if one.name in readings and "out of range" in one.states:
            yield f"{one.label}: outside the range of the development cohort; taken at the end of that range"
