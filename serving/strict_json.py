"""JSON read strictly: what two readers could understand differently is refused, with the place where it stands.

The standard library keeps the last of two equal keys, reads NaN and Infinity, and follows any nesting until it falls over: each
has silently changed a score or ended a service somewhere (a duplicate key moved one risk from .47 to .93).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice

from models.fault import Fault
from serving.field_names import repeatable

WHOLE = "request"  # the place of a fault that has none within the document
DEEPEST = 32
LONGEST = 2**20  # bytes of one document
LONGEST_TEXT = 256  # characters of one text
LONGEST_KEY = 64
LARGEST = 1e15  # beyond it a number is no measurement, and two readers may round it differently
LONGEST_NUMBER = 32  # characters: 17 digits tell any measurement from any other
MOST_FAULTS = 100  # are named; whoever has more reads them again when these are mended
# control characters, signs without a width or that turn the direction of writing, what damaged text holds, halves of a character
UNPLAIN = "\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\uffff\ud800-\udfff"
_CONTROL = re.compile(f"[{UNPLAIN}]")


class InvalidRequest(ValueError):
    """A request that is no strict JSON, or has not the shape of a request; `faults` names every place.

    The rule it defends: whatever is scored was understood in the only way it can be.
    """

    def __init__(self, *faults: Fault):
        self.faults = faults
        super().__init__("; ".join(fault.without_value() for fault in faults))


class TooLarge(InvalidRequest):
    """More than a mebibyte: refused before it is read."""


class Repeating(dict[str, object]):
    """A JSON object in which these keys stood more than once."""

    repeated: tuple[str, ...] = ()


def read_json(content: bytes) -> object:
    """The document, or InvalidRequest naming every place at fault."""
    if len(content) > LONGEST:
        raise TooLarge(Fault(WHOLE, f"{len(content)} bytes", "at most 1 MiB", "several requests in one"))
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidRequest(Fault(WHOLE, "other bytes", "UTF-8", "another encoding, or a compressed body")) from error
    if ordinary(text):
        with suppress(_NotOrdinary, json.JSONDecodeError):
            return _quick.decode(text)
    return read_slowly(text)


def read_slowly(text: str) -> object:
    """The document, every text and number looked at one by one; or InvalidRequest."""
    try:
        document: object = _decoder.decode(text)
    except RecursionError as error:
        raise InvalidRequest(_TOO_DEEP) from error
    except json.JSONDecodeError as error:
        where = f"the text stops being JSON at line {error.lineno}, column {error.colno}"
        if text.startswith("\ufeff"):
            where = "a byte order mark: UTF-8 has none"
        raise InvalidRequest(Fault(WHOLE, "something else", "one JSON document", where)) from error
    if faults := list(islice(_faults(document, "", 0), MOST_FAULTS)):
        raise InvalidRequest(*faults)
    return document


class _NotOrdinary(ValueError):
    """A text that is not as ordinary as it looks; it is read slowly, to say what is wrong."""


def ordinary(text: str) -> bool:
    """Whether a glance at the text shows that no text, number or depth of it can be at fault, as in nearly all requests.

    In ASCII without escapes every quotation mark opens or closes a text: what stands between two is a text or a key, the rest is
    brackets and numbers. Numbers of at most 15 signs without an exponent are below 1e15, and never so small that they read as 0.
    """
    if "\\" in text or "\x7f" in text or not text.isascii():
        return False
    parts = text.split('"')
    rest = "".join(parts[::2])
    return max(map(len, parts[1::2]), default=0) <= LONGEST_KEY and _usual_numbers(rest) and _shallow(rest)


def _usual_numbers(rest: str) -> bool:
    """Whether none is long, has an exponent or is NaN or Infinity."""
    letters = rest.replace("true", "").replace("false", "")
    return _OF_UNUSUAL_NUMBERS.isdisjoint(letters) and not _LONG_NUMBER.search(rest)


def _shallow(rest: str) -> bool:
    """Whether brackets are gone when the innermost pairs are taken away a few times: so deep they are, and no deeper."""
    brackets = rest.encode().translate(None, _NO_BRACKETS)
    for _ in range(_USUAL_DEPTH):
        brackets = brackets.replace(b"{}", b"").replace(b"[]", b"")
    return not brackets


def _once_each(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _NotOrdinary("a key that stands twice")
    return found


def _step(pointer: str, key: str) -> str:
    """The pointer one key further down; a key that is no field's name is not repeated, it may be a patient's."""
    return f"{pointer}/{key}" if repeatable(key) else pointer


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    seen: set[str] = set()
    repeating = Repeating(found)
    repeating.repeated = tuple(dict.fromkeys(key for key, _ in pairs if key in seen or seen.add(key)))  # type: ignore[func-returns-value]  # add() is None, so a new key is kept out
    return repeating


def _integer(text: str) -> int | float:
    return int(text) if len(text) <= 20 else math.inf  # longer ones are refused below; int() would be slow, or refuse itself


def _decimal(text: str) -> float:
    """The number; not one where it is endless, or so small that it would read as nothing."""
    number = float(text) if len(text) <= LONGEST_NUMBER else math.nan
    return math.nan if number == 0 and _ANY_DIGIT.search(text.lower().partition("e")[0]) else number


_ANY_DIGIT = re.compile("[1-9]")
_decoder = json.JSONDecoder(
    object_pairs_hook=_object, parse_constant=lambda text: math.nan, parse_int=_integer, parse_float=_decimal
)
_quick = json.JSONDecoder(object_pairs_hook=_once_each)
_OF_UNUSUAL_NUMBERS = frozenset("eENI")  # 1e9, 1E9, NaN, Infinity
_LONG_NUMBER = re.compile("[-.0-9]{16}")
_USUAL_DEPTH = 6
_NO_BRACKETS = bytes(code for code in range(128) if chr(code) not in "{}[]")
_TOO_DEEP = Fault(WHOLE, "more", f"at most {DEEPEST} levels of nesting")


def _faults(value: object, pointer: str, depth: int) -> Iterator[Fault]:
    if depth > DEEPEST:
        yield _TOO_DEEP
    elif isinstance(value, str):
        if len(value) > LONGEST_TEXT or _CONTROL.search(value):
            yield Fault(pointer, "another text", f"a text of at most {LONGEST_TEXT} plain characters")
    elif isinstance(value, float) and not math.isfinite(value):
        allowed = f"a finite number of at most {LONGEST_NUMBER} characters"
        yield Fault(pointer, "no number", allowed, "NaN or Infinity: leave out what was not measured")
    elif isinstance(value, int | float) and not -LARGEST <= value <= LARGEST:
        yield Fault(pointer, "another size", f"a number from {-LARGEST:g} to {LARGEST:g}")
    elif isinstance(value, list):
        for index, one in enumerate(value):
            yield from _faults(one, f"{pointer}/{index}", depth + 1)
    elif isinstance(value, dict):
        yield from _object_faults(value, pointer, depth)


def _object_faults(value: dict[str, object], pointer: str, depth: int) -> Iterator[Fault]:
    for key in value.repeated if isinstance(value, Repeating) else ():
        yield Fault(_step(pointer, key), "two values", "each field once", "two sources merged into one request")
    for key, one in value.items():
        if len(key) > LONGEST_KEY or _CONTROL.search(key):
            yield Fault(pointer, "another name", f"field names of at most {LONGEST_KEY} plain characters")
        yield from _faults(one, _step(pointer, key), depth + 1)
