"""A patient as known on the index date: measurements, treatments and history, all in days before it.

Days are counted backwards from the index date (0 is the index date itself, 14 is two weeks earlier), so that nothing which
happened later can be written down. A baseline file, a request over HTTP and a landmark make patients through the one
function `assemble`, which names every fault at once.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from models.courses import DAYS_A_MONTH, Treatment, course_faults, summarise
from models.fault import Fault
from models.history import FLAGS, History, read_history
from models.history_doubts import of_a_person, of_a_summary, of_courses, of_history
from models.measurements import ALC_FLOOR, CURRENT_DAYS, STALE_DAYS, GivenMeasurement, Measurement, read_measurements
from models.tumours import tumour_named

__all__ = [
    "ALC_FLOOR",
    "CURRENT_DAYS",
    "SEXES",
    "SEX_WORDS",
    "STALE_DAYS",
    "GivenMeasurement",
    "InvalidPatient",
    "Measurement",
    "Patient",
    "assemble",
]

DAYS_A_YEAR = 365.25
SEXES = ("female", "male", "unknown")
# lengths in days and months may be rounded, and dated treatments are the better witness; these are either so or not
_CONTRADICTABLE = frozenset({"prior_lines", "last_line_outcome", *FLAGS})
SEX_WORDS = {"f": "female", "m": "male", "w": "female", "woman": "female", "man": "male", "other": "unknown", "": "unknown"}


class InvalidPatient(ValueError):
    """A patient whose description contradicts itself or cannot be read; `faults` names every field at fault.

    The rule it defends: units are converted or refused, never guessed, and nothing after the index date is known.
    """

    def __init__(self, faults: Sequence[Fault]):
        self.faults = tuple(faults)
        super().__init__("; ".join(map(str, self.faults)))


@dataclass(frozen=True)
class Patient:
    """An adult with a solid tumour as known on the index date."""

    id: str
    age_years: float
    sex: str
    tumour: str
    measurements: tuple[Measurement, ...] = ()
    treatments: tuple[Treatment, ...] = ()
    history: History = field(default_factory=History)
    extra: Mapping[str, float | str] = field(default_factory=dict)
    site: str = ""
    audit: Mapping[str, str] = field(default_factory=dict)
    doubts: tuple[str, ...] = ()  # what can be true and looks like a slip: sentences without a value
    landmark: float | None = None  # days from the index event of a follow-up to this day; None: this day is that event
    carried: float = STALE_DAYS  # days that a value may be old and still be the current one

    @property
    def day(self) -> str:
        """What the day is called on which the patient is as described."""
        return "index date" if self.landmark is None else "landmark"

    @cached_property
    def series(self) -> dict[str, list[Measurement]]:
        """The measurements of each analyte, newest first; equal days keep the order in which they were given."""
        found: dict[str, list[Measurement]] = {}
        for measurement in sorted(self.measurements, key=lambda m: m.days_before_index):
            found.setdefault(measurement.analyte, []).append(measurement)
        return found

    @cached_property
    def _current(self) -> dict[str, Measurement]:
        return {analyte: found[0] for analyte, found in self.series.items() if found[0].days_before_index <= self.carried}

    def current(self, analyte: str) -> Measurement | None:
        """The newest measurement that is at most `carried` days old (28; at a landmark as its model says), or None."""
        return self._current.get(analyte)

    def earlier(self, analyte: str, apart: float = 14.0, within: float = 120.0) -> Measurement | None:
        """The newest measurement at least `apart` days older than the current one and at most `within` days old, or None."""
        now = self.current(analyte)
        if now is None:
            return None
        older = (one for one in self.series[analyte] if one.days_before_index >= now.days_before_index + apart)
        found = next(older, None)
        return found if found and found.days_before_index <= within else None

    def on_day(self, analyte: str, days_before_index: float) -> Measurement | None:
        """The measurement of that very day, or None."""
        for one in self.series.get(analyte, ()):
            if one.days_before_index == days_before_index:
                return one
        return None


def assemble(
    *,
    id: str,
    age_years: object,
    sex: object,
    tumour: object,
    measurements: Iterable[GivenMeasurement] = (),
    treatments: Iterable[Treatment] = (),
    history: Mapping[str, object] | None = None,
    extra: Mapping[str, float | str] | None = None,
    site: str = "",
    audit: Mapping[str, str] | None = None,
    fields: Mapping[str, str] | None = None,
    faults: Sequence[Fault] = (),
    doubts: Sequence[str] = (),
) -> Patient:
    """The patient described, or InvalidPatient naming every field at fault.

    `fields` names the place of each simple field ("/age_years", "column age"); `faults` and `doubts` are those the caller has
    found already.
    """
    where, found, doubted = fields or {}, list(faults), list(doubts)
    given, courses = list(measurements), tuple(treatments)
    measured = read_measurements(given, found, doubted)
    found += course_faults(courses, where.get("treatments", "treatments"))
    summary = read_history(history or {}, where, found)
    patient = Patient(
        id=id,
        age_years=_age(age_years, where.get("age_years", "age_years"), found),
        sex=_sex(sex, where.get("sex", "sex"), found),
        tumour=_tumour(tumour, where.get("tumour", "tumour"), found),
        measurements=measured,
        treatments=courses,
        history=_with_courses(summary, courses, where, found, doubted),
        extra=extra or {},
        site=site,
        audit=audit or {},
    )
    found += _before_birth(patient, given, summary, where)
    if found:
        raise InvalidPatient(found)
    doubted += of_a_person(patient.age_years, patient.sex, patient.tumour)
    doubted += [*of_history(patient.history), *of_courses(patient.treatments)]
    return replace(patient, doubts=tuple(dict.fromkeys(doubted))) if doubted else patient


def _before_birth(
    patient: Patient, given: Sequence[GivenMeasurement], summary: History, where: Mapping[str, str]
) -> Iterator[Fault]:
    """What lies further back than the patient's life; a year more, since ages are rounded."""
    days = (patient.age_years + 1) * DAYS_A_YEAR
    allowed = "a day within the patient's life"
    yield from (Fault(one.beside("date"), "a day before birth", allowed) for one in given if one.days_before_index > days)
    for index, course in enumerate(patient.treatments):
        if course.start_days_before > days:
            yield Fault(f"{where.get('treatments', 'treatments')}/{index}/start", "a day before birth", allowed)
    for name, unit in (("days_since_radiotherapy", 1.0), ("months_on_therapy", DAYS_A_MONTH), ("last_line_months", DAYS_A_MONTH)):
        if (getattr(summary, name) or 0.0) * unit > days:
            yield Fault(where.get(name, name), "longer than the patient's life", "a time within the patient's life")


def _age(given: object, field: str, faults: list[Fault]) -> float:
    if isinstance(given, int | float) and not isinstance(given, bool) and 0 <= given <= 120:
        return float(given)
    likely = "a year of birth" if isinstance(given, int | float) and 1900 <= given <= 2100 else ""
    faults.append(Fault(field, "nothing" if given is None else str(given), "a number of years from 0 to 120", likely))
    return math.nan


def _sex(given: object, field: str, faults: list[Fault]) -> str:
    word = "" if given is None else str(given).strip().lower()
    sex = SEX_WORDS.get(word, word)
    if sex not in SEXES:
        faults.append(Fault(field, str(given), "female, male or unknown", "a code of the source that needs a map"))
    return sex


def _tumour(given: object, field: str, faults: list[Fault]) -> str:
    try:
        return tumour_named("" if given is None else str(given))
    except ValueError as error:
        faults.append(Fault(field, "nothing" if given is None else str(given), str(error)))
        return "unknown primary"


def _with_courses(
    summary: History, courses: Sequence[Treatment], where: Mapping[str, str], faults: list[Fault], doubts: list[str]
) -> History:
    """The history with what dated treatments say; a summary that contradicts them is a fault, or of a span a doubt."""
    if not courses:
        return summary
    whole = summarise(courses)
    doubts += of_a_summary(summary, whole)
    dated, stated = whole.known(), summary.known()
    for name in sorted(dated.keys() & stated.keys() & _CONTRADICTABLE):
        if stated[name] != dated[name]:
            given = f"{stated[name]} (dated treatments: {dated[name]})"
            faults.append(Fault(where.get(name, name), given, "what the dated treatments say"))
    return summary.filled_by(whole)
