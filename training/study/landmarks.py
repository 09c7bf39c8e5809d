"""When patients who are followed are looked at again: the landmarks of a study, declared before training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

from training.study.reading import Reading, is_number

EVERY, TO = 14.0, 180.0  # days: a visit of most regimens, and as long as the recovery of lymphocytes is argued about
CARRIED = 42.0  # days that a value may be old and still be the current one: two visits missed
ALL_ALIVE, ON_THERAPY = "all alive", "on therapy"
INDEX_EVENT = "the decision to start the next line of treatment"
_KEYS = ("index_event", "days", "every", "to", "carried", "who")


@dataclass(frozen=True)
class Landmarks:
    """Days after the index event on which patients are looked at, ascending; how long a value is carried; who is looked at."""

    days: tuple[float, ...] = tuple(EVERY * place for place in range(int(TO // EVERY) + 1))
    carried: float = CARRIED
    who: str = ALL_ALIVE
    index_event: str = INDEX_EVENT

    def as_json(self) -> dict[str, object]:
        """What was declared, JSON-ready."""
        return asdict(self) | {"days": list(self.days)}


def read_landmarks(reading: Reading, given: Mapping[str, Any]) -> Landmarks:
    """The table [landmarks] of a study file; faults are added to those of `reading`."""
    section = "landmarks."
    reading.known(given, _KEYS, section)
    return Landmarks(
        days=_days(reading, given),
        carried=float(reading.count(given, "carried", int(CARRIED), 1, section)),
        who=reading.word(given, "who", ALL_ALIVE, (ALL_ALIVE, ON_THERAPY), section),
        index_event=reading.text(given, "index_event", INDEX_EVENT, section),
    )


def _days(reading: Reading, given: Mapping[str, Any]) -> tuple[float, ...]:
    if "days" not in given:
        every = reading.count(given, "every", int(EVERY), 1, "landmarks.")
        to = reading.count(given, "to", int(TO), every, "landmarks.")
        return tuple(float(day) for day in range(0, to + 1, every))
    found = given["days"]
    if "every" in given or "to" in given:
        reading.fault("landmarks.days", found, "days, or every and to: not both")
    days = found if isinstance(found, list) and all(map(is_number, found)) else []
    if len(days) > 1 and days[0] == 0 and all(a < b and b % 1 == 0 for a, b in pairwise(days)):
        return tuple(map(float, days))
    reading.fault("landmarks.days", found, "at least two whole days, the first 0 (the index date), ascending")
    return Landmarks().days
