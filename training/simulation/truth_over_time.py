"""The true risk of a simulated patient on a day after the index date, given the state on that day and all that came before it.

What burden and inflammation will do is not known on that day: the risk is the mean over courses they may take. Nor is frailty: it
is integrated out, weighted by how likely each made it that the patient is still alive.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.simulation.history import FloatArray
from training.simulation.over_time import (
    BURDEN_KEPT,
    BURDEN_RISK,
    INFLAMMATION_KEPT,
    INFLAMMATION_RISK,
    TREND,
    TREND_KEPT,
    TREND_SD,
    WEEK,
    Moving,
    moved,
    ratio_on,
)
from training.simulation.truth import Hazard

_COURSES = 256  # that burden and inflammation may take from a day on
_NODES = 12  # of frailty


@dataclass(frozen=True)
class TrueRisks:
    """Of n patients: `still` is their hazard had nothing moved, `moving` what did, `recovered` the day of recovery (n,).

    `ratio` is what a recovery does to the hazard, `own_sd` the standard deviation of what is theirs alone and nobody measures.
    What a recovery still to come would do is not part of the risk: with a ratio of 1 there is nothing to know.
    """

    still: Hazard
    moving: Moving
    recovered: FloatArray
    ratio: float
    own_sd: float

    def on(self, day: int, within: tuple[int, ...], own: FloatArray | None = None) -> FloatArray:
        """The risk of dying `within` so many days of `day`, a whole number of weeks after the index date; shape (n, k).

        `own` (n,) where it is known: then it is not integrated out.
        """
        gained, courses = self._ahead(day, max(within))
        nodes, weights = np.polynomial.hermite_e.hermegauss(_NODES)
        by_node, weight = self.own_sd * nodes[None, :], np.broadcast_to(weights, (len(gained), _NODES))
        if own is not None:
            by_node, weight = own[:, None], np.ones((len(gained), 1))
        past = self._past(day)
        weight = weight * np.exp(-past[:, None] * np.exp(by_node))
        weight = weight / weight.sum(axis=1, keepdims=True)
        parts = (_part_weeks(days, gained.shape[1]) for days in within)
        return np.stack([_risk(gained * part @ courses, by_node, weight) for part in parts], axis=1)

    def _gained(self, weeks: range) -> FloatArray:
        """What the still hazard gains in each of the weeks, shape (n, weeks)."""
        edges = [self.still.cumulative(WEEK * week) for week in range(weeks.start, weeks.stop + 1)]
        return np.diff(np.stack(edges, axis=1), axis=1)

    def _past(self, day: int) -> FloatArray:
        """The cumulative hazard to the day on the course that was taken, but for what is the patient's own (n,)."""
        weeks = range(int(day // WEEK))
        if not weeks:
            return np.zeros(len(self.recovered))
        ratios = np.stack([ratio_on(self.recovered, WEEK * week, self.ratio) for week in weeks], axis=1)
        gained: FloatArray = self._gained(weeks) * np.exp(self.moving.risk[:, : len(weeks)]) * ratios
        return np.asarray(gained.sum(axis=1))

    def _ahead(self, day: int, days: int) -> tuple[FloatArray, FloatArray]:
        """The hazard gained in each week ahead if nothing moved again (n, weeks), and what multiplies it (weeks, courses)."""
        first, count = int(day // WEEK), int(np.ceil(days / WEEK))
        known = self._known(first, np.arange(count))
        gained = self._gained(range(first, first + count)) * np.exp(known) * ratio_on(self.recovered, day, self.ratio)[:, None]
        rng, trend = np.random.default_rng(day), np.zeros(_COURSES // 2)
        courses = moved(rng, trend if first else TREND_SD * rng.standard_normal(len(trend)), count).risk
        both = np.exp(np.concatenate([courses, -courses]))  # a course and its mirror image: the mean has less noise
        return gained, both.T

    def _known(self, first: int, later: NDArray[np.int64]) -> FloatArray:
        """The log hazard of what moves, so many weeks `later` than the `first` if no step came, shape (n, weeks).

        On the index date nobody can know a patient's own trend.
        """
        burden, inflammation = self.moving.burden[:, first, None], self.moving.inflammation[:, first, None]
        trend = (self.moving.trend * TREND_KEPT**first if first else np.full(len(burden), TREND))[:, None]
        gained = trend * (BURDEN_KEPT**later - TREND_KEPT**later) / (BURDEN_KEPT - TREND_KEPT)
        drifted = BURDEN_RISK * (burden * BURDEN_KEPT**later + gained)
        return np.asarray(drifted + INFLAMMATION_RISK * inflammation * INFLAMMATION_KEPT**later)


def _part_weeks(days: int, weeks: int) -> FloatArray:
    """How much of each week lies within so many days."""
    return np.clip(days / WEEK - np.arange(weeks), 0, 1)


def _risk(cumulative: FloatArray, own: FloatArray, weight: FloatArray) -> FloatArray:
    """Mean over courses, of which `cumulative` (n, courses) is the hazard, and over what is the patient's own; shape (n,)."""
    died = [-np.expm1(-cumulative * np.exp(own[:, node])[:, None]).mean(axis=1) for node in range(own.shape[1])]
    return np.asarray((np.stack(died, axis=1) * weight).sum(axis=1))
