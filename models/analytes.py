"""Every measurement we know: what it is called, in which units it may come, and which values can be true.

A value is converted or refused, never guessed: a number without a unit, an unknown unit and an impossible value are refused,
each with its likely cause. The plausible range is what is seen in adults with cancer: a value outside is kept and marked. The
hard range is what a living adult can have, drawn so that the common slips of unit (g/L for g/dL, cells/uL for 10*9/L, mg/dL for
umol/L, ukat/L for U/L) fall outside wherever the number alone can show them.
"""

import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Context, Decimal
from functools import lru_cache
from typing import NamedTuple

from models import units as accepted
from models.fault import Fault
from models.reading import NINES, NO_LIMIT, Limit, missing_code, read, shown, why_no_number

__all__ = [
    "ANALYTES", "BY_LOINC", "UNCONFIRMED_LOINC", "Analyte", "InvalidQuantity", "Limit", "Quantity",
    "ecog_from_karnofsky", "factor_of", "quantity", "require_unit",
]


class InvalidQuantity(ValueError):
    """A measurement that cannot be used: a value needs a known analyte, an accepted unit and a possible size."""

    def __init__(self, fault: Fault):
        self.fault = fault
        super().__init__(str(fault))


@dataclass(frozen=True)
class Analyte:
    """A kind of measurement; ranges are in its canonical unit, both ends included."""

    name: str
    label: str
    unit: str  # canonical, UCUM
    units: Mapping[str, float]  # accepted spelling -> factor to the canonical unit
    plausible: tuple[float, float]
    hard: tuple[float, float]
    loinc: tuple[str, ...] = ()
    smallest: float = 0.0  # what is above 0 and below this is refused; 0 and "<x" are results
    step: int = 0  # a score has steps, and no "<" or ">"
    mistaken_for: tuple[tuple[float, float, str], ...] = ()  # (above, up to, likely cause) of a refused value


class Quantity(NamedTuple):
    """A value in the canonical unit; with "<" or ">" the true value lies below or above it."""

    value: float
    limit: Limit
    converted: bool
    plausible: bool


_COUNT, _TWICE = "10*9/L", (0.0, 0.01, "thousands? (a count divided by 1000 once too often)")
_LYMPHOID = (10, 100, "a percentage, or lymphoproliferative disease: out of scope")

# Ranges: every value of three public cohorts in advanced cancer (LORIS, Nat Cancer 2024; PACTO, NCT02767557; SUPPORT2, lung) is
# inside the hard ones. LOINC: only codes confirmed in mCODE's value sets (hl7.org/fhir/us/mcode) or published FHIR resources.
ANALYTES: Mapping[str, Analyte] = {analyte.name: analyte for analyte in (
    Analyte("alc", "Absolute lymphocyte count", _COUNT, accepted.CELL_COUNT, (0.05, 6), (0, 10), ("731-0",),
            smallest=0.01, mistaken_for=(_LYMPHOID, _TWICE)),
    Analyte("anc", "Absolute neutrophil count", _COUNT, accepted.CELL_COUNT, (0, 30), (0, 150), ("751-8",),
            smallest=0.01, mistaken_for=(_TWICE,)),
    Analyte("wbc", "White blood cell count", _COUNT, accepted.CELL_COUNT, (0.5, 50), (0, 300), ("6690-2",),
            smallest=0.01, mistaken_for=(_TWICE,)),
    Analyte("lymphocyte_pct", "Lymphocytes, share of white blood cells", "%", accepted.SHARE, (1, 80), (0, 100), ("736-9",),
            mistaken_for=((100, math.inf, "a cell count, not a percentage"),)),
    Analyte("neutrophil_pct", "Neutrophils, share of white blood cells", "%", accepted.SHARE, (5, 99), (0, 100),
            mistaken_for=((100, math.inf, "a cell count, not a percentage"),)),
    # No LOINC code is known for NLR.
    Analyte("nlr", "Neutrophil-to-lymphocyte ratio", "1", accepted.RATIO, (0.1, 100), (0.01, 200),
            mistaken_for=((-1, 0.01, "a ratio that was not computed"), (200, math.inf, "two counts in different units"))),
    Analyte("monocytes", "Monocyte count", _COUNT, accepted.CELL_COUNT, (0, 10), (0, 20),
            smallest=0.01, mistaken_for=((20, 100, "a percentage"), _TWICE)),
    # 2.7 million U/mL is seen (PACTO). Only codes for serum or plasma: public tables confuse 24108-3 with CA-125 and 25390-6.
    Analyte("ca19_9", "CA 19-9", "U/mL", accepted.ANTIGEN, (0, 3e6), (0, 1e7), ("24108-3", "83084-4")),
    Analyte("albumin", "Albumin", "g/L", accepted.ALBUMIN, (10, 60), (8, 70), ("1751-7",)),
    # 14805-6 (pyruvate to lactate) reads about twice 14804-9: only the ratio to the laboratory's own upper limit compares.
    Analyte("ldh", "Lactate dehydrogenase", "U/L", accepted.ENZYME, (50, 10_000), (20, 30_000), ("2532-0", "14804-9", "14805-6")),
    # Not 30522-7: high-sensitivity assays saturate where cancer begins, and must not be mixed in.
    Analyte("crp", "C-reactive protein", "mg/L", accepted.CRP, (0, 500), (0, 800), ("1988-5",)),
    Analyte("hemoglobin", "Haemoglobin", "g/dL", accepted.HEMOGLOBIN, (4, 20), (2.5, 24), ("718-7",)),
    Analyte("platelets", "Platelet count", _COUNT, accepted.CELL_COUNT, (5, 1500), (1, 3000), ("777-3",),
            mistaken_for=((0, 1, "10*12/L, a unit of red cells"),)),
    Analyte("bilirubin", "Total bilirubin", "umol/L", accepted.BILIRUBIN, (1, 1000), (1, 1500), ("1975-2",)),
    Analyte("creatinine", "Creatinine", "umol/L", accepted.CREATININE, (10, 2000), (10, 3000), ("2160-0",)),
    Analyte("sodium", "Sodium", "mmol/L", accepted.SODIUM, (100, 180), (80, 200), ("2951-2",)),
    Analyte("ecog", "ECOG performance status", "{score}", accepted.SCORE, (0, 4), (0, 4), ("89247-1",), step=1, mistaken_for=(
        (0, 4, "an average or a range of grades"), (4, 5, "death: only living patients have a risk"),
        (9, 100, "a Karnofsky score (analyte karnofsky)"))),
    Analyte("karnofsky", "Karnofsky performance status", "{score}", accepted.SCORE_OR_PERCENT, (10, 100), (10, 100), ("89243-0",),
            step=10, mistaken_for=((-1, 0, "death: only living patients have a risk"), (0, 4, "an ECOG grade (analyte ecog)"),
                                   (10, 100, "an average of two assessments"))),
    Analyte("weight", "Body weight", "kg", accepted.WEIGHT, (25, 300), (20, 400), ("29463-7",),
            mistaken_for=((1000, math.inf, "grams"),)),
    Analyte("bmi", "Body mass index", "kg/m2", accepted.BODY_MASS_INDEX, (10, 80), (8, 100), ("39156-5",),
            mistaken_for=((100, math.inf, "a height or a weight"),)),
)}

BY_LOINC: Mapping[str, str] = {code: analyte.name for analyte in ANALYTES.values() for code in analyte.loinc}

# Codes in use that no primary source has confirmed to us; refused until one has, since feeds also send 26474-7 for percentages.
UNCONFIRMED_LOINC: Mapping[str, str] = {
    "26474-7": "alc", "732-8": "alc", "26499-4": "anc", "753-4": "anc", "26464-8": "wbc", "742-7": "monocytes",
    "26478-8": "lymphocyte_pct", "770-8": "neutrophil_pct", "26511-6": "neutrophil_pct", "61151-7": "albumin",
    "61152-5": "albumin", "14631-6": "bilirubin", "14682-9": "creatinine",
}

_FACTORS: Mapping[str, Mapping[str, Decimal]] = {
    name: {accepted.plain(spelling): Decimal(repr(factor)) for spelling, factor in analyte.units.items()}
    for name, analyte in ANALYTES.items()
}
_EXACT = Context(prec=60)


def quantity(analyte: str, given: float | str, unit: str | None, field: str = "") -> Quantity:
    """The value in the canonical unit: the decimal number as written times the factor as written, rounded once.

    So every spelling of one result gives the same float. `given` is a number or a laboratory's text ("<2.0", ">120000");
    `field` names the place in a refusal. Raises InvalidQuantity.

    >>> quantity("alc", 800, "cells/uL")
    Quantity(value=0.8, limit='', converted=True, plausible=True)
    >>> quantity("alc", 1200, "10*9/L")
    Traceback (most recent call last):
        ...
    models.analytes.InvalidQuantity: alc = 1200 10*9/L: allowed is 0, or 0.01 to 10 10*9/L; likely cells/uL under the unit 10*9/L
    """
    try:
        known, factor, converted = _unit(analyte, unit)
    except KeyError:
        raise InvalidQuantity(_unit_fault(analyte, shown(given), unit, field, read(given)[0])) from None
    number, limit = (given, NO_LIMIT) if type(given) is float else read(given)
    # + 0.0 turns -0.0 into 0.0
    value = float(_EXACT.multiply(Decimal(repr(number)), factor)) if converted else number + 0.0
    if not _possible(known, value, limit):
        raise InvalidQuantity(_value_fault(known, factor, given, str(unit), field))
    low, high = known.plausible
    # 9999 may be a result of CA 19-9 or LDH, and is oftener a code for "missing": taken, and said to be implausible
    return Quantity(value, limit, converted, low <= value <= high and not _like_a_code(value))


def require_unit(analyte: str, unit: str | None, field: str = "") -> None:
    """InvalidQuantity unless `unit` is an accepted unit of `analyte`: for a whole column, before any value is read.

    >>> require_unit("albumin", "g/dL")
    >>> require_unit("albumin", "")
    Traceback (most recent call last):
        ...
    models.analytes.InvalidQuantity: albumin = a column without a unit: allowed is a number with its unit: g/L, g/dL, ...
    """
    try:
        _unit(analyte, unit)
    except KeyError:
        raise InvalidQuantity(_unit_fault(analyte, "a column", unit, field)) from None


def ecog_from_karnofsky(karnofsky: float) -> int:
    """The ECOG grade conventionally set beside a Karnofsky score: 100 and 90 are 0, 80 and 70 are 1, ... 20 and 10 are 4.

    An approximation, as used for reporting to the NCI; in 5,844 paired assessments in lung cancer 100 / 90-80 / 70 / 60-50 /
    40-10 agreed better (Prasad, World J Clin Oncol 2018;9:140, 10.5306/wjco.v9.i7.140). Raises InvalidQuantity.
    """
    return int(100 - quantity("karnofsky", karnofsky, "{score}").value) // 20


def factor_of(analyte: str, unit: str | None) -> Decimal:
    """What one `unit` is in the canonical unit of the analyte; KeyError for what is not accepted."""
    return _unit(analyte, unit)[1]


@lru_cache(maxsize=1024)
def _unit(analyte: str, unit: str | None) -> tuple[Analyte, Decimal, bool]:
    """The analyte, the unit's factor, and whether it converts; KeyError for what is not accepted."""
    if not isinstance(unit, str) or len(unit) > 40:
        raise KeyError(unit)
    factor = _FACTORS[analyte][accepted.plain(unit)]
    return ANALYTES[analyte], factor, factor != 1


def _like_a_code(value: float) -> bool:
    return value > 999 and value in NINES


def _possible(known: Analyte, value: float, limit: Limit) -> bool:
    low, high = known.hard
    if not low <= value <= high:
        return False
    if limit:
        return value > 0 and not known.step
    # 999 may be a platelet count; a result of 9999 or more nines is far oftener a code for "missing"
    if 0 < value < known.smallest or (_like_a_code(value) and value > known.plausible[1]):
        return False
    return not known.step or value % known.step == 0


def _value_fault(known: Analyte, factor: Decimal, given: object, unit: str, field: str) -> Fault:
    unit, (number, limit) = " ".join(unit.split()), read(given)
    likely = why_no_number(given) if not math.isfinite(number) else _likely(known, factor, number, limit, unit)
    return Fault(field or known.name, f"{shown(given)} {unit}", _allowed(known), likely)


def _likely(known: Analyte, factor: Decimal, number: float, limit: Limit, unit: str) -> str:
    value, (low, high) = number * float(factor), known.hard
    in_range = low <= value <= high and not 0 < value < known.smallest
    if limit and in_range:
        return f'a plain value: "{limit}" says nothing here'
    fits = "" if in_range else _fitting_unit(known, number)
    slip = fits and f"{fits} under the unit {unit}"
    other = next((cause for above, up_to, cause in known.mistaken_for if above < value <= up_to), "")
    # What is too high may be another quantity altogether; what is too low is first of all a unit.
    cause = (other or slip) if value > high else (slip or other)
    return ", or ".join(filter(None, (cause, missing_code(number))))


def _fitting_unit(known: Analyte, number: float) -> str:
    """The accepted unit under which the number would be a plausible value, or nothing."""
    low, high = max(known.plausible[0], known.smallest), known.plausible[1]
    return next((spelling for spelling, factor in known.units.items() if low <= number * factor <= high), "")


def _allowed(known: Analyte) -> str:
    low, high = known.hard
    if known.step:
        return f"{low:g} to {high:g} in steps of {known.step}"
    start = f"0, or {known.smallest:g}" if known.smallest else f"{low:g}"
    return f"{start} to {high:.12g} {known.unit}".removesuffix(" 1")


def _unit_fault(analyte: str, given: str, unit: str | None, field: str, number: float = math.nan) -> Fault:
    known = ANALYTES.get(analyte)
    if known is None:
        close = [BY_LOINC[analyte]] if analyte in BY_LOINC else difflib.get_close_matches(analyte, ANALYTES, 1)
        return Fault(field or "analyte", shown(analyte), "one of " + ", ".join(ANALYTES), "".join(close))
    allowed = "a number with its unit: " + ", ".join(list(known.units)[:6])
    if isinstance(unit, str) and unit.strip():
        likely = _OTHER_UNITS.get(accepted.plain(unit), "")
        return Fault(field or known.name, f"{given} {shown(unit)}", allowed, likely)
    fits = _fitting_unit(known, number)
    likely = "a unit left out: it is never guessed" + (f", though {fits} would fit" if fits else "")
    return Fault(field or known.name, f"{given} without a unit", allowed, likely)


_OTHER_UNITS = {
    "%": "a percentage: give lymphocyte_pct or neutrophil_pct beside wbc of the same draw",
    "g/l": "G/L, which is 10*9/L; g/L is grams per litre",
    "G/L": "g/L, grams per litre; G/L is 10*9/L",
}
