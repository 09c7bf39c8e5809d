"""Each different result of a source is judged once, by the rules that every patient's results are held to.

Millions of rows hold some thousands of different results: those alone come to Python. What is refused keeps the reason, which
names an analyte and a unit, and never a value.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

from models.analytes import ANALYTES, InvalidQuantity, factor_of, quantity, require_unit
from models.fault import Fault
from models.measurements import GivenMeasurement, read_measurements
from models.reading import read
from training.sources.database import Columns, Work
from training.sources.stages import NO_NUMBER

KEY = ("analyte", "sign", "number", "words", "unit", "unit_words", "uln")
JUDGED: Columns = {
    "analyte": "TEXT", "sign": "TEXT", "number": "DOUBLE PRECISION", "words": "TEXT", "unit": "TEXT", "unit_words": "TEXT",
    "uln": "DOUBLE PRECISION", "value": "TEXT", "in_unit": "TEXT", "canonical": "DOUBLE PRECISION", "bound": "TEXT",
    "limit_high": "DOUBLE PRECISION", "converted": "INTEGER", "remark": "TEXT", "why": "TEXT",
}
FROM_TEXT, LIMIT_LEFT_OUT = "comparator told in the text alone", "upper limit of normal left out: not a possible one"
_SIGNS = {"": "", "=": "", "<": "<", "<=": "<=", ">": ">", ">=": ">="}


class Result(NamedTuple):
    """A result that may be used, in the unit in which it was given."""

    value: str
    unit: str
    uln: float | None
    remark: str


class NoResult(ValueError):
    """A result that cannot be used; the message is the reason, and holds no value of a patient."""


def judge_all(work: Work) -> None:
    """Make the table `judged` of the different results in `measured`."""
    columns = ", ".join(KEY)
    work.fill("judged", JUDGED, (_row(*row) for row in work.rows(f"SELECT DISTINCT {columns} FROM measured")))


def _row(analyte: str, sign: str, number: float, words: str, unit: str, unit_words: str, uln: float) -> tuple[object, ...]:
    key = (analyte, sign, number, words, unit, unit_words, uln)
    try:
        found = judged(*key)
    except NoResult as error:
        return (*key, "", "", NO_NUMBER, "", None, 0, "", str(error))
    read_as = quantity(analyte, _given(found.value), found.unit)
    return (*key, found.value, found.unit, read_as.value, read_as.limit, found.uln, int(read_as.converted), found.remark, "")


def judged(analyte: str, sign: str, number: float, words: str, unit: str, unit_words: str, uln: float = NO_NUMBER) -> Result:
    """The result, or NoResult. `unit` is a code, `unit_words` what the laboratory wrote: either may be "".

    >>> judged("alc", "", 800.0, "", "", "cells/uL").value
    '800'
    >>> judged("albumin", "", 38.0, "", "", "")
    Traceback (most recent call last):
        ...
    training.sources.judged.NoResult: no unit: it is never guessed
    """
    value, remark = _value(sign, number, words.strip())
    known = _unit(analyte, unit.strip(), unit_words.strip())
    high = None if uln == NO_NUMBER else uln
    faults = _faults(analyte, value, known, high)
    if faults and high is not None and not _faults(analyte, value, known, None):
        faults, high, remark = [], None, LIMIT_LEFT_OUT
    if faults:
        raise NoResult("not a possible value: another unit or quantity, or a code of the source for a missing one")
    return Result(value, known, high, remark)


def _faults(analyte: str, value: str, unit: str, uln: float | None) -> list[Fault]:
    faults: list[Fault] = []
    read_measurements([GivenMeasurement(analyte, _given(value), unit, 0.0, uln)], faults)
    return faults


def _given(value: str) -> float | str:
    return value if value[:1] in "<>" else float(value)


def _value(sign: str, number: float, words: str) -> tuple[str, str]:
    """The result as text, and a remark; a comparator may stand with the number, or only in the words beside it."""
    in_words, bound = read(words)
    if number == NO_NUMBER or not math.isfinite(number):
        if math.isnan(in_words):
            raise NoResult("text that is no result" if words else "no value")
        return (words.replace("\u2264", "<=").replace("\u2265", ">=") if bound else _plain(in_words)), ""
    if sign not in _SIGNS:
        raise NoResult("a comparator that is not known")
    if bound and in_words == number and not _SIGNS[sign]:
        return f"{bound}{_plain(number)}", FROM_TEXT
    if bound and _SIGNS[sign][:1] not in ("", bound):
        raise NoResult("a comparator and a text that contradict each other")
    return f"{_SIGNS[sign]}{_plain(number)}", ""


def _plain(number: float) -> str:
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)


def _unit(analyte: str, code: str, words: str) -> str:
    """The accepted unit; where code and words are both accepted and differ, neither."""
    if ANALYTES[analyte].step and not code and not words:
        return "{score}"  # a grade has no unit to be mistaken in
    known = list(_accepted(analyte, (code, words)))
    if not code and not words:
        raise NoResult("no unit: it is never guessed")
    if not known or (code and code not in known):
        raise NoResult(f"unit {(code or words)[:20]!r} is not accepted")
    if len({factor_of(analyte, one) for one in known}) > 1:
        raise NoResult("a unit code and the text of the unit that contradict each other")
    return known[0]


def _accepted(analyte: str, units: tuple[str, ...]) -> Iterator[str]:
    for unit in units:
        try:
            require_unit(analyte, unit)
        except InvalidQuantity:
            continue
        yield unit
