"""What the page of an answer shows: the receipt's own numbers, in the order in which a clinician asks for them.

Nothing is computed here that could be another number than the receipt's: shares of a hundred are its risks rounded, reasons are
ranked by its percentage points, and the picture of their sum is drawn only where they add up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from models.analytes import ANALYTES
from models.explanation import GroupTerm, ranked_reasons
from models.features import FEATURES
from models.tumours import LABELS
from serving.pages.drawing import DoesNotAddUp, Staircase, staircase
from serving.pages.patient_drawing import curve, hundred
from serving.pages.receipt_view import PLAIN
from serving.pages.rounded import measured
from serving.pages.trends import draws_of
from serving.pages.words import say
from serving.receipts.audited import Audited
from serving.receipts.telling import percent, value_used

DAY = 90  # the horizon that is told first, or the one nearest to it
HISTORY = ("alc", "anc", "nlr", "ca19_9")
ESTIMATED = "estimated as "  # with which the range of an estimate begins, as serving.answer tells it
MOST_ASIDE = 60  # resources of a record that were not used, told here; the receipt has all
LAST_DRAWS = 3  # lymphocyte counts told beside the grade
STATES = {  # how a state of an input is told; words/en/answer.toml has the words
    "ok": "state_ok",
    "converted": "state_converted",
    "stale": "state_stale",
    "at least": "state_at_least",
    "below detection": "state_below",
    "implausible": "state_implausible",
    "out of range": "state_out_of_range",
    "not measured": "state_not_measured",
    "not applicable": "state_not_applicable",
    "not interpretable": "state_not_interpretable",
    "estimated": "state_estimated",
    "given but not used": "state_not_used",
}
TIMES = {"a": "years", "mo": "months", "d": "days"}  # UCUM: annus, month, day


@dataclass(frozen=True)
class Cause:
    """One reason: the group, whether it raises, by how many points, what is to be added, and what confounds its numbers."""

    group: str
    raises: bool
    points: float
    distinguishable: bool
    equal: tuple[str, ...]
    remarks: tuple[str, ...]


@dataclass(frozen=True)
class Input:
    """One input: its value as used, its states in words, whether any casts doubt, and what it could change."""

    name: str
    label: str
    value: str
    states: tuple[tuple[str, bool], ...]
    remarks: tuple[str, ...]
    estimate: Mapping[str, Any] | None


def shown(one: Audited) -> dict[str, Any]:
    """Everything the template of an answer asks for, of a receipt that holds one."""
    document = one.receipt.document or {}
    answer = document["answer"]
    main = min(answer["risks"], key=lambda days: abs(int(days) - DAY))
    risk, explained = answer["risks"][main], answer["explanation"]["horizons"][main]
    groups = [_group(group) for group in explained["groups"]]
    causes, estimated = ranked_reasons(groups)
    points = {group["group"]: group["percentage_points"] for group in explained["groups"]}
    beside = _beside(answer["explanation"]["inputs"])
    return {
        "record": one.receipt.record,
        "broken": one.broken,
        "document": document,
        "patient": document["patient"],
        "tumour": LABELS.get(document["patient"]["tumour"], document["patient"]["tumour"]),
        "as_of": _as_of(document),
        "answer": answer,
        "main": main,
        "risk": risk,
        "example": answer.get("example", ""),
        "as_share": answer.get("shown_as", {}).get(main) == "share",
        "ranks": _ranks(answer),
        "people": hundred(round(100 * risk["risk"])),
        "curve": curve(answer["risks"]),
        "causes": [
            Cause(
                one.group.group,
                one.group.points > 0,
                abs(points[one.group.group]),
                one.group.distinguishable,
                one.equal,
                beside.get(one.group.group, ()),
            )
            for one in causes
        ],
        "estimated": [group.group for group in estimated],
        "waterfall": _waterfall(explained, risk),
        "groups": explained["groups"],
        **_by_quality(_inputs(answer)),
        **_aside(document["caller"]),
        "change": _change(answer, main),
        "draws": _draws(document["patient"], "alc")[:LAST_DRAWS],
        "published": [found for found in answer["published_scores"] if found["value"] is not None],
        "unpublished": [found for found in answer["published_scores"] if found["value"] is None],
    }


def _change(answer: Mapping[str, Any], main: str) -> dict[str, Any] | None:
    """What changed since an earlier score within the horizon that is told first, by group; None where nothing was compared."""
    told = answer.get("change")
    if told is None or main not in told["horizons"]:
        return None
    one = told["horizons"][main]
    groups = dict.fromkeys((*one["patient"], *one["model"]))
    rows = [(group, one["patient"].get(group, 0.0), one["model"].get(group, 0.0)) for group in groups]
    return {"earlier": told["earlier"], "about": told["about"], "rows": rows, **one, "before": one["from"]}


def _as_of(document: Mapping[str, Any]) -> str:
    given = document["given"]
    return str(given.get("as_of", "")) if isinstance(given, dict) else ""


def _ranks(answer: Mapping[str, Any]) -> list[str]:
    """The horizons at which a rank is to be read, and no percentage; models made before 0.2 keep none."""
    shown_as = answer.get("shown_as", {})
    return [days for days, one in answer["risks"].items() if one.get("rank") is not None and shown_as.get(days) != "share"]


def _aside(caller: Mapping[str, Any]) -> dict[str, Any]:
    """What was left aside of a record that came in as FHIR, and whether there is more of it than is shown here."""
    listed = (caller.get("source") or {}).get("listed", ())
    return {"aside": listed[:MOST_ASIDE], "aside_more": len(listed) > MOST_ASIDE}


def _group(told: Mapping[str, Any]) -> GroupTerm:
    points, share = told["percentage_points"] / 100, told["estimated_share"]
    return GroupTerm(told["group"], told["term"], told["low"], told["high"], points, share)


def _beside(inputs: Sequence[Mapping[str, Any]]) -> dict[str, tuple[str, ...]]:
    """By clinical group, what confounds the numbers it is made of; what is said of several of them is said once."""
    found: dict[str, dict[str, list[str]]] = {}
    for one in inputs:
        for remark in _confounding(one):
            found.setdefault(one["group"], {}).setdefault(remark, []).append(one["label"])
    return {group: tuple(f"{', '.join(of)}: {said}" for said, of in told.items()) for group, told in found.items()}


def _confounding(one: Mapping[str, Any]) -> tuple[str, ...]:
    """What is said beside the number of an input; its range, where it is estimated, stands in a column of its own."""
    return tuple(remark for remark in one.get("remarks", ()) if not remark.startswith(ESTIMATED))


def _by_quality(inputs: Sequence[Input]) -> dict[str, list[Input]]:
    """The inputs of which something must be known, and those used just as they were given."""
    plain = [one for one in inputs if one.states == ((_state("ok"), False),) and not one.remarks]
    return {"inputs": [one for one in inputs if one not in plain], "plain": plain}


def _waterfall(explained: Mapping[str, Any], risk: Mapping[str, float]) -> Staircase | None:
    """From the risk at the average log-odds to the risk of this patient; None where the receipt's numbers do not add up."""
    steps = [(group["group"], group["percentage_points"]) for group in explained["groups"]]
    start, end = (say("answer", "reference"), 100 * risk["reference"]), (say("answer", "this_patient"), 100 * risk["risk"])
    try:
        return staircase(start, steps, end, lambda value: f"{value:.1f}", say("answer", "rest", many="{many}"), base=0.0)
    except DoesNotAddUp:
        return None


def _inputs(answer: Mapping[str, Any]) -> Sequence[Input]:
    """Every input: those in doubt first, since they are what a reader has to know."""
    used = {one["feature"]: one for one in answer["explanation"]["inputs"]}
    estimates = {one["feature"]: one for one in answer["estimates"]}
    found = []
    for one in answer["quality"]:
        states = tuple((_state(state), state not in PLAIN) for state in one["states"])
        value = _used(used[one["input"]], "estimated" in one["states"]) if one["input"] in used else ""
        found.append(Input(one["input"], one["label"], value, states, _confounding(one), estimates.get(one["input"])))
    return sorted(found, key=lambda one: (not any(doubt for _, doubt in one.states), one.estimate is None))


def _used(one: Mapping[str, Any], estimated: bool) -> str:
    """The value that went into the sum: yes or no for what is either, and for an estimate of it how probable it is, even if 0."""
    value, feature = one["value"], FEATURES.get(one["feature"])
    if feature is not None and feature.scale == "flag" and isinstance(value, int | float):
        return say("answer", "probably" if estimated else "yes" if value else "no", share=percent(value))
    if isinstance(value, float):
        return f"{measured(value)} {_unit(one['unit'])}".rstrip()
    return value_used(one)


def _unit(unit: str) -> str:
    """A unit as it is said where its UCUM code is a letter that tells a reader little; none for what has none."""
    return "" if unit in ("1", "{score}") else say("answer", TIMES[unit]) if unit in TIMES else unit


def _state(state: str) -> str:
    return say("answer", STATES.get(state, "state_other"), state=state)


def _draws(patient: Mapping[str, Any], analyte: str) -> list[dict[str, Any]]:
    """The draws of an analyte as they were understood, the newest first."""
    unit = ANALYTES[analyte].unit
    return [{**one, "unit": "" if unit == "1" else unit} for one in draws_of(patient, analyte)]
