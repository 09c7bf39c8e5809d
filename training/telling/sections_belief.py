"""Whether a model may be believed: the diagnosis, what failed before what is unknown, with the number behind each finding."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from training.telling.blocks import Block, Heading, Words, missing, points, table
from training.telling.checklist import NOT_AVAILABLE
from training.telling.evidence import DIAGNOSIS
from training.telling.pointers import Evidence

_ORDER = ("Fail", "Unknown", "Pass")

Facts = Mapping[str, Any]


def belief(evidence: Evidence) -> list[Block]:
    """The diagnosis, Fails first."""
    heading = Heading("May this model be believed?")
    if DIAGNOSIS not in evidence:
        return [heading, *missing("Diagnosis", "none was made in this run, so nothing here is vouched for")]
    found = sorted(evidence[DIAGNOSIS]["findings"], key=lambda one: _ORDER.index(one["verdict"]))
    counts = {verdict: sum(one["verdict"] == verdict for one in found) for verdict in _ORDER}
    said = f"Of {len(found)} items: {counts['Fail']} Fail, {counts['Unknown']} Unknown, {counts['Pass']} Pass."
    head = ("verdict", "item", "question", "number", "why")
    rows = [(one["verdict"], one["item"], one["question"], _number(one), _why(one)) for one in found]
    return [heading, Words(f"{_opening(counts)} {said}", "warning" if counts["Fail"] else ""), *table("Diagnosis", head, rows)]


def _opening(counts: Mapping[str, int]) -> str:
    if counts["Fail"]:
        return "Not as it stands: what fails below comes before any figure."
    return "Nothing fails." if not counts["Unknown"] else "Nothing fails; what is unknown is not known to be well."


def _why(one: Facts) -> str:
    accepted = f" (accepted by a person: {one['accepted']})" if one.get("accepted") else ""
    return f"{one.get('why', '')}{accepted}"


def _number(one: Facts) -> str:
    """The number of a finding in its unit, which an artifact of an earlier version does not say."""
    value = one.get("number")
    if value is None:
        return ""
    return f"{f'{value:.4g}' if isinstance(value, float) else value} {one.get('unit', '')}".strip()


def answered(card: Facts, names: Mapping[str, str]) -> list[Block]:
    """How many items of each checklist the run answers, and which it cannot."""
    rows, absent = [], list[str]()
    for key, name in names.items():
        items = card[key]
        gone = [one for one in items.values() if NOT_AVAILABLE in one]
        rows.append((name, len(items), sum(bool(one.get("facts")) for one in items.values()), len(gone)))
        absent += [f"{name}, {one['title']}: {one[NOT_AVAILABLE]}" for one in gone]
    head = ("checklist", "items", "answered with sourced facts", "not available")
    return [
        Heading("Reporting checklists"),
        Words("Every item with its answer, and every number with its source, is in card.json and card.md."),
        *table("Checklists", head, rows),
        *points("Not available:", absent),
    ]
