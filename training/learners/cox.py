"""The Cox model: how many times more often somebody with these values dies, the same at all times.

It is the simple model that reviewers know, and what the product's own learners must beat. Fitted to all of follow-up by Newton's
method on the partial likelihood, ties after Efron; with delayed entry a patient is at risk only after entry. No array holds
a matrix per death: sums over risk sets are cumulative sums over the days, O(n log n) in the patients.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from training.statistics.censoring import Array, FollowUp, StepFunction, sums
from training.statistics.estimates import NotEstimable

ITERATIONS, HALVINGS = 50, 25
FURTHEST = 20.0  # log hazard per standard deviation: a coefficient beyond is running away from patients it separates
LOG_HAZARD = (-20.0, 5.0)  # risks between 2e-9 and 1 - 4e-65: what is outside is not a statement about a patient


@dataclass(frozen=True, eq=False)
class CoxFit:
    """A fitted Cox model: `coefficients` and `means` (k,), and the baseline cumulative hazard, that of a patient at the means.

    `asked`: the days at which the baseline is known; None, all of them.
    """

    coefficients: Array
    means: Array
    baseline: StepFunction
    asked: tuple[float, ...] | None = None

    def log_odds(self, x: Array, days: ArrayLike) -> Array:
        """Log-odds (n, h) of being dead by `days` (h,) for rows `x` (n, k); finite even before the first death.

        Raises ValueError for a day at which the baseline is not known.
        """
        asked = np.atleast_1d(np.asarray(days, np.float64))
        if self.asked is not None and (unknown := sorted(set(asked.tolist()) - set(self.asked))):
            raise ValueError(f"days {unknown}: allowed are {list(self.asked)}, those at which the baseline was kept")
        hazard = np.maximum(self.baseline.at(asked), np.exp(LOG_HAZARD[0]))
        return log_odds_of(np.log(hazard) + ((x - self.means) @ self.coefficients)[:, None])

    def as_json(self, days: Sequence[float]) -> dict[str, Any]:
        """The model at these days alone: a baseline of all days would tell the day on which each patient died."""
        return {
            "coefficients": self.coefficients.tolist(),
            "means": self.means.tolist(),
            "days": [float(day) for day in days],
            "cumulative_hazard": self.baseline.at(np.asarray(days, np.float64)).tolist(),
        }


def cox_from_json(document: Mapping[str, Any]) -> CoxFit:
    """The model that `CoxFit.as_json` wrote; it answers for the days that were kept."""
    days = np.asarray(document["days"], np.float64)
    baseline = StepFunction(days, np.concatenate([[0.0], document["cumulative_hazard"]]))
    coefficients, means = (np.asarray(document[name], np.float64) for name in ("coefficients", "means"))
    return CoxFit(coefficients, means, baseline, tuple(days.tolist()))


def log_odds_of(log_hazard: Array) -> Array:
    """Log-odds of dying under a cumulative hazard given as its logarithm: logit(1 - exp(-H)) = log(exp(H) - 1)."""
    hazard = np.exp(np.clip(log_hazard, *LOG_HAZARD))
    return np.asarray(hazard + np.log(-np.expm1(-hazard)))


def fit_cox(x: Array, follow_up: FollowUp, *, ridge: float = 0.0, multiplicity: Array | None = None) -> CoxFit:
    """The Cox model of columns `x` (n, k), without missing values. Baseline after Breslow, at the means.

    `ridge` / 2 times the sum of squared coefficients, each per standard deviation of its column, is taken from the log
    likelihood. `multiplicity` (n,) counts each row so often, in whole numbers, as if it were written so often. Raises ValueError
    for rows that do not fit, NotEstimable where nobody died, or no coefficients fit best.

    References
    ----------
    Cox. J R Stat Soc B 1972;34:187-220. doi:10.1111/j.2517-6161.1972.tb00899.x
    Efron. J Am Stat Assoc 1977;72:557-565. doi:10.1080/01621459.1977.10480613 (ties)
    Breslow. Biometrics 1974;30:89-99. doi:10.2307/2529620 (the baseline)
    """
    copies = np.ones(len(follow_up)) if multiplicity is None else multiplicity
    _check(x, follow_up, copies, ridge)
    means = np.average(x, axis=0, weights=copies)
    spread = np.sqrt(np.average((x - means) ** 2, axis=0, weights=copies))
    if (still := ~(spread > 1e-9 * (1.0 + np.abs(means)))).any():
        raise NotEstimable(f"columns {np.flatnonzero(still).tolist()} do not vary: they have no coefficient")
    likelihood = PartialLikelihood((x - means) / spread, follow_up, copies, ridge)
    standardised = likelihood.best()
    return CoxFit(standardised / spread, means, likelihood.baseline(standardised))


def _check(x: Array, follow_up: FollowUp, copies: Array, ridge: float) -> None:
    n = len(follow_up)
    if x.ndim != 2 or x.shape[0] != n or copies.shape != (n,):
        raise ValueError(f"rows {x.shape} and multiplicity {copies.shape}: allowed are {n} of each, as in the follow-up")
    if not np.isfinite(x).all():
        raise ValueError(f"{(~np.isfinite(x).all(axis=1)).sum()} row(s) of x are not finite; likely values that were not imputed")
    if (copies < 0).any() or (copies % 1).any():
        raise ValueError("multiplicity: allowed are whole numbers from 0; likely a weight was given")
    if not ridge >= 0:
        raise ValueError(f"ridge {ridge}: allowed is 0 or more")
    if not (copies @ follow_up.deaths) > 0:
        raise NotEstimable("a Cox model needs somebody who died")


@dataclass(frozen=True, eq=False)
class PartialLikelihood:
    """The penalised partial likelihood of standardised columns z (n, k); `copies` (n,) counts each row so often."""

    z: Array
    follow_up: FollowUp
    copies: Array
    ridge: float

    def best(self) -> Array:
        """Where it is highest, by Newton's method; a step that does not climb is halved."""
        at = np.zeros(self.z.shape[1])
        value, slope, curvature = self.at(at)
        for _ in range(ITERATIONS):
            if np.linalg.cond(curvature) > 1e12:
                break
            step = np.asarray(np.linalg.solve(curvature, slope), np.float64)
            if np.abs(step).max() < 1e-10:
                return at
            at, (value, slope, curvature) = self._climbed(at, step, value)
            if np.abs(at).max() > FURTHEST:
                break
        raise NotEstimable("no coefficients fit best: columns that are not independent, or that separate who dies first")

    def _climbed(self, at: Array, step: Array, value: float) -> tuple[Array, tuple[float, Array, Array]]:
        for halving in range(HALVINGS):
            there = at + step / 2**halving
            found = self.at(there)
            if found[0] >= value - 1e-9 * (1.0 + abs(value)):
                return there, found
        raise NotEstimable("no coefficients fit best: the likelihood does not rise")

    def at(self, coefficients: Array) -> tuple[float, Array, Array]:
        """Log likelihood, its slope (k,), and the negative of its curvature (k, k)."""
        z, dying = self.z, self.copies * self.follow_up.deaths
        lp = z @ coefficients
        hazard = self.copies * np.exp(lp - lp.max())
        day, left = self._deaths()
        among, fallen = self._at_risk(hazard)[day], self._dying(hazard)[day]
        denominator = among - left * fallen
        means = (self._each(self._at_risk, z, hazard)[day] - left[:, None] * self._each(self._dying, z, hazard)[day])
        means /= denominator[:, None]
        value = dying @ (lp - lp.max()) - np.log(denominator).sum() - 0.5 * self.ridge * coefficients @ coefficients
        slope = dying @ z - means.sum(axis=0) - self.ridge * coefficients
        size = self.follow_up.days.size
        share = self._while_at_risk(sums(day, 1.0 / denominator, size), sums(day, left / denominator, size))
        curvature = z.T @ (z * (hazard * share)[:, None]) - means.T @ means + self.ridge * np.eye(len(coefficients))
        return float(value), slope, curvature

    def residuals(self, coefficients: Array) -> Array:
        """What each row adds to the slope (n, k), its deaths less those expected of it: they sum to 0 where it fits best.

        References
        ----------
        Lin, Wei. J Am Stat Assoc 1989;84:1074-1078. doi:10.1080/01621459.1989.10478874 (score residuals)
        """
        lp, (day, left), size = self.z @ coefficients, self._deaths(), self.follow_up.days.size
        hazard = self.copies * np.exp(lp - lp.max())
        denominator = (self._at_risk(hazard)[day] - left * self._dying(hazard)[day])[:, None]
        means = self._each(self._at_risk, self.z, hazard)[day] - left[:, None] * self._each(self._dying, self.z, hazard)[day]
        means /= denominator
        risk, late = np.column_stack([np.ones(day.size), means]) / denominator, left[:, None]
        at_risk = ((sums(day, column, size), sums(day, less, size)) for column, less in zip(risk.T, (late * risk).T, strict=True))
        summed = [self._while_at_risk(column, less) for column, less in at_risk]
        expected = hazard[:, None] * (self.z * summed[0][:, None] - np.stack(summed[1:], axis=1))
        dying = np.maximum(self._dying(self.copies), 1.0)
        mean = np.stack([sums(day, column, size) for column in means.T], axis=1) / dying[:, None]
        observed = (self.copies * self.follow_up.deaths)[:, None] * (self.z - mean[self.follow_up.leaves])
        return np.asarray(observed - expected)

    def baseline(self, coefficients: Array) -> StepFunction:
        """Breslow's cumulative hazard on each day."""
        among = self._at_risk(self.copies * np.exp(self.z @ coefficients))
        dying = self._dying(self.copies)
        steps = np.divide(dying, among, out=np.zeros_like(among), where=dying > 0)
        return StepFunction(self.follow_up.days, np.concatenate([[0.0], np.cumsum(steps)]))

    def _deaths(self) -> tuple[NDArray[np.intp], Array]:
        """A row per death: its day, and what share of that day's dead Efron takes as having left before it."""
        dying = self._dying(self.copies).astype(np.intp)
        day = np.repeat(np.arange(dying.size), dying)
        first = np.repeat(np.cumsum(dying) - dying, dying)
        return day, (np.arange(day.size) - first) / dying[day]

    def _at_risk(self, values: Array) -> Array:
        """Sums over the patients at risk on each day, added from the last day on."""
        size = self.follow_up.days.size
        staying = np.cumsum(sums(self.follow_up.leaves, values, size)[::-1])[::-1]
        if self.follow_up.entries is None:
            return np.asarray(staying)
        later = np.cumsum(sums(self.follow_up.joins, values, size + 1)[::-1])[::-1]
        return np.asarray(staying - later[1:])

    def _dying(self, values: Array) -> Array:
        """Sums over the patients who die on each day."""
        return sums(self.follow_up.leaves, values * self.follow_up.deaths, self.follow_up.days.size)

    def _each(self, summed: Callable[[Array], Array], z: Array, hazard: Array) -> Array:
        return np.stack([summed(column * hazard) for column in z.T], axis=1)

    def _while_at_risk(self, by_day: Array, left: Array) -> Array:
        """For each patient, the sum over the days at risk, less what Efron takes off on the day of death."""
        until = np.concatenate([[0.0], np.cumsum(by_day)])
        whole = until[self.follow_up.leaves + 1] - until[self.follow_up.joins]
        return np.asarray(whole - self.follow_up.deaths * left[self.follow_up.leaves])
