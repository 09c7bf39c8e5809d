"""What is possible cell by cell and doubtful as a whole: a lab that never varies, days under a months heading, a wrong unit.

Doubts refuse the cohort until somebody gives a reason to accept them; warnings refuse nothing. An impossible value is neither:
it is refused by its row, and no reason can make it true.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from models.analytes import ANALYTES, Analyte
from models.cohort_file import DAYS, CohortFile, LabColumn
from models.fault import Fault
from models.history import FLAGS
from models.patient import Measurement, Patient
from models.population import BEHIND
from models.units import plain
from training.reading.doubt import Doubt
from training.reading.leakage import leaks
from training.statistics.censoring import FollowUp

# No cohort of adults with advanced solid tumours has a median outside these (clinical.md section 2.3 gives the centres)
CREDIBLE_MEDIAN: Mapping[str, tuple[float, float]] = {
    "albumin": (25.0, 50.0),
    "alc": (0.4, 3.5),
    "anc": (2.0, 12.0),
    "bilirubin": (3.0, 60.0),
    "bmi": (16.0, 40.0),
    "creatinine": (40.0, 160.0),
    "crp": (0.3, 120.0),
    "hemoglobin": (9.0, 16.0),
    "lymphocyte_pct": (3.0, 45.0),
    "neutrophil_pct": (40.0, 92.0),
    "nlr": (1.2, 15.0),
    "platelets": (100.0, 500.0),
    "sodium": (125.0, 148.0),
    "wbc": (3.0, 20.0),
    "weight": (45.0, 110.0),
}
LONGEST_MEDIAN_DAYS = 8 * 365.25
SHORT_MEDIAN_DAYS, SHORT_LONGEST_DAYS = 30.0, 150.0  # half gone within a month and nobody followed for five: likely months
FEWEST = 10  # values below which a column is not judged
SHARED, FEWEST_SHARED = 0.25, 40  # one value in a quarter of at least 40 patients: likely filled in by the source
_REASON = "or --accept REASON"
_PLACEHOLDER = "a placeholder of the source, not a measurement"


@dataclass(frozen=True)
class Suspicions:
    """Doubts that a stated reason may accept, and warnings that refuse nothing."""

    doubts: tuple[Doubt, ...]
    warnings: tuple[str, ...]

    @property
    def faults(self) -> tuple[Fault, ...]:
        """What is wrong with the columns, in words."""
        return tuple(doubt.fault for doubt in self.doubts)


def suspicions(file: CohortFile, patients: Sequence[Patient], follow_up: FollowUp) -> Suspicions:
    """What looks wrong about the columns from which the `patients` and their `follow_up` were read."""
    doubts, warnings = [*_follow_up(file, follow_up), *leaks(file, patients, follow_up)], list[str]()
    columns = {"ecog" if lab.analyte == "karnofsky" else lab.analyte: lab for lab in file.labs}
    for analyte in ANALYTES:
        newest = newest_of(analyte, patients)
        if len(newest) >= FEWEST:
            doubts += _lab(_place(file, columns.get(analyte), analyte), columns.get(analyte), newest)
            warnings += _shared(newest)
    warnings += [*_deaths(patients, follow_up), *_sexes(patients), *_constant_history(file, patients)]
    doubts += _constant_extra(file, patients)
    return Suspicions(tuple(doubts), tuple(warnings))


def newest_of(analyte: str, patients: Sequence[Patient]) -> dict[int, Measurement]:
    """The newest measurement of an analyte, by the place of the patient among the `patients`."""
    return {row: series[analyte][0] for row, patient in enumerate(patients) if analyte in (series := patient.series)}


def _place(file: CohortFile, lab: LabColumn | None, analyte: str) -> str:
    return f"{file.table}, column {lab.column}" if lab else f"{file.measurement_table or file.table}, {analyte}"


def _lab(place: str, lab: LabColumn | None, newest: Mapping[int, Measurement]) -> Iterator[Doubt]:
    values, rows = [one.value for one in newest.values()], tuple(newest)
    known = ANALYTES[newest[rows[0]].analyte]
    median, (low, high) = float(np.median(values)), CREDIBLE_MEDIAN.get(known.name, (-np.inf, np.inf))
    if len(set(values)) == 1 and not known.step:
        given = f"{_shown(values[0], known)} for all {len(values)} patients"
        fault = Fault(place, given, f"values that vary; {_REASON}", _PLACEHOLDER)
        yield Doubt("placeholder", fault, rows, len(rows), unit="patients")
    elif not low <= median <= high:
        allowed = f"a median from {low:g} to {_shown(high, known)}; {_REASON}"
        fault = Fault(place, f"a median of {_shown(median, known)}", allowed, _likely_unit(lab, median, low, high))
        yield Doubt("unit", fault, rows, median, unit=unit_of(known))


def _constant_extra(file: CohortFile, patients: Sequence[Patient]) -> Iterator[Doubt]:
    for name, (column, _) in file.extra.items():
        values = {row: patient.extra[name] for row, patient in enumerate(patients) if name in patient.extra}
        if len(values) >= FEWEST and len(set(values.values())) == 1:
            given = f"{next(iter(values.values()))} for all {len(values)} patients"
            fault = Fault(f"{file.table}, column {column}", given, f"values that vary; {_REASON}", _PLACEHOLDER)
            yield Doubt("placeholder", fault, tuple(values), len(values), unit="patients")


def unit_of(known: Analyte) -> str:
    """The unit of an analyte as it is told beside a median: a ratio has none."""
    return "as a ratio or score" if known.unit == "1" else known.unit


def _shown(value: float, known: Analyte) -> str:
    return f"{value:.3g} {known.unit}".removesuffix(" 1")


def _likely_unit(lab: LabColumn | None, median: float, low: float, high: float) -> str:
    """Another unit of the analyte under which the median would be credible."""
    other = "another unit, or another column"
    if lab is None:
        return other
    units = ANALYTES[lab.analyte].units
    as_given = median / next((factor for unit, factor in units.items() if plain(unit) == plain(lab.unit)), 1.0)
    fitting = next((unit for unit, factor in units.items() if low <= as_given * factor <= high), "")
    return f"{fitting} under the unit {lab.unit}" if fitting else other


def _shared(newest: Mapping[int, Measurement]) -> Iterator[str]:
    if found := filled_in(newest):
        known = ANALYTES[newest[found[0]].analyte]
        value = _shown(newest[found[0]].value, known)
        yield f"{known.label} is {value} in {len(found)} of {len(newest)} patients: perhaps filled in by the source"


def filled_in(newest: Mapping[int, Measurement]) -> tuple[int, ...]:
    """The patients (keys of `newest`, measurements of one analyte) who share one value, where a quarter of them all do."""
    values = Counter(one.value for one in newest.values() if not one.limit)
    (value, times), *_ = values.most_common(1) or [(0.0, 0)]
    steps = any(ANALYTES[one.analyte].step for one in newest.values())
    if len(newest) < FEWEST_SHARED or steps or not SHARED * len(newest) <= times < len(newest):
        return ()
    return tuple(row for row, one in newest.items() if one.value == value and not one.limit)


def _follow_up(file: CohortFile, follow_up: FollowUp) -> Iterator[Doubt]:
    if file.follow_up is None or len(follow_up) < FEWEST:
        return
    unit = next(name for name, days in DAYS.items() if days == file.follow_up.days)
    place = f"{file.table}, column {file.follow_up.time}"
    median, longest = float(np.median(follow_up.times)), float(follow_up.times.max())
    if median > LONGEST_MEDIAN_DAYS:
        given = f"a median of {median / file.follow_up.days:.0f} {unit}, {median / 365.25:.0f} years"
        allowed = f"a median of at most {LONGEST_MEDIAN_DAYS / 365.25:g} years; {_REASON}"
        fault = Fault(place, given, allowed, f"{_shorter(median, file.follow_up.days)} under the unit {unit}")
        yield Doubt("follow-up", fault, tuple(range(len(follow_up))), median, unit="days")
    elif median < SHORT_MEDIAN_DAYS and longest < SHORT_LONGEST_DAYS:
        given = f"a median of {median:.3g} days, and at most {longest:.0f}"
        allowed = f"a median of {SHORT_MEDIAN_DAYS:g} days, or somebody followed for {SHORT_LONGEST_DAYS:g}; {_REASON}"
        fault = Fault(place, given, allowed, f"months under the unit {unit}")
        yield Doubt("follow-up", fault, tuple(range(len(follow_up))), median, unit="days")


def _shorter(median: float, days: float) -> str:
    """The unit under which the median would be credible, the commonest first."""
    words = {"d": "days", "mo": "months", "wk": "weeks"}
    fits = (word for name, word in words.items() if SHORT_MEDIAN_DAYS <= median / days * DAYS[name] <= LONGEST_MEDIAN_DAYS)
    return next(fits, "another column")


def _deaths(patients: Sequence[Patient], follow_up: FollowUp) -> Iterator[str]:
    """A tumour with few deaths behind it; a cohort in which nobody was censored."""
    deaths = Counter(patient.tumour for patient, died in zip(patients, follow_up.deaths, strict=True) if died)
    for tumour in sorted({patient.tumour for patient in patients}):
        if deaths[tumour] < BEHIND:
            few = f"{deaths[tumour]} deaths, fewer than {BEHIND}"
            yield f"tumour {tumour}: {few}; such patients are marked outside the population"
    if len(patients) >= FEWEST and follow_up.deaths.all():
        yield "every patient died: right where all were followed to death, wrong where only the dead were recorded"


def _sexes(patients: Sequence[Patient]) -> Iterator[str]:
    if unknown := sum(patient.sex == "unknown" for patient in patients):
        yield f"sex is unknown for {unknown} of {len(patients)} patients"


def _constant_history(file: CohortFile, patients: Sequence[Patient]) -> Iterator[str]:
    known = [patient.history.known() for patient in patients]
    # of what follows from another column (no therapy: no prior line) only the therapy itself is worth a word
    named = {name for history in known for name in history if file.tidy or name in (*file.history, "prior_systemic_therapy")}
    for name in sorted(named):
        values = [history[name] for history in known if name in history]
        if len(values) > 1 and len(set(values)) == 1:
            always = str(values[0]).removesuffix(".0")
            shown = {"1": "yes", "0": "no"}[always] if name in FLAGS else always
            yield f"{name} is {shown} for all {len(values)} patients in whom it is known: it cannot be a feature"
