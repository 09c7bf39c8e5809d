"""How simulated patients change after the index date: burden and inflammation move and carry the risk, lymphocytes come back.

Burden and inflammation move from week to week about where they stood on the index date, and the hazard follows them: burden with
a trend of each patient's own, which fades as treatments change, inflammation without. Lymphocytes recover by a process of their
own (marrow reserve): the hazard does not depend on the current count, so that with a hazard ratio of 1 a recovery says nothing of
survival once the index date is known. Where fitness is asked for, a standard normal that nobody measures makes recovery likelier
and death less likely.

Sizes are assumptions in the range of published cohorts: counts scatter by a fifth from draw to draw, recovery comes to about one
in ten a month.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.simulation.history import DAYS_PER_MONTH, FloatArray
from training.simulation.patients import Covariates
from training.simulation.truth import Hazard, counts_at_rest, hazard

WEEK = 7.0
BURDEN_KEPT, BURDEN_SD, BURDEN_RISK = 0.985, 0.10, 0.40
TREND, TREND_SD, TREND_KEPT = -0.06, 0.15, 0.94  # of burden in a week: most tumours respond at first, some never
INFLAMMATION_KEPT, INFLAMMATION_SD, INFLAMMATION_RISK = 0.93, 0.20, 0.40
RECOVERY_A_MONTH, RECOVERY_BEGINS, RECOVERY_TAKES = 0.10, 15.0, 28.0
LOW = 1.0  # 10*9/L, below which there is something to recover from
RECOVERED_LN_ALC = np.log(1.35)
_REGRESSED, _NOISE_AT_INDEX = 0.09, 0.143  # of a count of the index date what was noise: a variance of .15 ** 2 in .5 ** 2
FITNESS_RECOVERS, FITNESS_RISK = 0.6, -0.5
_LASTS = 0.75  # of what blood and bedside said on the index date


@dataclass(frozen=True)
class Moving:
    """What moves, week by week from the index date: burden and inflammation apart from where they stood, shape (n, weeks).

    `trend` (n,): what burden gains in the first week but for its steps.
    """

    burden: FloatArray
    inflammation: FloatArray
    trend: FloatArray

    @property
    def risk(self) -> FloatArray:
        """What both add to the log hazard, shape (n, weeks)."""
        return BURDEN_RISK * self.burden + INFLAMMATION_RISK * self.inflammation

    def on(self, day: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Burden and inflammation of each patient on a day of his own, shape (n, k) as `day`."""
        week = np.minimum((day // WEEK).astype(int), self.burden.shape[1] - 1)
        return np.take_along_axis(self.burden, week, 1), np.take_along_axis(self.inflammation, week, 1)


def draw_moving(rng: np.random.Generator, patients: int, weeks: int) -> Moving:
    """Both from the first week on, where they are 0."""
    return moved(rng, TREND + TREND_SD * rng.standard_normal(patients), weeks)


def moved(rng: np.random.Generator, trend: FloatArray, weeks: int) -> Moving:
    """How burden with these trends (n,) and inflammation may move: their steps are drawn."""
    burden, inflammation = np.zeros((len(trend), weeks)), np.zeros((len(trend), weeks))
    steps = rng.standard_normal((2, weeks, len(trend)))
    for week in range(1, weeks):
        pace = trend * TREND_KEPT ** (week - 1)
        burden[:, week] = BURDEN_KEPT * burden[:, week - 1] + pace + BURDEN_SD * steps[0, week]
        inflammation[:, week] = INFLAMMATION_KEPT * inflammation[:, week - 1] + INFLAMMATION_SD * steps[1, week]
    return Moving(burden, inflammation, trend)


@dataclass(frozen=True)
class Lymphocytes:
    """Of each patient ln ALC at rest (10*9/L) without the scatter of a draw, the day recovery begins, and what it adds; (n,)."""

    ln_rest: FloatArray
    begins: FloatArray
    gain: FloatArray

    def on(self, day: FloatArray) -> FloatArray:
        """ln ALC at rest on days (n, k)."""
        grown = np.clip((day - self.begins[:, None]) / RECOVERY_TAKES, 0, 1)
        return self.ln_rest[:, None] + grown * self.gain[:, None]


def draw_lymphocytes(rng: np.random.Generator, patients: Covariates, fitness: FloatArray) -> Lymphocytes:
    """Where each patient's lymphocytes rest, and when they begin to come back; only of those below 1.0 10*9/L do they."""
    ln_alc, n = np.log(counts_at_rest(patients)[0]), len(patients)
    noise = _REGRESSED * (ln_alc - ln_alc.mean()) + _NOISE_AT_INDEX * rng.standard_normal(n)
    reserve = rng.standard_normal(n)
    rate = RECOVERY_A_MONTH / DAYS_PER_MONTH * np.exp(0.3 * reserve + FITNESS_RECOVERS * fitness)
    begins = RECOVERY_BEGINS + rng.exponential(1 / rate)
    rest = ln_alc - noise
    gain = np.where(ln_alc < np.log(LOW), np.maximum(RECOVERED_LN_ALC + 0.2 * reserve - rest, 0.0), 0.0)
    return Lymphocytes(rest, begins, gain)


def lasting_hazard(patients: Covariates) -> Hazard:
    """The true hazard had nothing moved: what blood and bedside said on the index date does not fade, since it moves."""
    found = hazard(patients)
    return Hazard(found.lasting + _LASTS * found.fading, np.zeros_like(found.fading))


def weekly_hazard(known: Hazard, risk: FloatArray, recovered: FloatArray, ratio: float, own: FloatArray) -> FloatArray:
    """The cumulative hazard gained in each week, shape (n, weeks).

    `risk` (n, weeks) is what moves; from the day `recovered` (n,; infinite where it is never) the hazard is `ratio` times itself;
    `own` (n,) is frailty and fitness.
    """
    weeks = risk.shape[1]
    edges = WEEK * np.arange(weeks + 1)
    still = np.stack([known.cumulative(day) for day in edges], axis=1)
    share = np.clip((edges[1:] - recovered[:, None]) / WEEK, 0, 1)  # of the week in which the ratio holds
    return np.diff(still, axis=1) * np.exp(risk + own[:, None]) * (1 + share * (ratio - 1))


def draw_deaths(rng: np.random.Generator, gained: FloatArray) -> FloatArray:
    """Days from the index date to death (n,), whole ones from 1 on; infinite for those who outlive the weeks simulated."""
    due = rng.exponential(size=len(gained))
    total = np.cumsum(gained, axis=1)
    week = (total < due[:, None]).sum(axis=1)
    lived = week < gained.shape[1]
    inside: NDArray[np.intp] = np.minimum(week, gained.shape[1] - 1)
    rows = np.arange(len(gained))
    left = due - (total[rows, inside] - gained[rows, inside])
    days = WEEK * (inside + left / gained[rows, inside])
    return np.where(lived, np.maximum(np.ceil(days), 1), np.inf)


def ratio_on(recovered: FloatArray, day: float, ratio: float) -> FloatArray:
    """What the hazard is multiplied by on a day: `ratio` for those who have recovered by then, shape (n,)."""
    return np.where(recovered <= day, ratio, 1.0)
