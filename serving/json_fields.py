"""The fields of a JSON object, one by one: a word, a number, a day, rows; what is of another kind is a fault with its place."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache, lru_cache

from models.fault import Fault
from serving.field_names import LOOKED_UP, meant, misspelt, repeatable
from serving.plain_words import LABEL_RULE, is_label

MOST_ROWS = 5000  # measurements or treatments of one patient
ENOUGH = 100  # faults of one patient are named; what comes after them is not read any more
FIRST_DAY = date(1900, 1, 1)  # earlier dates are codes for "not known"
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


@cache
def _as_set(allowed: tuple[str, ...]) -> frozenset[str]:
    return frozenset(allowed)


@lru_cache(maxsize=4096)  # the days of one request are few, and of one week's requests too
def _day(written: str) -> date | None:
    """The day, or None for what is no date of the calendar, or a code for "not known"."""
    try:
        day = date.fromisoformat(written) if _DATE.fullmatch(written) else None
    except ValueError:
        return None  # a day that no calendar has
    return day if day is not None and day >= FIRST_DAY else None


class Fields:
    """Reads the fields of objects whose place in the request is `at`, and collects their faults as it goes."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.as_of: date | None = None

    def fault(self, pointer: str, given: object, allowed: str, likely: str = "") -> None:
        self.faults.append(Fault(pointer, "nothing" if given is None else str(given), allowed, likely))

    def known(self, given: Mapping[str, object], allowed: tuple[str, ...], at: str) -> None:
        """A fault for each unknown field that may be named, and one for all others: they may be a patient's name."""
        if given.keys() <= _as_set(allowed):
            return
        unknown = sorted(set(given) - set(allowed))[:LOOKED_UP]
        for place in dict.fromkeys(self.place(key, allowed, at) for key in unknown):
            near = sorted({one for key in unknown if self.place(key, allowed, at) == place and (one := meant(key, allowed))})
            likely = "another spelling of " + ", ".join(near) if near else ""
            self.fault(place, "an unknown field", "only " + ", ".join(allowed), likely)

    def place(self, key: str, allowed: tuple[str, ...], at: str) -> str:
        near = meant(key, allowed)
        return f"{at}/{key}" if repeatable(key) or (near and misspelt(key, near)) else at

    def text(self, given: Mapping[str, object], name: str, at: str) -> str:
        """A word of a list, which its reader looks up; nothing where it is not given."""
        found = given.get(name)
        if found is None or (isinstance(found, str) and found.strip()):
            return found or ""
        self.fault(f"{at}/{name}", found, "a text that is not empty, or nothing at all")
        return ""

    def label(self, found: object, pointer: str) -> str:
        if isinstance(found, str) and is_label(found):
            return found
        self.fault(pointer, "something else", LABEL_RULE)
        return ""

    def number(self, given: Mapping[str, object], name: str, at: str) -> float | None:
        found = given.get(name)
        if found is None:
            return None
        if isinstance(found, bool) or not isinstance(found, int | float):
            self.fault(f"{at}/{name}", found, "a number", "a number in quotes" if isinstance(found, str) else "")
            return None
        return float(found)

    def date(self, given: Mapping[str, object], name: str, at: str) -> date | None:
        found = given.get(name)
        if found is None:
            return None
        if isinstance(found, str) and (day := _day(found)):
            return day
        self.fault(f"{at}/{name}", found, f"a date of the calendar from {FIRST_DAY} on, written YYYY-MM-DD")
        return None

    def days_before(self, given: Mapping[str, object], name: str, at: str) -> float | None:
        """Days from the date to the index date; later dates are faults."""
        found = self.date(given, name, at)
        if found is None or self.as_of is None:
            return None
        days = (self.as_of - found).days
        if days < 0:
            self.fault(f"{at}/{name}", found, "a day not after as_of", "not known on the index date")
            return None
        return float(days)

    def rows(self, document: Mapping[str, object], name: str, at: str) -> Iterator[tuple[Mapping[str, object], str]]:
        """The rows that are objects, with their places; no more of them once there are faults enough."""
        found, pointer = document.get(name), f"{at}/{name}"
        if found is None:
            return
        if not isinstance(found, list) or len(found) > MOST_ROWS:
            self.fault(pointer, "another length or kind", f"a list of at most {MOST_ROWS} objects")
            return
        for index, one in enumerate(found):
            if len(self.faults) >= ENOUGH:
                return
            if isinstance(one, dict):
                yield one, f"{pointer}/{index}"
            else:
                self.fault(f"{pointer}/{index}", "something else", "an object")

    def object(self, document: Mapping[str, object], name: str, at: str) -> Mapping[str, object]:
        found = document.get(name)
        if found is None:
            return {}
        if not isinstance(found, dict):
            self.fault(f"{at}/{name}", "something else", "an object")
            return {}
        return found
