"""Earlier draws as they are pasted from a chart or typed, one a line: day, quantity, value, unit.

A quantity is known by its name, its LOINC code or what charts call it, and by nothing that merely resembles these: "ALT" is not
read as ALC. A line that is something else is named by its number, and nothing of the others is lost.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from models.fault import Fault
from serving.field_names import analyte_called
from serving.pages.patient_fields import ONE_UNIT
from serving.pages.patient_numbers import number, number_fault
from serving.pages.words import say

DRAWS = "draws"  # the field into which they are pasted
MOST_DRAWS = 400  # lines
_LONGEST_NAME = 4  # words
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


@dataclass(frozen=True)
class Draw:
    """One measurement of the patient document, and the line it came from."""

    line: int
    measurement: dict[str, Any]


@dataclass(frozen=True)
class Draws:
    """What the lines say, and what is wrong with those that say nothing."""

    read: tuple[Draw, ...]
    faults: tuple[Fault, ...]


def draws_of(text: str) -> Draws:
    """The draws of a text; blanks, tabs and semicolons part what stands in a line."""
    lines = [(place, line.split()) for place, line in enumerate(text.replace(";", " ").splitlines(), 1) if line.strip()]
    read = [_draw(place, words) for place, words in lines[:MOST_DRAWS]]
    faults = [one for one in read if isinstance(one, Fault)]
    if len(lines) > MOST_DRAWS:
        faults.append(Fault(DRAWS, "more lines", say("patient", "draws_most", most=MOST_DRAWS)))
    return Draws(tuple(one for one in read if isinstance(one, Draw)), tuple(faults))


def _draw(place: int, words: Sequence[str]) -> Draw | Fault:
    """The draw of a line, or the fault of a line that is none."""
    analyte, rest = _named(words[1:])
    if not (_DAY.fullmatch(words[0]) and analyte and rest):
        return Fault(DRAWS, "another line", say("patient", "draws_allowed", line=place))
    if rest[0] in ("<", ">", "≤", "≥") and len(rest) > 1:
        rest = [rest[0] + rest[1], *rest[2:]]
    value = number(rest[0])
    if fault := number_fault(DRAWS, value, limits=True):
        return replace(fault, allowed=say("patient", "draw_value", allowed=fault.allowed, line=place))
    one: dict[str, Any] = {"analyte": analyte, "value": value, "date": words[0]}
    unit = " ".join(rest[1:]) or ONE_UNIT.get(analyte, "")
    return Draw(place, one | ({"unit": unit} if unit else {}))


def _named(words: Sequence[str]) -> tuple[str, list[str]]:
    """The quantity that the first words name, as many of them as possible, and the words behind them."""
    for many in range(min(_LONGEST_NAME, len(words)), 0, -1):
        if analyte := analyte_called(" ".join(words[:many])):
            return analyte, list(words[many:])
    return "", []
