"""What the analysis of recovery knows of one patient: the counts of the index date, the draws after it, and how it ended.

Nothing here says which treatment was better: who recovers and who does not was decided by no one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

from models.features import FEATURES
from models.patient import Patient
from training.histories import Draw, History

ADJUSTED = ("age", "ln_alc", "ln_nlr", "ca19_9_log10", "ca19_9_undetectable", "prior_lines", "albumin")
STEROID_STOP_DAYS = 28.0  # a count this soon after steroids ended may have risen because they ended
Series = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Person:
    """One patient; days are from the index date, `days` of follow-up ended in death where `died`.

    `alc` on the index date in 10*9/L. `covariates` by the name of the feature, on its scale, NaN where not measured; those that
    do not apply are in `not_applicable`. `counts`: ALC after the index date; `nlr` and `ca19_9`: the value of each later draw
    over that of the index date (CA19-9 within one assay). `comparable`: the analytes of which the index date has a value to fall
    from. `steroid_ends`: days on which courses of steroids ended, from four weeks before the index date on.
    """

    days: float
    died: bool
    alc: float
    entered: float = 0.0
    counts: Series = field(default=(), repr=False)
    nlr: Series = field(default=(), repr=False)
    ca19_9: Series = field(default=(), repr=False)
    comparable: frozenset[str] = frozenset()
    covariates: dict[str, float] = field(default_factory=dict, repr=False)
    not_applicable: frozenset[str] = frozenset()
    tumour: str = ""
    ca19_9_at_index: float | None = None  # U/mL, where it measures the burden
    ca19_9_undetectable: bool | None = None
    line: int | None = None  # the line that begins on the index date
    steroids: bool | None = None  # within 14 days of the index date
    steroid_ends: tuple[float, ...] = ()


def person_of(history: History, cut_off: float) -> Person | None:
    """The patient as the analysis knows him; None where there is no count on the index date, or whether it is low is not known.

    A count known only as a limit is taken where the limit decides whether it lies below the cut-off.
    """
    patient = history.at_index
    now = patient.current("alc")
    decided = None if now is None else _decided(now.value, now.limit, cut_off)
    if decided is None:
        return None
    readings = {name: FEATURES[name].of(patient) for name in ADJUSTED}
    burden = readings["ca19_9_log10"]
    undetectable = readings["ca19_9_undetectable"]
    lines, comparable = patient.history.prior_lines, frozenset(_comparable(patient))
    return Person(
        days=history.days,
        died=history.died,
        entered=history.entered,
        alc=decided,
        counts=tuple(_counts(history, cut_off)),
        nlr=tuple(_ratios(history, "nlr")) if "nlr" in comparable else (),
        ca19_9=tuple(_ratios(history, "ca19_9")) if "ca19_9" in comparable else (),
        comparable=comparable,
        covariates={name: one.value for name, one in readings.items()},
        not_applicable=frozenset(name for name, one in readings.items() if one.status == "not applicable"),
        tumour=patient.tumour,
        ca19_9_at_index=10.0**burden.value if burden.status == "measured" else None,
        ca19_9_undetectable=bool(undetectable.value) if undetectable.status == "measured" else None,
        line=None if lines is None else int(lines) + 1,
        steroids=_on_steroids(patient),
        steroid_ends=tuple(_steroid_ends(history)),
    )


def _decided(value: float, limit: str, cut_off: float) -> float | None:
    """A count that stands on the right side of the cut-off; None where its limit leaves that open."""
    if limit == "<" and value > cut_off:
        return None
    if limit == ">" and value < cut_off:
        return None
    return math.nextafter(value, 0.0) if limit == "<" else value


def _after(history: History, analyte: str) -> Iterator[Draw]:
    """The draws after the index date, as long as the patient was followed."""
    return (one for one in history.draws(analyte) if 0 < one.day <= history.days)


def _counts(history: History, cut_off: float) -> Iterator[tuple[float, float]]:
    for one in _after(history, "alc"):
        count = _decided(one.value, one.limit, cut_off)
        if count is not None:
            yield one.day, count


def _ratios(history: History, analyte: str) -> Iterator[tuple[float, float]]:
    """Each later value over that of the index date, of the same assay; a limit is no value to compare with."""
    first = history.at_index.current(analyte)
    for one in _after(history, analyte):
        if first is not None and one.method == first.method and one.limit != ">":
            yield one.day, one.value / first.value


def _comparable(patient: Patient) -> Iterator[str]:
    """The analytes that on the index date have a value which means what it says, and from which they may fall."""
    for analyte, feature in (("nlr", "ln_nlr"), ("ca19_9", "ca19_9_log10")):
        found = patient.current(analyte)
        if found is not None and not found.limit and found.value > 0 and FEATURES[feature].of(patient).status == "measured":
            yield analyte


def _on_steroids(patient: Patient) -> bool | None:
    known = patient.history.steroids_14d
    return None if known is None else bool(known)


def _steroid_ends(history: History) -> Iterator[float]:
    for course in history.courses:
        if course.modality == "steroid" and course.end is not None and -STEROID_STOP_DAYS <= course.end <= history.days:
            yield course.end
