"""What changed since an earlier score of the same patient, as the answer and its receipt tell it; no clock, no disk.

The patient of now is scored once more by the model of then: the step from the earlier score to that one is the patient's, the
step from there to the score of now is the model's (`models.changed`). Of the earlier receipt all that is needed stands in the new
one, so that the change can be computed again from that and the model of then alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from models.artifact import Artifact
from models.changed import TOLD, Change, Sum, changed, sum_of
from models.explanation import ESTIMATED_SHARE, HorizonExplanation
from models.fault import Fault
from models.patient import Patient
from serving.answer import Answer
from serving.refused import Refused
from serving.score import score
from serving.wire import COMPARED

ABOUT = (
    "first the patient's change as the model of the earlier score sees it, then what the model of this score makes of the "
    "patient of now; percentage points that sum to the difference of the two risks; association, not cause"
)
_HAS_NONE = "{} score tells no risk within that time"


@dataclass(frozen=True)
class Earlier:
    """An earlier score: what is told of its receipt (`excerpt`), and the model that gave it."""

    told: Mapping[str, Any]
    artifact: Artifact


@dataclass(frozen=True)
class Since:
    """What changed since an earlier score, by horizon; horizons that only one of the two scores has are told apart."""

    earlier: Mapping[str, Any]
    horizons: Mapping[int, Change]
    estimated: Mapping[int, Sequence[str]]  # groups that moved for the most part because estimates did
    not_compared: Mapping[int, str]

    def as_json(self) -> dict[str, object]:
        """JSON-ready values; parts in percentage points."""
        return {
            "earlier": dict(self.earlier),
            "about": ABOUT,
            "horizons": {str(days): self._told(days, one) for days, one in self.horizons.items()},
            "not_compared": {str(days): why for days, why in self.not_compared.items()},
        }

    def _told(self, days: int, one: Change) -> dict[str, object]:
        parts = {"patient": _points(one.patient), "model": _points(one.model)}
        told = {"from": one.before, "to": one.after, **parts, "estimated": list(self.estimated[days])}
        return told | {"text": self._sentence(days)}

    def _sentence(self, days: int) -> str:
        moved = self.horizons[days].patient
        guessed = [group for group in self.estimated[days] if abs(moved[group]) >= TOLD]
        told = f" (for the most part through estimates of what was not measured: {', '.join(guessed)})" if guessed else ""
        return self.horizons[days].sentence() + told

    def sentences(self, days: int) -> Iterator[str]:
        """What is said of one horizon, in the text of an answer."""
        if days in self.horizons:
            came = f"Since receipt {self.earlier['receipt']} ({self.earlier['as_of']}), within {days} days"
            yield f"{came}: {self._sentence(days)}; percentage points, association and not cause"


def excerpt(receipt: int, digest: str, time: str, document: Mapping[str, Any]) -> dict[str, Any]:
    """What a new answer tells of an earlier one: its receipt, its model, its day, and at each horizon the sum behind the risk."""
    answer, given = document["answer"], document["given"]
    risks, explained = answer["risks"], answer["explanation"]["horizons"].items()
    return {
        "receipt": receipt,
        "digest": digest,
        "time": time,
        "as_of": given.get("as_of") if isinstance(given, dict) else None,
        "model": {"name": document["model"]["name"], "digest": document["model"]["digest"]},
        "estimated": [one["input"] for one in answer["quality"] if "estimated" in one["states"]],
        "horizons": {days: _sum(risks[days]["risk"], one) for days, one in explained},
    }


def _sum(risk: float, explained: Mapping[str, Any]) -> dict[str, Any]:
    groups = {one["group"]: one["term"] for one in explained["groups"]}
    return {"risk": risk, "base": explained["base"], "groups": groups, "terms": explained["terms"]}


def with_change(answer: Answer, patient: Patient, earlier: Earlier) -> Answer | Refused:
    """The answer with what changed since `earlier`; a refusal where the model of then gives the patient of now no risk.

    `patient` as he was asked about. Raises NotAdditive where the parts do not add up.
    """
    between: Answer | Refused = answer
    if earlier.artifact.digest != answer.digest:
        (between,) = score(earlier.artifact, [patient])
    if isinstance(between, Refused):
        why = "; ".join(fault.without_value() for fault in between.faults)
        return not_comparable(patient.id, f"one whose model gives the patient of now a risk, which it does not ({why})")
    found = _since(earlier.told, between, answer.horizons)
    if not found.horizons:
        return not_comparable(patient.id, "one that tells the risk within a time that the model of now tells, too")
    return replace(answer, change=found)


def not_comparable(id: str, allowed: str) -> Refused:
    """The refusal of a patient who is not to be compared with the earlier score that was named; `allowed` is which may be."""
    return Refused(id, "not comparable", (Fault(f"/{COMPARED}", "a number", allowed),))


def _since(told: Mapping[str, Any], between: Answer, now: Sequence[HorizonExplanation]) -> Since:
    then = {int(days): one for days, one in told["horizons"].items()}
    middle, after = ({one.days: one for one in several} for several in (between.horizons, now))
    both = [days for days in after if days in then and days in middle]
    alone = {days: _HAS_NONE.format("the earlier" if days in after else "this") for days in sorted({*then, *after} - set(both))}
    found = {days: _change(then[days], middle[days], after[days]) for days in both}
    estimated = {*told["estimated"], *(one.name for one in between.quality if "estimated" in one.states)}
    return Since(told, found, {days: _guessed(then[days], middle[days], between, estimated) for days in both}, alone)


def _change(then: Mapping[str, Any], between: HorizonExplanation, now: HorizonExplanation) -> Change:
    return changed(Sum(then["base"], then["groups"], then["risk"]), sum_of(between), sum_of(now))


def _guessed(then: Mapping[str, Any], now: HorizonExplanation, by: Answer, estimated: Container[str]) -> Sequence[str]:
    """The groups whose terms moved by more than half through features that rest on an estimate, then or now."""
    moved: dict[str, float] = defaultdict(float)
    through: dict[str, float] = defaultdict(float)
    for feature, group in ((one.feature, one.group) for one in by.inputs):
        apart = abs(now.terms[feature] - then["terms"][feature])
        moved[group] += apart
        through[group] += apart if feature in estimated else 0.0
    return [group for group, whole in moved.items() if through[group] > ESTIMATED_SHARE * whole]


def _points(parts: Mapping[str, float]) -> dict[str, float]:
    return {group: 100 * points for group, points in parts.items()}
