"""A cohort is read whole or refused whole: its tables become patients with follow-up, and every exclusion is counted."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from models.cohort_file import CohortFile, InvalidCohort, read_cohort_file
from models.cohort_row import Outcome
from models.fault import Fault
from models.features import FEATURES
from models.patient import Patient
from training.reading.doubt import Doubt
from training.reading.flow import Step, flow_diagram
from training.reading.rows import Rows, rows_of
from training.reading.suspicion import Suspicions, suspicions
from training.reading.tables import digest_of, read_table
from training.statistics.censoring import FollowUp

__all__ = ["Cohort", "Step", "followed", "read_cohort", "required_features"]


@dataclass(frozen=True)
class Cohort:
    """Eligible patients with their follow-up, in the order of the table, and how they came to be those."""

    name: str
    source: str  # "simulated", or where it came from
    digest: str  # SHA-256 over the cohort file and its tables
    patients: tuple[Patient, ...] = field(repr=False)  # no log shows patients by accident
    follow_up: FollowUp = field(repr=False)
    required: tuple[str, ...]  # features without which a patient is not in the cohort
    flow: tuple[Step, ...]
    warnings: tuple[str, ...] = ()
    accepted: tuple[str, ...] = ()  # suspicions taken as they are, each with the reason that was given
    file: CohortFile | None = field(default=None, repr=False)
    periods: tuple[float, ...] | None = field(default=None, repr=False)  # decimal year of each index date, where all are known
    censor_reasons: tuple[str, ...] = field(default=(), repr=False)  # of each patient, "" where none is given
    rows: tuple[int, ...] = field(default=(), repr=False)  # of each patient in the table, as a spreadsheet counts
    doubts: tuple[Doubt, ...] = ()  # columns that are suspicious but possible, accepted or not
    later: Mapping[str, tuple[int, ...]] = field(default_factory=dict)  # tidy table -> rows after the index date, never read

    def __len__(self) -> int:
        return len(self.patients)

    @cached_property
    def several_rows(self) -> tuple[str, ...] | None:
        """The patient of each row, where some have several: they are seen at landmarks. None where each has one."""
        names = tuple(patient.id for patient in self.patients)
        return names if len(set(names)) < len(names) else None

    def select(self, rows: np.ndarray[tuple[int], np.dtype[Any]]) -> Cohort:
        """The cohort of some rows (indices or a mask); name, digest, flow and warnings are those of the whole."""
        rows = np.arange(len(self))[rows]
        return replace(
            self,
            patients=tuple(self.patients[row] for row in rows),
            follow_up=followed(self.follow_up, rows),
            periods=None if self.periods is None else tuple(self.periods[row] for row in rows),
            censor_reasons=tuple(self.censor_reasons[row] for row in rows) if self.censor_reasons else (),
            rows=tuple(self.rows[row] for row in rows) if self.rows else (),
        )


def followed(follow_up: FollowUp, rows: np.ndarray[tuple[int], np.dtype[Any]]) -> FollowUp:
    """The follow-up of some patients (indices or a mask)."""
    entries, strata = (None if one is None else one[rows] for one in (follow_up.entries, follow_up.strata))
    return FollowUp(follow_up.times[rows], follow_up.deaths[rows], entries, strata)


def read_cohort(
    path: Path | str,
    *,
    data: Path | str | None = None,
    accept: str = "",
    required: Sequence[str] | None = None,
    doubtful: bool = False,
    progress: bool = False,
) -> Cohort:
    """The cohort described by the file at `path`; its tables lie beside it, or in `data`.

    `accept` is the reason for which columns that are suspicious but possible are taken as they are; it is kept. `required` names
    the features without which a patient is excluded, in place of the cohort's own: those of the model that is to be judged.
    `doubtful` reads a cohort with such columns though nobody accepted them: to be diagnosed, never to be learned from.
    Raises InvalidCohort naming every fault with file, column and rows.
    """
    return _read(path, data, accept, required, doubtful, progress)[0]


@dataclass(frozen=True)
class Followed:
    """A cohort, and every patient of it as known on the last day of follow-up, rounded up to a whole day.

    `beyond`: the rows of each tidy table dated after that day, which are not read.
    """

    cohort: Cohort
    wholes: tuple[Patient, ...] = field(repr=False)
    beyond: Mapping[str, int]


def read_followed(path: Path | str, *, data: Path | str | None = None, accept: str = "", progress: bool = False) -> Followed:
    """The same cohort with what was measured and given after the index date."""
    cohort, rows = _read(path, data, accept, None, False, progress, followed=True)
    return Followed(cohort, tuple(rows.wholes), dict(rows.beyond))


def _read(
    path: Path | str,
    data: Path | str | None,
    accept: str,
    required: Sequence[str] | None,
    doubtful: bool,
    progress: bool,
    followed: bool = False,
) -> tuple[Cohort, Rows]:
    file, accept = read_cohort_file(path), accept.strip()
    if file.follow_up is None:
        raise InvalidCohort([Fault(f"{file.path.name}: follow_up", "nothing", "a [follow_up] table with time and died")])
    folder = Path(data) if data is not None else file.path.parent
    table = read_table(folder / file.table)
    header = file.missing_columns(table.columns)
    if header and not {file.patient, *file.audit_only} <= set(table.columns):
        raise InvalidCohort(header)  # without them no row can be read
    rows = rows_of(file, folder, required_features(file) if required is None else tuple(required), followed=followed)
    for line in tqdm(table.lines, desc=f"reading {file.name}", unit="patient", disable=not progress):
        rows.read(line)
    faults = _faults(rows, set(table.columns), header)
    doubts = _doubts(rows, faults)
    if faults or (doubts.doubts and not (accept or doubtful)):
        note = [Fault("--accept", accept, "a reason for columns that are suspicious but possible")] if accept else []
        raise InvalidCohort([*faults, *(note or doubts.faults)])
    return _cohort(rows, digest_of(file, folder), doubts, accept), rows


def _faults(rows: Rows, columns: set[str], header: Sequence[Fault]) -> list[Fault]:
    """Every fault of header and rows; a column that is not there is told once, not once a row."""
    absent = {f"column {column}" for column in set(rows.file.columns()) - columns}
    found = [*header, *rows.repeated(), *rows.faults.faults(absent), *rows.nobodys_death()]
    if found or rows.patients:
        return found
    left = ", ".join(f"{len(gone)} {reason}" for reason, gone in rows.left.items() if gone)
    return [Fault(rows.file.table, f"nobody: {left or 'no rows'}", "at least one patient after exclusions")]


def _doubts(rows: Rows, faults: Sequence[Fault]) -> Suspicions:
    """What is suspicious, but for columns that are at fault already."""
    if not rows.patients:
        return Suspicions((), ())
    found = suspicions(rows.file, rows.patients, _follow_up(rows.outcomes))
    at_fault = tuple(f", {place}" for place in rows.faults.places)
    return replace(found, doubts=tuple(doubt for doubt in found.doubts if not doubt.fault.field.endswith(at_fault)))


def required_features(file: CohortFile) -> tuple[str, ...]:
    """The features a patient must have: those the file names, else the NLR where the cohort has one, else the ALC, else none."""
    mapped = {lab.analyte for lab in file.labs}
    alc = "alc" in mapped or {"wbc", "lymphocyte_pct"} <= mapped
    anc = "anc" in mapped or {"wbc", "neutrophil_pct"} <= mapped
    default = ("nlr",) if "nlr" in mapped or (alc and anc) or file.tidy else ("alc",) if alc else ()
    named = file.required or default
    return tuple(next(feature.name for feature in FEATURES.values() if feature.analyte == name) for name in named)


def _cohort(rows: Rows, digest: str, found: Suspicions, accept: str) -> Cohort:
    file = rows.file
    declared = {rule.reason for rule in file.exclusions}
    left = {reason: gone for reason, gone in rows.left.items() if gone or reason in declared}
    return Cohort(
        name=file.name,
        source=file.source,
        digest=digest,
        patients=tuple(rows.patients),
        follow_up=_follow_up(rows.outcomes),
        required=rows.required,
        flow=flow_diagram(rows.patients, left),
        warnings=(*found.warnings, *rows.strangers(), *rows.undated()),
        accepted=tuple(f"{fault} (accepted: {accept})" for fault in found.faults if accept),
        file=file,
        periods=_periods(rows.periods),
        censor_reasons=tuple(outcome.censor_reason for outcome in rows.outcomes),
        rows=tuple(rows.lines),
        doubts=tuple(doubt.at(rows.lines, accept) for doubt in found.doubts),
        later={name: tuple(numbers) for name, numbers in rows.later.items()},
    )


def _periods(read: Sequence[float | None]) -> tuple[float, ...] | None:
    known = tuple(period for period in read if period is not None and not math.isnan(period))
    return known if known and len(known) == len(read) else None


def _follow_up(outcomes: Sequence[Outcome]) -> FollowUp:
    # whoever came under observation before the index date was followed from it
    entered = np.maximum([outcome.entered for outcome in outcomes], 0.0)
    times, deaths = np.array([outcome.days for outcome in outcomes]), np.array([outcome.died for outcome in outcomes])
    return FollowUp(times, deaths, entered if entered.any() else None)
