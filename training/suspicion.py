"""What is possible cell by cell and impossible as a whole: a lab that never varies, days under a months heading, a wrong unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.analytes import ANALYTES, InvalidQuantity, quantity
from models.cohort_file import CohortFile
from models.cohort_row import present
from models.fault import Fault

# No cohort of adults with advanced solid tumours has a median outside these (clinical.md section 2.3 gives the centres)
CREDIBLE_MEDIAN: Mapping[str, tuple[float, float]] = {
    "albumin": (25.0, 50.0),
    "hemoglobin": (8.0, 16.0),
    "alc": (0.4, 3.5),
    "anc": (2.0, 12.0),
    "nlr": (1.2, 15.0),
    "platelets": (100.0, 500.0),
    "bmi": (16.0, 40.0),
}
LONGEST_MEDIAN_DAYS = 15 * 365.25
SHORTEST_DAYS = 45.0  # a whole cohort followed for less: likely months under a heading of days
FEWEST = 10  # values below which a column is not judged


@dataclass(frozen=True)
class Suspicions:
    """Faults that a stated reason may accept, and warnings that refuse nothing."""

    faults: tuple[Fault, ...]
    warnings: tuple[str, ...]


def suspicions(file: CohortFile, rows: Sequence[int], days: Sequence[float], raw: Sequence[Mapping[Any, object]]) -> Suspicions:
    """What looks wrong about the columns of the kept `rows` of `raw`, with follow-up in `days`."""
    faults = _follow_up(file, days)
    for lab in file.labs:
        values = _values(file, lab.analyte, lab.column, lab.unit, [raw[row] for row in rows])
        faults += _lab(f"column {lab.column}", lab.analyte, lab.unit, values)
    return Suspicions(tuple(faults), ())


def _values(file: CohortFile, analyte: str, column: str, unit: str, rows: Sequence[Mapping[Any, object]]) -> list[float]:
    values = []
    for row in rows:
        if present(file, row.get(column)):
            try:
                values.append(quantity(analyte, str(row[column]), unit).value)
            except InvalidQuantity:  # refused by row already
                continue
    return values


def _lab(field: str, analyte: str, unit: str, values: Sequence[float]) -> list[Fault]:
    if len(values) < FEWEST:
        return []
    if len(set(values)) == 1:
        given = f"{values[0]:g} for all {len(values)} patients"
        return [Fault(field, given, "values that vary; or --accept REASON", "a placeholder of the source, not a measurement")]
    low, high = CREDIBLE_MEDIAN.get(analyte, (-np.inf, np.inf))
    median = float(np.median(values))
    if low <= median <= high:
        return []
    likely = _likely_unit(analyte, unit, median, low, high)
    allowed = f"a median from {low:g} to {high:g} {ANALYTES[analyte].unit}; or --accept REASON"
    return [Fault(field, f"median {median:.3g} {ANALYTES[analyte].unit}", allowed, likely)]


def _likely_unit(analyte: str, given: str, median: float, low: float, high: float) -> str:
    """Another unit of the analyte under which the median would be credible."""
    units = ANALYTES[analyte].units
    as_given = median / units.get(given, 1.0)
    fitting = [unit for unit, factor in units.items() if low <= as_given * factor <= high]
    return f"the unit {fitting[0]}" if fitting else "another unit, or another column"


def _follow_up(file: CohortFile, days: Sequence[float]) -> list[Fault]:
    if file.follow_up is None or len(days) < FEWEST:
        return []
    field, unit = f"column {file.follow_up.time}", file.follow_up.days
    median, most = float(np.median(days)), float(np.max(days))
    if median > LONGEST_MEDIAN_DAYS:
        given = f"median {median / unit:.0f} under a unit of {unit:g} days"
        return [Fault(field, given, "a median of at most 15 years; or --accept REASON", "days under a heading of months or years")]
    if most < SHORTEST_DAYS:
        allowed = f"somebody followed for {SHORTEST_DAYS:g} days; or --accept REASON"
        return [Fault(field, f"at most {most:.0f} days", allowed, "months under a heading of days")]
    return []
