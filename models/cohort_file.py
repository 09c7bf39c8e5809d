"""A cohort file: which column means what, in which unit, and whom to leave out; one TOML file beside its tables.

It reads no table. `read_cohort_file` names every fault of the mapping at once; `models.cohort_row` turns one raw row into a
Patient by it, in training and in scoring alike.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from models.analytes import ANALYTES, InvalidQuantity, quantity
from models.fault import Fault
from models.history import HISTORY_FIELDS

DAYS = {"d": 1.0, "wk": 7.0, "mo": 30.4375, "a": 365.25}
_SECTIONS = frozenset(
    "name source description table tables patient missing required index follow_up patient_fields measurements "
    "treatment_history exclude extra".split()
)
_PATIENT_FIELDS = ("age_years", "sex", "tumour", "site")
_CONDITIONS = ("below", "above", "equals", "missing")
# what happens after the index date may not be offered as a covariate
_OUTCOME = re.compile(r"(^|_)(os|pfs|dfs|ttp|died|dead|death|deceased|survival|event|recist|hospdead|best_response|response)(_|$)")


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
    """A column of measurements of one analyte in one unit."""

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
    index_date: str = ""

    @property
    def tidy(self) -> bool:
        """Whether measurements and treatments stand in tables of their own."""
        return bool(self.measurement_table or self.treatment_table)

    def columns(self) -> dict[str, str]:
        """Every column the mapping reads, and by which key."""
        read = {self.patient: "patient"}
        follow_up = self.follow_up
        if follow_up:
            read |= {follow_up.time: "follow_up.time", follow_up.died: "follow_up.died"}
            read |= {follow_up.entered: "follow_up.entered", follow_up.censor_reason: "follow_up.censor_reason"}
        for section, cells in (("patient_fields", self.fields), ("treatment_history", self.history)):
            read |= {cell.column: f"{section}.{name}" for name, cell in cells.items()}
        for lab in self.labs:
            key = f"measurements.{lab.analyte}"
            read |= {lab.column: key, lab.uln_column: key, lab.method_column: key, lab.day_column: key}
        read |= {column: f"extra.{name}" for name, (column, _) in self.extra.items()}
        read |= {rule.column: "exclude" for rule in self.exclusions} | dict.fromkeys(self.audit_only, "audit_only")
        read[self.index_date] = "index.date"
        return {column: key for column, key in read.items() if column}

    def missing_columns(self, header: Iterable[str], follow_up_needed: bool = True) -> list[Fault]:
        """A fault for every mapped column that the table does not have."""
        from difflib import get_close_matches

        there = list(header)
        faults = []
        for column, key in self.columns().items():
            if column in there or (key.startswith(("follow_up", "exclude")) and not follow_up_needed):
                continue
            near = get_close_matches(column, there, n=1)
            likely = f"column {near[0]}" if near else ""
            faults.append(Fault(f"{self.path.name}: {key}", f"column {column}", f"a column of {self.table}", likely))
        return faults


def read_cohort_file(path: Path | str) -> CohortFile:
    """The mapping in `path`, or InvalidCohort naming every fault of it."""
    path = Path(path)
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidCohort([Fault(path.name, "a file that is no TOML", "a cohort file", str(error))]) from error
    reading = _Reading(path.name)
    cohort = reading.cohort(path, document)
    reading.outcomes_offered(cohort)
    if reading.faults:
        raise InvalidCohort(reading.faults)
    return cohort


class _Reading:
    """One reading of one document: collects faults as it goes."""

    def __init__(self, file: str):
        self.file = file
        self.faults: list[Fault] = []

    def fault(self, key: str, given: object, allowed: str, likely: str = "") -> None:
        self.faults.append(Fault(f"{self.file}: {key}", str(given), allowed, likely))

    def cohort(self, path: Path, document: Mapping[str, Any]) -> CohortFile:
        self.known(document, _SECTIONS, "")
        tables = self.section(document, "tables")
        index = self.section(document, "index")
        if index.get("rule", "given") != "given":
            self.fault("index.rule", index["rule"], '"given": day 0 of every row is its index date')
        fields = self.section(document, "patient_fields")
        table = self.text(document, "table", default=str(tables.get("patients", "")))
        if not table:
            self.fault("table", "nothing", 'table = "FILE.csv" or [tables] patients = "FILE.csv"')
        history = {name: cell for name, cell in fields.items() if name in HISTORY_FIELDS}
        return CohortFile(
            path=path,
            name=self.text(document, "name", default=path.stem),
            source=self.text(document, "source", default=""),
            patient=self.text(document, "patient", default="patient"),
            table=table,
            measurement_table=str(tables.get("measurements", "")),
            treatment_table=str(tables.get("treatments", "")),
            missing=tuple(document.get("missing", ())),
            required=self.required(document.get("required", ())),
            follow_up=self.follow_up(self.section(document, "follow_up")),
            fields=self.fields(fields),
            labs=self.labs(self.section(document, "measurements")),
            history=self.history(self.section(document, "treatment_history") | history),
            audit_only=tuple(fields.get("audit_only", ())),
            extra=self.extra(self.section(document, "extra")),
            exclusions=self.exclusions(document.get("exclude", ())),
            index_date=str(index.get("date", "")),
        )

    def known(self, given: Mapping[str, Any], allowed: Iterable[str], section: str) -> None:
        for key in sorted(set(given) - set(allowed)):
            self.fault(f"{section}{key}", key, "one of " + ", ".join(sorted(allowed)))

    def section(self, document: Mapping[str, Any], key: str) -> dict[str, Any]:
        found = document.get(key, {})
        if not isinstance(found, dict):
            self.fault(key, found, f"a table [{key}]")
            return {}
        return found

    def text(self, document: Mapping[str, Any], key: str, default: str) -> str:
        found = document.get(key, default)
        if not isinstance(found, str):
            self.fault(key, found, "a text")
            return default
        return found

    def required(self, given: Sequence[Any]) -> tuple[str, ...]:
        for name in given:
            if name not in ANALYTES:
                self.fault("required", name, "one of " + ", ".join(ANALYTES))
        return tuple(map(str, given))

    def cell(self, key: str, given: object) -> Cell:
        if isinstance(given, str):
            return Cell(given)
        if isinstance(given, dict) and set(given) <= {"column", "map", "constant"} and ("column" in given) != ("constant" in given):
            return Cell(given.get("column", ""), given.get("map", {}), given.get("constant"))
        self.fault(key, given, '"column", { column = "...", map = { ... } } or { constant = ... }')
        return Cell(constant="")

    def fields(self, given: Mapping[str, Any]) -> dict[str, Cell]:
        self.known(given, {*_PATIENT_FIELDS, "audit_only", *HISTORY_FIELDS}, "patient_fields.")
        for name in ("age_years", "tumour"):
            if name not in given:
                self.fault(f"patient_fields.{name}", "nothing", 'a column, or { constant = ... }')
        return {name: self.cell(f"patient_fields.{name}", given[name]) for name in _PATIENT_FIELDS if name in given}

    def history(self, given: Mapping[str, Any]) -> dict[str, Cell]:
        self.known(given, HISTORY_FIELDS, "treatment_history.")
        return {name: self.cell(f"treatment_history.{name}", one) for name, one in given.items() if name in HISTORY_FIELDS}

    def labs(self, given: Mapping[str, Any]) -> tuple[LabColumn, ...]:
        self.known(given, ANALYTES, "measurements.")
        return tuple(self.lab(name, one) for name, one in given.items() if name in ANALYTES)

    def lab(self, name: str, given: object) -> LabColumn:
        key = f"measurements.{name}"
        if not isinstance(given, dict) or "column" not in given:
            self.fault(key, given, '{ column = "...", unit = "..." }', "a column without its unit")
            return LabColumn(name, "", "")
        self.known(given, ("column", "unit", "uln", "uln_column", "method", "day"), f"{key}.")
        unit = str(given.get("unit", ""))
        try:
            middle = ANALYTES[name].plausible[0] or 1.0
            quantity(name, middle, unit, f"{self.file}: {key}.unit")
        except InvalidQuantity as error:
            if unit not in ANALYTES[name].units:  # the unit is at fault, not the probe
                self.faults.append(error.fault)
        uln = given.get("uln")
        if uln is not None and (isinstance(uln, bool) or not isinstance(uln, int | float) or uln <= 0):
            self.fault(f"{key}.uln", uln, "a positive number in the unit of the analyte")
            uln = None
        columns = [str(given.get(part, "")) for part in ("uln_column", "method", "day")]
        return LabColumn(name, str(given["column"]), unit, None if uln is None else float(uln), *columns)

    def follow_up(self, given: Mapping[str, Any]) -> FollowUpColumns | None:
        if not given:
            return None
        self.known(given, ("time", "died", "entered", "censor_reason"), "follow_up.")
        time, days = self.duration("follow_up.time", given.get("time"))
        entered, entered_days = self.duration("follow_up.entered", given["entered"]) if "entered" in given else ("", 1.0)
        died = given.get("died")
        if isinstance(died, str):
            died = {"column": died}
        if not isinstance(died, dict) or "column" not in died or set(died) - {"column", "yes"}:
            self.fault("follow_up.died", died, '{ column = "..." } with 1/0 or true/false, or { column = "...", yes = "Dead" }')
            died = {"column": ""}
        reason = str(given.get("censor_reason", ""))
        return FollowUpColumns(time, days, died["column"], str(died.get("yes", "")), entered, entered_days, reason)

    def duration(self, key: str, given: object) -> tuple[str, float]:
        if isinstance(given, dict) and set(given) == {"column", "unit"} and given["unit"] in DAYS:
            return str(given["column"]), DAYS[given["unit"]]
        self.fault(key, "nothing" if given is None else given, '{ column = "...", unit = one of d, wk, mo, a }')
        return "", 1.0

    def extra(self, given: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
        read = {}
        for name, one in given.items():
            if isinstance(one, dict) and set(one) == {"column", "kind"} and one["kind"] in ("numeric", "categorical"):
                read[name] = (str(one["column"]), str(one["kind"]))
            else:
                self.fault(f"extra.{name}", one, '{ column = "...", kind = "numeric" or "categorical" }')
        return read

    def exclusions(self, given: Sequence[Any]) -> tuple[Exclusion, ...]:
        rules = []
        for place, one in enumerate(given):
            where = one.get("where", {}) if isinstance(one, dict) else {}
            conditions = [key for key in where if key in _CONDITIONS]
            if "column" in where and len(conditions) == len(where) - 1 == 1 and one.get("reason"):
                rules.append(Exclusion(where["column"], conditions[0], where[conditions[0]], str(one["reason"])))
            else:
                allowed = 'where = { column = "...", below | above | equals | missing = ... } and reason = "..."'
                self.fault(f"exclude[{place}]", one, allowed)
        return tuple(rules)

    def outcomes_offered(self, cohort: CohortFile) -> None:
        follow_up = cohort.follow_up
        outcome = {follow_up.time, follow_up.died, follow_up.censor_reason} - {""} if follow_up else set()
        for column, key in [*((c, k) for k, c in self.covariates(cohort))]:
            if column in outcome or (_OUTCOME.search(column.lower()) and key.startswith(("extra", "measurements"))):
                allowed = "a column known on the index date"
                self.fault(key, f"column {column}", allowed, "an outcome column offered as a covariate")

    def covariates(self, cohort: CohortFile) -> list[tuple[str, str]]:
        read = [(f"measurements.{lab.analyte}", lab.column) for lab in cohort.labs]
        read += [(f"extra.{name}", column) for name, (column, _) in cohort.extra.items()]
        read += [(f"patient_fields.{name}", cell.column) for name, cell in cohort.fields.items()]
        return read + [(f"treatment_history.{name}", cell.column) for name, cell in cohort.history.items()]
