"""Rows of a cohort's tables become patients with an outcome; who leaves is counted with the reason, what is wrong is kept."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import TypeVar

from models.analytes import BY_LOINC
from models.cells import date_of, day_of, name_of, text_of, word_in
from models.cohort_file import CohortFile
from models.cohort_row import Outcome, excluded, outcome_of, patient_of, period_of, present
from models.fault import Fault
from models.features import FEATURES
from models.patient import InvalidPatient, Patient
from models.population import ineligibility
from models.text_table import rows_named
from training.reading.by_patient import lines_by_patient
from training.reading.row_faults import RowFaults
from training.reading.tables import Line

T = TypeVar("T")
_DAY = re.compile(r"\bday (-?\d+(?:\.\d+)?)")
_CODES = 5  # named of a column of codes


@dataclass(frozen=True)
class TidyTable:
    """A table of measurements or treatments, its rows by patient; `kind` is how faults in it begin."""

    kind: str
    name: str
    by_patient: Mapping[str, Sequence[Line]]


@dataclass
class Rows:
    """One pass over the patients' table. `left` keeps the order of the flow diagram: declared rules first.

    `followed`: every patient is read a second time as known at the end of follow-up, into `wholes`.
    """

    file: CohortFile
    required: tuple[str, ...]
    measurements: TidyTable
    treatments: TidyTable
    followed: bool = False
    patients: list[Patient] = field(default_factory=list)
    wholes: list[Patient] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    periods: list[float | None] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    later: dict[str, list[int]] = field(default_factory=dict)  # rows of the tidy tables after the index date
    beyond: Counter[str] = field(default_factory=Counter)  # of them after the end of follow-up, where patients are followed
    codes: Counter[str] = field(default_factory=Counter)  # of the death indicator
    left: dict[str, list[Patient | None]] = field(default_factory=dict)
    numbers: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    seen: set[str] = field(default_factory=set)
    faults: RowFaults = field(default_factory=RowFaults)

    def read(self, line: Line) -> None:
        """Read one row: into the cohort, out of it with a reason, or at fault."""
        name = name_of(line.row[self.file.patient])
        self.seen.add(name)
        found: list[Fault] = []
        if reason := excluded(self.file, line.row):
            self.left.setdefault(reason, []).append(self._patient(line, found))
            return
        self.numbers[name].append(line.number)
        self._note_code(line)
        outcome = _attempt(lambda: outcome_of(self.file, line.row), found)
        period = _attempt(lambda: period_of(self.file, line.row), found)
        patient = self._patient(line, found)
        if patient is None or found:
            self._at_fault(line, found)
        elif reason := self._reason_to_leave(patient, outcome):
            self.left.setdefault(reason, []).append(patient)
        elif outcome is not None:
            if self.followed and not self._followed(line, outcome):
                return
            self.patients.append(patient)
            self.outcomes.append(outcome)
            self.periods.append(period)
            self.lines.append(line.number)
            self._note_later(line)

    def _followed(self, line: Line, outcome: Outcome) -> bool:
        """Whether the patient could be read as known at the end of follow-up: else the rows are at fault."""
        until, found = math.ceil(outcome.days), list[Fault]()
        for table, column in self._dated():
            own = table.by_patient.get(name_of(line.row[self.file.patient]), ())
            self.beyond[table.name] += sum(1 for _ in _after(self.file, line, own, column, until))
        whole = self._patient(line, found, until)
        if whole is None:
            self._at_fault(line, [_from_index(fault, until) for fault in found], until)
            return False
        self.wholes.append(whole)
        return True

    def _note_later(self, line: Line) -> None:
        for table, column in self._dated():
            own = table.by_patient.get(name_of(line.row[self.file.patient]), ())
            self.later.setdefault(table.name, []).extend(_after(self.file, line, own, column))

    def _dated(self) -> list[tuple[TidyTable, str]]:
        """The tidy tables that there are, each with the column of its days."""
        tables = (self.measurements, self.file.day_of_draw), (self.treatments, "start")
        return [(table, column) for table, column in tables if table.name]

    def _note_code(self, line: Line) -> None:
        columns = self.file.follow_up
        if columns and (code := text_of(self.file, line.row.get(columns.died))):
            self.codes[code] += 1

    def _patient(self, line: Line, found: list[Fault], until: float = 0.0) -> Patient | None:
        name = name_of(line.row[self.file.patient])
        own = ([one.row for one in table.by_patient.get(name, ())] for table in (self.measurements, self.treatments))
        return _attempt(lambda: patient_of(self.file, line.row, *own, until=until), found)

    def _reason_to_leave(self, patient: Patient, outcome: Outcome | None) -> str | None:
        if outcome is None:
            return "follow-up missing"
        if reasons := ineligibility(patient):
            return f"{reasons[0].field}: {reasons[0].allowed}"
        if self.file.follow_up and self.file.follow_up.entered and outcome.entered >= outcome.days:
            return "entered at or after the end of follow-up"
        missing = [name for name in self.required if FEATURES[name].of(patient).status == "not measured"]
        return f"no required input: {', '.join(FEATURES[name].label for name in missing)}" if missing else None

    def _at_fault(self, line: Line, found: Sequence[Fault], until: float = 0.0) -> None:
        alone: dict[str, list[tuple[tuple[int, ...], list[Fault]]]] = {}
        for fault in map(_unnumbered, found):
            tidy = (one for one in (self.measurements, self.treatments) if one.name and fault.field.startswith(one.kind))
            table = next(tidy, None)
            if table is None:
                self.faults.add(self.file.table, line.number, fault)
                continue
            if table.kind not in alone:
                alone[table.kind] = [self._apart(line, table, rows, until) for rows in self._together(line, table)]
            own = alone[table.kind]
            # the fewest rows that are at fault by themselves; where none are, all of the patient's
            fewest = min((len(numbers) for numbers, each in own if fault in each), default=len(own[-1][0]))
            named = [numbers for numbers, each in own if len(numbers) == fewest and fault in each] or [own[-1][0]]
            for number in dict.fromkeys(number for numbers in named for number in numbers):
                self.faults.add(table.name, number, fault)

    def _together(self, line: Line, table: TidyTable) -> list[list[Line]]:
        """The patient's rows of a tidy table: one by one, those of one analyte and day, those of one day, and all of them."""
        every = list(table.by_patient.get(name_of(line.row[self.file.patient]), ()))
        groups = [[one] for one in every]
        for parts in (2, 1):
            alike: dict[tuple[object, ...], list[Line]] = defaultdict(list)
            for one in every if table is self.measurements else ():
                alike[self._drawn(line, one)[:parts]].append(one)
            groups += [rows for rows in alike.values() if len(rows) > 1]
        return [*groups, every]

    def _drawn(self, person: Line, line: Line) -> tuple[object, object]:
        """The day of a row of measurements, however it is written, and what was measured."""
        row, origin = line.row, _origin(self.file, person)
        code = text_of(self.file, row.get("loinc"))
        analyte = text_of(self.file, row.get("analyte")).lower() or BY_LOINC.get(code, code)
        return day_of(self.file, row.get(self.file.day_of_draw), "", [], origin), analyte

    def _apart(self, line: Line, table: TidyTable, rows: list[Line], until: float) -> tuple[tuple[int, ...], list[Fault]]:
        """The numbers of some of the patient's rows, and what would be at fault were they the only ones."""
        found: list[Fault] = []
        cells = [one.row for one in rows]
        only = {"measurements": cells} if table is self.measurements else {"treatments": cells}
        _attempt(partial(patient_of, self.file, line.row, until=until, **only), found)
        return tuple(one.number for one in rows), [_unnumbered(_from_index(fault, until)) for fault in found]

    def repeated(self) -> list[Fault]:
        """Rows without the name of a patient, and patients with several rows."""
        column, found = f"column {self.file.patient}", RowFaults()
        for name, numbers in self.numbers.items():
            nobody = not present(self.file, name)
            fault = Fault(column, f"{name} in {rows_named(numbers)}", "one row a patient")
            fault = Fault(column, "nothing", "the name of a patient") if nobody else fault
            for number in numbers if nobody or len(numbers) > 1 else ():
                found.add(self.file.table, number, fault)
        return found.faults()

    def nobodys_death(self) -> list[Fault]:
        """A fault where the file names a word for a death that stands in no row."""
        columns, there = self.file.follow_up, {code.lower() for code in self.codes}
        if not columns or not columns.yes or not there or word_in(columns.yes).lower() in there:
            return []
        found = ", ".join(f"{code} in {n} rows" for code, n in self.codes.most_common(_CODES))
        given = f'yes = "{columns.yes}", and column {columns.died} holds {found}'
        where, likely = f"{self.file.path.name}: follow_up.died", "another code for a death"
        return [Fault(where, given, "a word that stands in the column", likely)]

    def undated(self) -> list[str]:
        """A warning where the file names the column of the index year and some patients have none."""
        unknown = sum(period is not None and math.isnan(period) for period in self.periods)
        said = f"column {self.file.index_year}: empty for {unknown} of {len(self.periods)} patients: no split in time is possible"
        return [said] if unknown else []

    def strangers(self) -> list[str]:
        """A warning for each tidy table with rows of patients who are not in the patients' table."""
        tables = (self.measurements, self.treatments)
        return [told for table in tables if (told := self.file.strangers(table.name, table.by_patient, self.seen))]


def rows_of(file: CohortFile, folder: Path, required: tuple[str, ...], *, followed: bool = False) -> Rows:
    """Ready to read the patients of `file`, whose tidy tables, where it has any, lie in `folder`."""
    measured = lines_by_patient(folder, file.measurement_table, file.measurement_columns)
    treated = lines_by_patient(folder, file.treatment_table, file.treatment_columns)
    order = dict.fromkeys([*(rule.reason for rule in file.exclusions), "under 18", "follow-up missing"])
    tables = TidyTable("measurements", file.measurement_table, measured), TidyTable("treatments", file.treatment_table, treated)
    return Rows(file, required, *tables, followed=followed, left={reason: [] for reason in order})


def _after(file: CohortFile, person: Line, lines: Sequence[Line], column: str, until: float = 0.0) -> Iterator[int]:
    """The numbers of those rows of a patient that tell of a day later than `until` days after the index date."""
    origin = _origin(file, person)
    for line in lines:
        day = day_of(file, line.row.get(column), "", [], origin)
        if day is not None and day > until:
            yield line.number


def _origin(file: CohortFile, person: Line) -> date | None:
    """The patient's index date, where the tables hold dates."""
    return date_of(file, person.row.get(file.index_date), "", []) if file.index_date else None


def _attempt(read: Callable[[], T], found: list[Fault]) -> T | None:
    """What is read, or None with its faults added to `found`."""
    try:
        return read()
    except InvalidPatient as error:
        found += error.faults
        return None


def _from_index(fault: Fault, until: float) -> Fault:
    """Its days counted from the index date, not from the end of follow-up at which the patient was read."""
    return replace(fault, given=_DAY.sub(lambda found: f"day {float(found[1]) + until:g}", fault.given))


def _unnumbered(fault: Fault) -> Fault:
    """Without the place in the patient's own list ("treatments/0/start"): the row of the table says it better."""
    return replace(fault, field=re.sub(r"/\d+/", " ", fault.field))
