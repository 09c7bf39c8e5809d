"""Whether the stated risks are the risks that came true: on average, for high and low risks alike, and patient by patient.

Deaths are weighted for censoring (`statistics.censoring.weights`). The curve behind the integrated calibration index is a
logistic regression of death on the log-odds and their square: three parameters, so that it can be fitted to twenty deaths,
and no tuning. It is compared with the stated risk of every patient, those who were censored included.
"""

from dataclasses import dataclass

import numpy as np

from training.statistics.censoring import Array, Flags
from training.statistics.estimates import NotEstimable

ITERATIONS = 60
WORST_CONDITION = 1e12


def sigmoid(log_odds: Array) -> Array:
    """The probability of log-odds, without overflow."""
    return np.asarray(0.5 + 0.5 * np.tanh(0.5 * log_odds))


def weighted_logistic(x: Array, dead: Flags, weight: Array, offset: Array | float = 0.0) -> Array:
    """Coefficients (p,) of a logistic regression of death on the columns of x (n, p), by weighted maximum likelihood.

    No penalty and no intercept of its own; `offset` (n,) is added to the log-odds. Newton's method; each step is damped by
    how far it moves a patient, so that none overshoots. Raises NotEstimable where no maximum exists: nobody or everybody
    died, columns that are not independent, or covariates that separate the dead from the living.

    References
    ----------
    Bach. Electron J Stat 2010;4:384-414. doi:10.1214/09-EJS521 (the damping)
    """
    known = weight > 0
    log_odds = np.broadcast_to(np.asarray(offset, dtype=np.float64), weight.shape)[known]
    x, dead, weight = x[known], dead[known], weight[known]
    if dead.all() or not dead.any():
        raise NotEstimable("calibration needs patients of both kinds: all of those known died, or none did")
    coefficients = np.zeros(x.shape[1])
    for _ in range(ITERATIONS):
        risk = sigmoid(log_odds)
        information = x.T @ (x * (weight * risk * (1.0 - risk))[:, None])
        if not np.linalg.cond(information) < WORST_CONDITION:
            break
        step = np.linalg.solve(information, x.T @ (weight * (dead - risk)))
        move = x @ step
        furthest = float(np.abs(move).max())
        damping = np.log1p(furthest) / furthest if furthest > 0 else 1.0
        coefficients, log_odds = coefficients + damping * step, log_odds + damping * move
        if furthest < 1e-8:
            return coefficients
    raise NotEstimable("the log-odds separate the dead from the living, or do not vary: no calibration line fits best")


def calibration_intercept(log_odds: Array, dead: Flags, weight: Array) -> float:
    """Calibration in the large: what must be added to everybody's log-odds (n,); above 0, risks were stated too low.

    References
    ----------
    Cox. Biometrika 1958;45:562-565. doi:10.1093/biomet/45.3-4.562
    """
    return float(weighted_logistic(np.ones((log_odds.size, 1)), dead, weight, log_odds)[0])


def calibration_slope(log_odds: Array, dead: Flags, weight: Array) -> float:
    """The coefficient of the log-odds (n,) in a regression of death on them; below 1, risks were stated too extreme.

    References
    ----------
    Cox. Biometrika 1958;45:562-565. doi:10.1093/biomet/45.3-4.562
    """
    return float(weighted_logistic(_powers(log_odds, weight, 1), dead, weight)[1] / _spread(log_odds, weight)[1])


def observed_expected(risk: Array, observed_risk: float, multiplicity: Array | None = None) -> float:
    """O:E, the Kaplan-Meier risk over the mean stated risk (n,); above 1, risks were stated too low."""
    expected = float(np.average(risk, weights=multiplicity))
    if not expected > 0:
        raise NotEstimable("O:E needs a stated risk above 0")
    return observed_risk / expected


@dataclass(frozen=True)
class Departure:
    """Distance between stated risk and calibration curve over the patients: the mean (ICI), the median, the 90th percentile."""

    ici: float
    e50: float
    e90: float


@dataclass(frozen=True, eq=False)
class Curve:
    """The risk that came true over the log-odds that were stated, smoothed: logistic in the log-odds and their square."""

    mean: float
    deviation: float
    coefficients: Array

    def at(self, log_odds: Array) -> Array:
        """The smoothed risk at log-odds of any shape."""
        return sigmoid(_powers_of((log_odds - self.mean) / self.deviation, 2) @ self.coefficients)


def fit_curve(log_odds: Array, dead: Flags, weight: Array) -> Curve:
    """The calibration curve of patients (n,)."""
    x = _powers(log_odds, weight, 2)
    return Curve(*_spread(log_odds, weight), weighted_logistic(x, dead, weight))


def calibration_curve(log_odds: Array, dead: Flags, weight: Array) -> Array:
    """The smoothed risk that came true at each patient's log-odds (n,)."""
    return fit_curve(log_odds, dead, weight).at(log_odds)


def departure(log_odds: Array, risk: Array, curve: Curve, multiplicity: Array | None = None) -> Departure:
    """How far the stated risks (n,) lie from the calibration curve: ICI, E50 and E90.

    References
    ----------
    Austin, Steyerberg. Stat Med 2019;38:4051-4065. doi:10.1002/sim.8281
    Austin, Harrell, van Klaveren. Stat Med 2020;39:2714-2742. doi:10.1002/sim.8570 (under censoring)
    """
    distance = np.abs(curve.at(log_odds) - risk)
    copies = np.ones(risk.size) if multiplicity is None else multiplicity
    order = np.argsort(distance)
    share = np.cumsum(copies[order]) / copies.sum()
    e50, e90 = (float(distance[order][np.searchsorted(share, part - 1e-12)]) for part in (0.5, 0.9))
    return Departure(float(np.average(distance, weights=copies)), e50, e90)


def _spread(log_odds: Array, weight: Array) -> tuple[float, float]:
    """Mean and standard deviation of the log-odds of those whose state is known."""
    if not weight.sum() > 0:
        raise NotEstimable("calibration needs a patient whose state at the horizon is known")
    mean = float(np.average(log_odds, weights=weight))
    deviation = float(np.sqrt(np.average((log_odds - mean) ** 2, weights=weight)))
    if not deviation > 1e-9 * (1.0 + abs(mean)):
        raise NotEstimable("the same risk was stated for everybody: it has no calibration slope or curve")
    return mean, deviation


def _powers(log_odds: Array, weight: Array, degree: int) -> Array:
    """Columns 1, z, z^2 ... of the standardised log-odds: equal columns on any scale, so the equations stay well conditioned."""
    mean, deviation = _spread(log_odds, weight)
    return _powers_of((log_odds - mean) / deviation, degree)


def _powers_of(z: Array, degree: int) -> Array:
    return np.asarray(np.stack([z**power for power in range(degree + 1)], axis=-1))
