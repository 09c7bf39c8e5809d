"""What the analysis is adjusted for: age, lymphocytes, NLR, CA19-9, line and albumin as they were on the index date.

Nothing measured later is among them: a later value may itself be part of what is asked about.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from models.design import DesignMatrix
from models.features import FEATURES
from training.learners.fit_imputation import fit_imputation
from training.rescue.person import ADJUSTED, Person

LEAST_KNOWN = 0.5  # share of patients: below it a covariate would be mostly estimated, and is left out
LEAST_LEVEL = 10  # patients in each level of a yes-or-no covariate
LEAST_DEATHS = 20  # of a tumour that has a baseline hazard of its own

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Adjustment:
    """The columns `x` (n, k) of the covariates by `labels`, centred; `left_out` says why others are not among them.

    `strata` (n,): patients of one tumour share a baseline hazard, tumours of few deaths together. `estimated`: the share of
    patients of whom a covariate was not measured, and is a conditional estimate.
    """

    names: tuple[str, ...]
    labels: tuple[str, ...]
    x: FloatArray = field(repr=False)
    strata: NDArray[np.intp] = field(repr=False)
    left_out: dict[str, str]
    estimated: dict[str, float]
    tumours: int = 1

    def sentence(self) -> str:
        """What it was adjusted for, in words."""
        words = ", ".join(self.labels) or "nothing"
        return words + (f"; {self.tumours} groups of tumours, each with a baseline hazard of its own" if self.tumours > 1 else "")


def adjustment(people: Sequence[Person]) -> Adjustment:
    """The covariates of these people that vary and that most of them have; what is not measured is estimated, never flagged."""
    rows = [[one.covariates.get(name, np.nan) for name in ADJUSTED] for one in people]
    x = np.array(rows, np.float64).reshape(-1, len(ADJUSTED))
    silent = np.array([[name in one.not_applicable for name in ADJUSTED] for one in people]).reshape(x.shape)
    known = ~np.isnan(x)
    left_out = {name: why for place, name in enumerate(ADJUSTED) if (why := _unfit(x[:, place], silent[:, place]))}
    kept = [place for place, name in enumerate(ADJUSTED) if name not in left_out]
    owed = ~(known | silent)[:, kept]
    filled = _filled(x[:, kept], owed) if kept else np.zeros((len(people), 0))
    names = tuple(ADJUSTED[place] for place in kept)
    share = {_label(name): float(owed[:, place].mean()) for place, name in enumerate(names) if owed[:, place].any()}
    strata, tumours = _strata(people)
    labels = tuple(_label(name) for name in names)
    return Adjustment(names, labels, filled, strata, {_label(name): why for name, why in left_out.items()}, share, tumours)


def _label(name: str) -> str:
    feature = FEATURES[name]
    return f"{feature.scale} {feature.label}" if feature.scale in ("ln", "log10") else feature.label


def _unfit(column: FloatArray, silent: NDArray[np.bool_]) -> str:
    """Why a column cannot be adjusted for, "" where it can."""
    known = column[~np.isnan(column)]
    asked = int((~silent).sum())
    if known.size == 0 or known.size < LEAST_KNOWN * asked:
        share = known.size / max(asked, 1)
        return f"known in {share:.0%} of those of whom it may be asked; at least {LEAST_KNOWN:.0%} are needed"
    levels, sizes = np.unique(known, return_counts=True)
    if levels.size < 2 or (levels.size == 2 and sizes.min() < LEAST_LEVEL):
        return f"fewer than {LEAST_LEVEL} patients differ from the others in it"
    return ""


def _filled(x: FloatArray, owed: NDArray[np.bool_]) -> FloatArray:
    """Centred columns: estimates where they are owed, 0 where the question does not apply."""
    matrix = DesignMatrix(x, owed)
    filled = fit_imputation(matrix).fill(matrix).x
    centre, spread = np.nanmean(filled, axis=0), np.nanstd(filled, axis=0)
    return np.where(np.isnan(filled), 0.0, (filled - centre) / np.where(spread > 0, spread, 1.0))


def _strata(people: Sequence[Person]) -> tuple[NDArray[np.intp], int]:
    deaths: dict[str, int] = {}
    for one in people:
        deaths[one.tumour] = deaths.get(one.tumour, 0) + one.died
    own = sorted(tumour for tumour, count in deaths.items() if count >= LEAST_DEATHS)
    rest = len(own) if len(own) < len(deaths) else len(own) - 1
    places = np.array([own.index(one.tumour) if one.tumour in own else rest for one in people], np.intp)
    return places, int(np.unique(places).size)
