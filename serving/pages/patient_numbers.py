"""A number as it was typed: with a decimal point, and what is none said to be none, never mended.

"1,200" is one point two in Lisbon and twelve hundred in London: a comma is asked about, not interpreted.
"""

from __future__ import annotations

import math
import re

from models.fault import Fault
from serving.pages.words import say

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_WHOLE = re.compile(r"[+-]?\d{1,15}", re.ASCII)
_LIMIT = re.compile(r"[<>≤≥]=?\s*(.*)", re.DOTALL)


def number(text: str) -> float | int | str:
    """The number that the text is; the text itself where it is none, for its reader to say so."""
    if not _NUMBER.fullmatch(text):
        return text
    value = float(text)
    return int(text) if _WHOLE.fullmatch(text) else value if math.isfinite(value) else text


def number_fault(field: str, read: float | int | str, limits: bool = False) -> Fault | None:
    """What is wrong with what `number` made of a field; `limits`: whether "<2.0" may stand there, too."""
    if not isinstance(read, str):
        return None
    limit = _LIMIT.fullmatch(read) if limits else None
    if limit and not isinstance(number(limit[1].strip()), str):
        return None
    allowed = say("patient", "a_result" if limits else "a_number")
    return Fault(field, "another text", allowed, say("patient", "comma") if "," in read else "")
