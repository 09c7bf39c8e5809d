"""The model card: what a model is for, whom it learned from, how good it is and where it must not be used.

Every fact in `card.json` names the file and the place it came from, and prose is marked as prose; `card.md` tells the same to a
reader. `check_card` takes every fact from its source once more.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from training.telling.card_text import card_text
from training.telling.checklist import CHECKLISTS, answers, checklist
from training.telling.evidence import COHORT, LEARNER, STUDY, as_bytes, read_evidence
from training.telling.pointers import Evidence, at

CARD, PAGE = "card.json", "card.md"


def card_files(evidence: Evidence) -> dict[str, bytes]:
    """The card as files of the artifact: `card.json`, and `card.md` written from it and from the evidence."""
    card = json.loads(as_bytes(card_facts(evidence)))
    return {CARD: as_bytes(card), PAGE: card_text(card, evidence).encode()}


def card_facts(evidence: Evidence) -> dict[str, Any]:
    """Everything the card says, JSON-ready; a model of simulated patients says so first."""
    learner, cohort = evidence[LEARNER], evidence[COHORT]
    stated = evidence.get(STUDY, {}).get("card") or {}
    example = {"example": learner["example"]} if "example" in learner else {}
    return example | {
        "model": learner["model"],
        "trained_on": learner["trained_on"],
        "cohort": {"name": cohort["name"], "digest": cohort["digest"]},
        "evidence": {name: _sha256(as_bytes(document)) for name, document in evidence.items()},
        **{name: answers(name, evidence, stated) for name in CHECKLISTS},
    }


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def check_card(folder: Path) -> list[str]:
    """What is wrong with the card of an artifact folder, sentence by sentence; nothing where every fact is as its source has it.

    Every file of evidence must be the one the card was written from, every fact what its source says today, every item of the
    checklists there, and `card.md` what the card and the evidence say.
    """
    if not (folder / CARD).is_file():
        return [f"{CARD}: it is not there"]
    card: dict[str, Any] = json.loads((folder / CARD).read_text(encoding="utf-8"))
    if "evidence" not in card:
        return [f"{CARD}: it names no evidence; likely written by an earlier version: train again"]
    return [*_changed(folder, card), *_asked(card), *_stale(folder, card)]


def _changed(folder: Path, card: Mapping[str, Any]) -> Iterator[str]:
    for name, digest in card["evidence"].items():
        if not (folder / name).is_file():
            yield f"{name}: the card was written from it and it is not there"
        elif _sha256((folder / name).read_bytes()) != digest:
            yield f"{name}: not the file the card was written from"


def _asked(card: Mapping[str, Any]) -> Iterator[str]:
    for name in CHECKLISTS:
        for item in checklist(name).items:
            if item.id not in card.get(name, {}):
                yield f"{CARD}: {name} has no {item.id}; an item is answered, or not available with the reason"


def _stale(folder: Path, card: Mapping[str, Any]) -> list[str]:
    evidence = read_evidence(folder)
    wrong = [sentence for source, label, value in facts(card) if (sentence := _unlike(evidence, source, label, value))]
    if wrong or not {COHORT, LEARNER} <= set(evidence):
        return wrong
    page = folder / PAGE
    if not page.is_file() or page.read_text(encoding="utf-8") != card_text(card, evidence):
        wrong.append(f"{PAGE}: not what {CARD} and the evidence say")
    return wrong


def facts(card: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """Every fact of a card: its source, its label and its value."""
    for name in CHECKLISTS:
        for item in card.get(name, {}).values():
            for fact in item.get("facts", ()):
                yield fact["source"], fact["label"], fact["value"]


def _unlike(evidence: Evidence, source: str, label: str, value: Any) -> str:
    try:
        today = at(evidence, source)
    except LookupError as error:
        return f"{CARD}: {label}: {error.args[0]}"
    return "" if today == value else f"{CARD}: {label}: the card says {value}, {source} says {today}"
