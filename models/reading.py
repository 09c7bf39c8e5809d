"""How a result is written: a number, or a limit such as "<2.0" and ">120000"; anything else is no result."""

import math
import re
from numbers import Real
from typing import Literal

Limit = Literal["", "<", ">"]
NO_LIMIT: Limit = ""

_NUMBER = re.compile(r"([<>]=?|[\u2264\u2265])?\s*([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)", re.ASCII)
_LIMITS: dict[str, Limit] = {"": "", "<": "<", "\u2264": "<", ">": ">", "\u2265": ">"}
NINES = frozenset(float("9" * digits) for digits in range(1, 13))


def read(given: object) -> tuple[float, Limit]:
    """The number and its limit; not-a-number for what is no result.

    >>> read("<= 2.0"), read(">120000"), read("1,200")
    ((2.0, '<'), (120000.0, '>'), (nan, ''))
    """
    if type(given) is float:
        return given, ""
    if isinstance(given, str):
        found = _NUMBER.fullmatch(given.strip())
        return (math.nan, "") if found is None else (float(found[2]), _LIMITS[(found[1] or "")[:1]])
    if isinstance(given, bool) or not isinstance(given, Real):
        return math.nan, ""
    try:
        return float(given), ""
    except OverflowError:
        return math.inf, ""


def shown(given: object) -> str:
    """What was given, as it may stand in a sentence: text in quotes, and nothing endless."""
    if given is None:
        return "nothing"
    if isinstance(given, int) and given.bit_length() > 128:  # str() refuses very long integers
        return "an endless integer"
    text = repr(given) if isinstance(given, str) else str(given).removesuffix(".0")
    return text if len(text) <= 40 else text[:37] + "..."


def why_no_number(given: object) -> str:
    """What `given`, which is no finite number, likely is."""
    if isinstance(given, bool):
        return "an answer of yes or no"
    if not isinstance(given, str):
        return "a missing value: leave the measurement out"
    if re.search(r"\d,\d", given):
        return "a comma: write 1200 or 1.2, never 1,200 or 1,2"
    return 'text: a missing value is left out, one below or above the assay is written "<2.0" or ">120000"'


def missing_code(number: float) -> str:
    """The suspicion that a number is a code for "missing" (-99, 9999), or nothing."""
    return "a code of the source for a missing value" if number < 0 or number in NINES else ""
