"""What was filled in becomes the patient document of `POST /v1/scores`, word for word: nothing is corrected, guessed or left out.

Every place of the document leads back to the field it came from, so that what is wrong is said beside it.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from models.analytes import ANALYTES, BY_LOINC
from models.fault import Fault
from serving.field_names import analyte_meant
from serving.pages.patient_fields import FLAG_NAMES, MEASURED, MOST_ROWS, NUMBERS, ONE_UNIT, TREATED
from serving.pages.words import say

DRAWS = "draws"  # the field into which earlier draws are pasted
DRAWN = "drawn"  # the day of all values that have none of their own
MOST_DRAWS = 400  # lines
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


@dataclass(frozen=True)
class Given:
    """The patient document, the field behind each place of it, and what could not even be put into it."""

    document: Mapping[str, Any]
    fields: Mapping[str, str]  # by JSON pointer
    faults: tuple[Fault, ...]

    @property
    def body(self) -> bytes:
        """The document as it is scored."""
        return json.dumps(self.document, ensure_ascii=False, allow_nan=False).encode()

    def field_of(self, place: str) -> str:
        """The field of a fault's place: of the place itself, of the nearest above it, or of the analyte that is named."""
        if not place.startswith("/"):
            return place
        while place and place not in self.fields:
            place = place.rpartition("/")[0]
        return self.fields.get(place, "")


def given_of(form: Mapping[str, str]) -> Given:
    """What the fields of a form say of a patient; empty ones say nothing."""
    filled = {name: value.strip() for name, value in form.items() if value.strip()}
    document: dict[str, Any] = {name: filled[name] for name in ("id", "as_of", "sex", "tumour") if name in filled}
    fields = {f"/{name}": name for name in ("id", "as_of", "sex", "tumour", "age_years")}
    faults: list[Fault] = []
    if "age_years" in filled:
        document["age_years"] = number(filled["age_years"])
    document["measurements"] = []
    for field, one in [*_measured(filled), *_drawn(filled.get(DRAWS, ""), faults)]:
        _note(fields, f"/measurements/{len(document['measurements'])}", field, one, MEASUREMENT_PARTS if field != DRAWS else {})
        document["measurements"].append(one)
    treatments = list(_treatments(filled))
    for place, (row, one) in enumerate(treatments):
        _note(fields, f"/treatments/{place}", f"{row}_modality", one, {name: f"{row}_{name}" for name in TREATED})
    if treatments:
        document["treatments"] = [one for _, one in treatments]
    if history := {name: filled[name] for name in (*FLAG_NAMES,) if name in filled}:
        document["history"] = history
    for name in (*NUMBERS, "last_line_outcome"):
        if name in filled:
            document.setdefault("history", {})[name] = filled[name] if name == "last_line_outcome" else number(filled[name])
    fields |= {f"/history/{name}": name for name in (*FLAG_NAMES, *NUMBERS, "last_line_outcome")}
    return Given(document, fields, tuple(faults))


MEASUREMENT_PARTS = {"unit": "{}_unit", "date": "{}_date", "uln": "{}_uln"}


def _note(fields: dict[str, str], place: str, field: str, one: Mapping[str, Any], parts: Mapping[str, str]) -> None:
    """Remembers which field a place of the document came from."""
    fields[place] = field
    fields.update({f"{place}/{name}": pattern.format(field) for name, pattern in parts.items()})


def number(text: str) -> float | int | str:
    """The number that the text is; the text itself where it is none, for its reader to say so."""
    if not _NUMBER.fullmatch(text):
        return text
    value = float(text)
    return int(text) if re.fullmatch(r"[+-]?\d{1,15}", text) else value if math.isfinite(value) else text


def _measured(filled: Mapping[str, str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The values in fields of their own; one with a unit or a day beside an empty value says nothing."""
    for name in MEASURED:
        if name not in filled:
            continue
        one: dict[str, Any] = {"analyte": name, "value": number(filled[name])}
        if unit := ONE_UNIT.get(name) or filled.get(f"{name}_unit"):
            one["unit"] = unit
        if day := filled.get(f"{name}_date") or filled.get(DRAWN):
            one["date"] = day
        if (limit := filled.get(f"{name}_uln")) is not None:
            one["uln"] = number(limit)
        yield name, one


def _drawn(text: str, faults: list[Fault]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The pasted draws, one a line: day, analyte, value, unit, in this order, between blanks, tabs or semicolons."""
    lines = [line for line in text.replace("\r", "").split("\n") if line.strip()]
    for place, line in enumerate(lines[:MOST_DRAWS], 1):
        parts = [part for part in re.split(r"[;\t]| +", line.strip()) if part]
        day, name, value, *unit = parts if len(parts) >= 3 else ("", "", "")
        analyte = _analyte(name)
        if not (_DAY.fullmatch(day) and analyte):
            faults.append(Fault(DRAWS, "another line", say("patient", "draws_allowed", line=place)))
            continue
        one = {"analyte": analyte, "value": number(value), "date": day}
        yield DRAWS, one | ({"unit": " ".join(unit)} if unit else {"unit": ONE_UNIT[analyte]} if analyte in ONE_UNIT else {})
    if len(lines) > MOST_DRAWS:
        faults.append(Fault(DRAWS, "more lines", say("patient", "draws_most", most=MOST_DRAWS)))


def _analyte(name: str) -> str:
    plain = name.lower().replace("-", "_").replace("ca19_9", "ca19_9")
    return plain if plain in ANALYTES else BY_LOINC.get(name, "") or analyte_meant(name)


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
