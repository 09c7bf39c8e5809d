"""A number with its interval, or the sentence that says why there is none."""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

import numpy as np
from numpy.typing import NDArray

Name = TypeVar("Name", bound=Hashable)
Given = ParamSpec("Given")

TOLERATED_FAILURES = 0.10
"""Share of resamples that may fail before the interval of a statistic is withheld."""

LEAST_RESAMPLES = 100
"""Below so many resamples the ends of an interval are single draws: a number to look at, and no ground for a verdict."""


class NotEstimable(ValueError):
    """These patients cannot determine this statistic (nobody died, risks that do not vary, a refused horizon ...)."""


@dataclass(frozen=True)
class Estimate:
    """A statistic, its 95 % percentile interval, and how many resamples could not give it.

    A value or an interval that cannot be had is None, never a guess, and `why` says so.
    """

    value: float | None
    low: float | None
    high: float | None
    why: str = ""
    failed: int = 0
    resamples: int = 0

    def as_json(self) -> dict[str, Any]:
        """Value, low and high; `why` only where one of them is missing."""
        numbers: dict[str, Any] = {"value": self.value, "low": self.low, "high": self.high}
        return {**numbers, "why": self.why} if self.why else numbers


def estimate(value: float | NotEstimable, draws: Sequence[float]) -> Estimate:
    """The percentile interval (2.5 to 97.5 %) of a statistic from its bootstrap draws; a draw that failed is NaN.

    Resamples fail where a statistic does not exist in them, mostly the least favourable ones. A few are counted and left
    out; beyond one in ten the rest would be a selection, and the interval is withheld.

    References
    ----------
    Efron, Tibshirani. Statistical Science 1986;1:54-75. doi:10.1214/ss/1177013815
    """
    drawn = np.asarray(draws, dtype=np.float64)
    failed = int(np.isnan(drawn).sum())
    if isinstance(value, NotEstimable):
        return Estimate(None, None, None, str(value), failed, drawn.size)
    if drawn.size == 0:
        return Estimate(value, None, None, "no interval: no resamples were drawn")
    if failed > TOLERATED_FAILURES * drawn.size:
        why = f"no interval: {failed} of {drawn.size} resamples do not determine it"
        return Estimate(value, None, None, why, failed, drawn.size)
    low, high = np.nanquantile(drawn, [0.025, 0.975])
    return Estimate(value, float(low), float(high), "", failed, drawn.size)


def resamples(patients: NDArray[np.intp], count: int, seed: int) -> Iterator[NDArray[np.float64]]:
    """How often each row is drawn, in `count` bootstrap samples of whole patients.

    `patients` (n,) numbers the patient of each row from 0. All rows of a patient are drawn together. Each item has shape
    (n,) and holds whole numbers, so that nothing is copied or sorted again: a row drawn twice counts twice.
    """
    random = np.random.default_rng(seed)
    total = int(patients.max()) + 1
    for _ in range(count):
        drawn = np.bincount(random.integers(0, total, total), minlength=total)
        yield drawn[patients].astype(np.float64)


def attempt(statistic: Callable[Given, float], *given: Given.args, **named: Given.kwargs) -> float | NotEstimable:
    """The statistic of what is given, or the reason why these patients do not determine it."""
    try:
        return statistic(*given, **named)
    except NotEstimable as reason:
        return reason


def bootstrapped(
    statistics: Callable[[NDArray[np.float64]], Mapping[Name, float | NotEstimable]],
    patients: NDArray[np.intp],
    count: int,
    seed: int,
    progress: Callable[[int], object] | None = None,
) -> dict[Name, Estimate]:
    """Every statistic with its interval. `statistics` maps how often each row counts (n,) to named numbers.

    `progress` is called with 1 after each of the `count` resamples.
    """
    values = statistics(np.ones(patients.size))
    draws: dict[Name, list[float]] = {name: [] for name in values}
    for multiplicity in resamples(patients, count, seed):
        for name, drawn in statistics(multiplicity).items():
            draws[name].append(np.nan if isinstance(drawn, NotEstimable) else drawn)
        if progress is not None:
            progress(1)
    return {name: estimate(value, draws[name]) for name, value in values.items()}
