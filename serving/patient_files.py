"""A file of patients, read one after another: a cohort file with its tables, or one request a line (NDJSON)."""

from __future__ import annotations

import json
import math
from codecs import BOM_UTF8
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol

from models.cells import name_of
from models.cohort_file import CohortFile, InvalidCohort, read_cohort_file
from models.cohort_row import Row, excluded, patient_of, present
from models.fault import Fault
from models.landmark_row import patient_on
from models.patient import InvalidPatient, Patient
from models.population import Ineligible
from models.text_table import TextRow, column_names, require_distinct, text_rows, text_table
from serving.refused import Refused
from serving.wire import read_line

if TYPE_CHECKING:
    from serving.receipts.payload import Form  # only those who keep receipts pay for them

LINES = (".ndjson", ".jsonl")
_PRETTY = "JSON that was indented: write each patient in one line"
Asked = tuple[Patient | Refused, Callable[[], bytes]]
"""A patient as understood, and what gives the JSON in which he came: a line as it is, or the cells of the tables' rows."""


class PatientFile(Protocol):
    """A file that can be read twice: its ids first, so that no patient is scored twice, then its patients."""

    def ids(self) -> Iterator[str]: ...

    @property
    def form(self) -> Form:
        """Whether patients come as in a request, or as rows of tables."""
        ...

    def patients(self) -> Iterator[Asked]: ...

    def strangers(self, known: Collection[str]) -> tuple[str, ...]:
        """Warnings of what was given of nobody who is `known` by an id."""
        ...


def patient_file(
    path: Path, data: Path | None = None, today: date | None = None, landmark: float | None = None
) -> PatientFile:
    """The patients in `path`: a cohort file (.toml) with its tables beside it or in `data`, or NDJSON.

    `today` is what dates in NDJSON are held against; a cohort file tells days, and no dates. `landmark`: the day after the index
    date on which those of a cohort file are looked at; None: the index date itself.
    Raises InvalidCohort where the cohort file or the columns of its tables are at fault, as a whole.
    """
    if path.suffix.lower() == ".toml":
        return _tables(read_cohort_file(path), data or path.parent, landmark)
    if landmark is not None:
        given, likely = f"of {path.name}, day {landmark:g}", "in one patient a line, index_date says when the follow-up began"
        raise InvalidCohort([Fault("landmark", given, "only with a cohort file (.toml)", likely)])
    if path.suffix.lower() in LINES:
        return Lines(path, today)
    allowed = "a cohort file (.toml), or one patient a line (.ndjson, .jsonl)"
    likely = "a table: write a cohort file for it" if path.suffix.lower() in (".csv", ".parquet") else ""
    raise InvalidCohort([Fault("patients", path.name, allowed, likely)])


@dataclass(frozen=True)
class Lines:
    """One request a line; empty lines are no patients, and whoever is refused is told by the number of his line."""

    path: Path
    today: date | None = None
    form: ClassVar[Form] = "request"

    def ids(self) -> Iterator[str]:
        for _, line in self._lines():
            try:
                document = json.loads(line)
            except (ValueError, RecursionError):
                document = None  # refused by the strict reader when its turn comes
            found = document.get("id") if isinstance(document, dict) else None
            yield found if isinstance(found, str) else ""

    def patients(self) -> Iterator[Asked]:
        return ((_placed(read_line(line, self.today), number), partial(bytes, line)) for number, line in self._lines())

    def strangers(self, known: Collection[str]) -> tuple[str, ...]:
        return ()  # whatever stands in a line is of its patient

    def _lines(self) -> Iterator[tuple[int, bytes]]:
        """The lines that are not empty, with their numbers. Raises InvalidCohort where one document stands over several lines."""
        with self.path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                line = line.removeprefix(BOM_UTF8) if number == 1 else line
                if line.strip() in (b"{", b"["):
                    allowed = "one patient a line"
                    raise InvalidCohort([Fault(f"{self.path.name}, line {number}", "a document that goes on", allowed, _PRETTY)])
                if line.strip():
                    yield number, line


def _placed(one: Patient | Refused, number: int) -> Patient | Refused:
    return replace(one, place=f"line {number}") if isinstance(one, Refused) else one


@dataclass(frozen=True)
class Tables:
    """The tables of a cohort file: one row a patient, measurements and treatments by patient where they stand apart."""

    cohort: CohortFile
    rules: CohortFile  # the same, with nothing but the exclusions that hold for scoring
    table: Path
    measurements: Mapping[str, Sequence[Row]]
    treatments: Mapping[str, Sequence[Row]]
    landmark: float | None = None  # days after the index date on which the patients are looked at
    form: ClassVar[Form] = "row"

    def ids(self) -> Iterator[str]:
        for row in rows(self.table):
            yield "" if isinstance(row, Refused) else self._id(row)

    def patients(self) -> Iterator[Asked]:
        return ((self._patient(row), partial(self._given, row)) for row in rows(self.table))

    def strangers(self, known: Collection[str]) -> tuple[str, ...]:
        tables = {self.cohort.measurement_table: self.measurements, self.cohort.treatment_table: self.treatments}
        return tuple(told for name, own in tables.items() if (told := self.cohort.strangers(name, own, known)))

    def _patient(self, row: Row | Refused) -> Patient | Refused:
        if isinstance(row, Refused):
            return row
        id = self._id(row)
        if not id:
            allowed = "an id: a risk must find its patient again"
            return Refused("", "invalid", (Fault(f"column {self.cohort.patient}", "nothing", allowed),))
        if reason := excluded(self.rules, row):
            return Refused(id, "not eligible", (Fault("row", reason, "a row that no [[exclude]] rule leaves out"),))
        try:
            return self._read(row, self.measurements.get(id, ()), self.treatments.get(id, ()))
        except InvalidPatient as error:
            return Refused(id, "invalid", error.faults)
        except Ineligible as error:
            return Refused(id, "not eligible", error.faults)

    def _read(self, row: Row, measurements: Sequence[Row], treatments: Sequence[Row]) -> Patient:
        if self.landmark is None:
            return patient_of(self.cohort, row, measurements, treatments)
        return patient_on(self.cohort, row, measurements, treatments, self.landmark)

    def _given(self, row: Row | Refused) -> bytes:
        """The cells of the patient's rows, those of no JSON kind as texts."""
        if isinstance(row, Refused):
            return b"null"  # a row with too few or too many cells, of which no patient was understood
        id = self._id(row)
        own = {"measurements": self.measurements.get(id, ()), "treatments": self.treatments.get(id, ())}
        on = {} if self.landmark is None else {"landmark": self.landmark}
        document = on | {"row": _cells(row)} | {name: [_cells(one) for one in found] for name, found in own.items() if found}
        return json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=str).encode()

    def _id(self, row: Row) -> str:
        given = row.get(self.cohort.patient)
        return name_of(given) if present(self.cohort, given) else ""


def _cells(row: Row) -> dict[str, object]:
    return {name: str(cell) if isinstance(cell, float) and not math.isfinite(cell) else cell for name, cell in row.items()}


def rows(path: Path) -> Iterator[Row | Refused]:
    """The rows of a CSV or Parquet table; a CSV row with too few or too many cells is refused, never padded."""
    if _is_parquet(path):
        yield from _parquet_rows(path)
        return
    for row in text_rows(path):
        if isinstance(row, TextRow):
            yield row.cells
        else:
            yield Refused("", "invalid", (replace(row.fault, field=f"row {row.number}, {row.fault.field}"),))


def header(path: Path) -> tuple[str, ...]:
    """The column names of a CSV or Parquet table. Raises InvalidCohort where two columns have one name."""
    if not _is_parquet(path):
        return column_names(path)
    from pyarrow import parquet

    names = tuple(parquet.read_schema(path).names)
    require_distinct(path.name, names)
    return names


def _is_parquet(path: Path) -> bool:
    return path.suffix.lower() == ".parquet"


def _parquet_rows(path: Path) -> Iterator[Row]:
    from pyarrow import parquet  # only those who keep Parquet pay for it

    for batch in parquet.ParquetFile(path).iter_batches():
        yield from batch.to_pylist()


def _tables(cohort: CohortFile, data: Path, landmark: float | None) -> Tables:
    table = data / cohort.table
    measured, treated = (data / name if name else None for name in (cohort.measurement_table, cohort.treatment_table))
    absent = [path for path in (table, measured, treated) if path and not path.is_file()]
    faults = [Fault(cohort.path.name, f"table {path.name}", f"a file in {data}") for path in absent]
    if not faults:
        faults = cohort.missing_columns(header(table), follow_up_needed=False)
        faults += _absent_columns(measured, cohort.measurement_columns, cohort)
        faults += _absent_columns(treated, cohort.treatment_columns, cohort)
    if faults:
        raise InvalidCohort(faults)
    return Tables(cohort, _rules(cohort, header(table)), table, _by_patient(measured), _by_patient(treated), landmark)


def _rules(cohort: CohortFile, there: Sequence[str]) -> CohortFile:
    """A row whose lab was never measured is no more to be scored than learned from; rules on follow-up say nothing here."""
    follow_up = (cohort.follow_up.time, cohort.follow_up.died, cohort.follow_up.entered) if cohort.follow_up else ()
    rules = tuple(rule for rule in cohort.exclusions if rule.column in there and rule.column not in follow_up)
    return replace(cohort, exclusions=rules, fields={})


def _absent_columns(path: Path | None, needed: Sequence[str], cohort: CohortFile) -> list[Fault]:
    absent = [name for name in needed if name not in header(path)] if path else []
    where = f"{cohort.path.name}: {path.name if path else ''}"
    return [Fault(where, f"no column {name}", f"columns {', '.join(needed)}") for name in absent]


def _by_patient(path: Path | None) -> dict[str, list[Row]]:
    """The rows of a tidy table by patient. Raises InvalidCohort for ragged rows: nobody knows whose measurements are missing."""
    found: dict[str, list[Row]] = {}
    if path:
        for row in _parquet_rows(path) if _is_parquet(path) else (row.cells for row in text_table(path).rows):
            found.setdefault(name_of(row["patient"]), []).append(row)
    return found
