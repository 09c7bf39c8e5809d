"""What the page of one receipt shows: the numbers of the receipt itself, rounded for the eye and kept whole beside it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from serving.pages.drawing import DoesNotAddUp, Staircase, Step, ranges, staircase
from serving.pages.events import sentence
from serving.pages.words import say
from serving.receipts.audited import Audited
from serving.receipts.finding import ERASED
from serving.receipts.record import SCORE
from serving.receipts.telling import NOT_KEPT, Section, percent, sections, value_used

PLAIN = {"ok", "converted", "not measured", "estimated", "not applicable"}  # states that cast no doubt on a value that was given
DAY = 90  # the horizon whose figures are open, or the one nearest to it
FELT = 0.05  # percentage points: less is shown as none
MOSTLY = 0.5  # of a group's term: from there on it is an estimate rather than a measurement


@dataclass(frozen=True)
class GroupRow:
    """A clinical group: its percentage points at every horizon, and what must be said beside them."""

    name: str
    points: tuple[float, ...]
    remark: str


def seen(one: Audited, tools: bool) -> dict[str, Any]:
    """Everything the template of a receipt asks for; without `tools`, nothing of seals."""
    record, document = one.receipt.record, one.receipt.document if one.receipt.record.kind == SCORE else None
    by_name: dict[str, list[Section]] = defaultdict(list)
    for section in sections(one.receipt, one.signed, one.checks, one.events):
        by_name[section.name].append(section)
    told = [one.receipt.told] if one.receipt.told else []
    return {
        "title": _title(one),
        "record": record,
        "document": document,
        **({"example": document["answer"].get("example", "")} if document else {}),
        "sections": dict(by_name),
        "tools": tools,
        "checked": one.checks if tools else (),
        "broken": one.broken,
        "erased": one.receipt.why == ERASED,
        "told": [*([NOT_KEPT] if one.receipt.why == ERASED else []), *told, *one.events],
        "sentence": "" if record.kind == SCORE or one.receipt.document is None else sentence(record.kind, one.receipt.document),
    } | (_figures(document) if document else {})


def _title(one: Audited) -> str:
    record = one.receipt.record
    if record.kind == SCORE:
        return say("receipt", "receipt", number=record.sequence)
    return say("receipt", "event", number=record.sequence, kind=record.kind)


def _figures(document: Mapping[str, Any]) -> dict[str, Any]:
    answer = document["answer"]
    horizons, risks = answer["explanation"]["horizons"], answer["risks"]
    labels = {one["feature"]: one["label"] for one in answer["explanation"]["inputs"]}
    labelled = [(say("receipt", "days", days=days), one) for days, one in risks.items()]
    return {
        "main": min(horizons, key=lambda days: abs(int(days) - DAY), default=""),
        "risk_figure": ranges(labelled, percent) if risks else None,
        "group_figures": {days: _drawn(partial(_points, one, risks[days])) for days, one in horizons.items()},
        "group_rows": _group_rows(list(horizons.values())),
        "term_figures": {days: _drawn(partial(_terms, one, labels)) for days, one in horizons.items()},
        "qualities": _qualities(answer),
        "inputs": [
            {"feature": one["feature"], "label": one["label"], "value": value_used(one)}
            for one in answer["explanation"]["inputs"]
        ],
        "others": _published(answer.get("published_scores", ())),
    }


def _drawn(draw: Callable[[], Staircase]) -> Staircase | None:
    """The figure; None where the numbers of the receipt do not add up, which the page then says."""
    try:
        return draw()
    except DoesNotAddUp:
        return None


def _terms(one: Mapping[str, Any], labels: Mapping[str, str]) -> Staircase:
    """From the base to the log-odds."""
    steps: list[Step] = [(labels[feature], term) for feature, term in one["terms"].items()]
    steps.append((say("receipt", "time_bound"), one["time_bound"]))
    start, end = (say("receipt", "base"), one["base"]), (say("receipt", "log_odds"), one["log_odds"])
    return staircase(start, steps, end, lambda value: f"{value:.2f}", say("receipt", "rest", many="{many}"))


def _points(one: Mapping[str, Any], risk: Mapping[str, float]) -> Staircase:
    """From the risk at the average log-odds to the risk, in percentage points."""
    steps = [(group["group"], group["percentage_points"]) for group in one["groups"]]
    start = (say("receipt", "reference_risk"), 100 * risk["reference"])
    end = (say("receipt", "this_risk"), 100 * risk["risk"])
    return staircase(start, steps, end, lambda value: f"{value:.1f}", say("receipt", "rest", many="{many}"), base=0.0)


def _group_rows(horizons: Sequence[Mapping[str, Any]]) -> list[GroupRow]:
    rows = []
    for place, group in enumerate(horizons[0]["groups"] if horizons else ()):
        alike = [one["groups"][place] for one in horizons]
        remarks = []
        felt = any(abs(one["percentage_points"]) >= FELT for one in alike)
        if felt and not any(one["distinguishable"] for one in alike):
            remarks.append(say("receipt", "undistinguished"))
        if felt and all(one["estimated_share"] > MOSTLY for one in alike):
            remarks.append(say("receipt", "estimated"))
        rows.append(GroupRow(group["group"], tuple(one["percentage_points"] for one in alike), "; ".join(remarks)))
    return rows


def _qualities(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every input: the value that was used, and what must be known of it; those that are no input of the sum last."""
    used = {one["feature"]: value_used(one) for one in answer["explanation"]["inputs"]}
    found = [
        one | {"value": used.get(one["input"], ""), "remarks": one.get("remarks", ()), "doubts": sorted({*one["states"]} - PLAIN)}
        for one in answer["quality"]
    ]
    return sorted(found, key=lambda one: one["input"] not in used)


def _published(scores: Sequence[Mapping[str, Any]]) -> Section | None:
    """What published scores make of the same patient."""
    names = tuple(say("receipt", name) for name in ("score", "value", "band", "made_for"))
    rows = [
        (one["label"], "" if one["value"] is None else f"{one['value']:g}", one["band"] or one["why"], one["made_for"])
        for one in scores
    ]
    return Section(say("receipt", "others"), (), (names, *rows)) if rows else None


