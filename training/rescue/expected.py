"""How many would count as recovered though nothing recovered: low counts chosen for being low are higher when drawn again.

A patient is in the analysis because one count was below the cut-off, and some of those counts were low by chance. With the
noise between draws estimated from the draws themselves, and every patient's true count left where it is, the share that the
rule would call recovered on these very draw days is computed exactly: regression to the mean, and nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from models.measurements import ALC_FLOOR
from models.recovery import APART
from training.rescue.person import Person, Series
from training.statistics.estimates import NotEstimable

GAP_DAYS = 42.0  # three draws further apart than this may differ by more than noise
LEAST_TRIPLES, LEAST_PATIENTS = 30, 20
_NORMAL_MAD = 1.482602218505602  # 1 / 0.6745: the median absolute deviation of a normal distribution, as a standard deviation
_NODES = 41

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Expected:
    """What regression to the mean alone gives: shares of patients who would count as recovered, by two draws and by one.

    `noise`: standard deviation of ln ALC from draw to draw. `reliability`: how much of the spread of ln ALC between patients is
    no noise. `two_draws` and `one_draw` from 0 to 1.
    """

    noise: float
    reliability: float
    two_draws: float
    one_draw: float


def noise_between_draws(series: Iterable[Sequence[tuple[float, float]]]) -> float:
    """Standard deviation of ln ALC from draw to draw, by how far each lies from the line between its neighbours.

    The median of those distances is taken, so that a dip after therapy here and there does not count as noise. Raises
    NotEstimable below 30 draws with two neighbours within 42 days.

    References
    ----------
    Gasser, Sroka, Jennen-Steinmetz. Biometrika 1986;73:625-633. doi:10.1093/biomet/73.3.625
    """
    off = [distance for draws in series for distance in _off_the_line(draws)]
    if len(off) < LEAST_TRIPLES:
        raise NotEstimable(f"{len(off)} draws with two neighbours within {GAP_DAYS:g} days: at least {LEAST_TRIPLES} are needed")
    return _NORMAL_MAD * float(np.median(np.abs(off)))


def _off_the_line(draws: Sequence[tuple[float, float]]) -> Iterable[float]:
    """The distance of each draw from the line between its neighbours, scaled to have the variance of one draw."""
    for (before, first), (day, here), (after, last) in zip(draws, draws[1:], draws[2:], strict=False):
        if after - before <= GAP_DAYS:
            weight = (after - day) / (after - before)
            distance = _ln(here) - weight * _ln(first) - (1 - weight) * _ln(last)
            yield distance / math.sqrt(1 + weight**2 + (1 - weight) ** 2)


def _ln(alc: float) -> float:
    return math.log(max(alc, ALC_FLOOR))


def expected(everybody: Sequence[float], low: Sequence[Person], cut_off: float, noise: float) -> Expected:
    """What regression to the mean alone gives those whose count was `low`.

    `everybody`: the counts (10*9/L) of the index date of all patients from whom the low ones were chosen: ln ALC is taken as
    normal between patients, and noise as normal about each one's own. Raises NotEstimable below 20 patients.
    """
    if len(everybody) < LEAST_PATIENTS:
        raise NotEstimable(f"{len(everybody)} patients with a count on the index date: at least {LEAST_PATIENTS} are needed")
    counts = np.log(np.maximum(everybody, ALC_FLOOR))
    mean, spread = float(counts.mean()), float(counts.var(ddof=1))
    reliability = max(spread - noise**2, 0.0) / spread if spread > 0 else 0.0
    shares = np.array([_shares(one, mean, spread, reliability, noise, cut_off) for one in low]).reshape(-1, 2)
    two, one = (float(share) for share in shares.mean(axis=0)) if len(low) else (0.0, 0.0)
    return Expected(noise, reliability, two, one)


def _shares(one: Person, mean: float, spread: float, reliability: float, noise: float, cut_off: float) -> tuple[float, float]:
    """The probability that the rule calls this patient recovered, by two draws and by one, averaged over the true count."""
    nodes, weights = _quadrature()
    true = mean + reliability * (_ln(one.alc) - mean) + math.sqrt(reliability * (1 - reliability) * spread) * nodes
    above = np.array([_above(math.log(cut_off), each, noise) for each in true])
    two, single = (float((weights * rule_met(one.counts, above, apart)).sum()) for apart in (APART, 0.0))
    return two, single


@cache
def _quadrature() -> tuple[FloatArray, FloatArray]:
    """Points of a standard normal and how much each counts (Gauss, Hermite)."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(_NODES)
    return nodes, weights / weights.sum()


def _above(cut: float, true: float, noise: float) -> float:
    return 1.0 - NormalDist(true, noise).cdf(cut) if noise > 0 else float(true >= cut)


def rule_met(draws: Series, above: FloatArray, apart: float) -> FloatArray:
    """The probability that the rule is met by draws on these days, each at or above the cut-off with probability `above` (k,).

    Exact: it is followed how likely an unbroken run of high draws has begun on each day and the rule is not yet met.
    """
    none, running, met = np.ones_like(above), dict[float, FloatArray](), np.zeros_like(above)
    for day, _ in draws:
        begun = running | {day: none}
        met = met + sum((chance * above for start, chance in begun.items() if day - start >= apart), np.zeros_like(above))
        low = sum(running.values(), none) * (1 - above)
        running = {start: chance * above for start, chance in begun.items() if day - start < apart}
        none = low
    return met
