"""The risk: terms are added up to log-odds, and the log-odds become the risk of death by each horizon.

    logit P(T <= t | x)  =  base(t)  +  sum_j term_j(x, t)  +  time_bound(x, t)

The terms are the explanation, computed first; the risk is their sum. All arithmetic is row by row in a fixed order, so that
one patient is the same number alone, in a batch, over HTTP and on replay.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from models.coherence import require_coherent
from models.design import Design, DesignMatrix, FloatArray
from models.example import is_simulated
from models.imputation import Filled, Imputation
from models.linear import LinearModel
from models.population import Population
from models.ranks import Ranks
from models.trees import LeafTables

Z95 = 1.959963984540054  # two-sided 95 % of a normal distribution
LEVEL, Z90 = 90, 1.6448536269514722  # per cent, of the intervals of risks and terms; two-sided 90 % of a normal distribution
RECALIBRATION = "recalibration"  # the fact of a model that was recalibrated
ADDITIVITY = 1e-9  # largest gap allowed between base + terms and the log-odds of the displayed risk
_EPS = np.finfo(float).eps


class NotAdditive(ArithmeticError):
    """An explanation that does not add up to the number it explains is never shown."""


def sigmoid(log_odds: FloatArray) -> FloatArray:
    """The probability of log-odds, by the one exponential this product uses."""
    risk: FloatArray = 1.0 / (1.0 + np.exp(-np.ascontiguousarray(log_odds)))
    return risk


@dataclass(frozen=True)
class Calibration:
    """One affine map a horizon on the log-odds, shape (n_horizons,) each, fitted on out-of-fold log-odds; slopes are positive."""

    intercept: FloatArray
    slope: FloatArray


@dataclass(frozen=True)
class Refits:
    """Bootstrap refits of the linear learner, and how much wider the saved learner spreads than they do.

    `first`, `last` (n_refits, m) coefficients; `base` (n_refits, n_horizons); `inflation` (n_groups,) and `inflation_risk`:
    the ratio of the saved learner's spread over refits to the linear learner's.
    """

    first: FloatArray
    last: FloatArray
    base: FloatArray
    inflation: FloatArray
    inflation_risk: float


@dataclass(frozen=True)
class HorizonStanding:
    """What may be believed of one horizon, and how many of the development cohort had died by it."""

    days: float
    level: str  # "evaluable" or "promotable"; refused horizons are not served
    why: str
    died_share: float  # Kaplan-Meier share of the development cohort dead by then


@dataclass(frozen=True)
class Scores:
    """What the model says of n patients: arrays along patients, horizons, features; log-odds unless said otherwise."""

    filled: Filled
    base: FloatArray  # (n_horizons,)
    terms: FloatArray  # (n, n_horizons, n_features)
    time_bound: FloatArray  # (n, n_horizons)
    log_odds: FloatArray  # (n, n_horizons)
    risk: FloatArray  # (n, n_horizons), probability

    def require_additive(self) -> Scores:
        """Itself, or NotAdditive: base and terms are added up once more, another way, and held against log-odds and risk."""
        again = self.terms.sum(axis=-1, initial=0.0) + self.time_bound + self.base
        # near certainty the probability itself cannot hold 1e-9 of log-odds any more: eps / (1 - risk)
        with np.errstate(divide="ignore"):
            displayed = np.log(self.risk) - np.log1p(-self.risk)
            allowed = ADDITIVITY + 4 * _EPS / (1 - self.risk)
        gap = np.abs(again - displayed)
        missed = np.abs(again - self.log_odds)  # at certainty, where the risk is 1 to the last bit, these alone can tell
        if not ((gap <= allowed) & (missed <= ADDITIVITY)).all():
            furthest = np.maximum(np.where(gap <= allowed, 0.0, gap), missed).max()
            raise NotAdditive(f"base and terms miss the displayed log-odds by {furthest:.1e}, more than {ADDITIVITY:.0e}")
        return self


@dataclass(frozen=True)
class RiskModel:
    """A fitted model: all that is needed to turn design rows into risks and terms."""

    name: str
    design: Design
    horizons: tuple[HorizonStanding, ...]
    refused: Mapping[str, str]  # horizon in days -> why it is not served
    imputation: Imputation
    linear: LinearModel
    trees: LeafTables | None
    tree_share: float  # 0 linear alone, 1 trees alone, .5 the mean of both
    calibration: Calibration
    refits: Refits
    population: Population
    required: tuple[str, ...]  # features without which there is "insufficient data"
    development_range: Mapping[str, tuple[float, float]]  # by feature, on the model's scale
    trained_on: str  # "simulated" or the name of the cohort; every child of a model inherits it
    facts: Mapping[str, object] = field(default_factory=dict)  # how it was made and chosen, intended use, limits
    ranks: Ranks | None = None  # of the development patients; models made before 0.2 keep none, nor do those of fewer than 20

    def __post_init__(self) -> None:
        """ValueError where the parts do not fit together: a model is right as a whole or is none."""
        require_coherent(self)

    @cached_property
    def days(self) -> tuple[int, ...]:
        """The horizons served, in days."""
        return tuple(int(horizon.days) for horizon in self.horizons)

    @cached_property
    def died_shares(self) -> tuple[float, ...]:
        """Of each horizon the share of the development cohort dead by then."""
        return tuple(horizon.died_share for horizon in self.horizons)

    @property
    def simulated(self) -> bool:
        """Whether the model learned from simulated patients: then no output of it is a real risk."""
        return is_simulated(self.trained_on)

    @property
    def recalibrated(self) -> Mapping[str, Any]:
        """Of a model recalibrated for a hospital: the "site", on whose "cohort", from which "parent"; empty for any other."""
        found = self.facts.get(RECALIBRATION)
        return found if isinstance(found, Mapping) else {}

    @cached_property
    def base(self) -> FloatArray:
        """Shape (n_horizons,): the development cohort's mean calibrated log-odds, before the time bound."""
        base = self.linear.base
        if self.trees is not None:
            base = base + self.tree_share * (self.trees.base - base)
        return self.calibration.intercept + self.calibration.slope * base

    def score(self, matrix: DesignMatrix) -> Scores:
        """Risks and terms of design rows (n, k) at every served horizon."""
        return self.score_filled(self.imputation.fill(matrix))

    def score_filled(self, filled: Filled) -> Scores:
        """Risks and terms of rows whose estimates are in place already."""
        terms = self._terms(filled.x)
        raw = self.base + terms.sum(axis=-1)
        bounded = np.maximum.accumulate(raw, axis=-1)
        scores = Scores(filled, self.base, terms, bounded - raw, bounded, sigmoid(bounded))
        return scores.require_additive()

    def _terms(self, x: FloatArray) -> FloatArray:
        """Calibrated terms by feature, shape (n, n_horizons, n_features)."""
        if self.trees is not None and self.tree_share == 1.0:
            by_column = self.trees.terms(x)
        else:
            by_column = self.linear.terms(x)
            if self.trees is not None:
                by_column = by_column + self.tree_share * (self.trees.terms(x) - by_column)
        by_feature = np.add.reduceat(by_column, self.design.first_columns, axis=-1)
        return np.ascontiguousarray(by_feature * self.calibration.slope[:, None])

    @cached_property
    def reach(self) -> float:
        """How many spreads the 90 % interval of a risk or a term reaches to either side.

        Student's t with a degree of freedom for every refit: the spread is itself an estimate (Abramowitz and Stegun 26.7.5).
        """
        n = len(self.refits.first)
        return Z90 + (Z90**3 + Z90) / (4 * n) + (5 * Z90**5 + 16 * Z90**3 + 3 * Z90) / (96 * n**2)

    @cached_property
    def _column_group(self) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
        return self.design.group_of_feature[self.design.feature_of_column]

    def spreads(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        """SD over refits of the group terms (n, n_horizons, n_groups) and of the log-odds (n, n_horizons).

        The refits are of the linear learner; `inflation` carries their spread over to the saved learner.
        """
        first, last = self._moved_ends(x)
        late = self.linear.late[:, None, None]
        moved = first[:, None] + late * (last - first)[:, None]  # (n, n_horizons, n_refits, n_groups)
        whole = moved.sum(axis=-1) + (self.refits.base - self.linear.base).T[None]
        slope = self.calibration.slope
        groups = np.sqrt(np.mean(moved**2, axis=2)) * self.refits.inflation * slope[:, None]
        return groups, np.sqrt(np.mean(whole**2, axis=2)) * self.refits.inflation_risk * slope

    def _moved_ends(self, x: FloatArray) -> FloatArray:
        """How far every refit moves the group terms of rows `x` at the first and at the last horizon.

        Shape (2, n, n_refits, n_groups).
        """
        risen = self.linear.ramps.centred(x)
        sums = np.zeros((2, len(x), len(self.refits.first), len(self.design.groups)))
        for index, (ramps, apart) in enumerate(self._refits_by_group):
            # contiguous, or numpy may add up one patient in another order than many
            sums[..., index] = (risen.take(ramps, axis=1)[:, None, :] * apart[:, None]).sum(axis=-1)
        return sums

    @cached_property
    def _refits_by_group(self) -> list[tuple[np.ndarray[tuple[int], np.dtype[np.intp]], FloatArray]]:
        """Of each clinical group its ramps, and how far their coefficients lie from the model's, (2, n_refits, n_ramps)."""
        apart = np.stack([self.refits.first - self.linear.first, self.refits.last - self.linear.last])
        group = self._column_group[self.linear.ramps.source]
        of_group = [np.flatnonzero(group == index) for index in range(len(self.design.groups))]
        return [(ramps, np.ascontiguousarray(apart[..., ramps])) for ramps in of_group]

    @cached_property
    def _features_by_group(self) -> tuple[np.ndarray[tuple[int], np.dtype[np.intp]], np.ndarray[tuple[int], np.dtype[np.intp]]]:
        """The features in the order of their groups, and where each group begins among them."""
        group = self.design.group_of_feature
        order = np.argsort(group, kind="stable")
        return order, np.flatnonzero(np.diff(group[order], prepend=-1))

    def group_terms(self, terms: FloatArray) -> FloatArray:
        """Terms by feature (..., n_features) summed by clinical group, shape (..., n_groups)."""
        order, starts = self._features_by_group
        return np.add.reduceat(terms[..., order], starts, axis=-1)
