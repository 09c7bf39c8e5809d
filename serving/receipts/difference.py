"""Where two JSON documents differ, and by how much: places, never values.

A number weighs as much as it moved, relative to its size (to 1 below that). Words weigh nothing, and neither does what was added:
a later version may say more, and say it better. What is gone from the numbers of an answer weighs infinitely much.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

CLOSE = 1e-12
NUMBERS = ("/risks", "/explanation", "/estimates", "/change")  # what stands under them may not go missing


class Difference(NamedTuple):
    """The JSON pointer of a place, whether numbers stand there on both sides, and what the difference weighs."""

    place: str
    numbers: bool
    weight: float

    @property
    def slight(self) -> bool:
        """Whether no number is another one by more than 1e-12."""
        return self.weight <= CLOSE


def differences(was: object, now: object, at: str = "") -> Iterator[Difference]:
    """The places where `now` is not `was`, to the bit (-0.0 is not 0.0, and 1 is not 1.0) and in the order of keys."""
    if isinstance(was, dict) and isinstance(now, dict):
        yield from _of_objects(was, now, at)
    elif isinstance(was, list) and isinstance(now, list):
        for place, (one, other) in enumerate(zip(was, now, strict=False)):
            yield from differences(one, other, f"{at}/{place}")
        if len(was) != len(now):
            yield Difference(at, False, _gone(at) if len(now) < len(was) else 0.0)
    elif _number(was) and _number(now):
        if repr(was) != repr(now):
            yield Difference(at, True, _moved(was, now))
    elif was is not now and (type(was) is not type(now) or was != now):
        yield Difference(at, False, 0.0 if isinstance(was, str) and isinstance(now, str) else _gone(at))


def _of_objects(was: dict[str, object], now: dict[str, object], at: str) -> Iterator[Difference]:
    for name, one in was.items():
        if name in now:
            yield from differences(one, now[name], f"{at}/{name}")
        else:
            yield Difference(f"{at}/{name}", False, _gone(f"{at}/{name}"))
    yield from (Difference(f"{at}/{name}", False, 0.0) for name in now if name not in was)
    if was.keys() == now.keys() and list(was) != list(now):
        yield Difference(at, False, 0.0)


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _moved(was: object, now: object) -> float:
    one, other = float(was), float(now)  # type: ignore[arg-type]  # both are numbers
    return abs(one - other) / max(1.0, abs(one), abs(other))


def _gone(at: str) -> float:
    return math.inf if at.startswith(NUMBERS) else 0.0
