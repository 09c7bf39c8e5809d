"""What the comparators say of another hospital's patients: simple models as they were saved, scores as they were published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from models.design import FloatArray
from training.cohort import Cohort, followed
from training.comparing.compared import Absent, Column, Said
from training.comparing.published_scores import said_by_scores
from training.comparing.recalibrated import cross_recalibrated_each
from training.comparing.simple_models import SIMPLE, SavedSimple, SimpleModel
from training.recalibration.enough import enough
from training.recalibration.shift import cross_fitted
from training.refused import NotSupported
from training.statistics.estimates import NotEstimable
from training.statistics.splits import grouped_folds

FOLDS = 10  # as in training.recalibration.shift
NO_SHIFT = "a score that states no risk has none to shift: only a line makes it one"


def said_elsewhere(saved: SavedSimple, cohort: Cohort, days: Sequence[float]) -> list[Said | Absent]:
    """What each comparator says of a cohort, as it is; no published score states a risk."""
    return simple_elsewhere(saved, cohort, days) + said_by_scores(cohort, np.empty((len(cohort), 0)), days, None)


def simple_elsewhere(saved: SavedSimple, cohort: Cohort, days: Sequence[float]) -> list[Said | Absent]:
    """What the simple models alone say of it."""
    by_name = {one.simple.name: one for one in saved.models}
    said: list[Said | Absent] = []
    for simple in SIMPLE.values():
        if simple.name in by_name:
            said.append(_said(by_name[simple.name], cohort, days))
        else:
            why = saved.absent.get(simple.name, "the model was saved without its simple models: train it anew")
            said.append(Absent(simple.name, simple.label, "simple", why))
    return said


def _said(model: SimpleModel, cohort: Cohort, days: Sequence[float]) -> Said | Absent:
    simple = model.simple
    if missing := sorted(set(days) - set(model.days)):
        why = f"it was not fitted for day {', '.join(f'{day:g}' for day in missing)}"
        return Absent(simple.name, simple.label, "simple", why)
    rows, log_odds = model.log_odds(cohort.patients)
    asked = log_odds[:, [model.days.index(day) for day in days]]
    return Said(simple.name, simple.label, "simple", rows, asked, dict(zip(days, asked.T, strict=True)))


def recalibrated_said(
    said: Sequence[Said | Absent],
    log_odds: FloatArray,
    cohort: Cohort,
    days: Sequence[float],
    primary: float,
    *,
    slope: bool,
    seed: int,
) -> list[Said | Absent]:
    """The same after recalibration on this cohort, cross-fitted, of comparator and model alike, in the comparator's own patients.

    A simple model is shifted, or shifted and tilted, as the model itself is. A published score becomes a risk by a line of its
    own, and then so does the model. Where these patients are too few, no IPA is compared, and it is said why.
    """
    return [one if isinstance(one, Absent) else _recalibrated(one, log_odds, cohort, days, primary, slope, seed) for one in said]


def _recalibrated(
    one: Said, log_odds: FloatArray, cohort: Cohort, days: Sequence[float], primary: float, slope: bool, seed: int
) -> Said:
    follow_up, ids = followed(cohort.follow_up, one.rows), [cohort.patients[row].id for row in one.rows]
    try:
        if one.kind == "published" and not slope:
            raise NotSupported(NO_SHIFT)
        allowed = enough(follow_up, days, primary, slope=slope, groups=ids)
    except NotSupported as reason:
        none: dict[float, Column] = {day: NotEstimable(str(reason)) for day in days}
        return replace(one, theirs=none, ours=none)
    places = [list(days).index(day) for day in allowed]

    def made(values: FloatArray) -> Mapping[float, Column]:
        if one.kind == "published":
            return cross_recalibrated_each(values, follow_up, allowed, grouped_folds(ids, follow_up.deaths, FOLDS, seed))
        mapped = cross_fitted(values, follow_up, allowed, ids, slope=slope, seed=seed)
        return dict(zip(allowed, mapped.T, strict=True))

    return replace(one, theirs=made(one.order[:, places]), ours=made(log_odds[one.rows][:, places]))
