"""How a model responds when lymphocytes and neutrophils move together: drawn for whoever examines the model, for no patient.

Lymphocytes, neutrophils and their ratio cannot move one by one: where lymphocytes change and neutrophils are held, the ratio
follows. Everything else is held at the development cohort's mean. What no development patient was like is not drawn: outside the
development ranges, and outside the ellipse that holds 99 % of a normal distribution with the cohort's mean and covariance.

It shows what the model says, which is an association among patients; it does not show what would become of anybody whose count
changed.

References
----------
Apley DW, Zhu J, J R Stat Soc B 2020;82:1059-1086, doi:10.1111/rssb.12377 (curves far from the joint distribution mislead).
Mahalanobis PC, Proc Natl Inst Sci India 1936;2:49-55 (the distance).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.design import FloatArray
from models.imputation import Filled
from models.risk import RiskModel

ALC, NLR = "ln_alc", "ln_nlr"
SUPPORT = 9.21034037197618  # chi-squared of two degrees of freedom at .99: -2 ln .01
POINTS = 41
COUNTS = (0.2, 0.3, 0.5, 0.8, 1.0, 1.5, 2.0, 3.0, 5.0)  # 10*9/L: computed beside the points, for ticks and tables
SPREADS = (-1.2815515655446004, 0.0, 1.2815515655446004)  # neutrophils at their 10th, 50th and 90th percentile (normal)


@dataclass(frozen=True)
class Response:
    """The risk against the lymphocyte count at one neutrophil count, where it is supported.

    `alc`, `nlr` (n,); `risk` (n, n_horizons) probabilities; counts in 10*9/L.
    """

    anc: float
    alc: FloatArray
    nlr: FloatArray
    risk: FloatArray


def responses(model: RiskModel) -> tuple[Response, ...]:
    """A curve for each of three neutrophil counts; none for a model that does not read both the count and the ratio."""
    columns = [column.feature for column in model.design.columns]
    if ALC not in columns or NLR not in columns:
        return ()
    at = (columns.index(ALC), columns.index(NLR))
    mean, covariance = model.imputation.mean[list(at)], model.imputation.covariance[np.ix_(at, at)]
    ln_anc, spread = float(mean.sum()), math.sqrt(float(covariance.sum()))  # ln ANC = ln ALC + ln NLR
    return tuple(_response(model, at, mean, covariance, ln_anc + step * spread) for step in SPREADS)


def _response(model: RiskModel, at: tuple[int, int], mean: FloatArray, covariance: FloatArray, ln_anc: float) -> Response:
    low, high = model.development_range.get(ALC, (-np.inf, np.inf))
    reach = math.sqrt(SUPPORT * float(covariance[0, 0]))
    ends = max(low, mean[0] - reach), min(high, mean[0] + reach)
    ln_alc = np.unique([*np.linspace(*ends, POINTS), *(one for one in map(math.log, COUNTS) if ends[0] <= one <= ends[1])])
    both = np.column_stack([ln_alc, ln_anc - ln_alc])
    both = both[supported(model, both, mean, covariance)]
    x = np.repeat(model.imputation.mean[None], len(both), axis=0)
    x[:, at[0]], x[:, at[1]] = both[:, 0], both[:, 1]
    risk = model.score_filled(Filled(x, np.zeros_like(x))).risk if len(both) else np.zeros((0, len(model.days)))
    return Response(math.exp(ln_anc), np.exp(both[:, 0]), np.exp(both[:, 1]), risk)


def supported(model: RiskModel, both: FloatArray, mean: FloatArray, covariance: FloatArray) -> NDArray[np.bool_]:
    """Whether (ln ALC, ln NLR), rows of `both` (n, 2), lie where the development patients did."""
    apart = both - mean
    near = (apart * np.linalg.solve(covariance, apart.T).T).sum(axis=1) <= SUPPORT
    low, high = model.development_range.get(NLR, (-np.inf, np.inf))
    found: NDArray[np.bool_] = near & (both[:, 1] >= low) & (both[:, 1] <= high)
    return found
