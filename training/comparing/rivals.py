"""Everything the model is held against in cross-validation: simple models, published scores and, if asked, other families."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from models.design import FloatArray
from training.comparing.compared import Absent, Said
from training.comparing.families import FAMILIES, out_of_fold_family
from training.comparing.published_scores import said_by_scores
from training.comparing.simple_models import SIMPLE, SimpleModel, out_of_fold_simple
from training.fit import Fit
from training.progress import Advance, unwatched
from training.refused import NotSupported


@dataclass(frozen=True)
class Rivals:
    """What each comparator says out of fold; the simple models fitted on everybody, and why others of them are absent."""

    said: tuple[Said | Absent, ...]
    simple: tuple[SimpleModel, ...]
    absent: Mapping[str, str]


def rivals_of(fit: Fit, log_odds: FloatArray, *, families: bool, seed: int, progress: Advance = unwatched) -> Rivals:
    """What each comparator says of the cohort of `fit`, whose own out-of-fold log-odds (n, h) are given."""
    said: list[Said | Absent] = []
    simple, absent = [], {}
    for place, one in enumerate(SIMPLE.values()):
        progress("simple models", place, len(SIMPLE))
        try:
            found = out_of_fold_simple(one, fit.plan.cohort, fit.cross, fit.plan.grid, seed)
        except NotSupported as reason:
            absent[one.name] = str(reason)
            said.append(Absent(one.name, one.label, "simple", str(reason)))
            continue
        simple.append(found.model)
        theirs = _columns(fit.cross.horizons, found.log_odds)
        said.append(Said(one.name, found.model.simple.label, "simple", found.rows, found.log_odds, theirs))
    progress("simple models", len(SIMPLE), len(SIMPLE))
    fold = fit.cross.repeats[0].fold
    said += said_by_scores(fit.plan.cohort, log_odds, fit.cross.horizons, fold)
    said += _families(fit, seed, progress) if families else []
    return Rivals(tuple(said), tuple(simple), absent)


def _columns(days: Sequence[float], log_odds: FloatArray) -> dict[float, FloatArray]:
    return dict(zip(days, log_odds.T, strict=True))


def _families(fit: Fit, seed: int, progress: Advance) -> list[Said | Absent]:
    said: list[Said | Absent] = []
    rows = np.arange(len(fit.plan.cohort))
    for place, family in enumerate(FAMILIES):
        progress("other families", place, len(FAMILIES))
        try:
            theirs = out_of_fold_family(family, fit.plan, fit.cross, seed)
        except NotSupported as reason:
            said.append(Absent(family.name, family.label, "family", str(reason)))
            continue
        said.append(Said(family.name, family.label, "family", rows, theirs, _columns(fit.cross.horizons, theirs)))
    progress("other families", len(FAMILIES), len(FAMILIES))
    return said
