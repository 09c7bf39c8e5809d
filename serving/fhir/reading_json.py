"""A FHIR body: JSON that can be read in one way only, and no more of it than a patient's record needs.

Narratives and names of any length are let through, since nothing reads them; what two readers could understand differently (a key
twice, NaN, endless nesting) is refused, as it is everywhere here.
"""

from __future__ import annotations

import json
import math

from models.fault import Fault
from serving.strict_json import DEEPEST, WHOLE, InvalidRequest, TooLarge

LONGEST = 4 * 2**20  # bytes: the record of a patient of many years, with a margin (the largest published sample has 1.4 MiB)
_NESTING = (dict, list)
_DEEP = Fault(WHOLE, "more", f"at most {DEEPEST} levels of nesting")


def read_fhir(content: bytes) -> object:
    """The document; InvalidRequest where it is no JSON that can be read in one way only."""
    if len(content) > LONGEST:
        raise TooLarge(Fault(WHOLE, f"{len(content)} bytes", f"at most {LONGEST // 2**20} MiB"))
    try:
        document: object = _DECODER.decode(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise InvalidRequest(Fault(WHOLE, "other bytes", "UTF-8", "another encoding, or a compressed body")) from error
    except RecursionError as error:
        raise InvalidRequest(_DEEP) from error
    except json.JSONDecodeError as error:
        where = f"the text stops being JSON at line {error.lineno}, column {error.colno}"
        raise InvalidRequest(Fault(WHOLE, "something else", "one JSON document", where)) from error
    if _deeper(document):
        raise InvalidRequest(_DEEP)
    return document


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise InvalidRequest(Fault(WHOLE, "a key twice", "each key of an object once", "two sources merged into one document"))
    return found


def _no_number(text: str) -> float:
    raise InvalidRequest(Fault(WHOLE, "no number", "finite numbers", "NaN or Infinity: leave out what was not measured"))


def _decimal(text: str) -> float:
    value = float(text)
    return value if math.isfinite(value) else _no_number(text)


def _integer(text: str) -> int:
    return int(text) if len(text) <= 20 else int(_no_number(text))


def _deeper(document: object) -> bool:
    """Whether it nests deeper than anything that is read here."""
    level, layer = 0, [document]
    while layer and level <= DEEPEST:
        inner: list[object] = []
        for one in layer:
            if isinstance(one, dict):
                inner += [value for value in one.values() if isinstance(value, _NESTING)]
            elif isinstance(one, list):
                inner += [value for value in one if isinstance(value, _NESTING)]
        layer, level = inner, level + 1
    return bool(layer)


_DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_number, parse_float=_decimal, parse_int=_integer)
