"""What confounds a measured number and is said beside it: steroids, G-CSF, infection, few neutrophils, cholestasis, an old draw.

No remark holds a value that was given, but for the days since a draw. What is not known is said to be not known.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from models.analytes import ANALYTES
from models.courses import CONFOUNDING_DAYS, Treatment
from models.features import cholestasis, undetectable
from models.measurements import Measurement
from models.neutrophils import NEUTROPENIA
from models.patient import Patient
from models.tumours import CA19_9_TUMOURS

Remarks = tuple[str, ...]
COUNTED = frozenset({"alc", "anc", "nlr", "wbc", "lymphocyte_pct", "neutrophil_pct"})  # what the confounders of the blood move
CONFOUNDERS = {"steroids_14d": "steroids", "gcsf_14d": "G-CSF", "infection_14d": "infection"}
FEW = f"neutrophils below {NEUTROPENIA:.1f} 10*9/L, or possibly so"
NO_BURDEN = "bilirubin above twice its upper limit of normal"
NO_BILIRUBIN = "bilirubin not measured: whether cholestasis raised it is not known"
_MODALITY = {"steroids_14d": "steroid", "gcsf_14d": "g-csf"}
# Stems of agents: a steroid may be listed among the drugs of a line, or under "other".
_STEMS = {"steroids_14d": ("dexamethason", "predniso", "cortison"), "gcsf_14d": ("grastim",)}
_LABELS = {one.label: name for name, one in ANALYTES.items()}


def remarks_of(patient: Patient, few: bool) -> dict[str, Remarks]:
    """What is said beside the newest measurement of each analyte; nothing of those of which nothing is to be said.

    `few`: whether the patient is, or may be, neutropenic.
    """
    found: dict[str, list[str]] = {}
    for analyte, series in patient.series.items():
        if said := list(_beside(patient, analyte, series[0], few)):
            found[analyte] = said
    for doubt in patient.doubts:
        label, _, doubted = doubt.partition(": ")
        if (named := _LABELS.get(label)) in patient.series:
            found.setdefault(named, []).append(doubted)
    return {analyte: tuple(said) for analyte, said in found.items()}


def confounded(patient: Patient, day: float | None = None) -> tuple[float | None, ...]:
    """Whether each of CONFOUNDERS was there within 14 days before the index date, or before a draw on `day`: None is unknown."""
    history = patient.history
    known = (history.steroids_14d, history.gcsf_14d, history.infection_14d)
    given = {name for course in patient.treatments for name in _given(course.modality, course.agents) if _ran_lately(course, day)}
    return tuple(1.0 if name in given else one for name, one in zip(CONFOUNDERS, known, strict=True)) if given else known


@lru_cache(maxsize=1024)
def _given(modality: str, agents: tuple[str, ...]) -> tuple[str, ...]:
    """The confounders that a course of these is."""
    return tuple(
        name
        for name in CONFOUNDERS
        if modality == _MODALITY.get(name) or any(stem in agent.lower() for agent in agents for stem in _STEMS.get(name, ()))
    )


def _ran_lately(course: Treatment, day: float | None) -> bool:
    """Whether it ran within 14 days before the index date or before the draw."""
    return _ran(course, 0.0) or _ran(course, day or 0.0)


def _ran(course: Treatment, day: float) -> bool:
    return course.start_days_before >= day and (course.end_days_before or 0.0) <= day + CONFOUNDING_DAYS


def _beside(patient: Patient, analyte: str, newest: Measurement, few: bool) -> Iterator[str]:
    day = newest.days_before_index
    if day > patient.carried:
        yield f"measured {day:g} days before the {patient.day}: history only"
        return
    if newest.stale:
        yield f"stale: measured {day:g} days before the {patient.day}"
    if analyte in COUNTED:
        yield from _of_the_blood(confounded(patient, day))
        if few:
            yield FEW + (": not interpretable, and a low one reassures nobody" if analyte == "nlr" else "")
    elif analyte == "ca19_9" and patient.tumour in CA19_9_TUMOURS:
        yield from _of_ca19_9(patient, newest)
    elif analyte == "ldh" and not newest.uln:
        yield "given without its laboratory's upper limit of normal: not read"


@lru_cache(maxsize=27)
def _of_the_blood(known: Sequence[float | None]) -> Remarks:
    """Two sentences at most: what was there, and of what it is not known."""
    names = list(CONFOUNDERS.values())
    there = [name for name, one in zip(names, known, strict=True) if one is not None and one != 0]
    unknown = [name for name, one in zip(names, known, strict=True) if one is None]
    said = [f"may be confounded by {_joined(there, 'and')} within 14 days"] if there else []
    return (*said, *([f"{_joined(unknown, 'or')} within 14 days: not known"] if unknown else []))


def _joined(words: Sequence[str], last: str) -> str:
    return f" {last} ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]


def _of_ca19_9(patient: Patient, newest: Measurement) -> Iterator[str]:
    bilirubin = patient.current("bilirubin")
    if undetectable(newest):
        yield "undetectable: possible Lewis-negative non-secretor, not a low burden"
    elif bilirubin is None:
        yield NO_BILIRUBIN
    elif cholestasis(patient):
        usual = "" if bilirubin.uln else " (the usual one: the laboratory's own was not given)"
        yield f"{NO_BURDEN}{usual}: not interpretable as tumour burden"
    if newest.limit == ">":
        yield "above the assay's upper limit: at least that"
