"""A cohort file: which column means what, in which unit, and whom to leave out; one TOML file beside its tables.

It reads no table. `read_cohort_file` names every fault of the mapping at once; `models.cohort_row` turns one raw row into a
Patient by it, in training and in scoring alike.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from models.analytes import ANALYTES, InvalidQuantity, require_unit
from models.ever import ALLOWED, LIKELY, known_only_later
from models.example import TRUTH, is_simulated, made_by_simulation
from models.fault import Fault
from models.features import FEATURES
from models.history import HISTORY_FIELDS
from models.mapping import Cell, CohortFile, Exclusion, FollowUpColumns, InvalidCohort, LabColumn

__all__ = ["DAYS", "Cell", "CohortFile", "Exclusion", "FollowUpColumns", "InvalidCohort", "LabColumn", "read_cohort_file"]

DAYS = {"d": 1.0, "wk": 7.0, "mo": 30.4375, "a": 365.25}
_SECTIONS = (
    *("name", "source", "description", "table", "tables", "patient", "missing", "required", "index"),
    *("follow_up", "patient_fields", "measurements", "treatment_history", "extra", "exclude"),
)
_TABLES = ("patients", "measurements", "treatments")
_PATIENT_FIELDS = ("age_years", "sex", "tumour", "site")
_LAB = ("column", "unit", "uln", "uln_column", "method", "day")
_REQUIRABLE = tuple(dict.fromkeys(feature.analyte for feature in FEATURES.values() if feature.analyte))
# what happens after the index date may not be offered as a covariate
# "prior_vte_event" and "response_to_last_line" may be known on the index date: an event or a response must stand alone or last
_OUTCOME = re.compile(
    r"(^|_)(os|pfs|dfs|ttp|died|dead|death|deceased|survival|vital|recist|hospdead)(_|$)|(^|best_)response$|^event$"
)
_WORD_ENDS = re.compile(r"[^A-Za-z0-9]+|(?<=[a-z0-9])(?=[A-Z])")


def read_cohort_file(path: Path | str) -> CohortFile:
    """The mapping in `path`, or InvalidCohort naming every fault of it."""
    path = Path(path)
    if not path.is_file():
        raise InvalidCohort([Fault(str(path), "no such file", "a cohort file (TOML)")])
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidCohort([Fault(path.name, "a file that is no TOML", "a cohort file", str(error))]) from error
    reading = _Reading(path.name)
    cohort = reading.cohort(path, document)
    reading.outcomes_offered(cohort)
    reading.simulation_denied(cohort)
    if reading.faults:
        raise InvalidCohort(reading.faults)
    return cohort


class _Reading:
    """One reading of one document: collects faults as it goes."""

    def __init__(self, file: str):
        self.file = file
        self.faults: list[Fault] = []

    def fault(self, key: str, given: object, allowed: str, likely: str = "") -> None:
        self.faults.append(Fault(f"{self.file}: {key}", "nothing" if given is None else str(given), allowed, likely))

    def cohort(self, path: Path, document: Mapping[str, Any]) -> CohortFile:
        self.known(document, _SECTIONS, "")
        table, measurements, treatments = self.tables(document)
        index_date, index_year = self.index(self.section(document, "index"))
        fields = self.section(document, "patient_fields")
        history = {name: cell for name, cell in fields.items() if name in HISTORY_FIELDS}
        return CohortFile(
            path=path,
            name=self.text(document, "name", default=path.stem),
            source=self.text(document, "source", default=""),
            patient=self.column("patient", document.get("patient", "patient")),
            table=table,
            measurement_table=measurements,
            treatment_table=treatments,
            missing=self.sentinels(document),
            required=self.required(document),
            follow_up=self.follow_up(self.section(document, "follow_up")),
            fields=self.fields(fields),
            labs=self.labs(self.section(document, "measurements")),
            history=self.history(self.section(document, "treatment_history") | history),
            audit_only=self.texts(fields, "audit_only", "patient_fields."),
            extra=self.extra(self.section(document, "extra")),
            exclusions=self.exclusions(document.get("exclude", [])),
            index_date=index_date,
            index_year=index_year,
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

    def text(self, given: Mapping[str, Any], key: str, default: str = "", section: str = "") -> str:
        found = given.get(key, default)
        if not isinstance(found, str):
            self.fault(f"{section}{key}", found, "a text")
            return default
        return found

    def texts(self, given: Mapping[str, Any], key: str, section: str = "") -> tuple[str, ...]:
        found = given.get(key, [])
        if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
            self.fault(f"{section}{key}", found, "a list of texts")
            return ()
        return tuple(found)

    def column(self, key: str, given: object) -> str:
        if isinstance(given, str) and given:
            return given
        self.fault(key, "an empty name" if given == "" else given, "the name of a column")
        return ""

    def tables(self, document: Mapping[str, Any]) -> tuple[str, str, str]:
        tables = self.section(document, "tables")
        self.known(tables, _TABLES, "tables.")
        patients, measurements, treatments = (self.text(tables, name, section="tables.") for name in _TABLES)
        table = self.text(document, "table", default=patients)
        if not table:
            self.fault("table", None, 'table = "FILE.csv" or [tables] patients = "FILE.csv"')
        return table, measurements, treatments

    def index(self, given: Mapping[str, Any]) -> tuple[str, str]:
        """The columns of the index date, where cells are dates, and of its year, where there are such."""
        self.known(given, ("rule", "date", "year"), "index.")
        if given.get("rule", "given") != "given":
            self.fault("index.rule", given["rule"], '"given": day 0 of every row is its index date')
        return self.text(given, "date", section="index."), self.text(given, "year", section="index.")

    def sentinels(self, document: Mapping[str, Any]) -> tuple[object, ...]:
        found = document.get("missing", [])
        if not isinstance(found, list) or any(isinstance(one, bool) or not isinstance(one, str | int | float) for one in found):
            self.fault("missing", found, "a list of numbers and texts")
            return ()
        return tuple(found)

    def required(self, document: Mapping[str, Any]) -> tuple[str, ...]:
        named = self.texts(document, "required")
        for name in named:
            if name not in _REQUIRABLE:
                self.fault("required", name, "one of " + ", ".join(_REQUIRABLE))
        return named

    def cell(self, key: str, given: object) -> Cell:
        if isinstance(given, str):
            return Cell(self.column(key, given))
        if isinstance(given, dict) and set(given) == {"constant"} and not isinstance(given["constant"], dict | list):
            return Cell(constant=given["constant"])
        if isinstance(given, dict) and {"column"} <= set(given) <= {"column", "map"} and isinstance(given.get("map", {}), dict):
            return Cell(self.column(key, given["column"]), given.get("map", {}))
        self.fault(key, given, '"column", { column = "...", map = { ... } } or { constant = ... }')
        return Cell(constant="")

    def fields(self, given: Mapping[str, Any]) -> dict[str, Cell]:
        self.known(given, {*_PATIENT_FIELDS, "audit_only", *HISTORY_FIELDS}, "patient_fields.")
        for name in ("age_years", "tumour"):
            if name not in given:
                self.fault(f"patient_fields.{name}", None, "a column, or { constant = ... }")
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
        self.known(given, _LAB, f"{key}.")
        unit, *others = (self.text(given, part, section=f"{key}.") for part in ("unit", "uln_column", "method", "day"))
        try:
            require_unit(name, unit, f"{self.file}: {key}.unit")
        except InvalidQuantity as error:
            self.faults.append(error.fault)
        column = self.column(f"{key}.column", given["column"])
        return LabColumn(name, column, unit, self.upper_limit(f"{key}.uln", given.get("uln")), *others)

    def upper_limit(self, key: str, given: object) -> float | None:
        if given is None:
            return None
        if isinstance(given, int | float) and not isinstance(given, bool) and given > 0:
            return float(given)
        self.fault(key, given, "a positive number in the unit of the column")
        return None

    def follow_up(self, given: Mapping[str, Any]) -> FollowUpColumns | None:
        if not given:
            return None
        self.known(given, ("time", "died", "entered", "censor_reason"), "follow_up.")
        time, days = self.duration("follow_up.time", given.get("time"))
        entered, entered_days = self.duration("follow_up.entered", given["entered"]) if "entered" in given else ("", 1.0)
        died, yes = self.died(given.get("died"))
        reason = self.text(given, "censor_reason", section="follow_up.")
        return FollowUpColumns(time, days, died, yes, entered, entered_days, reason)

    def died(self, given: object) -> tuple[str, str]:
        """The column of the death indicator, and the word for a death."""
        if isinstance(given, str):
            return self.column("follow_up.died", given), ""
        if isinstance(given, dict) and {"column"} <= set(given) <= {"column", "yes"}:
            return self.column("follow_up.died", given["column"]), str(given.get("yes", ""))
        self.fault("follow_up.died", given, '{ column = "..." } with 1/0 or true/false, or { column = "...", yes = "Dead" }')
        return "", ""

    def duration(self, key: str, given: object) -> tuple[str, float]:
        if isinstance(given, dict) and set(given) == {"column", "unit"} and str(given["unit"]) in DAYS:
            return self.column(key, given["column"]), DAYS[str(given["unit"])]
        self.fault(key, given, '{ column = "...", unit = one of d, wk, mo, a }')
        return "", 1.0

    def extra(self, given: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
        read = {}
        for name, one in given.items():
            if isinstance(one, dict) and set(one) == {"column", "kind"} and one["kind"] in ("numeric", "categorical"):
                read[name] = (self.column(f"extra.{name}", one["column"]), str(one["kind"]))
            else:
                self.fault(f"extra.{name}", one, '{ column = "...", kind = "numeric" or "categorical" }')
        return read

    def exclusions(self, given: object) -> tuple[Exclusion, ...]:
        rules = [_exclusion(one) for one in given] if isinstance(given, list) else [None]
        allowed = 'where = { column = "...", below | above = NUMBER, equals = VALUE or missing = true } and reason = "..."'
        for place, rule in enumerate(rules):
            if rule is None:
                self.fault(f"exclude[{place}]", given[place] if isinstance(given, list) else given, allowed)
        return tuple(rule for rule in rules if rule is not None)

    def outcomes_offered(self, cohort: CohortFile) -> None:
        follow_up = cohort.follow_up
        outcome = {follow_up.time, follow_up.died, follow_up.censor_reason} - {""} if follow_up else set()
        for key, column in _covariates(cohort):
            if known_only_later(column) or known_only_later(key.partition(".")[2]):
                self.fault(key, f"column {column}", ALLOWED, LIKELY)
            elif column in outcome or (_reads_like_outcome(column) and key.startswith(("extra", "measurements"))):
                likely = "an outcome column offered as a covariate"
                self.fault(key, f"column {column}", "a column known on the index date", likely)

    def simulation_denied(self, cohort: CohortFile) -> None:
        if made_by_simulation(cohort.name, cohort.path.parent) and not is_simulated(cohort.source):
            allowed = '"simulated": a simulated cohort must say source = "simulated"'
            likely = f'a copy of a simulated cohort: its name begins with "simulated-", or {TRUTH} lies beside it'
            self.fault("source", cohort.source or None, allowed, likely)


def _exclusion(given: object) -> Exclusion | None:
    """The rule, or None where it is none."""
    if not isinstance(given, dict) or set(given) != {"where", "reason"} or not isinstance(given["where"], dict):
        return None
    conditions = {key: value for key, value in given["where"].items() if key != "column"}
    column = given["where"].get("column")
    if len(conditions) != 1 or not isinstance(column, str) or not column or not given["reason"]:
        return None
    ((condition, value),) = conditions.items()
    number = isinstance(value, int | float) and not isinstance(value, bool)
    fits = {"below": number, "above": number, "equals": not isinstance(value, dict | list), "missing": isinstance(value, bool)}
    return Exclusion(column, condition, value, str(given["reason"])) if fits.get(condition, False) else None


def _covariates(cohort: CohortFile) -> list[tuple[str, str]]:
    """Every key that a model may learn from, and its column."""
    read = [(f"measurements.{lab.analyte}", lab.column) for lab in cohort.labs]
    read += [(f"extra.{name}", column) for name, (column, _) in cohort.extra.items()]
    read += [(f"patient_fields.{name}", cell.column) for name, cell in cohort.fields.items()]
    return read + [(f"treatment_history.{name}", cell.column) for name, cell in cohort.history.items()]


def _reads_like_outcome(column: str) -> bool:
    return _OUTCOME.search(_WORD_ENDS.sub("_", column).lower()) is not None
