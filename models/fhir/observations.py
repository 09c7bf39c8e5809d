"""Laboratory results and performance status: which Observations can be read as measurements, and why the others cannot.

Read are results with a LOINC code that is known and a unit that is accepted, of blood, serum or plasma, on a whole day up to the
index date. A unit is never guessed, and what is impossible in its unit is not used. Two rules for one day: the same result twice
counts once; of two different ones the later drawn is read, and where no time tells which that is, neither.

References
----------
HL7 FHIR R4 (4.0.1, 2019): Observation, Quantity. LOINC 2.78. SNOMED CT, specimens.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from models.analytes import ANALYTES, BY_LOINC, UNCONFIRMED_LOINC, InvalidQuantity, factor_of, quantity
from models.fhir.days import Moment, moment, moment_in
from models.fhir.performance import SCORES, UNIT, score_in
from models.fhir.person import modified
from models.fhir.resources import (
    LOINC,
    UCUM,
    Object,
    Resource,
    Resources,
    code_in,
    codings,
    first_code,
    list_in,
    number_in,
    object_in,
    repeated,
    text_in,
)
from models.fhir.resources import words as words_of
from models.fhir.understood import Listing
from models.measurements import UPPER_LIMITS

USED = {"final", "amended", "corrected"}
NOT_YET = "preliminary"
SPECIMENS = {  # SNOMED CT: blood, whole, venous, arterial, capillary; serum; plasma. HL7 table 0487
    *("119297000", "258580003", "122555007", "122552005", "122554006", "119364003", "119361006", "708048008", "708049000"),
    *("BLD", "BLDA", "BLDC", "BLDV", "WB", "SER", "PLAS", "SERPLAS"),
}
_OF_BLOOD = re.compile(r"\b(blood|serum|plasma)\b")
_OF_ANOTHER = re.compile(
    r"\b(cord|csf|marrow|stool|urine|fluid|ascites|effusion|aspirate|drain\w*|dialysate|pleural|peritoneal)\b"
)
_COMPARATORS = {"": "", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_METHOD = re.compile(r"[A-Za-z0-9.-]{1,40}")  # a code: a method in words may hold anything


@dataclass(frozen=True)
class Result:
    """A measurement of the patient document with the resource it came from, and when on its day it was taken."""

    document: dict[str, Any]
    reference: str
    moment: Moment


def measurements_of(observations: list[Resource], resources: Resources, as_of: date, listing: Listing) -> list[Result]:
    """What of the observations can be read, one value of an analyte a day, in their order."""
    found: dict[tuple[str, date], Result] = {}
    contradicted: set[tuple[str, date]] = set()
    for observation in observations:
        for result in _results(observation, resources, as_of, listing):
            _keep(result, found, contradicted, listing)
    for key in contradicted:
        result = found.pop(key)
        listing.aside(result.reference, key[0], _CONTRADICTED)
    for result in found.values():
        listing.use(result.reference)
    return list(found.values())


_CONTRADICTED = "two different results of one day, and no time that tells which is the later"


def _keep(
    result: Result, found: dict[tuple[str, date], Result], contradicted: set[tuple[str, date]], listing: Listing
) -> None:
    """One value of a day: the later of two, by their times of the day."""
    name = result.document["analyte"]
    key = (name, result.moment.day)
    other = found.setdefault(key, result)
    if other is result:
        return
    if _value_of(other) == _value_of(result):
        listing.aside(result.reference, name, "the same result of the same day twice: counted once")
    elif not (other.moment.time and result.moment.time) or other.moment.time == result.moment.time:
        contradicted.add(key)
        listing.aside(result.reference, name, _CONTRADICTED)
    else:
        earlier, later = sorted((other, result), key=lambda one: one.moment.time)
        found[key] = later
        contradicted.discard(key)
        listing.aside(earlier.reference, name, "an earlier result of the same day: the later one is read")


def _value_of(result: Result) -> object:
    read = quantity(result.document["analyte"], result.document["value"], result.document["unit"])
    return read.value, read.limit


def _results(observation: Resource, resources: Resources, as_of: date, listing: Listing) -> Iterator[Result]:
    """The results of one observation, which may be a panel with components."""
    body, reference = observation.body, observation.reference
    parts = [body, *(one for one in list_in(body, "component") if isinstance(one, dict) and not _turned(one, reference, listing))]
    named = [(part, name) for part in parts if (name := _analyte(part, reference, listing, len(parts) > 1))]
    if not named or not _final(observation, listing):
        return
    when = moment_in(body, "effective")
    what = ", ".join(dict.fromkeys(name for _, name in named))
    if why := _untimely(body, when, as_of) or _wrong_specimen(observation, resources):
        listing.aside(reference, what, why)
        return
    if when is None:
        return
    for part, name in named:
        if found := _result(part, name, reference, when, listing):
            method = first_code(object_in(body, "method"))
            if _METHOD.fullmatch(method):  # two methods are no course of one quantity
                found.document["method"] = method
            yield found


def _turned(component: Object, reference: str, listing: Listing) -> bool:
    if modified(component):
        listing.aside(reference, "component", "a modifierExtension, which may turn its meaning")
        return True
    return False


def _analyte(part: Object, reference: str, listing: Listing, panel: bool) -> str:
    """The analyte of an observation or a component; none, and a line in the list, where it is no input."""
    concept = object_in(part, "code")
    known = dict.fromkeys(BY_LOINC[one.code] for one in codings(concept) if one.system == LOINC and one.code in BY_LOINC)
    if len(known) == 1:
        return next(iter(known))
    code = code_in(concept, LOINC)
    other = first_code(concept)
    what = f"LOINC {repeated(code)}" if code else f"code {repeated(other)}" if other else "no code"
    if known:
        listing.aside(reference, what, f"its codes contradict each other: {', '.join(known)}")
    elif code in UNCONFIRMED_LOINC:
        why = f"a code in use for {UNCONFIRMED_LOINC[code]} that no primary source has confirmed"
        listing.aside(reference, what, why)
    elif not (panel and list_in(part, "component")):  # of a panel the components count
        listing.aside(reference, what, "no input of a model")
    return ""


def _final(observation: Resource, listing: Listing) -> bool:
    status = text_in(observation.body, "status")
    if status in USED:
        return True
    if status == NOT_YET:
        listing.aside(observation.reference, "status", "preliminary: used, and it may change")
        return True
    allowed = ", ".join(sorted(USED))
    listing.aside(observation.reference, "status", f"not {allowed} or {NOT_YET}: entered in error, cancelled, or not known")
    return False


def _untimely(body: Object, when: Moment | None, as_of: date) -> str:
    if when is None:
        return "no date of the draw (effective)"
    if not when.exact:
        return "no whole day of the draw"
    ended, told = moment(text_in(object_in(body, "effectivePeriod"), "end")), moment(text_in(body, "issued"))
    if when.day > as_of or (ended is not None and ended.day > as_of):
        return "after the index date"
    return "drawn by the index date and reported after it: not known on it" if told is not None and told.day > as_of else ""


def _wrong_specimen(observation: Resource, resources: Resources) -> str:
    """Why the specimen is none in which these quantities are read; nothing where it is one, or is not told."""
    reference = object_in(observation.body, "specimen")
    found = resources.found(reference, observation) if reference else None
    told = [object_in(found.body, "type")] if found else []
    names = [name for one in told for name in words_of(one)] or ([text_in(reference, "display")] if not found else [])
    codes = {one.code for concept in told for one in codings(concept)}
    said = " ".join(names).lower()
    blood = bool(codes & SPECIMENS or _OF_BLOOD.search(said)) and not _OF_ANOTHER.search(said)
    if blood or not (codes or said):
        return ""
    return "a specimen other than blood, serum or plasma"


def _result(part: Object, name: str, reference: str, when: Moment, listing: Listing) -> Result | None:
    value, unit, why = _value(part, name)
    if not why:
        try:
            quantity(name, value, unit)
        except InvalidQuantity as error:
            why = f"not a possible result: {error.fault.without_value()}"
    if why:
        listing.aside(reference, name, why)
        return None
    document: dict[str, Any] = {"analyte": name, "value": value, "unit": unit, "date": when.day.isoformat()}
    if (uln := _upper_limit(part, name, unit)) is not None:
        document["uln"] = uln
    elif name in UPPER_LIMITS and list_in(part, "referenceRange"):
        listing.aside(reference, f"{name}: referenceRange", "no one upper limit in the unit of the value that may be one")
    return Result(document, reference, when)


def _value(part: Object, name: str) -> tuple[float | str, str, str]:
    """The value, its unit, and why it cannot be read."""
    given = object_in(part, "valueQuantity")
    if name in SCORES:
        score = score_in(part, name)
        return (0.0, "", "no score: a whole number, or an answer of LOINC or SNOMED CT") if score is None else (score, UNIT, "")
    if not given:
        absent = object_in(part, "dataAbsentReason")
        return 0.0, "", "no value: it says why it has none" if absent else "no valueQuantity: a number with its unit"
    number, unit, why = number_in(given, "value"), *_unit(given, name)
    comparator = text_in(given, "comparator")
    if number is None:
        return 0.0, "", "no number"
    if comparator not in _COMPARATORS:
        return 0.0, "", "a comparator other than <, <=, > and >="
    return (f"{comparator}{number!r}" if comparator else number), unit, why


def _unit(given: Object, name: str) -> tuple[str, str]:
    """The unit, and why there is none: its UCUM code, else its text; where both are accepted and differ, neither."""
    code = text_in(given, "code") if text_in(given, "system") in (UCUM, "") else ""
    text = text_in(given, "unit")
    known = [one for one in (code, text) if _accepted(name, one)]
    if not known:
        kind = "another unit" if code or text else "no unit"
        return "", f"{kind}: accepted are {', '.join(list(ANALYTES[name].units)[:4])}; a unit is never guessed"
    if code and not _accepted(name, code):
        return "", "its UCUM code is none of the accepted units, whatever its text says"
    if len({factor_of(name, one) for one in known}) > 1:
        return "", "its UCUM code and the text of its unit contradict each other"
    return known[0], ""


def _accepted(name: str, unit: str) -> bool:
    try:
        factor_of(name, unit)
    except KeyError:
        return False
    return True


def _upper_limit(part: Object, name: str, unit: str) -> float | None:
    """The laboratory's upper limit of normal, where one is told in the unit of the value and may be one."""
    if name not in UPPER_LIMITS:
        return None
    ranges = [one for one in list_in(part, "referenceRange") if isinstance(one, dict) and object_in(one, "high")]
    if len(ranges) != 1:
        return None  # one for each sex, say: which of them holds is not told
    high = object_in(ranges[0], "high")
    number, of_limit, why = number_in(high, "value"), *_unit(high, name)
    if why or number is None:
        return None
    low, most = UPPER_LIMITS[name]
    fits = factor_of(name, of_limit) == factor_of(name, unit) and low <= float(factor_of(name, unit)) * number <= most
    return float(number) if fits else None
