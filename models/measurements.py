"""What was measured, draw by draw: counts follow from percentages, the ratio from counts, and parts are held against the whole.

Days are counted backwards from the index date. One draw is all that was measured on one day.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from models.analytes import ANALYTES, InvalidQuantity, Limit, ecog_from_karnofsky, quantity
from models.fault import Fault

CURRENT_DAYS = 14.0  # a lab this old is used as it is (clinical.md section 5)
STALE_DAYS = 28.0  # up to here it is used and said to be stale; older is history only
NLR_TOLERANCE = 0.05  # a given NLR may differ this much from ANC / ALC of the same draw
PARTS_TOLERANCE = 1.05  # parts may exceed their whole by 5 % (and counts by .2 more): rounding (clinical.md section 5)
ALC_FLOOR = 0.05  # 10*9/L: a count of 0 or below detection is taken as this (clinical.md section 5)
SHARES = (("alc", "lymphocyte_pct"), ("anc", "neutrophil_pct"))
_TURNED: dict[Limit, Limit] = {"": "", "<": ">", ">": "<"}  # the limit of 1 / x


class GivenMeasurement(NamedTuple):
    """A measurement as a file or a request states it, with the place it stood for the sake of errors.

    `uln`, the laboratory's upper limit of normal, is in the unit of the value.
    """

    analyte: str
    value: float | int | str
    unit: str | None
    days_before_index: float = 0.0
    uln: float | None = None
    method: str = ""
    field: str = ""

    @property
    def place(self) -> str:
        """Where it stands, for a fault."""
        return self.field or self.analyte


@dataclass(frozen=True, slots=True)
class Measurement:
    """A measured value in the canonical unit of its analyte, `days_before_index` days before the index date.

    So is `uln`. With the limit "<" or ">" the true value lies below or above. `given` says it as it was given, or made.
    """

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
        """Whether it is so old that it is used, but said to be stale."""
        return self.days_before_index > CURRENT_DAYS

    def below(self, threshold: float) -> bool:
        """Whether the true value lies below `threshold`: "<0.5" lies below 0.5."""
        return self.value < threshold or (self.limit == "<" and self.value <= threshold)


def read_measurements(given: Iterable[GivenMeasurement], faults: list[Fault]) -> tuple[Measurement, ...]:
    """The measurements, with what follows from them; every contradiction and every unreadable one is added to `faults`."""
    draws: dict[float, _Draw] = {}
    for one in given:
        read = _read(one, faults)
        if read is not None:
            draws.setdefault(read.days_before_index, _Draw(faults)).add(read, one.place)
    return tuple(measured for draw in draws.values() for measured in draw.completed())


def _read(one: GivenMeasurement, faults: list[Fault]) -> Measurement | None:
    try:
        read = quantity(one.analyte, one.value, one.unit, one.field)
    except InvalidQuantity as error:
        faults.append(error.fault)
        return None
    day = one.days_before_index
    if not (math.isfinite(day) and day >= 0):
        faults.append(Fault(one.place, f"day {-day:g}", "a day on or before the index date", "measured after the index date"))
        return None
    name, value = one.analyte, read.value
    if name == "karnofsky":
        name, value = "ecog", float(ecog_from_karnofsky(value))
    uln, given = _upper_limit(one, faults), f"{one.value} {one.unit}"
    return Measurement(name, value, day, read.limit, read.converted, read.plausible, uln, one.method, given)


def _upper_limit(one: GivenMeasurement, faults: list[Fault]) -> float | None:
    """The upper limit of normal, converted as the value beside it is."""
    if one.uln is None:
        return None
    try:
        found = quantity(one.analyte, one.uln, one.unit).value
    except InvalidQuantity as error:
        faults.append(Fault(one.place, f"upper limit of normal {error.fault.given}", error.fault.allowed, error.fault.likely))
        return None
    if found <= 0:
        faults.append(Fault(one.place, f"upper limit of normal {one.uln:g}", "a positive number"))
    return found


class _Draw:
    """The measurements of one day by analyte, and the place where each was given."""

    def __init__(self, faults: list[Fault]):
        self.faults = faults
        self.of: dict[str, Measurement] = {}
        self.places: dict[str, str] = {}

    def add(self, read: Measurement, place: str) -> None:
        first = self.of.setdefault(read.analyte, read)
        self.places.setdefault(read.analyte, place)
        if (first.value, first.limit) != (read.value, read.limit):
            given = f"two values on day {0.0 - read.days_before_index:g}"
            self.faults.append(Fault(place, given, "one value a day"))

    def completed(self) -> Iterable[Measurement]:
        """All of the draw: counts made from percentages, and the ratio made from counts in place of the one given."""
        for count, share in SHARES:
            if count not in self.of and share in self.of and "wbc" in self.of:
                self.add_count(count, share)
        self.hold_parts_against_the_whole()
        if "alc" in self.of and "anc" in self.of:
            self.add_ratio(self.of["anc"], self.of["alc"])
        return self.of.values()

    def add_count(self, count: str, share: str) -> None:
        """WBC 8 with 10 % lymphocytes is ALC 0.8 to the bit: exact decimals, rounded once."""
        whole, part = self.of["wbc"], self.of[share]
        value = float(Decimal(repr(whole.value)) * Decimal(repr(part.value)) / 100)
        low, high = ANALYTES[count].plausible
        plausible = whole.plausible and part.plausible and low <= value <= high
        given, limit = f"{whole.given} x {part.given}", joint(whole.limit, part.limit)
        self.of[count] = Measurement(count, value, whole.days_before_index, limit, True, plausible, given=given)
        self.places[count] = self.places[share]
        if value > ANALYTES[count].hard[1]:
            allowed = f"{count} of at most {ANALYTES[count].hard[1]:g} 10*9/L"
            self.faults.append(Fault(self.places[share], given, allowed, "another unit of wbc, or haematological disease"))

    def hold_parts_against_the_whole(self) -> None:
        counts, shares = (sum(self.of[name].value for name in pair if name in self.of) for pair in zip(*SHARES, strict=True))
        if "wbc" in self.of and counts > (whole := self.of["wbc"].value) * PARTS_TOLERANCE + 0.2:
            given = f"{whole:g} with ALC + ANC = {counts:g} 10*9/L"
            fault = Fault(self.places["wbc"], given, "ALC + ANC at most WBC + 5 % + 0.2", "counts of different draws or units")
            self.faults.append(fault)
        if shares > 100 * PARTS_TOLERANCE:
            place = self.places.get("neutrophil_pct", "lymphocyte_pct")
            self.faults.append(Fault(place, f"{shares:g} % with the lymphocytes", "lymphocytes + neutrophils at most 105 %"))

    def add_ratio(self, anc: Measurement, alc: Measurement) -> None:
        """The NLR of the two counts; a given one that differs from it is a fault."""
        known, given = ANALYTES["nlr"], self.of.get("nlr")
        if given is not None and alc.value > 0 and not (alc.limit or anc.limit or given.limit):
            exact = min(anc.value / alc.value, known.hard[1])
            if abs(given.value - exact) > NLR_TOLERANCE * exact + 1e-9:
                said = f"{given.value:g} where ANC / ALC is {exact:.3g}"
                likely = "counts of another draw, or swapped"
                self.faults.append(Fault(self.places["nlr"], said, "ANC / ALC of the same draw, within 5 %", likely))
        value = min(anc.value / max(alc.value, ALC_FLOOR), known.hard[1])
        plausible = anc.plausible and alc.plausible and known.plausible[0] <= value <= known.plausible[1]
        words, limit = f"{anc.given} / {alc.given}", joint(anc.limit, _TURNED[alc.limit])
        self.of["nlr"] = Measurement("nlr", value, anc.days_before_index, limit, True, plausible, given=words)


def joint(one: Limit, other: Limit) -> Limit:
    """The limit of a product: none where its factors pull apart."""
    return "" if one and other and one != other else one or other
