"""How far a hospital's patients lie from what a model says of them: one shift of all log-odds, pulled towards none.

The map is the same at every horizon: x becomes level + slope (x - centre). Such a map, and no other, leaves the order of the
patients as it was: the risk at a horizon is the largest up to it, and maps that differ by horizon would change which horizon
that is, in some patients and not in others. With a slope of 1, which is the rule, it is the shift of the intercept alone.

A patient counts once, by the mean over the horizons, and patients of unknown state are stood for by others, at no more than
their effective number: the prior meets as much evidence as there is.

References
----------
Cox DR, Biometrika 1958;45:562-565, doi:10.1093/biomet/45.3-4.562.
Steyerberg EW, Borsboom GJJM, van Houwelingen HC et al, Stat Med 2004;23:2567-2586, doi:10.1002/sim.1844 (shrinking updates).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize
from scipy.special import expit

from models.design import FloatArray
from training.cohort import followed
from training.statistics.censoring import FollowUp, effective_size, weights
from training.statistics.estimates import NotEstimable
from training.statistics.splits import grouped_folds

# Standard deviations between hospitals of the shift (log-odds) and of the logarithm of the slope. The linear model of 961
# patients on checkpoint inhibitors (the LORIS cohort) needs at 90 days +.69 and .52 in 145 patients with pancreatic cancer,
# -.31 and .90 in 798 patients not on checkpoint inhibitors: root mean squares .54 and .47. Two cohorts, so one digit.
PRIOR_SHIFT, PRIOR_SLOPE = 0.5, 0.5
FOLDS = 10


@dataclass(frozen=True)
class Recalibration:
    """The map of log-odds, `centre + shift + slope (x - centre)`, with the posterior standard deviation of the shift.

    `centre` is the hospital's mean log-odds, where the slope turns about; without a slope it is 0.
    """

    centre: float
    shift: float
    slope: float
    shift_sd: float

    @property
    def intercept(self) -> float:
        """What is added after `slope` multiplies."""
        return self.centre + self.shift - self.slope * self.centre

    def apply(self, log_odds: FloatArray) -> FloatArray:
        """Log-odds of any shape, mapped; their order stays."""
        mapped: FloatArray = self.intercept + self.slope * log_odds
        return mapped


def fit_shift(
    log_odds: FloatArray,
    follow_up: FollowUp,
    days: Sequence[float],
    *,
    slope: bool,
    prior_shift: float = PRIOR_SHIFT,
    prior_slope: float = PRIOR_SLOPE,
) -> Recalibration:
    """The most probable map of `log_odds` (n, h) at the horizons `days`, given what became of n patients.

    The prior: shift normal about 0, logarithm of the slope normal about 0. Whether there are patients enough to ask is for
    `recalibration.enough` to say. Raises NotEstimable where nobody's state is known at any of the horizons.
    """
    known = weights(follow_up, days)
    weight = _worth(known.weight)
    if not weight.sum() > 0:
        raise NotEstimable("a recalibration needs a patient whose state at a horizon is known")
    dead, centre = known.dead.astype(np.float64), float(np.average(log_odds, weights=weight)) if slope else 0.0
    spread = log_odds - centre
    precision = np.array([prior_shift, prior_slope]) ** -2.0

    def surprise(p: FloatArray) -> tuple[float, FloatArray]:
        """The negative logarithm of the posterior at (shift, ln slope), and its gradient."""
        eta = centre + p[0] + np.exp(p[1]) * spread
        residual = weight * (expit(eta) - dead)
        value = np.sum(weight * (np.logaddexp(0.0, eta) - dead * eta)) + 0.5 * np.sum(precision * p**2)
        moved = np.array([residual.sum(), np.exp(p[1]) * np.sum(residual * spread)])
        return float(value), moved + precision * p

    bounds = [(None, None), (None, None) if slope else (0.0, 0.0)]
    found = minimize(surprise, np.zeros(2), jac=True, method="L-BFGS-B", bounds=bounds, options={"ftol": 1e-15, "gtol": 1e-9})
    shift, tilt = float(found.x[0]), float(np.exp(found.x[1]))
    risk = expit(centre + shift + tilt * spread)
    information = float(np.sum(weight * risk * (1.0 - risk))) + precision[0]
    return Recalibration(centre, shift, tilt, float(information**-0.5))


def _worth(weight: FloatArray) -> FloatArray:
    """Censoring weights (n, h) brought down to the effective number of patients at each horizon, and to the mean over them."""
    total = weight.sum(axis=0)
    scale = np.divide(effective_size(weight), total, out=np.zeros_like(total), where=total > 0)
    worth: FloatArray = weight * scale / weight.shape[1]
    return worth


def cross_fitted(
    log_odds: FloatArray,
    follow_up: FollowUp,
    days: Sequence[float],
    patients: ArrayLike,
    *,
    slope: bool,
    seed: int,
    folds: int = FOLDS,
) -> FloatArray:
    """Every patient's log-odds (n, h) mapped by what the other patients taught; `patients` (n,) names whose row it is."""
    fold = grouped_folds(patients, follow_up.deaths, folds, seed)
    mapped = np.empty_like(log_odds)
    for k in range(folds):
        others: NDArray[np.intp] = np.flatnonzero(fold != k)
        learned = fit_shift(log_odds[others], followed(follow_up, others), days, slope=slope)
        mapped[fold == k] = learned.apply(log_odds[fold == k])
    return mapped
