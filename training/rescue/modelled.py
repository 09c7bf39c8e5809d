"""How many times more often those die in whom something has happened, with its interval: a Cox model, adjusted or not.

A hazard ratio is an association among these patients. It is not what would happen to somebody in whom it were made to happen.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from training.rescue.counting import CountingProcess, counting
from training.rescue.covariates import Adjustment
from training.rescue.cox import fit_counting
from training.rescue.needed import Refused, short_for
from training.rescue.timed import Flags, Timed
from training.statistics.estimates import NotEstimable

FloatArray = NDArray[np.float64]
Places = NDArray[np.intp]
_95 = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True)
class HazardRatio:
    """A hazard ratio, its 95 % interval and p (Wald); of how many `deaths`, with how many other coefficients."""

    log: float
    error: float
    deaths: int
    covariates: tuple[str, ...] = ()

    @property
    def value(self) -> float:
        """The hazard ratio."""
        return math.exp(self.log)

    @property
    def low(self) -> float:
        """The lower end of its 95 % interval."""
        return math.exp(self.log - _95 * self.error)

    @property
    def high(self) -> float:
        """The upper end of its 95 % interval."""
        return math.exp(self.log + _95 * self.error)

    @property
    def p(self) -> float:
        """The probability of a ratio as far from 1 by chance."""
        return 2 * NormalDist().cdf(-abs(self.log / self.error))

    def as_json(self) -> dict[str, object]:
        """Value, ends and p, to four digits."""
        told = {name: float(f"{getattr(self, name):.4g}") for name in ("value", "low", "high", "p")}
        return {**told, "adjusted_for": list(self.covariates)}


def rows_of(of: Timed) -> CountingProcess:
    """A row for each patient before the event, and one from the day after it was known."""
    return counting(of.entries, of.days, of.deaths, of.on)


def time_dependent(of: Timed, adjustment: Adjustment | None) -> HazardRatio | Refused:
    """The hazard of those in whom it has happened over that of those in whom it has not yet, as time goes on."""
    rows = rows_of(of)
    return hazard_ratio(rows.start, rows.stop, rows.event, rows.state[:, None], of.rows[rows.patient], adjustment)


def hazard_ratio(
    start: FloatArray,
    stop: FloatArray,
    event: Flags,
    states: FloatArray,
    people: Places,
    adjustment: Adjustment | None,
) -> HazardRatio | Refused:
    """The ratio of the first column of `states` (rows, s), the others and the covariates held; `people` (rows,) of each row."""
    found = _fitted(CountingRows(start, stop, event, people), states, adjustment, None)
    return found if isinstance(found, Refused) else found.ratio(0)


@dataclass(frozen=True)
class Compared:
    """A ratio for each group, and whether they differ: chi-squared (Wald) of `degrees`, and p."""

    ratios: tuple[HazardRatio, ...]
    statistic: float
    degrees: int
    p: float

    def as_json(self) -> dict[str, object]:
        """The test, to four digits."""
        return {"chi_squared": float(f"{self.statistic:.4g}"), "degrees": self.degrees, "p": float(f"{self.p:.4g}")}


def compared(of: Timed, groups: Sequence[Flags], adjustment: Adjustment) -> Compared | Refused:
    """A ratio in each of some disjoint groups (masks over patients), in one model; each has a baseline hazard of its own.

    Whoever is in none of them is not in the model.
    """
    level = np.full(len(of), len(groups), np.intp)
    for place, members in enumerate(groups):
        level[members] = place
    inside = np.asarray(level < len(groups))
    part, level = of.part(inside), level[inside]
    rows = rows_of(part)
    of_row = level[rows.patient]
    states = np.stack([rows.state * (of_row == place) for place in range(len(groups))], axis=1)
    one = CountingRows(rows.start, rows.stop, rows.event, part.rows[rows.patient])
    found = _fitted(one, states, adjustment, of_row)
    if isinstance(found, Refused):
        return found
    ratios = tuple(found.ratio(place) for place in range(len(groups)))
    if len(groups) == 1:
        return Compared(ratios, 0.0, 0, 1.0)
    contrast = np.zeros((len(groups) - 1, len(found.coefficients)))
    contrast[:, 0], contrast[:, 1 : len(groups)] = 1.0, -np.eye(len(groups) - 1)
    apart = contrast @ found.coefficients
    statistic = float(apart @ np.linalg.solve(contrast @ found.covariance @ contrast.T, apart))
    return Compared(ratios, statistic, len(groups) - 1, float(chi2.sf(statistic, len(groups) - 1)))


@dataclass(frozen=True, eq=False)
class CountingRows:
    """Rows of a counting process (rows,): at risk after `start` to `stop`, which was a death where `event`; whose it is."""

    start: FloatArray
    stop: FloatArray
    event: Flags
    people: Places


@dataclass(frozen=True, eq=False)
class _Fitted:
    coefficients: FloatArray
    covariance: FloatArray
    deaths: int
    covariates: tuple[str, ...]

    def ratio(self, place: int) -> HazardRatio:
        error = math.sqrt(float(self.covariance[place, place]))
        return HazardRatio(float(self.coefficients[place]), error, self.deaths, self.covariates)


def _fitted(
    rows: CountingRows, states: FloatArray, adjustment: Adjustment | None, levels: Places | None
) -> _Fitted | Refused:
    """The model of the states and, where asked, the covariates; strata are tumours, and `levels` where given."""
    strata = np.zeros(len(rows.stop), np.intp) if levels is None else levels
    x, names = states, tuple[str, ...]()
    if adjustment is not None:
        strata = strata * adjustment.tumours + adjustment.strata[rows.people]
        covariates = adjustment.x[rows.people]
        kept = [place for place, column in enumerate(covariates.T) if _varies(column, strata)]
        x, names = np.column_stack([states, covariates[:, kept]]), tuple(adjustment.labels[place] for place in kept)
    deaths = int(rows.event.sum())
    if refused := short_for(x.shape[1], deaths):
        return refused
    try:
        fit = fit_counting(rows.start, rows.stop, rows.event, x, strata=strata, clusters=rows.people)
    except NotEstimable as error:
        return Refused(str(error))
    return _Fitted(fit.coefficients, fit.covariance, deaths, names)


def _varies(column: FloatArray, strata: Places) -> bool:
    """Whether a covariate differs between patients who are compared with one another."""
    return any(np.ptp(column[strata == stratum]) > 0 for stratum in np.unique(strata))
