"""The statistics of one model at one horizon, on the patients as they are or as a bootstrap sample draws them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from training.statistics.calibration import (
    Curve,
    Departure,
    calibration_intercept,
    calibration_slope,
    departure,
    fit_curve,
    observed_expected,
)
from training.statistics.censoring import Array, Flags, FollowUp, survival, weights
from training.statistics.discrimination import Ranking
from training.statistics.estimates import NotEstimable
from training.statistics.overall_fit import brier, ipa


@dataclass(frozen=True, eq=False)
class Scored:
    """What a model says of n patients at one horizon (days): risk and log-odds (n,)."""

    horizon: float
    risk: Array
    log_odds: Array

    @cached_property
    def ranking(self) -> Ranking:
        """The order of the log-odds, found once."""
        return Ranking(self.log_odds)

    def grid(self, points: int) -> Array:
        """Log-odds at which a curve is drawn: so many evenly spaced quantiles of those that were stated, each once."""
        return np.unique(np.quantile(self.log_odds, (np.arange(points) + 0.5) / points))


@dataclass(frozen=True, eq=False)
class Outcome:
    """The same patients at that horizon, in one sample of them: how often each is drawn, what became of them, what they weigh.

    `weight` (n,) is multiplicity times censoring weight; `observed_risk` the Kaplan-Meier risk of this sample.
    """

    scored: Scored
    multiplicity: Array
    dead: Flags
    weight: Array
    observed_risk: float

    @cached_property
    def curve(self) -> Curve:
        """The calibration curve, fitted once for all that is asked of it."""
        return fit_curve(self.scored.log_odds, self.dead, self.weight)

    @cached_property
    def departure(self) -> Departure:
        """ICI, E50 and E90."""
        return departure(self.scored.log_odds, self.scored.risk, self.curve, self.multiplicity)

    @property
    def auc(self) -> float:
        """The AUC; NotEstimable where all were given the same log-odds: half of nothing is no figure."""
        require_ranks(self.scored.log_odds, self.weight)
        return self.scored.ranking.auc(self.dead, self.weight)


def require_ranks(log_odds: Array, weight: Array) -> None:
    """Raises NotEstimable where the patients who count (weight above 0) share one value of the log-odds (n,)."""
    if (weight > 0).any() and np.ptp(log_odds[weight > 0]) == 0:
        raise NotEstimable("the same risk was stated for everybody: nobody is ranked before another")


def outcomes(models: Sequence[Scored], follow_up: FollowUp, multiplicity: Array) -> list[Outcome]:
    """What became of the patients at the horizon of each model; the censoring model is estimated in this very sample."""
    if not models:
        return []
    each = weights(follow_up, [model.horizon for model in models], multiplicity=multiplicity)
    risks = 1.0 - survival(follow_up, multiplicity).at(each.horizons)
    columns = zip(models, each.dead.T, each.weight.T, risks, strict=True)
    return [Outcome(model, multiplicity, dead, multiplicity * weight, float(risk)) for model, dead, weight, risk in columns]


STATISTICS: Mapping[str, Callable[[Outcome], float]] = {
    "auc": lambda of: of.auc,
    "brier": lambda of: brier(of.scored.risk, of.dead, of.weight),
    "ipa": lambda of: ipa(of.scored.risk, of.dead, of.weight, of.observed_risk),
    "intercept": lambda of: calibration_intercept(of.scored.log_odds, of.dead, of.weight),
    "slope": lambda of: calibration_slope(of.scored.log_odds, of.dead, of.weight),
    "observed_expected": lambda of: observed_expected(of.scored.risk, of.observed_risk, of.multiplicity),
    "ici": lambda of: of.departure.ici,
    "e50": lambda of: of.departure.e50,
    "e90": lambda of: of.departure.e90,
}
