"""Patients who look like one another to the last digit: the same age, tumour and rounded laboratory values.

Chance makes such pairs too, more of them the fewer values are known. How many it would make follows from how often each value
occurs; only where there are clearly more, one patient is likely to stand in two places.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from scipy.stats import poisson

from models.analytes import ANALYTES
from models.patient import Patient
from training.cohort import Cohort
from training.diagnosis.finding import Finding
from training.diagnosis.rows import rows_at

SHARE = 0.5  # of the patients in whom a laboratory value must be known to be compared
FEWEST_VALUES = 2  # known of a patient, or there is nothing to compare
TOGETHER = 3.0  # values go together, so that chance makes more pairs than if they did not
SURE = 0.999
_NAMED = 3
TELLING = 0.01  # of the patients: an overlap of this size must stand out from chance, or nothing can be said

Look = tuple[Hashable, ...]


@dataclass(frozen=True)
class Lookalikes:
    """Rows of a cohort that look like somebody in another (or elsewhere in itself), and how many chance would make."""

    rows: tuple[int, ...]
    pairs: int
    by_chance: float
    compared: int  # patients who could be
    values: tuple[str, ...]

    @property
    def bearable(self) -> float:
        """The number of pairs that chance makes at the very most."""
        return float(poisson.ppf(SURE, TOGETHER * self.by_chance))

    def finding(self, item: str, question: str) -> Finding:
        """Fail where there are more pairs than chance makes, Unknown where chance would hide an overlap of one in a hundred."""
        if len(self.values) < FEWEST_VALUES or not self.compared:
            why = "fewer than two laboratory values are known in half of the patients"
            return Finding(item, "participants", question, "Unknown", None, why)
        named = ", ".join(self.values) if len(self.values) <= _NAMED else f"{len(self.values)} laboratory values"
        alike = f"the same age, tumour and {named}"
        why = f"{len(self.rows)} patients have {alike} as another; chance makes about {self.by_chance:.2g} such pairs"
        if self.pairs > self.bearable:
            return Finding(item, "participants", question, "Fail", len(self.rows), why, self.rows, unit="patients")
        if self.bearable > max(1.0, TELLING * self.compared):
            return Finding(item, "participants", question, "Unknown", len(self.rows), f"{why}: too many to tell", unit="patients")
        return Finding(item, "participants", question, "Pass", len(self.rows), why, unit="patients")


def lookalikes(development: Cohort, validation: Cohort) -> Lookalikes:
    """Rows of `validation` that look like somebody in `development`; of one and the same cohort, like somebody else in it."""
    itself = development is validation
    apart = (validation.patients,) if itself else (validation.patients, development.patients)
    values = _comparable(apart)
    digits = {analyte: min(_digits(analyte, patients) for patients in apart) for analyte in values}
    others, *more = (_looks(patients, digits) for patients in apart)
    looks = others if itself else more[0]
    there = Counter(look for look in looks if look is not None)
    found = np.array([look is not None and there[look] > itself for look in others])
    pairs = sum(there[look] - itself for look in others if look is not None)
    chance = _by_chance([look for look in looks if look is not None], [look for look in others if look is not None])
    compared = sum(look is not None for look in others)
    labels = tuple(ANALYTES[one].label for one in values)
    return Lookalikes(rows_at(validation, found), pairs // (1 + itself), chance / (1 + itself), compared, labels)


def _comparable(cohorts: Sequence[Sequence[Patient]]) -> tuple[str, ...]:
    def known(analyte: str, patients: Sequence[Patient]) -> float:
        return float(np.mean([analyte in patient.series for patient in patients]))

    graded = (name for name, known_as in ANALYTES.items() if not known_as.step)
    return tuple(name for name in graded if all(known(name, patients) >= SHARE for patients in cohorts))


def _digits(analyte: str, patients: Sequence[Patient]) -> int:
    """Three digits where most values are written with so many, else two: a coarse table is compared coarsely."""
    values = [one.series[analyte][0].value for one in patients if analyte in one.series]
    return 3 if np.mean([_rounded(value, 3) != _rounded(value, 2) for value in values]) > SHARE else 2


def _rounded(value: float, digits: int) -> float:
    return float(f"{value:.{digits}g}")


def _looks(patients: Sequence[Patient], digits: dict[str, int]) -> list[Look | None]:
    return [_look(patient, digits) for patient in patients]


def _look(patient: Patient, digits: dict[str, int]) -> Look | None:
    """Age in whole years, tumour and every value as far as it is known; None where too little is."""
    seen = {name: patient.series[name][0].value for name in digits if name in patient.series}
    if len(seen) < FEWEST_VALUES:
        return None
    values = (_rounded(seen[name], places) if name in seen else None for name, places in digits.items())
    return (int(patient.age_years), patient.tumour, *values)


def _by_chance(looks: Sequence[Look], others: Sequence[Look]) -> float:
    """Pairs to be expected if no value went with any other: all pairs, times the chance to agree in each of the values."""
    if not looks or not others:
        return 0.0
    agree = (_agree(mine, theirs) for mine, theirs in zip(zip(*looks, strict=True), zip(*others, strict=True), strict=True))
    return len(looks) * len(others) * prod(agree)


def _agree(mine: Sequence[Hashable], theirs: Sequence[Hashable]) -> float:
    counts: dict[Hashable, int] = defaultdict(int, Counter(theirs))
    return sum(n * counts[value] for value, n in Counter(mine).items()) / (len(mine) * len(theirs))
