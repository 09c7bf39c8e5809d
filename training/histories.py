"""Patients who are seen again and again: what was measured and given from the index date on, and what was known on each day.

A history is read once, with everything up to the end of follow-up. A patient as of a landmark is made from those rows of it
that were known that day; nothing of a later day can reach him, since it is left out before anything is computed.

How rows are taken, everywhere where a tidy cohort is read: their order does not matter, a day is placed by its date. The same
result twice on a day counts once. Different results of one day refuse the file, naming the rows (an import settles them by their
times, or leaves them out and counts them). What is dated after the end of follow-up is not read, and counted.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np

from models.analytes import Limit
from models.courses import Treatment, summarise
from models.history import History as Stated
from models.measurements import STALE_DAYS, Measurement
from models.patient import DAYS_A_YEAR, Patient
from training.cohort import Cohort, read_followed
from training.refused import NotSupported


class Draw(NamedTuple):
    """One result: the day from the index date, the value in the canonical unit of its analyte, its limit and its assay."""

    day: float
    value: float
    limit: Limit = ""
    method: str = ""


class Course(NamedTuple):
    """One treatment, in days from the index date; `end` is None where it ran on at the end of follow-up."""

    modality: str
    start: float
    end: float | None
    line: int | None
    agents: tuple[str, ...]
    outcome: str


@dataclass(frozen=True)
class History:
    """One patient over time: `days` of follow-up from the index date, whether it ended in death, from when it counts."""

    at_index: Patient
    whole: Patient = field(repr=False)  # as known on the last day, rounded up to a whole one
    days: float
    died: bool
    entered: float = 0.0

    @property
    def last(self) -> int:
        """The day from which `whole` counts backwards."""
        return math.ceil(self.days)

    @cached_property
    def _by_analyte(self) -> dict[str, tuple[Draw, ...]]:
        found = self.whole.series.items()
        return {analyte: tuple(self._draw(one) for one in reversed(series)) for analyte, series in found}

    def _draw(self, one: Measurement) -> Draw:
        return Draw(self.last - one.days_before_index, one.value, one.limit, one.method)

    def draws(self, analyte: str) -> tuple[Draw, ...]:
        """The results of an analyte, oldest first, one a day; those before the index date have negative days."""
        return self._by_analyte.get(analyte, ())

    @cached_property
    def courses(self) -> tuple[Course, ...]:
        """The treatments in the order of their starts."""
        made = (
            Course(
                one.modality,
                self.last - one.start_days_before,
                None if one.end_days_before is None else self.last - one.end_days_before,
                one.line,
                one.agents,
                one.outcome,
            )
            for one in self.whole.treatments
        )
        return tuple(sorted(made, key=lambda course: course.start))

    def as_of(self, day: float, carried: float = STALE_DAYS) -> Patient:
        """The patient as known on a day from the index date on: days count backwards from it, nothing later is in him.

        A treatment that ends later runs, and its outcome is not known yet. `carried`: days a value may be old and still be the
        current one. Raises ValueError for a day outside the follow-up.
        """
        if not 0 <= day <= self.last:
            raise ValueError(f"day {day:g}: allowed is 0 to {self.last}, the days on which the patient was followed")
        back = self.last - day
        courses = tuple(_treatment(one, back) for one in self.whole.treatments if one.start_days_before >= back)
        stated = self.at_index.history if day == 0 else self._lasting
        return replace(
            self.at_index,
            age_years=self.at_index.age_years + day / DAYS_A_YEAR,
            measurements=tuple(_measured(one, back) for one in self.whole.measurements if one.days_before_index >= back),
            treatments=courses,
            history=stated.filled_by(summarise(courses)) if courses else stated,
            landmark=day,
            carried=carried,
        )

    @cached_property
    def _lasting(self) -> Stated:
        """What was stated of the index date and is taken to hold later, since nothing states it again."""
        stated = self.at_index.history
        return Stated(
            prior_radiotherapy=1.0 if stated.prior_radiotherapy else None,
            liver_metastases=stated.liver_metastases,
            metastatic_sites=stated.metastatic_sites,
        )


def _measured(one: Measurement, back: float) -> Measurement:
    return one._replace(days_before_index=one.days_before_index - back)


def _treatment(one: Treatment, back: float) -> Treatment:
    """The treatment as known `back` days before the end."""
    end = one.end_days_before
    runs = end is None or end < back
    ended = None if end is None or runs else end - back
    outcome = "unknown" if runs else one.outcome
    return one._replace(start_days_before=one.start_days_before - back, end_days_before=ended, outcome=outcome)


@dataclass(frozen=True)
class Histories:
    """A cohort at its index date, and the history of each of its patients in the same order.

    `beyond`: rows of each tidy table dated after the end of follow-up, which are not read.
    """

    cohort: Cohort
    of: tuple[History, ...] = field(repr=False)
    beyond: Mapping[str, int]

    def __iter__(self) -> Iterator[History]:
        return iter(self.of)

    def __len__(self) -> int:
        return len(self.of)


def read_histories(
    path: Path | str, *, data: Path | str | None = None, accept: str = "", progress: bool = False
) -> Histories:
    """The histories of the cohort described by the file at `path`; arguments as of `training.cohort.read_cohort`.

    Raises InvalidCohort naming every fault, and NotSupported where the cohort has no dated measurements.
    """
    read = read_followed(path, data=data, accept=accept, progress=progress)
    cohort, follow_up = read.cohort, read.cohort.follow_up
    if cohort.file is None or not cohort.file.measurement_table:
        wanted = "[tables] measurements, with the day or date of every draw"
        raise NotSupported(f"{Path(path).name}: a cohort without histories: {wanted} is needed")
    entries = np.zeros(len(cohort)) if follow_up.entries is None else follow_up.entries
    ends = zip(follow_up.times.tolist(), follow_up.deaths.tolist(), entries.tolist(), strict=True)
    of = (History(first, whole, *end) for first, whole, end in zip(cohort.patients, read.wholes, ends, strict=True))
    return Histories(cohort, tuple(of), read.beyond)
