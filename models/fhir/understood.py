"""What was understood of the resources sent: the patient document, which resources it rests on, and everything left aside.

Nothing is dropped in silence: a resource is used, or it is listed with the reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from models.fault import Fault

MOST_LISTED = 200  # lines; what is listed beyond them is counted


@dataclass(frozen=True)
class Listed:
    """A resource that was not used, or not as it stands: where, what of it, and why. Never a value that was measured."""

    reference: str
    what: str
    why: str
    times: int = 1

    def as_json(self) -> dict[str, object]:
        """For the receipt and the answer."""
        return {"resource": self.reference, "what": self.what, "why": self.why, "times": self.times}

    def __str__(self) -> str:
        often = f" ({self.times} times)" if self.times > 1 else ""
        return f"{self.reference}: {self.what}{often}: {self.why}"


@dataclass(frozen=True)
class Understood:
    """The patient in the words of `POST /v1/scores`; `places` leads from a JSON pointer in it to the resource it came from.

    With `faults` there is no patient, and `document` holds what could be read all the same.
    """

    document: Mapping[str, Any]
    used: tuple[str, ...]
    listed: tuple[Listed, ...]
    faults: tuple[Fault, ...]
    places: Mapping[str, str]
    subject: str = ""  # the reference of the patient


@dataclass
class Listing:
    """Collects what is listed, faults and used references while resources are read."""

    faults: list[Fault] = field(default_factory=list)
    _lines: dict[tuple[str, str], Listed] = field(default_factory=dict)
    _used: dict[str, None] = field(default_factory=dict)

    def aside(self, reference: str, what: str, why: str) -> None:
        """One more thing that is not used; the same of the same kind is counted, under the first reference."""
        kind, what = reference.partition("/")[0], "".join(sign for sign in what if sign.isprintable())
        key = (f"{kind} {what}", why)
        known = self._lines.get(key)
        self._lines[key] = Listed(reference, what, why) if known is None else Listed(known.reference, what, why, known.times + 1)

    def use(self, reference: str) -> None:
        """The resource is used."""
        self._used[reference] = None

    @property
    def used(self) -> tuple[str, ...]:
        """The references in the order of their first use."""
        return tuple(self._used)

    @property
    def lines(self) -> tuple[Listed, ...]:
        """Everything listed, the rest beyond MOST_LISTED in one line."""
        found = list(self._lines.values())
        if len(found) <= MOST_LISTED:
            return tuple(found)
        rest = sum(one.times for one in found[MOST_LISTED:])
        return (*found[:MOST_LISTED], Listed("", "others", "more than can be listed", rest))
