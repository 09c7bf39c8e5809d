"""What a reviewer asks, and the answer of a run: numbers with their source, prose marked as prose, or why there is neither.

The questions are files beside this module (`checklists/`): TRIPOD+AI, PROBAST+AI and the 31 source attributes.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import Any

from training.telling.pointers import Evidence, matching

CHECKLISTS = ("tripod_ai", "probast_ai", "source_attributes")
NOT_AVAILABLE = "not available"
PRODUCT, PERSON = "the product", "a person, in the study file"


@dataclass(frozen=True)
class Item:
    """One question; `prose` is what the product says of every model, `facts` (label, pattern) where the numbers stand.

    `prose_with` is said in place of `prose` where the evidence holds the document it is kept under.
    """

    id: str
    title: str
    domain: str = ""
    prose: str = ""
    prose_with: Mapping[str, str] = field(default_factory=dict)
    facts: tuple[Mapping[str, str], ...] = ()
    absent: str = "nothing in the evidence of this run says it"


@dataclass(frozen=True)
class Checklist:
    """A list of questions and the publication it is taken from."""

    name: str
    reference: str
    items: tuple[Item, ...]


@cache
def checklist(name: str) -> Checklist:
    """One of CHECKLISTS."""
    text = (files("training.telling") / "checklists" / f"{name}.toml").read_text(encoding="utf-8")
    read = tomllib.loads(text)
    items = tuple(Item(**one | {"facts": tuple(one.get("facts", ()))}) for one in read["item"])
    return Checklist(read["name"], read["reference"], items)


def require_known(stated: Mapping[str, str]) -> None:
    """Raise ValueError where a person answers, in `[card]` of a study file, a question that nobody asks."""
    asked = [item.id for name in CHECKLISTS for item in checklist(name).items]
    for name in stated:
        if name not in asked:
            likely = get_close_matches(name, asked, 1)
            why = f"; likely {likely[0]}" if likely else ""
            raise ValueError(f"[card] {name}: allowed are the items of TRIPOD+AI, PROBAST+AI and the source attributes{why}")


def answers(name: str, evidence: Evidence, stated: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Every item of a checklist by its id, answered or `not available` with the reason; `stated` are a person's words by id."""
    return {item.id: _answer(item, evidence, stated.get(item.id, "")) for item in checklist(name).items}


def _answer(item: Item, evidence: Evidence, stated: str) -> dict[str, Any]:
    told: dict[str, Any] = {"title": item.title} | ({"domain": item.domain} if item.domain else {})
    ours = next((text for name, text in item.prose_with.items() if name in evidence), item.prose)
    prose = [{"prose": text, "by": by} for text, by in ((ours, PRODUCT), (stated.strip(), PERSON)) if text]
    numbers = [fact for asked in item.facts for fact in _facts(asked, evidence)]
    if not prose and not numbers:
        return told | {NOT_AVAILABLE: item.absent}
    return told | {"says": prose, "facts": numbers}


def _facts(asked: Mapping[str, str], evidence: Evidence) -> Iterator[dict[str, Any]]:
    for found in matching(evidence, asked["source"]):
        if is_fact(found.value):
            yield {"label": found.labelled(asked["label"]), "value": found.value, "source": found.source}


def is_fact(value: Any) -> bool:
    """Whether a value says something: a word, a number, a yes or no, or an estimate with its interval."""
    if isinstance(value, Mapping):
        return "value" in value
    return isinstance(value, str | int | float) and value != ""
