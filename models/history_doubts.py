"""What is possible of a patient's history and still looks like a slip: said beside the answer, and no reason to refuse.

A line of treatment that begins before the one before it, ninety-nine months on therapy, a last line longer than all of them. Each
doubt is a sentence without a value, so that it can stand in any answer.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from models.courses import SYSTEMIC, Treatment
from models.history import History
from models.reading import NINES

_OLDEST_USUAL = 95.0  # years; and 99 is a code of many sources for "not known"
# more than these are rare, and 9, 99 and 999 are codes of many sources for "not known"
_USUAL_HISTORY: Mapping[str, float] = {
    "prior_lines": 8,
    "metastatic_sites": 8,
    "months_on_therapy": 96,
    "last_line_months": 72,
    "days_since_radiotherapy": 9000,
}
_A_ROUNDED_MONTH = 1.0
# Of a span that is stated and dated: how far both may lie apart, in its own unit, and be one told in round numbers
_APART: Mapping[str, float] = {"months_on_therapy": 2.0, "last_line_months": 2.0, "days_since_radiotherapy": 31.0}
_OF_ONE_SEX: Mapping[str, str] = {"prostate": "female", "ovarian": "male", "endometrial": "male"}


def of_a_person(age_years: float, sex: str, tumour: str) -> Iterator[str]:
    """What to check of age and sex."""
    if age_years > _OLDEST_USUAL:
        yield "age: rarely so high, and nines are a code for what is not known; check it"
    if sex == _OF_ONE_SEX.get(tumour):
        yield "sex and tumour: rarely together; check both"


def of_history(history: History) -> Iterator[str]:
    """What to check of the history, dated or stated."""
    for name, usual in _USUAL_HISTORY.items():
        if (found := getattr(history, name)) is not None and (found > usual or (found >= 999 and found in NINES)):
            yield f"{_words(name)}: rarely so many, and nines are a code for what is not known; check it"
    last, whole = history.last_line_months, history.months_on_therapy
    if last is not None and whole is not None and last > whole + _A_ROUNDED_MONTH:
        yield "last line: longer than all months on therapy, of which it is a part; check both"
    if history.metastatic_sites == 0 and history.liver_metastases == 1:
        yield "liver metastases and no metastatic site, though the liver is one; check both"
    if history.prior_systemic_therapy == 0:
        for name in ("prior_chemotherapy", "prior_immunotherapy"):
            if getattr(history, name) == 1:
                yield f"{_words(name)}, and no prior line: right if it was not for advanced disease; check it"


def of_a_summary(stated: History, dated: History) -> Iterator[str]:
    """What to check where the summary tells a span that is not the one of the dated treatments, which are what is used."""
    for name, apart in _APART.items():
        told, found = getattr(stated, name), getattr(dated, name)
        if told is not None and found is not None and abs(told - found) > apart:
            yield f"{_words(name)}: not what the dated treatments say, which are used; check both"


def of_courses(courses: Sequence[Treatment]) -> Iterator[str]:
    """What to check of dated treatments: lines that run into each other, or backwards, and outcomes of what has not ended."""
    systemic = sorted((c for c in courses if c.modality in SYSTEMIC), key=lambda c: (-c.start_days_before, c.line or 0))
    if any(course.end_days_before is None and course.outcome != "unknown" for course in systemic):
        yield "a treatment has an outcome and no end: it is read as still running; check its end"
    lines = [(course.line, course) for course in systemic if course.line is not None]
    if any(earlier > later for (earlier, _), (later, _) in pairwise(lines)):
        yield "a line begins before one with a lower number; check lines and dates"
    if _run_together(lines):
        yield "lines of different numbers ran at the same time; check lines and dates"
    if _run_together(list(enumerate(course for course in systemic if course.line is None))):
        yield "treatments without a line number ran at the same time: each counts as a line of its own; give the numbers"


def _run_together(courses: Sequence[tuple[int, Treatment]]) -> bool:
    """Whether two courses of different numbers, oldest first, ran together for more than a day."""
    reached, number, before = math.inf, -1, math.inf  # the end nearest the index date, whose it is, and that of any other number
    for line, course in courses:
        others = before if line == number else reached
        if course.start_days_before - max(others, course.end_days_before or 0.0) > 1:
            return True
        end = course.end_days_before or 0.0
        if line == number:
            reached = min(reached, end)
        elif end < reached:
            reached, number, before = end, line, reached
        else:
            before = min(before, end)
    return False


def _words(name: str) -> str:
    return name.replace("_", " ")
