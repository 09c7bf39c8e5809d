"""A TOML document read whole: every fault is collected as it is met, and named with what was given and what is allowed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from models.fault import Fault
from models.reading import shown


class Reading:
    """One reading of one document; what is at fault reads as its default, so that the rest is read too."""

    def __init__(self, file: str):
        self.file = file
        self.faults: list[Fault] = []

    def fault(self, key: str, given: object, allowed: str, likely: str = "") -> None:
        """Keep that what stands at `key` is not allowed."""
        self.faults.append(Fault(f"{self.file}: {key}", shown(given), allowed, likely))

    def known(self, given: Mapping[str, Any], allowed: Iterable[str], section: str = "") -> None:
        """Every key of a table must be one of those."""
        allowed = sorted(allowed)
        for key in sorted(set(given) - set(allowed)):
            likely = get_close_matches(key, allowed, 1)
            self.fault(f"{section}{key}", key, "one of " + ", ".join(allowed), likely[0] if likely else "")

    def words(self, key: str, given: Iterable[str], allowed: Iterable[str]) -> None:
        """Every word of a list must be one of those."""
        allowed = sorted(allowed)
        for word in sorted(set(given) - set(allowed)):
            likely = get_close_matches(word, allowed, 1)
            self.fault(key, word, "one of " + ", ".join(allowed), likely[0] if likely else "")

    def table(self, document: Mapping[str, Any], key: str, section: str = "") -> dict[str, Any]:
        """A table, empty where there is none."""
        found = document.get(key, {})
        if isinstance(found, dict):
            return found
        self.fault(f"{section}{key}", found, f"a table [{section}{key}]")
        return {}

    def text(self, given: Mapping[str, Any], key: str, default: str = "", section: str = "") -> str:
        """A text."""
        found = given.get(key, default)
        if isinstance(found, str):
            return found
        self.fault(f"{section}{key}", found, "a text")
        return default

    def yes_no(self, given: Mapping[str, Any], key: str, default: bool, section: str = "") -> bool:
        """A yes or no."""
        found = given.get(key, default)
        if isinstance(found, bool):
            return found
        self.fault(f"{section}{key}", found, "true or false")
        return default

    def word(self, given: Mapping[str, Any], key: str, default: str, allowed: tuple[str, ...], section: str = "") -> str:
        """One of the words that are allowed."""
        found = given.get(key, default)
        if found in allowed:
            return str(found)
        self.fault(f"{section}{key}", found, "one of " + ", ".join(allowed))
        return default

    def count(self, given: Mapping[str, Any], key: str, default: int, least: int, section: str = "") -> int:
        """A whole number that is large enough."""
        found = given.get(key, default)
        if isinstance(found, int) and not isinstance(found, bool) and found >= least:
            return found
        self.fault(f"{section}{key}", found, f"a whole number, {least} or more")
        return default

    def number(self, given: Mapping[str, Any], key: str, default: float, section: str = "") -> float:
        """A number."""
        found = given.get(key, default)
        if is_number(found):
            return float(found)
        self.fault(f"{section}{key}", found, "a number")
        return default

    def band(self, given: Mapping[str, Any], key: str, default: tuple[float, float], section: str = "") -> tuple[float, float]:
        """Two numbers, the lower first."""
        found = given.get(key, list(default))
        if isinstance(found, list) and len(found) == 2 and all(map(is_number, found)) and found[0] < found[1]:
            return float(found[0]), float(found[1])
        self.fault(f"{section}{key}", found, "[lowest, highest], two numbers")
        return default

    def texts(self, given: Mapping[str, Any], key: str, section: str = "") -> tuple[str, ...]:
        """A list of texts, each once."""
        found = given.get(key, [])
        if isinstance(found, list) and all(isinstance(one, str) and one for one in found) and len(set(found)) == len(found):
            return tuple(found)
        self.fault(f"{section}{key}", found, "a list of texts, each once")
        return ()


def is_number(given: object) -> bool:
    """Whether a value is a finite number; yes and no are none."""
    return isinstance(given, int | float) and not isinstance(given, bool) and abs(given) < float("inf")
