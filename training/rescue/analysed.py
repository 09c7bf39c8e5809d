"""The whole analysis of lymphopenia rescue in the order in which it is told: who, what happened, and what goes with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from training.progress import Advance, Steps, unwatched
from training.refused import NotSupported
from training.rescue.covariates import Adjustment, adjustment
from training.rescue.expected import Expected, expected, noise_between_draws
from training.rescue.incidence import Incidence, incidence
from training.rescue.interactions import Interaction, interactions, whole
from training.rescue.landmarked import Landmarked, landmarked
from training.rescue.modelled import HazardRatio
from training.rescue.naive import Naive, naive
from training.rescue.needed import Refused
from training.rescue.person import Person
from training.rescue.population import Lymphopenic
from training.rescue.recovery import Event, events
from training.rescue.steroids import Steroids, steroids, without_steroids
from training.rescue.timed import timed
from training.statistics.estimates import NotEstimable

Made = TypeVar("Made")

LANDMARKS = (28.0, 56.0, 84.0)
HORIZON = 365.0


@dataclass(frozen=True)
class Happened:
    """One kind of event: in how many of those `asked` it happened, when, and the hazard ratio of those in whom it had."""

    event: Event
    asked: int
    happened: int
    median_day: float | None
    incidence: Incidence
    unadjusted: HazardRatio | Refused
    adjusted: HazardRatio | Refused


@dataclass(frozen=True)
class Analysed:
    """Everything that is told of the people of an analysis; days from the index date, counts in 10*9/L."""

    cut_off: float
    horizon: float
    patients: int
    deaths: int
    adjustment: Adjustment
    events: tuple[Happened, ...]
    expected: Expected | Refused
    steroids: Steroids
    without_steroids: HazardRatio | Refused
    landmarks: dict[float, Landmarked | Refused]
    interactions: tuple[Interaction, ...]
    naive: Naive | Refused = field(repr=False)

    @property
    def rescue(self) -> Happened:
        """Recovery on two draws: what the analysis is about."""
        return self.events[0]


def analyse(
    low: Lymphopenic,
    *,
    landmarks: Sequence[float] = LANDMARKS,
    horizon: float = HORIZON,
    seed: int = 1,
    advance: Advance = unwatched,
) -> Analysed:
    """The analysis of people whose lymphocytes were below the cut-off; what they cannot answer is refused with what is short.

    `seed`: of the lots by which the naive analysis is shown to be biased. Raises NotSupported for landmarks that are not before
    the horizon.
    """
    require_days(landmarks, horizon)
    people, cut_off = low.people, low.cut_off
    kinds = events(cut_off)
    step = Steps(advance, "recovery and survival", len(kinds) + len(landmarks) + 3)
    adjusting = adjustment(people)
    rescue = timed(people, kinds[0])
    told = tuple(_happened(people, event, adjusting, horizon, step) for event in kinds)
    at = {day: _stepped(step, landmarked(rescue, day, horizon, adjusting)) for day in landmarks}
    free = [row for row, one in enumerate(people) if without_steroids(one)]
    mask = np.isin(rescue.rows, free)
    return Analysed(
        cut_off=cut_off,
        horizon=horizon,
        patients=len(people),
        deaths=sum(one.died for one in people),
        adjustment=adjusting,
        events=told,
        expected=_stepped(step, _expected(low)),
        steroids=steroids(people, cut_off),
        without_steroids=whole(rescue.part(mask), adjusting),
        landmarks=at,
        interactions=_stepped(step, interactions(rescue, people, adjusting)),
        naive=_stepped(step, naive(rescue, horizon, adjusting, seed)),
    )


def require_days(landmarks: Sequence[float], horizon: float) -> None:
    """Raise NotSupported for landmarks that are not days before the horizon, each once."""
    if not landmarks or any(not 0 < day < horizon for day in landmarks) or len(set(landmarks)) < len(landmarks):
        given = ", ".join(f"{day:g}" for day in landmarks) or "none"
        raise NotSupported(f"landmarks {given}: allowed are days above 0 and before the horizon, day {horizon:g}, each once")


def _stepped(step: Steps, made: Made) -> Made:
    step(1)
    return made


def _happened(people: Sequence[Person], event: Event, adjusting: Adjustment, horizon: float, step: Steps) -> Happened:
    of = timed(people, event)
    days = of.on[of.happened]
    return _stepped(
        step,
        Happened(
            event=event,
            asked=len(of),
            happened=int(of.happened.sum()),
            median_day=float(np.median(days)) if days.size else None,
            incidence=incidence(of, horizon),
            unadjusted=whole(of, None),
            adjusted=whole(of, adjusting),
        ),
    )


def _expected(low: Lymphopenic) -> Expected | Refused:
    try:
        return expected(low.counts, low.people, low.cut_off, noise_between_draws(low.draws))
    except NotEstimable as error:
        return Refused(str(error))
