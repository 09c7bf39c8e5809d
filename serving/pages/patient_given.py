"""What was filled in becomes the patient document of `POST /v1/scores`, word for word: nothing is corrected, guessed or left out.

Every place of the document leads back to the field it came from, so that what is wrong is said beside it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from models.fault import Fault
from serving.pages.patient_draws import DRAWS, Draws, draws_of
from serving.pages.patient_fields import FLAG_NAMES, MEASURED, MOST_ROWS, NUMBERS, ONE_UNIT, TREATED
from serving.pages.patient_numbers import number, number_fault
from serving.pages.words import say
from serving.wire import COMPARED

DRAWN = "drawn"  # the day of all values that have none of their own
PLAIN = ("id", "as_of", "index_date", "sex", "tumour")  # fields that the document has under the same name, as texts
HISTORY = (*FLAG_NAMES, *NUMBERS, "last_line_outcome")
_PARTS = {"unit": "{}_unit", "date": "{}_date", "uln": "{}_uln"}  # of a measurement: the fields they stand in


@dataclass(frozen=True)
class Given:
    """The patient document, the field behind each place of it, and what is wrong before anybody reads it."""

    document: Mapping[str, Any]
    fields: Mapping[str, str]  # by JSON pointer
    lines: Mapping[str, int]  # of the pasted draws, by JSON pointer
    faults: tuple[Fault, ...]

    @property
    def body(self) -> bytes:
        """The document as it is scored."""
        return json.dumps(self.document, ensure_ascii=False, allow_nan=False).encode()

    def field_of(self, place: str) -> str:
        """The field of a fault's place: of the place itself, of the nearest above it, or of the analyte that is named."""
        if not place.startswith("/"):
            return self.fields.get(place, place)
        while place and place not in self.fields:
            place = place.rpartition("/")[0]
        return self.fields.get(place, "")

    def line_of(self, place: str) -> int | None:
        """The line of the pasted draws at a fault's place, or None where it stands elsewhere."""
        return self.lines.get("/".join(place.split("/")[:3]))


def given_of(form: Mapping[str, str]) -> Given:
    """What the fields of a form say of a patient; empty ones say nothing."""
    filled = {name: value.strip() for name, value in form.items() if value.strip()}
    draws = draws_of(form.get(DRAWS, ""))  # as it is: its lines are counted
    measured, treated = list(_measured(filled)), list(_treatments(filled))
    document: dict[str, Any] = {name: filled[name] for name in PLAIN if name in filled}
    document |= {name: number(filled[name]) for name in ("age_years", COMPARED) if name in filled}
    document["measurements"] = [one for _, one in measured] + [one.measurement for one in draws.read]
    if treated:
        document["treatments"] = [one for _, one in treated]
    if history := {name: number(filled[name]) if name in NUMBERS else filled[name] for name in HISTORY if name in filled}:
        document["history"] = history
    lines = {f"/measurements/{place}": one.line for place, one in enumerate(draws.read, len(measured))}
    faults = (*_faults(filled, measured, treated), *draws.faults)
    return Given(document, _fields([field for field, _ in measured], draws, treated), lines, faults)


def _fields(measured: list[str], draws: Draws, treated: list[tuple[str, dict[str, Any]]]) -> dict[str, str]:
    """The field of every place of the document that may be spoken of."""
    found = {f"/{name}": name for name in (*PLAIN, "age_years", COMPARED)} | {f"/history/{name}": name for name in HISTORY}
    for place, field in enumerate(measured):
        at = f"/measurements/{place}"
        found |= {at: field} | {f"{at}/{part}": pattern.format(field) for part, pattern in _PARTS.items()}
    found |= {f"/measurements/{place}": DRAWS for place, _ in enumerate(draws.read, len(measured))}
    for place, (row, _) in enumerate(treated):
        at = f"/treatments/{place}"
        found |= {at: f"{row}_modality"} | {f"{at}/{name}": f"{row}_{name}" for name in TREATED}
    running = next((f"{row}_end" for row, one in treated if "end" not in one), "")
    return found | {"treatments": running}  # what is said of all of them is that a line runs


def _faults(
    filled: Mapping[str, str], measured: list[tuple[str, dict[str, Any]]], treated: list[tuple[str, dict[str, Any]]]
) -> Iterator[Fault]:
    """Numbers that are none, and whatever stands beside a value that is not there: it was meant for something."""
    for field, one in measured:
        if fault := number_fault(field, one["value"], limits=True):
            yield fault
    plain = [("age_years", filled.get("age_years")), *((name, filled.get(name)) for name in NUMBERS)]
    limits = [(f"{name}_uln", filled.get(f"{name}_uln")) for name in MEASURED]
    for field, text in (*plain, *limits, *((f"{row}_line", filled.get(f"{row}_line")) for row, _ in treated)):
        if text is not None and (fault := number_fault(field, number(text))):
            yield fault
    for name in MEASURED:
        if name not in filled and any(pattern.format(name) in filled for pattern in _PARTS.values()):
            yield Fault(name, "nothing", say("patient", "a_value"))


def _measured(filled: Mapping[str, str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The values in fields of their own."""
    for name in (one for one in MEASURED if one in filled):
        one: dict[str, Any] = {"analyte": name, "value": number(filled[name])}
        if unit := ONE_UNIT.get(name) or filled.get(f"{name}_unit"):
            one["unit"] = unit
        if day := filled.get(f"{name}_date") or filled.get(DRAWN):
            one["date"] = day
        if limit := filled.get(f"{name}_uln"):
            one["uln"] = number(limit)
        yield name, one


def _treatments(filled: Mapping[str, str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The rows of treatments in which anything stands."""
    for place in range(MOST_ROWS):
        row = f"t{place}"
        told = {name: filled[f"{row}_{name}"] for name in TREATED if f"{row}_{name}" in filled}
        if not told:
            continue
        one: dict[str, Any] = dict(told)
        if "line" in told:
            one["line"] = number(told["line"])
        if "agents" in told:
            one["agents"] = [agent.strip() for agent in re.split(r"[,;+]", told["agents"]) if agent.strip()]
        yield row, one
