"""Dated treatments before the index date, and the history they add up to."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from models.fault import Fault
from models.history import OUTCOMES, History

MODALITIES = (
    "chemotherapy",
    "immunotherapy",
    "targeted",
    "endocrine",
    "radiotherapy",
    "surgery",
    "steroid",
    "g-csf",
    "other",
)
SYSTEMIC = frozenset({"chemotherapy", "immunotherapy", "targeted", "endocrine", "other"})
DAYS_A_MONTH = 30.4375
CONFOUNDING_DAYS = 14.0  # steroids, G-CSF and infection this recent confound a blood count (clinical.md section 6)


class Treatment(NamedTuple):
    """A dated treatment; `end_days_before` is None while it runs."""

    modality: str
    start_days_before: float
    end_days_before: float | None = None
    line: int | None = None
    agents: tuple[str, ...] = ()
    outcome: str = "unknown"


def course_faults(courses: Sequence[Treatment], field: str) -> list[Fault]:
    """What is wrong with dated treatments: after the index date, ended before they began, words outside the lists."""
    faults = []
    for index, course in enumerate(courses):
        if _sound(course):
            continue
        start, end = course.start_days_before, course.end_days_before
        place = f"{field}/{index}"
        if not (math.isfinite(start) and start >= 0):
            faults.append(Fault(f"{place}/start", f"day {-start:g}", "a day on or before the index date"))
        if end is not None and not (math.isfinite(end) and end >= 0):
            faults.append(Fault(f"{place}/end", f"day {-end:g}", "a day on or before the index date, or none while it runs"))
        if end is not None and end > start:
            faults.append(Fault(f"{place}/end", f"day {-end:g}", "a day not before its start", "dates swapped"))
        for name, value, allowed in (("modality", course.modality, MODALITIES), ("outcome", course.outcome, OUTCOMES)):
            if value not in allowed:
                faults.append(Fault(f"{place}/{name}", str(value), "one of " + ", ".join(allowed)))
    return faults + _repeated(courses, field)


def _sound(course: Treatment) -> bool:
    """Whether there is no fault in it, as in nearly all."""
    start, end = course.start_days_before, course.end_days_before
    dated = 0 <= start < math.inf and (end is None or 0 <= end <= start)
    return dated and course.modality in MODALITIES and course.outcome in OUTCOMES


def _repeated(courses: Sequence[Treatment], field: str) -> list[Fault]:
    """The treatments that stand twice: each without a line number would count as a line."""
    if len(set(courses)) == len(courses):
        return []
    seen, faults = set(), []
    for index, course in enumerate(courses):
        if course in seen:
            faults.append(Fault(f"{field}/{index}", "a treatment twice", "each treatment once", "two sources merged"))
        seen.add(course)
    return faults


def summarise(courses: Sequence[Treatment]) -> History:
    """The history that dated treatments add up to; what no course speaks of stays unknown.

    Absence is believed only for systemic treatment: a list of systemic lines without immunotherapy says there was none, but a
    list of drugs says nothing of radiotherapy or of steroids.
    """
    systemic = [course for course in courses if course.modality in SYSTEMIC]
    ended = [course for course in systemic if course.end_days_before is not None]
    radiation = [course for course in courses if course.modality == "radiotherapy"]
    last = min(ended, key=lambda course: (course.end_days_before or 0.0, course.start_days_before), default=None)
    return History(
        prior_lines=float(_lines(ended)) if systemic else None,
        prior_systemic_therapy=float(bool(ended)) if systemic else None,
        prior_chemotherapy=_had(ended, "chemotherapy") if systemic else None,
        prior_immunotherapy=_had(ended, "immunotherapy") if systemic else None,
        prior_radiotherapy=1.0 if radiation else None,
        days_since_radiotherapy=min((course.end_days_before or 0.0 for course in radiation), default=None),
        months_on_therapy=_months(ended) if systemic else None,
        last_line_months=_last_line_months(ended, last) if last else None,
        last_line_outcome=last.outcome if last and last.outcome != "unknown" else None,
        steroids_14d=_recent(courses, "steroid"),
        gcsf_14d=_recent(courses, "g-csf"),
    )


def running(courses: Sequence[Treatment], longer_than: float = 7.0) -> list[Treatment]:
    """Systemic treatments that run on the index date and began more than `longer_than` days before it."""
    return [c for c in courses if c.modality in SYSTEMIC and c.end_days_before is None and c.start_days_before > longer_than]


def _lines(ended: Sequence[Treatment]) -> int:
    numbered = {course.line for course in ended if course.line is not None}
    return len(numbered) + sum(course.line is None for course in ended)


def _had(ended: Sequence[Treatment], modality: str) -> float:
    return float(any(course.modality == modality for course in ended))


def _months(ended: Sequence[Treatment]) -> float:
    """Months in which at least one of the courses ran: overlapping courses count once."""
    days, reached = 0.0, math.inf
    for course in sorted(ended, key=lambda course: -course.start_days_before):
        end = course.end_days_before or 0.0
        days += max(min(course.start_days_before, reached) - end, 0.0)
        reached = min(reached, end)
    return days / DAYS_A_MONTH


def _last_line_months(ended: Sequence[Treatment], last: Treatment) -> float:
    same = [course for course in ended if course is last or (last.line is not None and course.line == last.line)]
    start = max(course.start_days_before for course in same)
    return (start - (last.end_days_before or 0.0)) / DAYS_A_MONTH


def _recent(courses: Sequence[Treatment], modality: str) -> float | None:
    """Yes, where a course of it ended within 14 days or runs; an older course says nothing of what was given since."""
    ends = [course.end_days_before or 0.0 for course in courses if course.modality == modality]
    return 1.0 if min(ends, default=math.inf) <= CONFOUNDING_DAYS else None
