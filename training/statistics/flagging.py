"""What becomes of the patients a model would flag, and of those it would not: how many of the dead it finds, at what cost.

A patient is flagged whose stated risk is at or above a threshold. The risk of those flagged, and of the rest, is Kaplan-Meier
within each of the two, so patients who were lost may have been lost more often among the flagged. The groups of all thresholds
are counted at once: flagging is nested, and its counts are sums over bands of stated risk.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.small_cells import small
from training.statistics.censoring import Array, Flags, FollowUp, known_by, sums
from training.statistics.estimates import Estimate

FLAG_RATES = (0.05, 0.10, 0.15, 0.20, 0.25, 0.30, 0.40, 0.50)


@dataclass(frozen=True, eq=False)
class Flagged:
    """Who is flagged at each of the `thresholds` (m,), prepared once for many resamples; `risk` (n,) as stated by the horizon."""

    risk: Array
    thresholds: Array
    follow_up: FollowUp
    horizon: float

    @cached_property
    def counts(self) -> NDArray[np.intp]:
        """How many rows are flagged at each threshold (m,)."""
        return np.asarray((self.risk[:, None] >= self.thresholds).sum(axis=0))

    @cached_property
    def few(self) -> Flags:
        """Whether what is said of the flagged, or of the rest, would tell on a few patients (m,)."""
        return np.array([small(count) or small(self.risk.size - count) for count in self.counts.tolist()])

    def outcome(self, multiplicity: Array | None = None) -> "FlaggedOutcome":
        """Shares and risks of the flagged and of the rest, a row counting `multiplicity` (n,) times."""
        copies = np.ones(self.risk.size) if multiplicity is None else multiplicity
        counted = self._bands.counts(copies)
        everybody, flagged = counted[:1], counted[1:]
        sizes, risks = self._bands.sizes_and_risks(np.concatenate([flagged, everybody - flagged, everybody]))
        m = self.thresholds.size
        with np.errstate(invalid="ignore"):
            return FlaggedOutcome(sizes[:m] / (sizes[:m] + sizes[m:-1]), risks[:m], risks[m:-1], float(risks[-1]))

    @cached_property
    def _bands(self) -> "_Bands":
        order = np.argsort(self.thresholds, kind="stable")
        band = np.searchsorted(self.thresholds[order], self.risk, side="right")
        return _Bands.of(band, order, self.follow_up, self.horizon)


@dataclass(frozen=True, eq=False)
class FlaggedOutcome:
    """The share of patients flagged at each threshold (m,), and the risk of those flagged, of the rest, and of everybody.

    A risk is NaN where a group is empty, or nobody of it was followed to the horizon.
    """

    share: Array
    risk: Array
    risk_of_rest: Array
    risk_of_everybody: float

    @property
    def sensitivity(self) -> Array:
        """The share of those who die by the horizon that is flagged (m,)."""
        found, missed = self.share * self.risk, (1.0 - self.share) * self.risk_of_rest
        found, missed = np.where(self.share == 0, 0.0, found), np.where(self.share == 1, 0.0, missed)
        with np.errstate(invalid="ignore"):
            return np.asarray(found / (found + missed))


@dataclass(frozen=True, eq=False)
class _Bands:
    """Where each row counts: its band of stated risk, and the days of death (d of them) between which it came and went."""

    band: NDArray[np.intp]
    nested: NDArray[np.intp]
    size: int
    days: int
    leaves: NDArray[np.intp]
    joins: NDArray[np.intp] | None
    dies: Flags
    alive: Flags

    @classmethod
    def of(cls, band: NDArray[np.intp], order: NDArray[np.intp], follow_up: FollowUp, horizon: float) -> "_Bands":
        known, times, entries = known_by(follow_up, horizon), follow_up.times, follow_up.entries
        days = np.unique(times[known.dead])
        leaves = np.searchsorted(days, times, side="right")
        joins = None if entries is None else np.searchsorted(days, entries, side="right")
        nested = np.empty_like(order)
        nested[order] = np.arange(1, order.size + 1)
        return cls(band, nested, order.size + 1, days.size, leaves, joins, known.dead, known.alive)

    def counts(self, copies: Array) -> Array:
        """Counts of rows by what (leaving, dying, joining, alive at the horizon) and day: (m + 1, 4, days + 1).

        The first is everybody, then come those flagged at each threshold.
        """
        joins = np.zeros_like(self.leaves) if self.joins is None else self.joins
        made = [self._by_day(self.leaves, copies), self._by_day(self.leaves - self.dies, copies * self.dies)]
        made += [self._by_day(joins, copies), self._by_day(np.zeros_like(joins), copies * self.alive)]
        nested = np.cumsum(np.stack(made, axis=1)[::-1], axis=0)[::-1]
        return np.asarray(nested[np.concatenate([[0], self.nested])])

    def _by_day(self, day: NDArray[np.intp], copies: Array) -> Array:
        return sums(self.band * (self.days + 1) + day, copies, self.size * (self.days + 1)).reshape(self.size, -1)

    def sizes_and_risks(self, counts: Array) -> tuple[Array, Array]:
        """How many each group (g, 4, days + 1) stands for, and its Kaplan-Meier risk by the horizon (g,)."""
        leaving, dying, joining, alive = counts.transpose(1, 0, 2)
        at_risk = _from_here(leaving)[:, 1:] - _from_here(joining)[:, 1:]
        hazard = np.divide(dying[:, :-1], at_risk, out=np.zeros_like(at_risk), where=at_risk > 0)
        living = np.concatenate([np.ones((len(counts), 1)), np.cumprod(1.0 - hazard, axis=1)], axis=1)
        unseen = (living[:, -1] > 0) & (alive[:, 0] <= 0)
        risks = np.where(unseen, np.nan, 1.0 - living[:, -1])
        if self.joins is None:
            return joining[:, 0], risks
        # with delayed entry a patient stands also for those who died too early to enter (see `censoring.observation`)
        sizes = np.divide(joining, living, out=np.zeros_like(living), where=joining > 0).sum(axis=1)
        return sizes, np.where(np.isfinite(sizes), risks, np.nan)


def _from_here(counts: Array) -> Array:
    return np.asarray(np.cumsum(counts[:, ::-1], axis=1)[:, ::-1])


def thresholds_of(risk: Array, rates: Sequence[float]) -> Array:
    """The stated risk from which on a share of the patients (n,) is flagged, for each rate; ties are flagged together.

    >>> thresholds_of(np.array([0.1, 0.4, 0.2, 0.3]), [0.25, 0.5])
    array([0.4, 0.3])
    """
    falling = np.sort(risk)[::-1]
    places = np.ceil(np.asarray(rates) * risk.size - 1e-9).astype(np.intp)
    return np.asarray(falling[np.maximum(places, 1) - 1])


@dataclass(frozen=True)
class FlagRate:
    """What comes of flagging a share of the patients: who of the dead is found, and who of the flagged dies.

    `flagged` is the share that the threshold really flags; the threshold stays as it is in every resample, as it would in use.
    """

    flag_rate: float
    flagged: float
    threshold: float
    sensitivity: Estimate
    ppv: Estimate
    number_needed_to_evaluate: Estimate

    def as_json(self) -> dict[str, Any]:
        """As in `evaluate --json`."""
        found: Mapping[str, Any] = vars(self)
        return {name: value.as_json() if isinstance(value, Estimate) else value for name, value in found.items()}
