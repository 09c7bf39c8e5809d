"""Whether those who die sooner were given the higher risk: the AUC at a horizon, and Uno's C over all of follow-up.

Both count a pair of patients as 1 where the one who died first had the higher log-odds, and as 1/2 where the log-odds are
tied. Both are given the log-odds rather than the risk, because risks near 0 and 1 tie by rounding. What does not change
between bootstrap resamples (the order of the log-odds, who outlived whom) is sorted once, in `Ranking` and `Concordance`;
a resample then only changes weights.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from training.statistics.censoring import Array, Flags, FollowUp, observation
from training.statistics.estimates import NotEstimable

Indices = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Ranking:
    """The patients in the order of their log-odds (n,), ascending, sorted once for many resamples."""

    log_odds: Array

    @cached_property
    def _order(self) -> Indices:
        return np.argsort(self.log_odds, kind="stable")

    @cached_property
    def _ties(self) -> tuple[Indices, Indices]:
        """For each patient in order, where the run of equal log-odds begins and ends."""
        ordered = self.log_odds[self._order]
        return np.searchsorted(ordered, ordered, side="left"), np.searchsorted(ordered, ordered, side="right")

    def auc(self, dead: Flags, weight: Array) -> float:
        """See `auc`."""
        cases = np.where(dead, weight, 0.0)[self._order]
        controls = np.where(dead, 0.0, weight)[self._order]
        pairs = cases.sum() * controls.sum()
        if not pairs > 0:
            raise NotEstimable("an AUC needs at least one patient dead by the horizon and one known to be alive")
        lower = np.concatenate([[0.0], np.cumsum(controls)])
        first, beyond = self._ties
        return float(cases @ (lower[first] + lower[beyond]) / (2.0 * pairs))


def auc(log_odds: Array, dead: Flags, weight: Array) -> float:
    """The cumulative/dynamic AUC: how often a patient dead by the horizon had higher log-odds than one alive on it.

    `log_odds`, `dead` (dead by the horizon) and `weight` (1/G; 0 where not known) have shape (n,). Raises NotEstimable.

    References
    ----------
    Uno, Cai, Tian, Wei. J Am Stat Assoc 2007;102:527-537. doi:10.1198/016214507000000149
    Hung, Chiang. Can J Stat 2010;38:8-26. doi:10.1002/cjs.10046
    """
    return Ranking(log_odds).auc(dead, weight)


@dataclass(frozen=True, eq=False)
class Concordance:
    """Who outlived whom, and at which log-odds, sorted once for many resamples. Arguments as of `uno_c`."""

    log_odds: Array
    follow_up: FollowUp
    tau: float

    @cached_property
    def _cases(self) -> Indices:
        """In the order of their deaths: neighbours then look in the same block, which is in the cache."""
        cases = np.flatnonzero(self.follow_up.deaths & (self.follow_up.times <= self.tau))
        return cases[np.argsort(self.follow_up.times[cases], kind="stable")]

    @cached_property
    def _longer(self) -> "_Later":
        """The patients who lived on after each case: longer times, or censored on the very day of the death."""
        moment = 2 * self.follow_up.leaves + ~self.follow_up.deaths
        return _Later(self.log_odds, self._cases, moment, 2 * self.follow_up.leaves[self._cases] + 1)

    @cached_property
    def _not_yet(self) -> "_Later | None":
        """The patients who came under observation only on or after the day of the case's death: no pair with it."""
        entries = self.follow_up.entries
        return None if entries is None else _Later(self.log_odds, self._cases, entries, self.follow_up.times[self._cases])

    def uno_c(self, multiplicity: Array | None = None, floor: float = 0.05) -> float:
        """See `uno_c`; `multiplicity` (n,) counts each row so often, in the pairs and in the censoring model alike."""
        copies = np.ones(len(self.follow_up)) if multiplicity is None else multiplicity
        observed = observation(self.follow_up, multiplicity).values[self.follow_up.leaves[self._cases]]
        weight = copies[self._cases] / np.maximum(observed, floor) ** 2
        pairs, concordant = self._longer.count(copies)
        if self._not_yet is not None:
            unseen = self._not_yet.count(copies)
            pairs, concordant = pairs - unseen[0], concordant - unseen[1]
        total = float(weight @ pairs)
        if not total > 0:
            raise NotEstimable(f"Uno's C needs a death by day {self.tau:g} and a patient who lived longer")
        return float(weight @ concordant) / total


def uno_c(log_odds: Array, follow_up: FollowUp, tau: float, floor: float = 0.05) -> float:
    """Uno's C: how often, of two patients, the one who died first (by day `tau`) had the higher log-odds (n,).

    A pair counts 1/G(T-)^2, G truncated at `floor`; a death on day tau counts, as "dead by t" does everywhere. With delayed
    entry a pair needs both under observation at the death. O(n log n). Raises NotEstimable.

    References
    ----------
    Uno, Cai, Pencina, D'Agostino, Wei. Stat Med 2011;30:1105-1117. doi:10.1002/sim.4154
    """
    return Concordance(log_odds, follow_up, tau).uno_c(floor=floor)


@dataclass(frozen=True, eq=False)
class _Block:
    """One level of `_Later`: all patients, block by block, by log-odds within a block; which cases use a block, and where."""

    patients: Indices
    cases: Indices
    start: Indices
    lower: Indices
    upper: Indices


@dataclass(frozen=True, eq=False)
class _Later:
    """For each case, the patients whose `moment` (n,) is `since` (q,) or later, and those of them at lower log-odds.

    With the patients sorted by moment, "since or later" is the end of a list. Any end of a list is made of at most log2(n)
    blocks of 2^k; with each block sorted by log-odds, a cumulative sum of weights answers for all its cases at once.
    """

    log_odds: Array
    cases: Indices
    moment: Array | Indices
    since: Array | Indices

    @cached_property
    def _order(self) -> Indices:
        return np.argsort(self.moment, kind="stable")

    @cached_property
    def _first(self) -> Indices:
        return np.searchsorted(self.moment[self._order], self.since, side="left")

    @cached_property
    def _blocks(self) -> list[_Block]:
        return list(self._levels())

    def _levels(self) -> Iterator[_Block]:
        ranks = np.unique(self.log_odds, return_inverse=True)[1]
        ordered, ranks_of_cases, n = ranks[self._order], ranks[self.cases], ranks.size
        by_rank, block = np.argsort(ordered, kind="stable"), self._first
        for level in range(n.bit_length()):
            within = by_rank[np.argsort((by_rank >> level).astype(np.min_scalar_type(n >> level)), kind="stable")]
            cases = np.flatnonzero((block & 1 == 1) & (block << level < n))
            keys, asked = (within >> level) * n + ordered[within], block[cases] * n + ranks_of_cases[cases]
            lower, upper = np.searchsorted(keys, asked, side="left"), np.searchsorted(keys, asked, side="right")
            yield _Block(self._order[within], cases, block[cases] << level, lower, upper)
            block = (block + 1) >> 1

    def count(self, copies: Array) -> tuple[Array, Array]:
        """How many patients each case (q,) is compared with, and how many of them had lower log-odds (a tie is half)."""
        behind = np.concatenate([np.cumsum(copies[self._order][::-1])[::-1], [0.0]])
        lower = np.zeros(self.cases.size)
        for block in self._blocks:
            sums = np.concatenate([[0.0], np.cumsum(copies[block.patients])])
            lower[block.cases] += 0.5 * (sums[block.lower] + sums[block.upper]) - sums[block.start]
        return behind[self._first], lower
