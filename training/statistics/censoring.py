"""How long each patient was followed, who died, and how much each of them counts for those who were lost from view.

A patient lost before the horizon is neither dead nor alive: dropping such patients makes the risk too high, calling them
alive makes it too low. Those whose state is known count instead for 1 / G patients, G being the probability of still being
followed. Everywhere: deaths come before censorings on the same day, and whoever is censored exactly at t was alive at t.
So a death at t leaves the patients at risk of being censored at t, and the weights of all patients sum to their number.

With delayed entry a patient is at risk only after entry, and G(t-) becomes the probability of being under observation just
before t (entered, and not yet censored) for somebody alive then. Without delayed entry the two are the same number.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class FollowUp:
    """Follow-up of n patients in days from the index date.

    `times` (n,): day of death or of last contact. `deaths` (n,) bool: True where that day is a death. `entries` (n,): the
    day on which a patient came under observation, where that is after the index date. `strata` (n,): the landmark of each row,
    where patients are followed from several: censoring is estimated within each. Raises ValueError with all faults.
    """

    times: Array
    deaths: Flags
    entries: Array | None = None
    strata: Array | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "times", np.asarray(self.times, dtype=np.float64))
        object.__setattr__(self, "deaths", np.asarray(self.deaths))
        if self.entries is not None:
            object.__setattr__(self, "entries", np.asarray(self.entries, dtype=np.float64))
        if self.strata is not None:
            object.__setattr__(self, "strata", np.asarray(self.strata, dtype=np.float64))
        if faults := _faults(self):
            raise ValueError("; ".join(faults))

    def __len__(self) -> int:
        return self.times.size

    @cached_property
    def days(self) -> Array:
        """The distinct days on which somebody died, was censored or entered, ascending (k,)."""
        return np.unique(self.times if self.entries is None else np.concatenate([self.times, self.entries]))

    @cached_property
    def leaves(self) -> NDArray[np.intp]:
        """Where in `days` each patient's time is (n,)."""
        return np.searchsorted(self.days, self.times)

    @cached_property
    def joins(self) -> NDArray[np.intp]:
        """Where in `days` each patient is first at risk: the first day after entry (n,)."""
        return np.zeros(len(self), np.intp) if self.entries is None else np.searchsorted(self.days, self.entries, side="right")


def _faults(given: FollowUp) -> list[str]:
    times, deaths, entries = given.times, given.deaths, given.entries
    shapes = [times.shape, deaths.shape, *(one.shape for one in (entries, given.strata) if one is not None)]
    if times.ndim != 1 or len(set(shapes)) != 1 or times.size == 0:
        return [f"follow-up of shapes {shapes}: allowed is one time, one death and one entry for each of at least one patient"]
    faults = []
    if deaths.dtype != np.bool_:
        faults.append(f"deaths of type {deaths.dtype}: allowed is True or False; likely an indicator 0/1/2 that was not mapped")
    if (bad := ~np.isfinite(times) | (times < 0)).any():
        faults.append(f"times in {_rows(bad)}: allowed is 0 days or more; likely missing, or follow-up before the index date")
    if entries is None:
        return faults
    if (bad := ~np.isfinite(entries) | (entries < 0)).any():
        faults.append(f"entries in {_rows(bad)}: allowed is 0 days or more; likely missing, or entry before the index date")
    if (bad := entries >= times).any():
        faults.append(f"entries in {_rows(bad)}: allowed is before the end of follow-up; likely two columns exchanged")
    return faults


def _rows(bad: Flags) -> str:
    rows = np.flatnonzero(bad)
    return f"{rows.size} row(s) ({', '.join(map(str, rows[:5]))}{', ...' if rows.size > 5 else ''})"


@dataclass(frozen=True, eq=False)
class StepFunction:
    """A curve that changes only at `days` (k,): `values` (k + 1,) before the first, between, and from the last one on."""

    days: Array
    values: Array

    def at(self, t: ArrayLike) -> Array:
        """The value at t, a step at t included."""
        return np.asarray(self.values[np.searchsorted(self.days, t, side="right")])

    def before(self, t: ArrayLike) -> Array:
        """The left limit at t-: the value just before t."""
        return np.asarray(self.values[np.searchsorted(self.days, t, side="left")])


def _counts(follow_up: FollowUp, multiplicity: Array | None) -> tuple[Array, Array, Array]:
    """At risk, dying and censored on each of the distinct days (k,), a row counting `multiplicity` times."""
    copies = np.ones(len(follow_up)) if multiplicity is None else multiplicity
    size = follow_up.days.size
    leaving = sums(follow_up.leaves, copies, size)
    dying = sums(follow_up.leaves, copies * follow_up.deaths, size)
    joined = np.cumsum(sums(follow_up.joins, copies, size))
    return joined - (np.cumsum(leaving) - leaving), dying, leaving - dying


def sums(index: NDArray[np.intp], values: Array, size: int) -> Array:
    """The sum of the values (n,) that share an index: one for each of 0 ... size - 1."""
    return np.asarray(np.bincount(index, values, size), dtype=np.float64)


def _product_limit(days: Array, leaving: Array, at_risk: Array) -> StepFunction:
    hazards = np.divide(leaving, at_risk, out=np.zeros_like(leaving), where=at_risk > 0)
    return StepFunction(days, np.concatenate([[1.0], np.cumprod(1.0 - hazards)]))


def survival(follow_up: FollowUp, multiplicity: Array | None = None) -> StepFunction:
    """Kaplan-Meier: the probability of living beyond t. `multiplicity` (n,) counts each row so often.

    References
    ----------
    Kaplan, Meier. J Am Stat Assoc 1958;53:457-481. doi:10.1080/01621459.1958.10501452
    Tsai, Jewell, Wang. Biometrika 1987;74:883-886. doi:10.1093/biomet/74.4.883 (delayed entry)
    """
    at_risk, dying, _ = _counts(follow_up, multiplicity)
    return _product_limit(follow_up.days, dying, at_risk)


def censoring(follow_up: FollowUp, multiplicity: Array | None = None) -> StepFunction:
    """Kaplan-Meier of censoring, G: the probability of being followed beyond t; who dies on a day is not censored that day."""
    at_risk, dying, censored = _counts(follow_up, multiplicity)
    return _product_limit(follow_up.days, censored, at_risk - dying)


def observation(follow_up: FollowUp, multiplicity: Array | None = None) -> StepFunction:
    """The probability of being under observation just before t for somebody alive then; read it with `before`.

    Without delayed entry it is G(t-). With delayed entry it is the number at risk over the number who would be alive, were
    those who died before they could enter among us: Y(t) / (N S(t-)), N = sum of 1 / S(entry). It is 0 everywhere when the
    patients at risk die out before others enter: then the survival curve itself is lost.

    References
    ----------
    Satten, Datta. Am Stat 2001;55:207-210. doi:10.1198/000313001317098185 (the weighted mean is the Kaplan-Meier curve)
    Wang. J Am Stat Assoc 1991;86:130-143. doi:10.1080/01621459.1991.10475011 (N, under truncation)
    """
    if follow_up.entries is None:
        return censoring(follow_up, multiplicity)
    at_risk, dying, _ = _counts(follow_up, multiplicity)
    alive = _product_limit(follow_up.days, dying, at_risk).values
    copies = np.ones(len(follow_up)) if multiplicity is None else multiplicity
    on_entry = alive[follow_up.joins][copies > 0]
    if (on_entry <= 0).any():
        return StepFunction(follow_up.days, np.zeros_like(alive))
    everybody = float(np.sum(copies[copies > 0] / on_entry))
    at_risk = np.append(at_risk, 0.0)
    return StepFunction(follow_up.days, np.divide(at_risk, everybody * alive, out=np.zeros_like(alive), where=alive > 0))


@dataclass(frozen=True, eq=False)
class Known:
    """What is known on the day of the horizon, a flag per patient (n,): `dead`, `alive`, or `censored` before it.

    A patient who entered on or after that day is none of the three: that such a patient was alive says nothing.
    """

    dead: Flags
    alive: Flags
    censored: Flags


def known_by(follow_up: FollowUp, horizon: float) -> Known:
    """Who is known to be dead by the horizon (days), known to be alive on it, or was lost before."""
    early = follow_up.times < horizon
    dead = follow_up.deaths & (follow_up.times <= horizon)
    alive = ~dead & ~early
    return Known(dead, alive if follow_up.entries is None else alive & (follow_up.entries < horizon), early & ~dead)


@dataclass(frozen=True, eq=False)
class Weights:
    """Dead by the horizon, and inverse-probability-of-censoring weight: n patients, h horizons.

    `dead` and `weight` (n, h); a weight of 0 is a patient whose state is not known. `min_g` (h,) is the smallest probability
    of observation before it was truncated at the floor. `multiplicity` (n,) is not contained in `weight`.
    """

    horizons: Array
    dead: Flags
    weight: Array
    min_g: Array
    multiplicity: Array

    @property
    def largest(self) -> Array:
        """The largest weight at each horizon (h,)."""
        return np.asarray(np.where(self.multiplicity[:, None] > 0, self.weight, 0.0).max(axis=0))

    @property
    def effective_deaths(self) -> Array:
        """Effective number of deaths at each horizon (h,)."""
        return effective_size(np.where(self.dead, self.weight, 0.0), self.multiplicity)

    @property
    def effective_survivors(self) -> Array:
        """Effective number of known survivors at each horizon (h,)."""
        return effective_size(np.where(self.dead, 0.0, self.weight), self.multiplicity)


def effective_size(weight: Array, multiplicity: Array | float = 1.0) -> Array:
    """How many equally weighted patients are worth as much: (sum w)^2 / sum w^2, along the first axis; 0 for nobody.

    References
    ----------
    Kish. Survey Sampling. Wiley 1965.
    """
    copies = (weight.T * multiplicity).T
    total, squares = copies.sum(axis=0), (copies * weight).sum(axis=0)
    return np.asarray(np.divide(total**2, squares, out=np.zeros_like(total), where=squares > 0))


def weights(
    follow_up: FollowUp, horizons: Sequence[float] | Array, floor: float = 0.05, multiplicity: Array | None = None
) -> Weights:
    """Weights of n patients at h horizons (days): dead by t at T, 1/G(T-); known alive at t, 1/G(t-); otherwise 0.

    G is truncated at `floor`. Where nothing is truncated the weighted share of deaths is the Kaplan-Meier risk, and each
    column sums to the number of patients (with delayed entry: to N, see `observation`). Whether a horizon may be asked at
    all is for `training.statistics.standing` to say.

    References
    ----------
    Robins, Finkelstein. Biometrics 2000;56:779-788. doi:10.1111/j.0006-341X.2000.00779.x
    Graf, Schmoor, Sauerbrei, Schumacher. Stat Med 1999;18:2529-2545.
    """
    days = np.asarray(horizons, dtype=np.float64)
    if days.ndim != 1 or days.size == 0 or not (np.isfinite(days) & (days > 0)).all():
        raise ValueError(f"horizons {horizons}: allowed is a list of days above 0")
    if not 0 < floor <= 1:
        raise ValueError(f"floor {floor}: allowed is above 0 and at most 1; likely a weight was given instead of a probability")
    copies = np.ones(len(follow_up)) if multiplicity is None else multiplicity
    if follow_up.strata is not None:
        return _within_strata(follow_up, follow_up.strata, days, floor, copies)
    observed = observation(follow_up, multiplicity)
    known = [known_by(follow_up, day) for day in days]
    dead = np.stack([each.dead for each in known], axis=1)
    alive = np.stack([each.alive for each in known], axis=1)
    g = np.where(dead, observed.values[follow_up.leaves][:, None], observed.before(days))
    weight = np.where(dead | alive, 1.0 / np.maximum(g, floor), 0.0)
    return Weights(days, dead, weight, g[copies > 0].min(axis=0), copies)


def _within_strata(follow_up: FollowUp, strata: Array, days: Array, floor: float, copies: Array) -> Weights:
    """The weights of each stratum by its own censoring, put back in the order of the rows."""
    dead, weight = np.zeros((len(follow_up), days.size), np.bool_), np.zeros((len(follow_up), days.size))
    least = np.full(days.size, np.inf)
    for stratum in np.unique(strata[copies > 0]):
        rows = np.flatnonzero(strata == stratum)
        entries = None if follow_up.entries is None else follow_up.entries[rows]
        own = weights(FollowUp(follow_up.times[rows], follow_up.deaths[rows], entries), days, floor, copies[rows])
        dead[rows], weight[rows], least = own.dead, own.weight, np.minimum(least, own.min_g)
    return Weights(days, dead, weight, least, copies)
