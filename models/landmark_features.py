"""What is known of a patient only because time has passed: how counts moved since the index date, and what was given since.

Each is one function of a Patient who is seen at a landmark, made from what was known on that day. At the index date itself
nothing has moved; for a patient who is not seen at a landmark none of them applies.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

from models.ca19_9 import cholestasis, undetectable
from models.courses import SYSTEMIC
from models.feature import NOT_APPLICABLE, NOT_INTERPRETABLE, NOT_MEASURED, Feature, Group, Reading
from models.measurements import ALC_FLOOR, STALE_DAYS, Measurement
from models.neutrophils import NLR_CAP, neutropenic
from models.patient import Patient
from models.recovery import CUT_OFF, recovered_on
from models.tumours import CA19_9_TUMOURS

NLR_FLOOR = 0.1  # smaller ratios are not told apart in a change
CRP_FLOOR = 0.1  # mg/L
CYCLE = 28.0  # days after a dose in which the next one may still be due: the longest usual cycle of chemotherapy
_PACE, _APART = 28.0, 14.0  # days: what a pace is told for, and what two draws are apart at least
LOW, SEVERE = 1.0, 0.5  # 10*9/L: lymphopenia, and of CTCAE v5 grade 3 or 4
_BLOOD: Group = "lymphocytes and inflammation"
_BURDEN: Group = "tumour burden"
_HISTORY: Group = "treatment history"
_ORGANS: Group = "nutrition and organ function"
_PATIENT: Group = "patient"
_TIME: Group = "time since the index date"


class _Seen(NamedTuple):
    """A patient seen at a landmark, so many days after the index date."""

    patient: Patient
    days: float

    def since(self, analyte: str) -> list[Measurement]:
        """The draws from the index date on, oldest first."""
        return [one for one in reversed(self.patient.series.get(analyte, [])) if one.days_before_index <= self.days]

    def at_index(self, analyte: str) -> Measurement | None:
        """The newest draw on the index date or at most 28 days before it."""
        older = (one for one in self.patient.series.get(analyte, []) if one.days_before_index >= self.days)
        found = next(older, None)
        return found if found and found.days_before_index <= self.days + STALE_DAYS else None


def _at_landmark(read: Callable[[_Seen], Reading]) -> Callable[[Patient], Reading]:
    def of(patient: Patient) -> Reading:
        return NOT_APPLICABLE if patient.landmark is None else read(_Seen(patient, patient.landmark))

    return of


def _since_index(analyte: str, floor: float) -> Callable[[_Seen], Reading]:
    """ln of the current value over that of the index date."""
    def read(seen: _Seen) -> Reading:
        now, then = seen.patient.current(analyte), seen.at_index(analyte)
        if now is None or then is None:
            return NOT_MEASURED
        if analyte == "nlr" and (neutropenic(seen.patient, now) or neutropenic(seen.patient, then)):
            return NOT_INTERPRETABLE
        return Reading(math.log(max(now.value, floor) / max(then.value, floor)))

    return read


def _ca19_9_since_index(seen: _Seen) -> Reading:
    if seen.patient.tumour not in CA19_9_TUMOURS:
        return NOT_APPLICABLE
    now, then = seen.patient.current("ca19_9"), seen.at_index("ca19_9")
    if now is None or then is None or now.method != then.method:
        return NOT_MEASURED  # changes are taken within one assay: platforms differ up to two-fold
    if undetectable(now) or undetectable(then):
        return NOT_APPLICABLE
    if cholestasis(seen.patient) or ">" in (now.limit, then.limit):  # of two "at least" no change can be told
        return NOT_INTERPRETABLE
    return Reading(math.log10(now.value / then.value))


def _albumin_since_index(seen: _Seen) -> Reading:
    now, then = seen.patient.current("albumin"), seen.at_index("albumin")
    return NOT_MEASURED if now is None or then is None else Reading(now.value - then.value)


def _pace(analyte: str, change: Callable[[_Seen], Reading]) -> Callable[[_Seen], Reading]:
    """The change since the index date as if it had taken four weeks: early on, it says more of what is to come than the change.

    Two draws less than two weeks apart are taken as two weeks apart: their scatter is not a pace.
    """
    def read(seen: _Seen) -> Reading:
        found, now, then = change(seen), seen.patient.current(analyte), seen.at_index(analyte)
        if found.status != "measured" or now is None or then is None:
            return found
        apart = then.days_before_index - now.days_before_index
        return Reading(found.value * _PACE / max(apart, _APART))

    return read


def _ecog_at_index(seen: _Seen) -> Reading:
    found = seen.at_index("ecog")
    return NOT_MEASURED if found is None else Reading(found.value)


def _alc_at_index(seen: _Seen) -> Reading:
    found = seen.at_index("alc")
    return NOT_MEASURED if found is None else Reading(math.log(max(found.value, ALC_FLOOR)))


def _nlr_at_index(seen: _Seen) -> Reading:
    found = seen.at_index("nlr")
    if found is None:
        return NOT_MEASURED
    if neutropenic(seen.patient, found):
        return NOT_INTERPRETABLE
    return Reading(math.log(min(found.value, NLR_CAP)))


def _nadir(seen: _Seen) -> Reading:
    first = seen.at_index("alc")
    values = [one.value for one in (*seen.since("alc"), *([] if first is None else [first]))]
    return Reading(math.log(max(min(values), ALC_FLOOR))) if values else NOT_MEASURED


def _days_below(threshold: float) -> Callable[[_Seen], Reading]:
    """Days since the index date on which the newest ALC, carried as long as a value may be, lay below the threshold."""
    def read(seen: _Seen) -> Reading:
        spans = list(_spans(seen))
        if not spans:
            return NOT_MEASURED
        return Reading(sum(days for one, days in spans if one.below(threshold)))

    return read


def _spans(seen: _Seen) -> Iterator[tuple[Measurement, float]]:
    """Each draw of ALC that speaks of a day since the index date, and of how many: until the next, as far as it is carried."""
    first = seen.at_index("alc")
    draws = [*([] if first is None else [first]), *(one for one in seen.since("alc") if one is not first)]
    for place, one in enumerate(draws):
        begins = min(one.days_before_index, seen.days)
        ends = draws[place + 1].days_before_index if place + 1 < len(draws) else 0.0
        yield one, max(begins - max(ends, one.days_before_index - seen.patient.carried), 0.0)


def _recovered(seen: _Seen) -> Reading:
    first = seen.at_index("alc")
    if first is None:
        return NOT_MEASURED
    if not first.below(CUT_OFF):
        return NOT_APPLICABLE
    draws = [(seen.days - one.days_before_index, one.value) for one in seen.since("alc") if one is not first]
    return Reading(float(recovered_on(draws) is not None))


def on_therapy(patient: Patient) -> bool:
    """Whether a systemic treatment runs, or was given within a cycle: whether another dose will follow is not known."""
    ends = (course.end_days_before for course in patient.treatments if course.modality in SYSTEMIC)
    return any(end is None or end <= CYCLE for end in ends)


def _on_therapy(seen: _Seen) -> Reading:
    told = any(course.modality in SYSTEMIC for course in seen.patient.treatments)
    return Reading(float(on_therapy(seen.patient))) if told else NOT_MEASURED


def _ln_days_since_therapy(seen: _Seen) -> Reading:
    courses = [course for course in seen.patient.treatments if course.modality in SYSTEMIC]
    if not courses:
        return NOT_APPLICABLE if seen.patient.history.prior_systemic_therapy == 0 else NOT_MEASURED
    return Reading(math.log(min(course.end_days_before or 0.0 for course in courses) + 1.0))


def _current_line(seen: _Seen) -> Reading:
    """The number of the line that runs, or of the last that did."""
    courses = [course for course in seen.patient.treatments if course.modality in SYSTEMIC]
    numbered = [course.line for course in courses if course.line is not None]
    if numbered:
        return Reading(float(max(numbered)))
    lines = seen.patient.history.prior_lines
    running = any(course.end_days_before is None for course in courses)
    return NOT_MEASURED if lines is None else Reading(lines + running)


LANDMARK_FEATURES = (
    # Signed like the counts themselves: what an ALC of today moves must move the risk in one direction.
    Feature("alc_since_index", "lymphocyte count over that of the index date", _BLOOD, "1",
            _at_landmark(_since_index("alc", ALC_FLOOR)), -1, "ln", "alc"),
    Feature("nlr_since_index", "NLR over that of the index date", _BLOOD, "1",
            _at_landmark(_since_index("nlr", NLR_FLOOR)), +1, "ln", "nlr"),
    Feature("ln_alc_at_index", "absolute lymphocyte count on the index date", _BLOOD, "10*9/L",
            _at_landmark(_alc_at_index), -1, "ln", "alc"),
    Feature("ln_nlr_at_index", "neutrophil-to-lymphocyte ratio on the index date", _BLOOD, "1",
            _at_landmark(_nlr_at_index), +1, "ln", "nlr"),
    Feature("ln_alc_nadir", "lowest lymphocyte count since the index date", _BLOOD, "10*9/L",
            _at_landmark(_nadir), -1, "ln", "alc"),
    Feature("days_alc_below_1", "days with ALC below 1.0 since the index date", _BLOOD, "d",
            _at_landmark(_days_below(LOW)), +1, analyte="alc"),
    Feature("days_alc_below_half", "days with ALC below 0.5 since the index date", _BLOOD, "d",
            _at_landmark(_days_below(SEVERE)), +1, analyte="alc"),
    Feature("alc_recovered", "lymphocytes recovered by this day", _BLOOD, "", _at_landmark(_recovered), -1, "flag", "alc"),
    Feature("crp_since_index", "C-reactive protein over that of the index date", _BLOOD, "1",
            _at_landmark(_since_index("crp", CRP_FLOOR)), 0, "ln", "crp"),
    Feature("albumin_since_index", "change of albumin since the index date", _ORGANS, "g/L",
            _at_landmark(_albumin_since_index), 0, analyte="albumin"),
    Feature("ldh_since_index", "LDH over that of the index date", _BURDEN, "1",
            _at_landmark(_since_index("ldh", 1.0)), 0, "ln", "ldh"),
    Feature("ca19_9_since_index", "CA19-9 over that of the index date", _BURDEN, "1",
            _at_landmark(_ca19_9_since_index), 0, "log10", "ca19_9"),
    Feature("ldh_pace", "LDH: pace of its change since the index date (four weeks)", _BURDEN, "1",
            _at_landmark(_pace("ldh", _since_index("ldh", 1.0))), 0, "ln", "ldh"),
    Feature("ca19_9_pace", "CA19-9: pace of its change since the index date (four weeks)", _BURDEN, "1",
            _at_landmark(_pace("ca19_9", _ca19_9_since_index)), 0, "log10", "ca19_9"),
    Feature("on_therapy", "on systemic therapy", _HISTORY, "", _at_landmark(_on_therapy), 0, "flag"),
    Feature("ln_days_since_therapy", "days since systemic therapy (plus 1)", _HISTORY, "d",
            _at_landmark(_ln_days_since_therapy), 0, "ln"),
    Feature("current_line", "line of treatment on this day", _HISTORY, "1", _at_landmark(_current_line), +1),
    # Performance status is seldom written down again: after `carried` days nobody would know it.
    Feature("ecog_at_index", "ECOG performance status on the index date", _PATIENT, "{score}",
            _at_landmark(_ecog_at_index), +1, analyte="ecog"),
    Feature("landmark_days", "days since the index date", _TIME, "d", _at_landmark(lambda seen: Reading(seen.days))),
)
# What was measured on the index date: nothing that is said of today's draw is said of it.
AT_INDEX = frozenset({"ln_alc_at_index", "ln_nlr_at_index", "ecog_at_index"})
