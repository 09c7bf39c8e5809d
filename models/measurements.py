"""What was measured, draw by draw: counts follow from percentages, the ratio from counts, and parts are held against the whole.

Days are counted backwards from the index date. One draw is all that was measured on one day.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import NamedTuple

from models.analytes import ANALYTES, InvalidQuantity, Limit, ecog_from_karnofsky, factor_of, quantity
from models.doubts import of_a_result
from models.fault import Fault
from models.reading import missing_code
from models.reading import read as as_written

CURRENT_DAYS = 14.0  # a lab this old is used as it is (clinical.md section 5)
STALE_DAYS = 28.0  # up to here it is used and said to be stale; older is history only
NLR_TOLERANCE = 0.05  # a given NLR may differ this much from ANC / ALC of the same draw
PARTS_TOLERANCE = 1.05  # parts may exceed their whole by 5 % (and counts by .2 more): rounding (clinical.md section 5)
ALC_FLOOR = 0.05  # 10*9/L: a count of 0 or below detection is taken as this (clinical.md section 5)
PARTS_ROUNDING = 0.2  # 10*9/L
PARTS = ("alc", "anc", "monocytes")
SHARES = (("alc", "lymphocyte_pct"), ("anc", "neutrophil_pct"))
# "<x" with a larger x is no limit of detection: it would read as a count that reassures, or as CA 19-9 that cannot be detected
DETECTED_ABOVE: Mapping[str, float] = {"alc": 1.5, "ca19_9": 37.0}
# what the upper limit of normal of a laboratory can be, in the canonical unit: generous, and narrow enough to show another unit
UPPER_LIMITS: Mapping[str, tuple[float, float]] = {
    "ldh": (80, 1000),
    "bilirubin": (8, 60),
    "crp": (0.5, 50),
    "ca19_9": (5, 200),
    "creatinine": (40, 250),
}
_OF_THE_BLOOD = frozenset({*PARTS, *(share for _, share in SHARES), "wbc", "nlr"})  # what is held against one another
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

    def beside(self, name: str) -> str:
        """Where what is said beside the value stands: in a request in a field of its own, in a table with the value."""
        return f"{self.place.removesuffix('/value')}/{name}" if self.place.endswith("/value") else self.place


class Measurement(NamedTuple):
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


def read_measurements(
    given: Iterable[GivenMeasurement], faults: list[Fault], doubts: list[str] | None = None
) -> tuple[Measurement, ...]:
    """The measurements, with what follows from them.

    Every contradiction and every unreadable one is added to `faults`; what can be true and looks like a slip, to `doubts`.
    """
    draws: dict[float, _Draw] = {}
    doubted: list[str] = [] if doubts is None else doubts
    for one in given:
        read = _read(one, faults, doubted)
        if read is None:
            continue
        draw = draws.get(read.days_before_index)
        if draw is None:
            draw = draws[read.days_before_index] = _Draw(faults, doubted)
        draw.add(read, one)
    return tuple(measured for draw in draws.values() for measured in draw.completed())


def _read(one: GivenMeasurement, faults: list[Fault], doubts: list[str]) -> Measurement | None:
    try:
        read = quantity(one.analyte, one.value, one.unit, one.field)
    except InvalidQuantity as error:
        faults.append(error.fault)
        if one.place.endswith("/value"):  # of a request, whose unit is an accepted one: its limit is looked at too
            _upper_limit(one, faults)
        return None
    day = one.days_before_index
    if not (math.isfinite(day) and day >= 0):
        faults.append(Fault(one.place, f"day {-day:g}", "a day on or before the index date", "measured after the index date"))
        return None
    if read.limit == "<" and read.value > (most := DETECTED_ABOVE.get(one.analyte, math.inf)):
        allowed = f"a number, or a limit of detection of at most {most:g} {ANALYTES[one.analyte].unit}"
        faults.append(Fault(one.place, f"{one.value} {one.unit}", allowed, "another unit, or a reference limit"))
    doubts += of_a_result(one.analyte, as_written(one.value)[0], factor_of(one.analyte, one.unit), read.limit)
    name, value, converted = one.analyte, read.value, read.converted
    if name == "karnofsky":
        name, value, converted = "ecog", float(ecog_from_karnofsky(value)), True
    uln, given = _upper_limit(one, faults), f"{one.value} {one.unit}"
    return Measurement(name, value, day, read.limit, converted, read.plausible, uln, one.method, given)


def _upper_limit(one: GivenMeasurement, faults: list[Fault]) -> float | None:
    """The upper limit of normal, converted as the value beside it is."""
    if one.uln is None:
        return None
    place = one.beside("uln")
    try:
        found = quantity(one.analyte, one.uln, one.unit).value
    except InvalidQuantity as error:
        faults.append(Fault(place, f"upper limit of normal {error.fault.given}", error.fault.allowed, error.fault.likely))
        return None
    low, high = UPPER_LIMITS.get(one.analyte, (0.0, math.inf))
    code = missing_code(one.uln) if one.uln >= 999 else ""
    if found <= 0 or code or not low <= found <= high:
        allowed = f"from {low:g} to {high:g} {ANALYTES[one.analyte].unit}" if low else "a positive number"
        likely = code or ("another unit than that of the value" if low else "")
        faults.append(Fault(place, f"upper limit of normal {one.uln:g}", allowed, likely))
    return found


class _Draw:
    """The measurements of one day by analyte, and the place where each was given."""

    def __init__(self, faults: list[Fault], doubts: list[str]):
        self.faults, self.doubts = faults, doubts
        self.of: dict[str, Measurement] = {}
        self.places: dict[str, str] = {}

    def add(self, read: Measurement, given: GivenMeasurement) -> None:
        first = self.of.setdefault(read.analyte, read)
        self.places.setdefault(read.analyte, given.place)
        if read.analyte == "ecog" and first.converted != read.converted and abs(first.value - read.value) == 1:
            self.of["ecog"] = read if first.converted else first
            self.doubts.append("ECOG and Karnofsky of one day differ by one grade: ECOG is read")
        elif (first.value, first.limit) != (read.value, read.limit):
            said = f"two values on day {0.0 - read.days_before_index:g}"
            self.faults.append(Fault(given.place, said, "one value a day"))
        elif first.uln != read.uln and None not in (first.uln, read.uln):
            self.faults.append(Fault(given.beside("uln"), "two upper limits of one value", "one upper limit of normal a day"))

    def completed(self) -> Iterable[Measurement]:
        """All of the draw: counts made from percentages, and the ratio made from counts in place of the one given."""
        if not self.of.keys() & _OF_THE_BLOOD:
            return self.of.values()
        for count, share in SHARES:
            if share in self.of and "wbc" in self.of:
                self.hold_count_against_share(count, share) if count in self.of else self.add_count(count, share)
        self.hold_parts_against_the_whole()
        self.hold_ratio_against_the_rest()
        if "alc" in self.of and "anc" in self.of:
            self.add_ratio(self.of["anc"], self.of["alc"])
        return self.of.values()

    def value(self, analyte: str) -> float:
        """The value, or nothing of it where it was not measured."""
        return self.of[analyte].value if analyte in self.of else 0.0

    def hold_count_against_share(self, count: str, share: str) -> None:
        found, whole = self.of[count], self.of["wbc"]
        made = whole.value * self.of[share].value / 100
        apart, nearly = abs(found.value - made), (PARTS_TOLERANCE - 1) * whole.value + PARTS_ROUNDING
        if apart > nearly and not (found.limit or whole.limit or self.of[share].limit):
            said = f"{found.value:g} where WBC x percentage is {made:.3g}"
            self.faults.append(Fault(self.places[share], said, "the share of this count in WBC, within 5 % of WBC + 0.2"))

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
        parts, shares = sum(map(self.value, PARTS)), sum(self.value(share) for _, share in SHARES)
        if "wbc" in self.of and parts > (whole := self.of["wbc"].value) * PARTS_TOLERANCE + PARTS_ROUNDING:
            given = f"{whole:g} with ALC + ANC + monocytes = {parts:g} 10*9/L"
            allowed = "ALC + ANC (+ monocytes) at most WBC + 5 % + 0.2"
            self.faults.append(Fault(self.places["wbc"], given, allowed, "counts of different draws or units"))
        if shares > 100 * PARTS_TOLERANCE:
            place = self.places.get("neutrophil_pct") or self.places["lymphocyte_pct"]
            self.faults.append(Fault(place, f"{shares:g} % with the lymphocytes", "lymphocytes + neutrophils at most 105 %"))

    def hold_ratio_against_the_rest(self) -> None:
        """A given NLR is held against the percentages, and against all white cells where one of its counts is known."""
        ratio = self.of.get("nlr")
        if ratio is None or ratio.limit or ("alc" in self.of and "anc" in self.of):
            return
        most = self.value("wbc") * PARTS_TOLERANCE + PARTS_ROUNDING
        if "wbc" in self.of and self.value("alc") * (1 + ratio.value) + self.value("anc") * (1 + 1 / ratio.value) > most:
            said, likely = f"{ratio.value:g} with the counts", "a ratio of another draw, or the other way round"
            self.faults.append(Fault(self.places["nlr"], said, "a ratio whose counts are no more than WBC + 5 % + 0.2", likely))
        if all(share in self.of for _, share in SHARES):
            alc, anc = (self.value(share) for _, share in SHARES)
            low, high = (anc - 0.5) / (alc + 0.5), (anc + 0.5) / max(alc - 0.5, 0.05)  # percentages are rounded
            if not low * (1 - NLR_TOLERANCE) <= ratio.value <= high * (1 + NLR_TOLERANCE):
                said = f"{ratio.value:g} with the percentages"
                self.faults.append(Fault(self.places["nlr"], said, "the ratio of the percentages of the same draw, within 5 %"))

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
