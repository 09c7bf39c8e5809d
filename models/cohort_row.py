"""One raw row of a cohort's tables becomes a Patient, the same way when a model learns and when it scores."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from models.analytes import ANALYTES, BY_LOINC
from models.cells import date_of, day_of, decimal_year, equals, name_of, number_in, number_of, present, text_of, word_in, year_of
from models.courses import Treatment
from models.fault import Fault
from models.history import FLAG_WORDS
from models.mapping import Cell, CohortFile, Exclusion, LabColumn
from models.patient import GivenMeasurement, InvalidPatient, Patient, assemble
from models.population import ADULT

__all__ = ["Outcome", "Row", "excluded", "outcome_of", "patient_of", "period_of", "present"]

Row = Mapping[str, object]
# what is stated of the index date and is taken to hold later, since no cohort file states it again
_LASTING = frozenset({"liver_metastases", "metastatic_sites"})
_DEATH = frozenset({"dead", "died", "death", "deceased"})
_YES, _NO = frozenset({"1", "1.0", "true", "yes"}), frozenset({"0", "0.0", "false", "no"})


@dataclass(frozen=True)
class Outcome:
    """The follow-up of one patient: days from the index date, whether it ended in death, entry, why it was censored."""

    days: float
    died: bool
    entered: float = 0.0
    censor_reason: str = ""


def patient_of(
    cohort: CohortFile, row: Row, measurements: Iterable[Row] = (), treatments: Iterable[Row] = (), *, until: float = 0.0
) -> Patient:
    """The patient of one row (and of its rows in the tidy tables), or InvalidPatient naming every column at fault.

    He is described as known `until` days after the index date: days count backwards from that day, and what the row sums up of
    the index date and does not last (lines, drugs of the last 14 days) is left to the dated treatments.
    """
    faults: list[Fault] = []
    history = {name: _value(cohort, cell, row, f"column {cell.column}", faults) for name, cell in cohort.history.items()}
    history = history if until == 0 else {name: value for name, value in history.items() if _lasts(name, value)}
    simple = {name: _value(cohort, cell, row, f"column {cell.column}", faults) for name, cell in cohort.fields.items()}
    origin = date_of(cohort, row.get(cohort.index_date), f"column {cohort.index_date}", faults) if cohort.index_date else None
    given = [one for lab in cohort.labs if (one := _lab(cohort, lab, row, faults, origin, until)) is not None]
    given += [one for line in measurements if (one := _dated_lab(cohort, line, faults, origin, until)) is not None]
    return assemble(
        id=name_of(row[cohort.patient]),
        age_years=number_in(simple.get("age_years")),
        sex=simple.get("sex"),
        tumour=simple.get("tumour"),
        measurements=given,
        treatments=[course for line in treatments if (course := _course(cohort, line, faults, origin, until)) is not None],
        history=history,
        extra=_extra(cohort, row, faults),
        site=text_of(cohort, simple.get("site")),
        audit={column: text for column in cohort.audit_only if (text := text_of(cohort, row.get(column)))},
        fields=_places(cohort),
        faults=faults,
    )


def outcome_of(cohort: CohortFile, row: Row) -> Outcome | None:
    """The follow-up of one row; None where it is missing; InvalidPatient where it cannot be read."""
    columns = cohort.follow_up
    if columns is None:
        return None
    faults: list[Fault] = []
    time = number_of(cohort, row.get(columns.time), f"column {columns.time}", faults)
    died = _died(cohort, row.get(columns.died), columns.yes, f"column {columns.died}", faults)
    entered = number_of(cohort, row.get(columns.entered), f"column {columns.entered}", faults) if columns.entered else 0.0
    if time is not None and time < 0:
        allowed = "0 or more; or an [[exclude]] rule that says why such rows are left out"
        faults.append(Fault(f"column {columns.time}", f"{time:g}", allowed, "dates swapped, or follow-up from another day 0"))
    if faults:
        raise InvalidPatient(faults)
    if time is None or died is None or entered is None:
        return None
    reason = text_of(cohort, row.get(columns.censor_reason)) if columns.censor_reason else ""
    return Outcome(time * columns.days, died, entered * columns.entered_days, reason)


def period_of(cohort: CohortFile, row: Row) -> float | None:
    """Calendar time of the index date in decimal years: NaN where the row does not say, None where the file names no column.

    It belongs to the follow-up, never to the patient: no model may learn from it. Raises InvalidPatient for what is no year.
    """
    faults: list[Fault] = []
    if cohort.index_year:
        year = year_of(cohort, row.get(cohort.index_year), f"column {cohort.index_year}", faults)
    elif cohort.index_date:
        day = date_of(cohort, row.get(cohort.index_date), "", [])  # what is no date is a fault of the patient already
        year = math.nan if day is None else decimal_year(day)
    else:
        return None
    if faults:
        raise InvalidPatient(faults)
    return year


def excluded(cohort: CohortFile, row: Row) -> str | None:
    """The reason of the first declared rule that leaves the row out, or None; "under 18" is declared for everybody."""
    for rule in cohort.exclusions:
        if rule.column in row and _holds(cohort, rule, row[rule.column]):
            return rule.reason
    age = cohort.fields.get("age_years")
    years = number_in(row.get(age.column)) if age and age.column and present(cohort, row.get(age.column)) else None
    return "under 18" if isinstance(years, float) and 0 <= years < ADULT else None


def _holds(cohort: CohortFile, rule: Exclusion, value: object) -> bool:
    there = present(cohort, value)
    if rule.condition == "missing":
        return there != bool(rule.value)
    if not there:
        return False
    if rule.condition == "equals":
        return equals(str(value).strip(), rule.value)
    number = number_in(value)
    if not isinstance(number, float) or not isinstance(rule.value, int | float):
        return False
    return number < rule.value if rule.condition == "below" else number > rule.value


def _lasts(name: str, value: object) -> bool:
    """Whether what is stated of the index date holds on every later day: whoever was irradiated once, was."""
    return name in _LASTING or (name == "prior_radiotherapy" and FLAG_WORDS.get(str(value).strip().lower()) == 1)


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
    text, meanings = text_of(cohort, value), {word_in(word): meaning for word, meaning in cell.map.items()}
    if text not in meanings:
        faults.append(Fault(field, text, "a value of its map: " + ", ".join(cell.map)))
    return meanings.get(text)


def _died(cohort: CohortFile, value: object, yes: str, field: str, faults: list[Fault]) -> bool | None:
    if not present(cohort, value):
        return None
    text, death = text_of(cohort, value), word_in(yes).lower()
    word = text.lower()
    if yes and (word == death or word not in _DEATH):
        return word == death
    if not yes and (word in _YES or word in _NO):
        return word in _YES
    allowed = f'"{yes}" for a death' if yes else '1 or 0, true or false; or yes = "..." in the cohort file'
    faults.append(Fault(field, text, allowed, "another word for a death" if yes else "a code of the source"))
    return None


def _lab(
    cohort: CohortFile, lab: LabColumn, row: Row, faults: list[Fault], origin: date | None, until: float
) -> GivenMeasurement | None:
    value = row.get(lab.column)
    if not present(cohort, value):
        return None
    uln, day, field = lab.uln, 0.0, f"column {lab.column}"
    if lab.uln_column:
        uln = number_of(cohort, row.get(lab.uln_column), f"column {lab.uln_column}", faults)
    if lab.day_column:
        found = day_of(cohort, row.get(lab.day_column), f"column {lab.day_column}", faults, origin)
        if found is None:
            return None
        day = 0.0 - found
    day += until
    method = text_of(cohort, row.get(lab.method_column)) if lab.method_column else ""
    return GivenMeasurement(lab.analyte, _given(value), lab.unit, day, uln, method, field)


def _given(value: object) -> float | str:
    """The number a cell holds, or its text ("<2.0"); quantity refuses the rest."""
    number = number_in(value)
    return number if isinstance(number, float) else str(value).strip()


def _dated_lab(
    cohort: CohortFile, line: Row, faults: list[Fault], origin: date | None, until: float
) -> GivenMeasurement | None:
    """A row of the measurement table: patient, day (0 the index date, negative before) or date, analyte or loinc, value, unit."""
    if not present(cohort, line.get("value")):
        return None
    day = day_of(cohort, line.get(cohort.day_of_draw), f"measurements column {cohort.day_of_draw}", faults, origin)
    if day is None or day > until:
        return None  # what was measured later is not known on that day
    analyte, code = text_of(cohort, line.get("analyte")).lower(), text_of(cohort, line.get("loinc"))
    analyte = analyte or BY_LOINC.get(code, "")
    if analyte not in ANALYTES:
        place = "measurements column loinc" if code and not analyte else "measurements column analyte"
        faults.append(Fault(place, analyte or code or "nothing", "one of " + ", ".join(ANALYTES)))
        return None
    field = f"measurements {analyte}"
    uln = number_of(cohort, line.get("uln"), f"{field} uln", faults)
    unit, method = text_of(cohort, line.get("unit")), text_of(cohort, line.get("method"))
    return GivenMeasurement(analyte, _given(line["value"]), unit or None, until - day, uln, method, field)


def _course(cohort: CohortFile, line: Row, faults: list[Fault], origin: date | None, until: float) -> Treatment | None:
    """A row of the treatment table: patient, line, modality, agents, start, end (days or dates), outcome or progression."""
    start = day_of(cohort, line.get("start"), "treatments column start", faults, origin)
    if start is None or start > until:
        return None  # begun later: not known on that day
    ended = present(cohort, line.get("end"))
    end = day_of(cohort, line.get("end"), "treatments column end", faults, origin) if ended else None
    runs = end is None or end > until
    progressed = text_of(cohort, line.get("progression")).lower() in _YES
    outcome = "progression" if progressed else text_of(cohort, line.get("outcome")).lower() or "unknown"
    return Treatment(
        modality=text_of(cohort, line.get("modality")).lower(),
        start_days_before=until - start,
        end_days_before=None if end is None or end > until else until - end,
        line=_line(cohort, line.get("line"), faults),
        agents=tuple(agent.strip() for agent in text_of(cohort, line.get("agents")).split("+") if agent.strip()),
        outcome="unknown" if runs else outcome,
    )


def _line(cohort: CohortFile, value: object, faults: list[Fault]) -> int | None:
    number = number_of(cohort, value, "treatments column line", faults)
    if number is not None and not number.is_integer():
        faults.append(Fault("treatments column line", f"{number:g}", "a whole number"))
    return None if number is None else int(number)


def _extra(cohort: CohortFile, row: Row, faults: list[Fault]) -> dict[str, float | str]:
    read: dict[str, float | str] = {}
    for name, (column, kind) in cohort.extra.items():
        value = row.get(column)
        if not present(cohort, value):
            continue
        if kind == "categorical":
            read[name] = text_of(cohort, value)
        elif (number := number_of(cohort, value, f"column {column}", faults)) is not None:
            read[name] = number
    return read
