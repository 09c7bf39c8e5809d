"""What each column of a cohort's tables means: which analyte in which unit, which words for which, and whom to leave out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence, Sized
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from models.fault import Fault

_NOT_OF_A_PATIENT = ("follow_up", "exclude", "audit_only", "index.year")


class InvalidCohort(ValueError):
    """A cohort that may not be read as it stands; `faults` names every one with file, column and rows.

    The rule it defends: a cohort is read whole or not at all, so that no patient is lost or guessed in silence.
    """

    def __init__(self, faults: Sequence[Fault]):
        self.faults = tuple(faults)
        super().__init__("\n".join(map(str, self.faults)))


@dataclass(frozen=True)
class Cell:
    """Where one value of a row comes from: a column, translated by `map` where there is one, or a constant."""

    column: str = ""
    map: Mapping[str, object] = field(default_factory=dict)
    constant: object = None


@dataclass(frozen=True)
class LabColumn:
    """A column of measurements of one analyte in one unit; so is the upper limit of normal."""

    analyte: str
    column: str
    unit: str
    uln: float | None = None
    uln_column: str = ""
    method_column: str = ""
    day_column: str = ""


@dataclass(frozen=True)
class FollowUpColumns:
    """Columns of the follow-up, all from the index date; `days` is the length of one unit in days."""

    time: str
    days: float
    died: str
    yes: str = ""
    entered: str = ""
    entered_days: float = 1.0
    censor_reason: str = ""


@dataclass(frozen=True)
class Exclusion:
    """A declared rule that leaves a row out: counted, with its reason."""

    column: str
    condition: str
    value: object
    reason: str


@dataclass(frozen=True)
class CohortFile:
    """The mapping of one cohort, checked; columns are checked against a header by `missing_columns`."""

    path: Path
    name: str
    source: str
    patient: str
    table: str
    measurement_table: str
    treatment_table: str
    missing: tuple[object, ...]
    required: tuple[str, ...]
    follow_up: FollowUpColumns | None
    fields: Mapping[str, Cell]
    labs: tuple[LabColumn, ...]
    history: Mapping[str, Cell]
    audit_only: tuple[str, ...]
    extra: Mapping[str, tuple[str, str]]  # name -> column, kind
    exclusions: tuple[Exclusion, ...]
    index_date: str = ""  # the column of the index date, where the tidy tables hold dates; else they hold days from it
    index_year: str = ""  # the column of the calendar time of the index date; index_date says it too

    @property
    def measurement_columns(self) -> tuple[str, ...]:
        """What a table of measurements must have, beside analyte or loinc."""
        return ("patient", self.day_of_draw, "value", "unit")

    @property
    def treatment_columns(self) -> tuple[str, ...]:
        """What a table of treatments must have."""
        return ("patient", "start")

    @property
    def day_of_draw(self) -> str:
        """The column that says when a measurement was taken."""
        return "date" if self.index_date else "day"

    @property
    def tidy(self) -> bool:
        """Whether measurements and treatments stand in tables of their own."""
        return bool(self.measurement_table or self.treatment_table)

    def columns(self) -> dict[str, str]:
        """Every column the mapping reads, and by which key: one that a patient is made of before any other."""
        read = dict.fromkeys(self.audit_only, "audit_only") | {rule.column: "exclude" for rule in self.exclusions}
        if follow_up := self.follow_up:
            read |= {follow_up.time: "follow_up.time", follow_up.died: "follow_up.died"}
            read |= {follow_up.entered: "follow_up.entered", follow_up.censor_reason: "follow_up.censor_reason"}
        read |= {self.patient: "patient"}
        for section, cells in (("patient_fields", self.fields), ("treatment_history", self.history)):
            read |= {cell.column: f"{section}.{name}" for name, cell in cells.items()}
        for lab in self.labs:
            key = f"measurements.{lab.analyte}"
            read |= {lab.column: key, lab.uln_column: key, lab.method_column: key, lab.day_column: key}
        read |= {column: f"extra.{name}" for name, (column, _) in self.extra.items()}
        read |= {self.index_year: "index.year", self.index_date: "index.date"}
        return {column: key for column, key in read.items() if column}

    def missing_columns(self, header: Iterable[str], follow_up_needed: bool = True) -> list[Fault]:
        """A fault for every mapped column that the table does not have; to score, only what a patient is made of is needed."""
        there = list(header)
        faults = []
        for column, key in self.columns().items():
            if column in there or (key.startswith(_NOT_OF_A_PATIENT) and not follow_up_needed):
                continue
            near = get_close_matches(column, there, n=1)
            likely = f"column {near[0]}" if near else ""
            faults.append(Fault(f"{self.path.name}: {key}", f"column {column}", f"a column of {self.table}", likely))
        return faults

    def strangers(self, table: str, by_patient: Mapping[str, Sized], known: Collection[str]) -> str:
        """A warning where a tidy table has rows of patients who are not `known` to the patients' table: how many, no names."""
        strange = [rows for name, rows in by_patient.items() if not name or name not in known]
        if not strange:
            return ""
        rows, who = sum(map(len, strange)), "1 patient" if len(strange) == 1 else f"{len(strange)} patients"
        return f"{table}: {rows} row{'s were' if rows > 1 else ' was'} not used, of {who} not in {self.table}"
