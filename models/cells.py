"""What a cell of a table holds: a number, a word, a day or nothing; a source's own codes for "missing" are nothing."""

from __future__ import annotations

import math
import re
from datetime import date

from models.fault import Fault
from models.mapping import CohortFile

_ABSENT = frozenset({"", "na", "n/a", "nan", "nat", "<na>", "null", "none"})
_FIRST_YEAR, _LAST_YEAR = 1950, 2100
_DECIMAL = re.compile(r"-?(?:0|[1-9]\d{0,14})\.\d{0,15}")  # a code such as 01 is a word, and stays as it is


def present(cohort: CohortFile, value: object) -> bool:
    """Whether a cell holds a value: not empty, not NA, and none of the source's declared sentinels."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return False
    text = str(value).strip()
    if text.lower() in _ABSENT:
        return False
    return not cohort.missing or not any(equals(text, sentinel) for sentinel in cohort.missing)


def text_of(cohort: CohortFile, value: object) -> str:
    """The words of a cell, or nothing."""
    return word_in(value) if present(cohort, value) else ""


def word_in(value: object) -> str:
    """The word a value is; a number is one word however a table writes it.

    >>> word_in(1.0), word_in("1.0"), word_in("2.50"), word_in(" IV "), word_in("01")
    ('1', '1', '2.5', 'IV', '01')
    """
    text = str(value).strip()
    if not (isinstance(value, float) or _DECIMAL.fullmatch(text)):
        return text
    number = float(text)
    return str(int(number)) if number.is_integer() else str(number)


def name_of(value: object) -> str:
    """A cell as it names a patient: a name is the same in every table, whatever blanks stand around it and however 1 is kept.

    >>> name_of(" P7 "), name_of(7.0), name_of(None)
    ('P7', '7', '')
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()


def number_of(cohort: CohortFile, value: object, field: str, faults: list[Fault]) -> float | None:
    """The number in a cell, None where it is empty; what is no finite number is a fault."""
    if not present(cohort, value):
        return None
    number = number_in(value)
    if isinstance(number, float) and math.isfinite(number):
        return number
    faults.append(Fault(field, str(value), "a number"))
    return None


def day_of(cohort: CohortFile, value: object, field: str, faults: list[Fault], origin: date | None = None) -> float | None:
    """A day of the source: 0 the index date, negative before it. What has no day cannot be placed, and is a fault.

    Where the cohort file names the column of the index date, cells hold dates, and `origin` is the patient's index date.
    """
    if not present(cohort, value):
        allowed = "a date" if cohort.index_date else "a day: 0 is the index date, -14 two weeks before it"
        faults.append(Fault(field, "nothing", allowed))
        return None
    if not cohort.index_date:
        return number_of(cohort, value, field, faults)
    found = date_of(cohort, value, field, faults)
    return None if found is None or origin is None else float((found - origin).days)


def date_of(cohort: CohortFile, value: object, field: str, faults: list[Fault]) -> date | None:
    """The date in a cell, as YYYY-MM-DD (a time of day after it is left out); anything else is a fault."""
    text = text_of(cohort, value)
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        faults.append(Fault(field, text or "nothing", "a date as YYYY-MM-DD"))
        return None


def year_of(cohort: CohortFile, value: object, field: str, faults: list[Fault]) -> float:
    """Calendar time in decimal years, NaN where the cell is empty; it holds a year (2021, 2021.5) or a date."""
    year = number_in(value) if present(cohort, value) else math.nan
    if isinstance(year, str):
        day = date_of(cohort, value, field, faults)
        return math.nan if day is None else decimal_year(day)
    if isinstance(year, float) and (math.isnan(year) or _FIRST_YEAR <= year < _LAST_YEAR):
        return year
    faults.append(Fault(field, str(value), f"a year from {_FIRST_YEAR} to {_LAST_YEAR}, or a date as YYYY-MM-DD"))
    return math.nan


def decimal_year(day: date) -> float:
    """Calendar time in years.

    >>> decimal_year(date(2021, 1, 1)), decimal_year(date(2020, 7, 2))
    (2021.0, 2020.5)
    """
    start = date(day.year, 1, 1)
    return day.year + (day - start).days / (date(day.year + 1, 1, 1) - start).days


def number_in(value: object) -> object:
    """A float where the text is one; otherwise what was given, for the fault to name."""
    if value is None or isinstance(value, bool) or (isinstance(value, str) and "_" in value):  # "1_2" is no number but to Python
        return value
    try:
        return float(value)  # type: ignore[arg-type]  # whatever cannot be a number is given back as it is
    except (TypeError, ValueError):
        return str(value)


def equals(text: str, sentinel: object) -> bool:
    """Whether a cell holds a word or number of the cohort file, however the number is written."""
    if text == str(sentinel):
        return True
    try:
        return isinstance(sentinel, int | float) and not isinstance(sentinel, bool) and float(text) == float(sentinel)
    except ValueError:
        return False
