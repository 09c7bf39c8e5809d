"""Patients who leave observation because they are dying: what the risk would be if all of them had died, and if none had.

Weights for censoring take whoever is lost for somebody like those who stay. A patient who goes to a hospice or to another
hospital is not: the weighted risk is then too low or too high, and nothing in the table says which. The two extremes are bounds.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.cohort import Cohort
from training.diagnosis.finding import Finding
from training.diagnosis.rows import rows_at
from training.statistics.censoring import FollowUp, known_by, survival

BEARABLE = 0.05  # by which the overall risk may be wrong: the margin of Riley's third criterion
# nothing about the patient ended the observation
_ADMINISTRATIVE = re.compile(
    r"administrative|end of (the )?(study|trial|follow)|data cut|cut-?off|clos(ed|ing|ure)|follow-?up (complete|ongoing)|^alive",
    re.IGNORECASE,
)
_ITEM = "informative censoring"


@dataclass(frozen=True)
class Bounds:
    """The risk by a horizon as it is weighted, and had some patients lost before all `lived` to it, or all `died` when lost."""

    weighted: float
    lived: float
    died: float

    @property
    def width(self) -> float:
        """How far the weighted risk is from the further bound."""
        return max(self.died - self.weighted, self.weighted - self.lived)

    def __str__(self) -> str:
        """In percent, as it is told."""
        return f"{self.weighted:.1%} weighted, {self.lived:.1%} had they all lived to it, {self.died:.1%} had they all died"


def bounds(follow_up: FollowUp, lost: NDArray[np.bool_], horizon: float) -> Bounds:
    """The bounds of the Kaplan-Meier risk by the horizon (days) for patients `lost` (n,) before it."""
    lived = FollowUp(np.where(lost, np.maximum(follow_up.times, horizon), follow_up.times), follow_up.deaths, follow_up.entries)
    died = FollowUp(follow_up.times, follow_up.deaths | lost, follow_up.entries)
    return Bounds(*(float(1 - survival(each).at(horizon)) for each in (follow_up, lived, died)))


def informative(cohort: Cohort, horizon: float) -> Finding:
    """Fail where the reasons for censoring leave the risk by the horizon open by more than .05, Unknown where they are not given.

    Every reason but an administrative one may know of the outcome. Where even all of those without a reason could not move the
    risk so far, none is needed.
    """
    question = "Were patients censored for reasons that have nothing to do with dying?"
    lost, n = known_by(cohort.follow_up, horizon).censored, len(cohort)
    reasons = np.array(cohort.censor_reasons or ("",) * n)
    unsaid = lost & (reasons == "")
    telling = lost & ~unsaid & np.array([_ADMINISTRATIVE.search(reason) is None for reason in reasons])
    told, at_most = (bounds(cohort.follow_up, which, horizon) for which in (telling, telling | unsaid))
    if told.width > BEARABLE:
        why = f"{telling.sum()} of {n} patients were lost before day {horizon:g} ({_named(reasons[telling])}): risk {told}"
        return Finding(_ITEM, "outcome", question, "Fail", told.width, why, rows_at(cohort, telling), unit="of risk")
    if at_most.width > BEARABLE:
        why = f"{unsaid.sum()} of {n} patients were lost before day {horizon:g} for no stated reason: risk {at_most}"
        return Finding(_ITEM, "outcome", question, "Unknown", at_most.width, why, rows_at(cohort, unsaid), unit="of risk")
    why = f"{lost.sum()} of {n} patients were lost before day {horizon:g}"
    given = f", {telling.sum()} patients for reasons that may know of the outcome" if telling.any() else ""
    return Finding(_ITEM, "outcome", question, "Pass", at_most.width, f"{why}{given}: risk {at_most}", unit="of risk")


def _named(reasons: NDArray[np.str_]) -> str:
    return ", ".join(f"{reason}: {n} patients" for reason, n in Counter(reasons.tolist()).most_common(3))
