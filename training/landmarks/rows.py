"""One row for a patient at a landmark, only from what was known that day, and who is no longer there to be looked at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from models.features import FEATURES
from models.landmark_features import on_therapy
from models.landmark_row import gone
from models.patient import Patient
from models.population import ineligibility
from training.cohort import Cohort
from training.histories import Histories
from training.progress import Advance, Steps, unwatched
from training.refused import NotSupported
from training.statistics.censoring import FollowUp
from training.study.landmarks import ON_THERAPY, Landmarks

_SOON = 90.0  # days within which deaths of those who left therapy are counted


@dataclass(frozen=True)
class AtLandmark:
    """Who is there on a landmark (days from the index date), and who is not.

    Of the patients of the cohort `died` and `censored` are gone before it or on it, `not_entered` have not come under
    observation. Of those alive and followed `left` are off systemic therapy; of them `left_died` died within 90 days. `seen`
    have a row; `unseen`: the reasons why others have none.
    """

    day: float
    died: int
    censored: int
    not_entered: int
    followed: int
    left: int
    left_died: int
    seen: int
    unseen: Mapping[str, int]

    def as_json(self) -> dict[str, object]:
        """Counts, JSON-ready."""
        return {**vars(self), "unseen": dict(self.unseen)}


@dataclass(frozen=True)
class LandmarkRows:
    """The cohort of all landmarks: a row for each patient at each, and for each row (n,) its patient in `histories`.

    The follow-up of a row counts from its landmark, censoring within each; `day` (n,) is the landmark.
    """

    cohort: Cohort
    day: NDArray[np.float64]
    patient: NDArray[np.intp] = field(repr=False)
    at: tuple[AtLandmark, ...]


def landmark_rows(histories: Histories, asked: Landmarks, advance: Advance = unwatched) -> LandmarkRows:
    """The rows of every landmark asked for; NotSupported where one of them has nobody left to look at."""
    steps = Steps(advance, "what was known at each landmark", len(asked.days))
    rows: list[tuple[float, int, Patient]] = []
    at = []
    for day in asked.days:
        found, account = _at(histories, day, asked)
        if not found:
            raise NotSupported(_nobody(account))
        rows += found
        at.append(account)
        steps(1)
    return LandmarkRows(_cohort(histories, rows), *_places(rows), tuple(at))


def _nobody(at: AtLandmark) -> str:
    others = "".join(f", {n} {reason}" for reason, n in at.unseen.items())
    said = f"landmarks: nobody is seen on day {at.day:g}: {at.died} had died, {at.censored} were no longer followed{others}"
    return f"{said}; leave the day out, or follow the patients for longer"


def _places(rows: Sequence[tuple[float, int, Patient]]) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    return np.array([day for day, _, _ in rows]), np.array([place for _, place, _ in rows], np.intp)


def _at(histories: Histories, day: float, asked: Landmarks) -> tuple[list[tuple[float, int, Patient]], AtLandmark]:
    away: Counter[str] = Counter()
    unseen: Counter[str] = Counter()
    found, left = [], []
    for place, history in enumerate(histories):
        if why := gone(day, history.days, history.died, history.entered):
            away[why] += 1
            continue
        patient = history.as_of(day, asked.carried)
        off = day > 0 and not on_therapy(patient)
        left += [history] if off else []
        if reason := _why_unseen(histories.cohort, patient, off and asked.who == ON_THERAPY):
            unseen[reason] += 1
        else:
            found.append((day, place, patient))
    soon = sum(one.died and one.days <= day + _SOON for one in left)
    followed = len(histories) - away.total()
    counts = (away["died"], away["censored"], away["not entered"], followed, len(left), soon, len(found))
    return found, AtLandmark(day, *counts, dict(unseen))


def _why_unseen(cohort: Cohort, patient: Patient, left: bool) -> str:
    if left:
        return "off systemic therapy"
    if reasons := ineligibility(patient, followed=True):
        return f"{reasons[0].field}: {reasons[0].allowed}"
    missing = [FEATURES[name].label for name in cohort.required if FEATURES[name].of(patient).status == "not measured"]
    return f"no required input: {', '.join(missing)}" if missing else ""


def _cohort(histories: Histories, rows: Sequence[tuple[float, int, Patient]]) -> Cohort:
    cohort, (days, places) = histories.cohort, _places(rows)
    entries = None if cohort.follow_up.entries is None else np.maximum(cohort.follow_up.entries[places] - days, 0.0)
    times, deaths = cohort.follow_up.times[places] - days, cohort.follow_up.deaths[places]
    return replace(
        cohort,
        patients=tuple(patient for _, _, patient in rows),
        follow_up=FollowUp(times, deaths, None if entries is None or not entries.any() else entries, days),
        periods=None,
        censor_reasons=(),
        rows=(),
    )
