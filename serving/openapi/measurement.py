"""One measurement as JSON Schema: for each analyte its names, its units, and the numbers that can be true in each of them.

The ranges are those of `models.analytes`, taken into the unit: the largest number that the reader still accepts, to the bit.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal

from models.analytes import ANALYTES, Analyte, InvalidQuantity, quantity
from serving.openapi.words import DATE, Schema, closed, nullable, one_of_words, ref

LIMIT: Schema = {
    "description": 'a limit of the assay, such as "<2.0" or ">120000"',
    "allOf": [ref("Text"), {"pattern": r"^\s*(?:[<>]=?|[\u2264\u2265])\s*[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?\s*$"}],
}
_UNIT = "UCUM or a usual spelling, never guessed; capitals do not count, except in G/L (10*9/L), and blanks nowhere"


def measurements() -> dict[str, Schema]:
    """The components: Measurement, one of the measurements of each analyte, and the spellings of the units."""
    found: dict[str, Schema] = {"Measurement": {"anyOf": [ref(_named(name)) for name in ANALYTES]}, "Limit": LIMIT}
    for name, analyte in ANALYTES.items():
        found[_named(name)] = _measurement(analyte)
    return found | {name: {"enum": list(spellings)} for spellings, name in _UNITS.items()}


def has(analyte: str) -> Schema:
    """Any measurement that is named so, by its name or a LOINC code of it."""
    return {"type": "object", **_naming(ANALYTES[analyte])}


def _named(analyte: str) -> str:
    return f"Measurement.{analyte}"


def _measurement(analyte: Analyte) -> Schema:
    fields = {
        "analyte": one_of_words([analyte.name, None]),
        "loinc": one_of_words([*analyte.loinc, None]),
        "value": True,  # the number and its unit together: below
        "unit": {"type": "string", "description": _UNIT},
        "date": DATE | {"description": "the day of the draw, not after as_of"},
        "uln": {"description": "the laboratory's upper limit of normal, in the unit beside it"},
        "method": nullable(ref("Label")),
    }
    in_units = [_in_unit(analyte, factor, spellings) for factor, spellings in _by_factor(analyte).items()]
    described = {"title": analyte.label, **closed(fields, ["value", "unit", "date"])}
    return described | {"allOf": [_naming(analyte), {"anyOf": in_units} if len(in_units) > 1 else in_units[0]]}


def _naming(analyte: Analyte) -> Schema:
    by_name: Schema = {"required": ["analyte"], "properties": {"analyte": {"const": analyte.name}}}
    if not analyte.loinc:
        return by_name
    by_code = {"required": ["loinc"], "properties": {"loinc": {"enum": list(analyte.loinc)}}}
    return {"anyOf": [by_name, by_code]}


def _in_unit(analyte: Analyte, factor: float, spellings: tuple[str, ...]) -> Schema:
    low, high = _bounds(analyte, factor, spellings[0])
    fields = {
        "unit": ref(_UNITS[spellings]),
        "value": _values(analyte, factor, (low, high)),
        "uln": {"type": ["number", "null"], "exclusiveMinimum" if low == 0 else "minimum": low, "maximum": high},
    }
    return {"properties": fields}


def _values(analyte: Analyte, factor: float, bounds: tuple[float, float]) -> Schema:
    low, high = bounds
    if analyte.step:
        return {"enum": list(range(int(low), int(high) + 1, analyte.step))}
    if analyte.smallest:
        numbers = [{"const": 0}, {"type": "number", "minimum": _shown(analyte.smallest / factor), "maximum": high}]
    else:
        numbers = [{"type": "number", "minimum": low, "maximum": high}]
    return {"anyOf": [*numbers, ref("Limit")]}


def _by_factor(analyte: Analyte) -> Mapping[float, tuple[str, ...]]:
    found: dict[float, tuple[str, ...]] = {}
    for spelling, factor in analyte.units.items():
        found[factor] = (*found.get(factor, ()), spelling)
    return found


def _units() -> Mapping[tuple[str, ...], str]:
    """The spellings of one unit, named after the first analyte that comes in them."""
    found: dict[tuple[str, ...], str] = {}
    for name, analyte in ANALYTES.items():
        for place, spellings in enumerate(_by_factor(analyte).values(), start=1):
            found.setdefault(spellings, f"Units.{name}.{place}")
    return found


def _bounds(analyte: Analyte, factor: float, unit: str) -> tuple[float, float]:
    """The smallest and the largest number that the reader accepts in this unit."""
    low, high = (float(Decimal(repr(end)) / Decimal(repr(factor))) for end in map(float, analyte.hard))
    return _shown(_last(analyte, unit, low, -math.inf)), _shown(_last(analyte, unit, high, math.inf))


def _last(analyte: Analyte, unit: str, near: float, towards: float) -> float:
    """The last number on the way from `near` outwards that is still accepted: rounding may move it by some bits."""
    if near == 0.0:
        return near  # no measurement is negative
    while not _accepted(analyte, near, unit):
        near = math.nextafter(near, -towards)
    while _accepted(analyte, further := math.nextafter(near, towards), unit):
        near = further
    return near


def _accepted(analyte: Analyte, number: float, unit: str) -> bool:
    try:
        quantity(analyte.name, number, unit)
    except InvalidQuantity:
        return False
    return True


def _shown(number: float) -> float:
    """A whole number without its .0."""
    return int(number) if number.is_integer() else number


_UNITS = _units()
