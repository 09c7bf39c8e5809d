"""A patient as known on the index date: measurements, treatments and history, all in days before it.

Days are counted backwards from the index date (0 is the index date itself, 14 is two weeks earlier), so that nothing which
happened later can be written down. A baseline file, a request over HTTP and a landmark make patients through the one
function `assemble`, which names every fault at once.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from models.analytes import ANALYTES, InvalidQuantity, Limit, Quantity, ecog_from_karnofsky, quantity
from models.courses import Treatment, course_faults, summarise
from models.fault import Fault
from models.history import History, read_history
from models.tumours import tumour_named

CURRENT_DAYS = 14.0  # a lab this old is used as it is (clinical.md section 5)
STALE_DAYS = 28.0  # up to here it is used and said to be stale; older is history only
NLR_TOLERANCE = 0.05  # a given NLR may differ this much from ANC / ALC of the same draw
SEXES = ("female", "male", "unknown")
_SEX_WORDS = {"f": "female", "m": "male", "w": "female", "woman": "female", "man": "male", "other": "unknown", "": "unknown"}


class InvalidPatient(ValueError):
    """A patient whose description contradicts itself or cannot be read; `faults` names every field at fault.

    The rule it defends: units are converted or refused, never guessed, and nothing after the index date is known.
    """

    def __init__(self, faults: Sequence[Fault]):
        self.faults = tuple(faults)
        super().__init__("; ".join(map(str, self.faults)))


class GivenMeasurement(NamedTuple):
    """A measurement as a file or a request states it, with the place it stood for the sake of errors."""

    analyte: str
    value: float | int | str
    unit: str | None
    days_before_index: float = 0.0
    uln: float | None = None
    method: str = ""
    field: str = ""


@dataclass(frozen=True, slots=True)
class Measurement:
    """A measured value in the canonical unit of its analyte, `days_before_index` days before the index date."""

    analyte: str
    value: float
    days_before_index: float
    limit: Limit = ""
    converted: bool = False
    plausible: bool = True
    uln: float | None = None
    method: str = ""
    given: str = ""

    @property
    def stale(self) -> bool:
        return self.days_before_index > CURRENT_DAYS


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

    @cached_property
    def series(self) -> dict[str, list[Measurement]]:
        """The measurements of each analyte, newest first; equal days keep the order in which they were given."""
        found: dict[str, list[Measurement]] = {}
        for measurement in sorted(self.measurements, key=lambda m: m.days_before_index):
            found.setdefault(measurement.analyte, []).append(measurement)
        return found

    def current(self, analyte: str) -> Measurement | None:
        """The newest measurement of at most 28 days before the index date, or None."""
        newest = self.series.get(analyte)
        return newest[0] if newest and newest[0].days_before_index <= STALE_DAYS else None

    def earlier(self, analyte: str, apart: float = 14.0, within: float = 120.0) -> Measurement | None:
        """The newest measurement at least `apart` days older than the current one and at most `within` days old, or None."""
        now = self.current(analyte)
        for measurement in self.series.get(analyte, ()) if now else ():
            if now and measurement.days_before_index >= now.days_before_index + apart:
                return measurement if measurement.days_before_index <= within else None
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
) -> Patient:
    """The patient described, or InvalidPatient naming every field at fault.

    `fields` names the place of each simple field ("/age_years", "column age"); `faults` are those the caller has found already.
    """
    where, found = fields or {}, list(faults)
    measured = _read_measurements(measurements, found)
    courses = tuple(treatments)
    found += course_faults(courses, where.get("treatments", "treatments"))
    summary = read_history(history or {}, where, found)
    patient = Patient(
        id=id,
        age_years=_age(age_years, where.get("age_years", "age_years"), found),
        sex=_sex(sex, where.get("sex", "sex"), found),
        tumour=_tumour(tumour, where.get("tumour", "tumour"), found),
        measurements=tuple(measured),
        treatments=courses,
        history=_with_courses(summary, courses, where, found),
        extra=extra or {},
        site=site,
        audit=audit or {},
    )
    if found:
        raise InvalidPatient(found)
    return patient


def _age(given: object, field: str, faults: list[Fault]) -> float:
    if isinstance(given, int | float) and not isinstance(given, bool) and 0 <= given <= 120:
        return float(given)
    likely = "a year of birth" if isinstance(given, int | float) and 1900 <= given <= 2100 else ""
    faults.append(Fault(field, "nothing" if given is None else str(given), "a number of years from 0 to 120", likely))
    return math.nan


def _sex(given: object, field: str, faults: list[Fault]) -> str:
    word = "" if given is None else str(given).strip().lower()
    sex = _SEX_WORDS.get(word, word)
    if sex not in SEXES:
        faults.append(Fault(field, str(given), "female, male or unknown", "a code of the source that needs a map"))
    return sex


def _tumour(given: object, field: str, faults: list[Fault]) -> str:
    try:
        return tumour_named("" if given is None else str(given))
    except ValueError as error:
        faults.append(Fault(field, "nothing" if given is None else str(given), str(error)))
        return "unknown primary"


def _read_measurements(given: Iterable[GivenMeasurement], faults: list[Fault]) -> list[Measurement]:
    draws: dict[float, dict[str, Measurement]] = {}
    measured: list[Measurement] = []
    places: dict[str, str] = {}
    for one in given:
        read = _read_measurement(one, faults)
        if read is None:
            continue
        draw = draws.setdefault(read.days_before_index, {})
        if read.analyte in draw and draw[read.analyte].value != read.value:
            faults.append(Fault(one.field or one.analyte, f"two values on day {read.days_before_index:g}", "one value a day"))
        draw.setdefault(read.analyte, read)
        places[read.analyte] = one.field or one.analyte
        measured.append(read)
    made = [one for day, draw in draws.items() for one in _derived(day, draw, places, faults)]
    recomputed = {one.days_before_index for one in made if one.analyte == "nlr"}
    return [one for one in measured if one.analyte != "nlr" or one.days_before_index not in recomputed] + made


def _read_measurement(one: GivenMeasurement, faults: list[Fault]) -> Measurement | None:
    field = one.field or one.analyte
    try:
        if one.analyte not in ANALYTES:
            raise InvalidQuantity(Fault(field, one.analyte, "one of " + ", ".join(ANALYTES)))
        read: Quantity = quantity(one.analyte, one.value, one.unit, field)
    except InvalidQuantity as error:
        faults.append(error.fault)
        return None
    day = one.days_before_index
    if not (math.isfinite(day) and day >= 0):
        faults.append(Fault(field, f"day {-day:g}", "a day on or before the index date", "measured after the index date"))
        return None
    if one.uln is not None and not (math.isfinite(one.uln) and one.uln > 0):
        faults.append(Fault(field, f"upper limit of normal {one.uln}", "a positive number"))
        return None
    name, value = one.analyte, read.value
    if name == "karnofsky":
        name, value = "ecog", float(ecog_from_karnofsky(value))
    return Measurement(
        name, value, day, read.limit, read.converted, read.plausible, one.uln, one.method, f"{one.value} {one.unit}"
    )


def _derived(day: float, draw: dict[str, Measurement], places: Mapping[str, str], faults: list[Fault]) -> list[Measurement]:
    """Counts from percentages, NLR from counts, and the parts held against the whole, for one draw."""
    made: list[Measurement] = []
    for count, share in (("alc", "lymphocyte_pct"), ("anc", "neutrophil_pct")):
        if count not in draw and share in draw and "wbc" in draw:
            made.append(_count_of_share(count, draw["wbc"], draw[share]))
            draw[count] = made[-1]
            if not 0 <= made[-1].value <= ANALYTES[count].hard[1]:
                faults.append(Fault(places[share], made[-1].given, f"{count} up to {ANALYTES[count].hard[1]:g} 10*9/L"))
    if "alc" in draw and "anc" in draw:
        faults += _parts_larger_than_whole(draw, places)
        made += _ratio(day, draw, places, faults)
    return made


def _count_of_share(count: str, wbc: Measurement, share: Measurement) -> Measurement:
    # WBC 8 with 10 % lymphocytes is the same patient, to the bit, as ALC 0.8: one division by 100, last
    value = wbc.value * share.value / 100
    plausible = wbc.plausible and share.plausible and ANALYTES[count].plausible[0] <= value <= ANALYTES[count].plausible[1]
    return Measurement(
        count, value, wbc.days_before_index, wbc.limit or share.limit, True, plausible, given=f"{wbc.given} x {share.given}"
    )


def _parts_larger_than_whole(draw: Mapping[str, Measurement], places: Mapping[str, str]) -> list[Fault]:
    if "wbc" not in draw or "lymphocyte_pct" in draw and "neutrophil_pct" in draw:
        return []
    parts, whole = draw["alc"].value + draw["anc"].value, draw["wbc"].value
    if parts <= whole * 1.05 + 0.2:  # clinical.md section 5
        return []
    given = f"{whole:g} with ALC + ANC = {parts:g} 10*9/L"
    return [Fault(places["wbc"], given, "ALC + ANC at most WBC + 5 % + 0.2", "counts of different draws or units")]


def _ratio(day: float, draw: Mapping[str, Measurement], places: Mapping[str, str], faults: list[Fault]) -> list[Measurement]:
    alc, anc = draw["alc"], draw["anc"]
    value = min(anc.value / max(alc.value, ALC_FLOOR), ANALYTES["nlr"].hard[1])
    given = draw.get("nlr")
    if given is not None:
        if abs(given.value - value) > NLR_TOLERANCE * value:
            said = f"{given.value:g} where ANC / ALC is {value:.3g}"
            faults.append(Fault(places["nlr"], said, "ANC / ALC of the same draw, within 5 %", "counts of another draw, or swapped"))
    return [Measurement("nlr", value, day, anc.limit or alc.limit, True, given=f"{anc.given} / {alc.given}")]


ALC_FLOOR = 0.05  # 10*9/L: a count of 0 or below detection is taken as this (clinical.md section 5)


def _with_courses(
    summary: History, courses: Sequence[Treatment], where: Mapping[str, str], faults: list[Fault]
) -> History:
    """The history with what dated treatments say; a summary that contradicts them is a fault."""
    if not courses:
        return summary
    dated = summarise(courses)
    for name, value in dated.known().items():
        given = summary.known().get(name)
        if given is not None and given != value and name in ("prior_lines", "last_line_outcome"):
            faults.append(Fault(where.get(name, name), f"{given} (dated treatments: {value})", "what the dated treatments say"))
    return summary.filled_by(dated)
