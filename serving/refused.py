"""A patient who gets no risk, and why: unreadable, not one the models are for, without a required input, or not comparable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from models.analytes import ANALYTES
from models.fault import Fault
from models.history import HISTORY_FIELDS

Why = Literal["invalid", "not eligible", "insufficient data", "not comparable"]


@dataclass(frozen=True)
class Refused:
    """Every reason for which one patient is not scored."""

    id: str
    why: Why
    faults: tuple[Fault, ...]
    place: str = ""  # in a file: "line 3"

    def __str__(self) -> str:
        """The whole sentence, with the values given: for a file's owner, not for the wire."""
        place = f"{self.place}, " if self.place else ""
        return f"{place}{self.why}: " + "; ".join(map(str, self.faults))

    def as_json(self, at: str = "") -> dict[str, object]:
        """For the wire: JSON pointers and reasons, and nothing that was given; `at` is the patient's place ("/patients/3")."""
        return {"id": self.id or None, "refused": self.why, "errors": pointed(self.faults, at)}


def pointed(faults: Sequence[Fault], at: str = "") -> list[dict[str, str]]:
    """The faults with JSON pointers and without the values given; `at` is the pointer of the patient they speak of."""
    found = []
    for fault in faults:
        pointer = fault.field if fault.field.startswith("/") else at + _pointer(fault.field)
        name = fault.field.rpartition("/")[2] or "request"
        found.append({"pointer": pointer, "detail": replace(fault, field=name).without_value()})
    return found


def _pointer(field: str) -> str:
    if field in ANALYTES:
        return "/measurements"
    if field in HISTORY_FIELDS:
        return f"/history/{field}"
    if field.startswith("extra."):
        return "/extra/" + field.removeprefix("extra.")
    return f"/{field}" if field in ("age_years", "sex", "tumour", "treatments", "index_date") else ""
