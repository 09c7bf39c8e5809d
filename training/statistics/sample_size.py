"""How many patients a model of so many parameters needs, so that it says little of chance and much of the disease.

Three criteria, of which the largest number counts: predictor effects shrink by at most a tenth, the apparent share of explained
variation (Nagelkerke's R2) is too good by at most .05, and the overall risk is known to within .05.

References
----------
Riley, Snell, Ensor et al. Stat Med 2019;38:1276-1296. doi:10.1002/sim.7992
Riley, Ensor, Snell et al. BMJ 2020;368:m441. doi:10.1136/bmj.m441
"""

from dataclasses import dataclass
from math import ceil, exp, log

import numpy as np
from numpy.typing import NDArray

from training.statistics.censoring import FollowUp, weights

SHRINKAGE, OPTIMISM, MARGIN = 0.9, 0.05, 0.05
ANTICIPATED = 0.15  # of the largest possible R2, where nobody knows better: Riley's recommendation

Array = NDArray[np.float64]


@dataclass(frozen=True)
class SampleSize:
    """Patients needed for `parameters` at an outcome `risk`, where `r2` (Cox and Snell) is expected; one number a criterion."""

    parameters: int
    risk: float
    r2: float
    for_shrinkage: int
    for_optimism: int
    for_risk: int

    @property
    def needed(self) -> int:
        """The largest of the three."""
        return max(self.for_shrinkage, self.for_optimism, self.for_risk)


def sample_size(parameters: int, risk: float, r2: float | None = None) -> SampleSize:
    """Patients needed for a number of candidate parameters where a share `risk` has the outcome.

    `r2` is the Cox-Snell R2 the model is expected to reach; without it .15 of the largest that is possible at this risk.
    Raises ValueError for no parameters, a risk that is not between 0 and 1, and an R2 that is not above 0 and possible.

    >>> sample_size(30, 0.05, 0.05).needed  # a tenth of shrinkage: 30 / (-0.1 * ln(1 - 0.05 / 0.9))
    5249
    """
    if parameters < 1 or not 0 < risk < 1:
        raise ValueError(f"{parameters} parameters at a risk of {risk:g}: allowed is 1 or more, and a risk between 0 and 1")
    most = largest_r2(risk)
    expected, allowed = ANTICIPATED * most if r2 is None else r2, min(most, SHRINKAGE)
    if not 0 < expected < allowed:
        raise ValueError(f"an R2 of {expected:.3g}: allowed is above 0 and below {allowed:.3g}, the most at this risk")
    kept = expected / (expected + OPTIMISM * most)
    return SampleSize(
        parameters,
        risk,
        expected,
        for_shrinkage=_for(parameters, expected, SHRINKAGE),
        for_optimism=_for(parameters, expected, kept),
        for_risk=ceil((1.96 / MARGIN) ** 2 * risk * (1 - risk)),
    )


def _for(parameters: int, r2: float, shrinkage: float) -> int:
    return ceil(parameters / ((shrinkage - 1) * log(1 - r2 / shrinkage)))


def largest_r2(risk: float) -> float:
    """The largest Cox-Snell R2 that any model can reach where a share `risk` has the outcome.

    >>> round(largest_r2(0.5), 2), round(largest_r2(0.05), 2)
    (0.75, 0.33)
    """
    return 1 - exp(2 * (risk * log(risk) + (1 - risk) * log(1 - risk)))


def explained(log_odds: Array, follow_up: FollowUp, horizon: float) -> float:
    """The Cox-Snell R2 of log-odds (n,) of dying by the horizon (days), each patient weighted for censoring.

    To expect it of a new model, the log-odds must be of patients on whom it was not fitted. Below 0 where saying the overall
    risk of everybody would have been better.

    References
    ----------
    Cox, Snell. Analysis of Binary Data. Chapman and Hall 1989.
    """
    each = weights(follow_up, [horizon])
    weight, dead = each.weight[:, 0], each.dead[:, 0]
    risk = float((weight * dead).sum() / weight.sum())
    if not 0 < risk < 1:
        raise ValueError(f"a risk of {risk:g} by day {horizon:g}: allowed is between 0 and 1")
    likelihood = float((weight * -np.logaddexp(0, np.where(dead, -log_odds, log_odds))).sum() / weight.sum())
    return 1 - exp(2 * (risk * log(risk) + (1 - risk) * log(1 - risk) - likelihood))
