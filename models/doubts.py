"""What is possible and still looks like a slip: nobody is refused for it, and the answer says what to check.

A number can be true and be unlikely: platelets of 999, a CRP of 480 mg/L under a unit that makes it tenfold. Each doubt is a
sentence without a value, so that it can stand in any answer. Those of treatments and history are in `models.history_doubts`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from models.analytes import ANALYTES, Limit
from models.reading import NINES

# Canonical units; about what 49 in 50 patients with advanced cancer have. Used to ask one question: is a number unusual in its
# unit and usual in another that laboratories write? Only analytes with such a second unit are listed.
USUAL: Mapping[str, tuple[float, float]] = {
    "crp": (0.5, 250),
    "hemoglobin": (7, 16.5),
    "bilirubin": (2, 100),
    "creatinine": (30, 300),
    "ldh": (100, 2500),
    "weight": (35, 130),
}
# (from, to, likely cause) in the canonical unit, both ends left out
_LOOKS_LIKE: Mapping[str, tuple[tuple[float, float, str], ...]] = {
    "alc": ((6, 10, "a percentage"),),
    "anc": ((30, 150, "a percentage"),),
    "monocytes": ((3, 20, "a percentage"),),
    "nlr": ((0, 0.5, "lymphocytes over neutrophils"),),
    "lymphocyte_pct": ((0, 1, "a fraction, or a count"), (1, 3, "a count")),
    "neutrophil_pct": ((0, 10, "a fraction, or a count"),),
}
_LOOKED_AT = frozenset({*USUAL, *_LOOKS_LIKE, "ca19_9"})  # analytes of whose size or unit something may be to be said
_OFTEN_A_LIMIT = frozenset({("ca19_9", "<"), ("ca19_9", ">"), ("crp", "<")})


def of_a_result(analyte: str, number: float, unit: Decimal, limit: Limit) -> Iterator[str]:
    """What to check of one result: `number` as it was written, `unit` the factor of its unit to the canonical one."""
    if not (limit or number >= 999 or analyte in _LOOKED_AT):
        return
    label, value = ANALYTES[analyte].label, number * float(unit)
    if number >= 999 and number in NINES:
        yield f"{label}: nothing but nines, which many sources write where nothing was measured; check the value"
    if limit:
        if (analyte, limit) not in _OFTEN_A_LIMIT:
            yield f"{label}: given as a limit, and read as the limit itself"
    elif other := _usual_unit(analyte, number, unit):
        yield f"{label}: unusual in the unit given, and usual as {other}; check the unit"
    else:
        causes = (cause for low, high, cause in _LOOKS_LIKE.get(analyte, ()) if low < value < high)
        yield from (f"{label}: unusual, as if it were {cause}; check the value" for cause in causes)
    if analyte == "ca19_9" and unit < 1:
        yield "CA 19-9 in U/L, a thousandth of U/mL, though laboratories that write so mostly mean U/mL or kU/L; check the unit"


def _usual_unit(analyte: str, number: float, unit: Decimal) -> str:
    """Another accepted unit under which an unusual number would be usual, or nothing."""
    if analyte not in USUAL:
        return ""
    low, high = USUAL[analyte]
    if low <= number * float(unit) <= high:
        return ""
    known = ANALYTES[analyte].units
    return next((spelling for spelling, factor in known.items() if low <= number * factor <= high), "")
