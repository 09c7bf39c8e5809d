"""One raw row of a cohort's tables becomes a Patient, the same way when a model learns and when it scores."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from models.analytes import BY_LOINC
from models.cohort_file import Cell, CohortFile, Exclusion, LabColumn
from models.courses import Treatment
from models.fault import Fault
from models.patient import GivenMeasurement, InvalidPatient, Patient, assemble
from models.population import ADULT

Row = Mapping[str, object]
_ABSENT = frozenset({"", "na", "n/a", "nan", "null", "none"})
_YES, _NO = frozenset({"1", "1.0", "true", "yes"}), frozenset({"0", "0.0", "false", "no"})


@dataclass(frozen=True)
class Outcome:
    """The follow-up of one patient: days from the index date, whether it ended in death, entry, why it was censored."""

    days: float
    died: bool
    entered: float = 0.0
    censor_reason: str = ""


def patient_of(cohort: CohortFile, row: Row, measurements: Iterable[Row] = (), treatments: Iterable[Row] = ()) -> Patient:
    """The patient of one row (and of its rows in the tidy tables), or InvalidPatient naming every column at fault."""
    faults: list[Fault] = []
    history = {name: _value(cohort, cell, row, f"column {cell.column}", faults) for name, cell in cohort.history.items()}
    simple = {name: _value(cohort, cell, row, f"column {cell.column}", faults) for name, cell in cohort.fields.items()}
    given = [one for lab in cohort.labs if (one := _lab(cohort, lab, row, faults)) is not None]
    given += [one for line in measurements if (one := _dated_lab(cohort, line, faults)) is not None]
    return assemble(
        id=str(row[cohort.patient]),
        age_years=_number(simple.get("age_years")),
        sex=simple.get("sex"),
        tumour=simple.get("tumour"),
        measurements=given,
        treatments=[course for line in treatments if (course := _course(cohort, line, faults)) is not None],
        history=history,
        extra=_extra(cohort, row, faults),
        site=str(simple.get("site") or ""),
        audit={column: str(row[column]) for column in cohort.audit_only if present(cohort, row[column])},
        fields=_places(cohort),
        faults=faults,
    )


def outcome_of(cohort: CohortFile, row: Row) -> Outcome | None:
    """The follow-up of one row; None where it is missing; InvalidPatient where it cannot be read."""
    columns = cohort.follow_up
    if columns is None:
        return None
    faults: list[Fault] = []
    time = _cell_number(cohort, row.get(columns.time), f"column {columns.time}", faults)
    died = _died(cohort, row.get(columns.died), columns.yes, f"column {columns.died}", faults)
    entered = _cell_number(cohort, row.get(columns.entered), f"column {columns.entered}", faults) if columns.entered else 0.0
    if time is not None and time < 0:
        allowed = "0 or more; or an [[exclude]] rule that says why such rows are left out"
        faults.append(Fault(f"column {columns.time}", f"{time:g}", allowed, "dates swapped, or follow-up from another day 0"))
    if faults:
        raise InvalidPatient(faults)
    if time is None or died is None:
        return None
    reason = str(row.get(columns.censor_reason) or "") if columns.censor_reason else ""
    return Outcome(time * columns.days, died, (entered or 0.0) * columns.entered_days, reason)


def excluded(cohort: CohortFile, row: Row) -> str | None:
    """The reason of the first declared rule that leaves the row out, or None; "under 18" is declared for everybody."""
    for rule in cohort.exclusions:
        if _holds(cohort, rule, row.get(rule.column)):
            return rule.reason
    age = cohort.fields.get("age_years")
    years = _number(row.get(age.column) if age and age.column else None)
    return "under 18" if isinstance(years, float) and 0 <= years < ADULT else None


def present(cohort: CohortFile, value: object) -> bool:
    """Whether a cell holds a value: not empty, not NA, and none of the source's declared sentinels."""
    if value is None or isinstance(value, float) and math.isnan(value):
        return False
    text = str(value).strip()
    if text.lower() in _ABSENT:
        return False
    return not cohort.missing or not any(_same(text, sentinel) for sentinel in cohort.missing)


def _same(text: str, sentinel: object) -> bool:
    if text == str(sentinel):
        return True
    try:
        return isinstance(sentinel, int | float) and float(text) == float(sentinel)
    except ValueError:
        return False


def _holds(cohort: CohortFile, rule: Exclusion, value: object) -> bool:
    there = present(cohort, value)
    if rule.condition == "missing":
        return there != bool(rule.value)
    if not there:
        return False
    if rule.condition == "equals":
        return _same(str(value).strip(), rule.value)
    number = _number(value)
    if not isinstance(number, float) or not isinstance(rule.value, int | float):
        return False
    return number < rule.value if rule.condition == "below" else number > rule.value


def _places(cohort: CohortFile) -> dict[str, str]:
    cells = [*cohort.fields.items(), *cohort.history.items()]
    return {name: f"column {cell.column}" if cell.column else f"{name} (constant)" for name, cell in cells}


def _value(cohort: CohortFile, cell: Cell, row: Row, field: str, faults: list[Fault]) -> object:
    if not cell.column:
        return cell.constant
    value = row.get(cell.column)
    if not present(cohort, value):
        return None
    if not cell.map:
        return value
    text = str(value).strip()
    if text not in cell.map:
        faults.append(Fault(field, text, "a value of its map: " + ", ".join(cell.map)))
    return cell.map.get(text)


def _number(value: object) -> object:
    """A float where the text is one; otherwise what was given, for the fault to name."""
    if value is None or isinstance(value, bool):
        return value
    try:
        return float(value)  # type: ignore[arg-type]  # whatever cannot be a number is given back as it is
    except (TypeError, ValueError):
        return str(value)


def _cell_number(cohort: CohortFile, value: object, field: str, faults: list[Fault]) -> float | None:
    if not present(cohort, value):
        return None
    number = _number(value)
    if isinstance(number, float) and math.isfinite(number):
        return number
    faults.append(Fault(field, str(value), "a number"))
    return None


def _died(cohort: CohortFile, value: object, yes: str, field: str, faults: list[Fault]) -> bool | None:
    if not present(cohort, value):
        return None
    text = str(value).strip()
    if yes:
        return text == yes
    if text.lower() in _YES or text.lower() in _NO:
        return text.lower() in _YES
    faults.append(Fault(field, text, '1 or 0, true or false; or yes = "..." in the cohort file', "a code of the source"))
    return None


def _lab(cohort: CohortFile, lab: LabColumn, row: Row, faults: list[Fault]) -> GivenMeasurement | None:
    value = row.get(lab.column)
    if not present(cohort, value):
        return None
    uln, day, field = lab.uln, 0.0, f"column {lab.column}"
    if lab.uln_column:
        uln = _cell_number(cohort, row.get(lab.uln_column), f"column {lab.uln_column}", faults)
    if lab.day_column:
        day = -(_cell_number(cohort, row.get(lab.day_column), f"column {lab.day_column}", faults) or 0.0)
    method = str(row.get(lab.method_column) or "") if lab.method_column else ""
    return GivenMeasurement(lab.analyte, _given(value), lab.unit, day, uln, method, field)


def _given(value: object) -> float | str:
    """The number a cell holds, or its text ("<2.0"); quantity refuses the rest."""
    number = _number(value)
    return number if isinstance(number, float) else str(value).strip()


def _dated_lab(cohort: CohortFile, line: Row, faults: list[Fault]) -> GivenMeasurement | None:
    """A row of the measurement table: patient, day (0 the index date, negative before), analyte or loinc, value, unit."""
    day = _cell_number(cohort, line.get("day"), "measurements column day", faults)
    if not present(cohort, line.get("value")) or day is None or day > 0:
        return None  # what was measured after the index date is not known on it
    analyte = str(line.get("analyte") or "") or BY_LOINC.get(str(line.get("loinc") or ""), "")
    field = f"measurements {analyte or line.get('loinc')}"
    uln = _cell_number(cohort, line.get("uln"), f"{field} uln", faults)
    unit = str(line["unit"]) if present(cohort, line.get("unit")) else None
    return GivenMeasurement(analyte, _given(line["value"]), unit, -day, uln, str(line.get("method") or ""), field)


def _course(cohort: CohortFile, line: Row, faults: list[Fault]) -> Treatment | None:
    """A row of the treatment table: patient, line, modality, agents, start, end (days), outcome or progression."""
    start = _cell_number(cohort, line.get("start"), "treatments column start", faults)
    end = _cell_number(cohort, line.get("end"), "treatments column end", faults)
    number = _cell_number(cohort, line.get("line"), "treatments column line", faults)
    if start is None or start > 0:
        return None  # begun after the index date: not known on it
    runs = end is None or end > 0
    progressed = str(line.get("progression") or "").strip().lower() in _YES
    outcome = "unknown" if runs else "progression" if progressed else str(line.get("outcome") or "unknown").strip().lower()
    return Treatment(
        modality=str(line.get("modality") or "other").strip().lower(),
        start_days_before=-start,
        end_days_before=None if end is None or end > 0 else -end,
        line=None if number is None else int(number),
        agents=tuple(agent.strip() for agent in str(line.get("agents") or "").split("+") if agent.strip()),
        outcome=outcome,
    )


def _extra(cohort: CohortFile, row: Row, faults: list[Fault]) -> dict[str, float | str]:
    read: dict[str, float | str] = {}
    for name, (column, kind) in cohort.extra.items():
        value = row.get(column)
        if not present(cohort, value):
            continue
        if kind == "categorical":
            read[name] = str(value).strip()
        elif (number := _cell_number(cohort, value, f"column {column}", faults)) is not None:
            read[name] = number
    return read
