"""What changed between two scorings of one patient: first the patient under the old model, then the model at the new patient.

The difference of two displayed risks is the patient's change, as the model of then sees it, plus what another model makes of the
patient as he is now. Each part is shared among the clinical groups by the exact Shapley values of the game in which a coalition
of groups has moved and the others have not, so that all of it adds up to the difference. The same patient under a new model has a
patient part of 0, the same model a model part of 0.

References
----------
Shapley LS, A value for n-person games, 1953, doi:10.1515/9781400881970-018.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from models.explanation import HorizonExplanation, percentage_points
from models.risk import ADDITIVITY, NotAdditive

BASELINE = "the model's baseline"  # the development cohort's mean log-odds, which another model has of its own
TOLD = 0.0005  # smaller parts are told as 0.0


class Sum(NamedTuple):
    """A displayed risk and what it was added up from: log-odds of the baseline and of the clinical groups with the time bound."""

    base: float
    groups: Mapping[str, float]
    risk: float


class Change(NamedTuple):
    """From one displayed risk to another, and what each group did to it, of the patient and of the model, as fractions of 1."""

    before: float
    after: float
    patient: Mapping[str, float]
    model: Mapping[str, float]

    def sentence(self) -> str:
        """In words: "18.0 % -> 31.0 %: tumour burden +4.0, ..., model update 0.0" (percentage points, the largest first)."""
        ranked = sorted(self.patient.items(), key=lambda one: -abs(one[1]))
        moved = [f"{group} {_signed(points)}" for group, points in ranked if abs(points) >= TOLD]
        update = f"model update {_signed(sum(self.model.values()))}"
        parts = ", ".join([*(moved or ["nothing of the patient"]), update])
        return f"{100 * self.before:.1f} % -> {100 * self.after:.1f} %: {parts}"


def sum_of(explanation: HorizonExplanation) -> Sum:
    """The sum behind the explanation of one horizon."""
    return Sum(explanation.base, {one.group: one.term for one in explanation.groups}, explanation.risk)


def changed(before: Sum, between: Sum, after: Sum) -> Change:
    """From `before` (old model, patient then) over `between` (old model, patient now) to `after` (new model, patient now).

    Raises NotAdditive where the parts miss the difference of the risks by more than 1e-9.
    """
    patient = _moved(before, between)
    model = _moved(between, after)
    found = Change(before.risk, after.risk, patient, model)
    gap = abs(sum(patient.values()) + sum(model.values()) - (found.after - found.before))
    if not gap <= ADDITIVITY:  # what is no number misses it, too
        raise NotAdditive(f"the parts of a change miss the difference of the risks by {gap:.1e}")
    return found


def _moved(one: Sum, other: Sum) -> dict[str, float]:
    """The Shapley value of each group for going from one sum to the other; the baseline is a player where it differs."""
    apart = dict(_apart(one, other))
    start = one.base + sum(one.groups.values())
    points = percentage_points(np.array([start]), np.array([[list(apart.values())]]))
    # exactly nothing where nothing moved: weights add up to nothing but for rounding
    return {group: one if apart[group] else 0.0 for group, one in zip(apart, points[0, 0].tolist(), strict=True)}


def _apart(one: Sum, other: Sum) -> Iterator[tuple[str, float]]:
    for group in dict.fromkeys((*one.groups, *other.groups)):  # a group that only one model has adds nothing in the other
        yield group, other.groups.get(group, 0.0) - one.groups.get(group, 0.0)
    if other.base != one.base:
        yield BASELINE, other.base - one.base


def _signed(points: float) -> str:
    """Percentage points with their sign; what rounds to nothing has none."""
    told = f"{100 * points:+.1f}"
    return "0.0" if told in ("+0.0", "-0.0") else told
