"""Is the model better than this? The same patients, the same resamples, and the difference with its interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from models.design import BoolArray, FloatArray
from models.risk import sigmoid
from training.cohort import followed
from training.small_cells import masked_sentence, masked_within
from training.statistics.censoring import FollowUp
from training.statistics.estimates import Estimate, NotEstimable, attempt, bootstrapped
from training.statistics.panel import STATISTICS, Outcome, Scored, outcomes
from training.statistics.standing import numbered, standing

Kind = Literal["simple", "published", "family"]
Column = FloatArray | NotEstimable
NOT_A_RISK = "the score states no risk, and was not recalibrated here"


@dataclass(frozen=True)
class Said:
    """What a comparator says of some of the patients.

    `rows` (m,) are those of whom it says anything. `order` (m, h) ranks them at every horizon, higher is worse. `theirs` are its
    log-odds (m,) by horizon, if it states a risk, or why there are none; `ours` the model's, where the log-odds of both had to be
    put through the same line before their IPA may be compared.
    """

    name: str
    label: str
    kind: Kind
    rows: NDArray[np.intp]
    order: FloatArray
    theirs: Mapping[float, Column] = field(default_factory=dict)
    ours: Mapping[float, Column] = field(default_factory=dict)

    def within(self, among: BoolArray) -> Said:
        """What it says of those patients (n,) alone; `rows` count among them."""
        kept = among[self.rows]
        theirs, ours = (
            {day: column if isinstance(column, NotEstimable) else column[kept] for day, column in risks.items()}
            for risks in (self.theirs, self.ours)
        )
        rows = (np.cumsum(among) - 1)[self.rows[kept]]
        return replace(self, rows=rows, order=self.order[kept], theirs=theirs, ours=ours)


@dataclass(frozen=True)
class Absent:
    """A comparator of which nothing can be said, and why."""

    name: str
    label: str
    kind: Kind
    why: str

    def within(self, among: BoolArray) -> Absent:
        """Itself, in any patients."""
        return self


@dataclass(frozen=True)
class AtDay:
    """One horizon: AUC and IPA of the comparator and of the model, and the model's minus the comparator's."""

    auc: Estimate
    ipa: Estimate
    our_auc: Estimate
    our_ipa: Estimate
    auc_gain: Estimate
    ipa_gain: Estimate

    def as_json(self) -> dict[str, Any]:
        """JSON-ready; an IPA that cannot be had says why."""
        return {
            "auc": self.auc.as_json(),
            "ipa": self.ipa.as_json(),
            "ours": {"auc": self.our_auc.as_json(), "ipa": self.our_ipa.as_json()},
            "difference": {"auc": self.auc_gain.as_json(), "ipa": self.ipa_gain.as_json()},
        }


@dataclass(frozen=True)
class Comparison:
    """The model beside one comparator: in how many patients (`whole` were judged), at which horizons, and why not at others."""

    name: str
    label: str
    kind: Kind
    n: int
    whole: int
    horizons: Mapping[float, AtDay] = field(default_factory=dict)
    why: str = ""

    def as_json(self) -> dict[str, Any]:
        """JSON-ready, small groups hidden."""
        return {
            "name": self.name,
            "label": self.label,
            "kind": self.kind,
            "available": bool(self.horizons),
            "why": masked_sentence(self.why),
            "n": masked_within(self.n, self.whole),
            "horizons": {f"{day:g}": one.as_json() for day, one in self.horizons.items()},
        }


def compare(
    log_odds: FloatArray,
    follow_up: FollowUp,
    days: Sequence[float],
    said: Sequence[Said | Absent],
    *,
    groups: Sequence[str] | None = None,
    bootstrap: int,
    seed: int,
) -> tuple[Comparison, ...]:
    """The model's log-odds (n, h) at `days` beside each comparator, in the patients of whom that comparator says something.

    Comparators that speak of the same patients are judged in one bootstrap; `groups` (n,) names the patient of each row.
    """
    made: dict[str, Comparison] = {}
    patients = numbered(groups, len(follow_up))
    alike: dict[bytes, list[Said]] = {}
    for one in said:
        if isinstance(one, Absent):
            made[one.name] = Comparison(one.name, one.label, one.kind, 0, len(follow_up), why=one.why)
        else:
            alike.setdefault(one.rows.tobytes(), []).append(one)
    for together in alike.values():
        rows = together[0].rows
        group = np.unique(patients[rows], return_inverse=True)[1]
        found = _together(log_odds[rows], follow_up, rows, days, together, group, bootstrap, seed)
        for one in together:
            horizons, why = found[one.name]
            made[one.name] = Comparison(one.name, one.label, one.kind, len(rows), len(follow_up), horizons, why)
    return tuple(made[one.name] for one in said)


def _together(
    ours: FloatArray,
    everybody: FollowUp,
    rows: NDArray[np.intp],
    days: Sequence[float],
    said: Sequence[Said],
    patients: NDArray[np.intp],
    bootstrap: int,
    seed: int,
) -> dict[str, tuple[dict[float, AtDay], str]]:
    """Comparators that speak of the same `rows` (m,): by name what was found, and why not at every horizon."""
    if len(rows) == 0:
        return {one.name: ({}, "its inputs were measured in none of them") for one in said}
    follow_up = followed(everybody, rows)
    standings = {day: standing(follow_up, day, groups=patients) for day in days}
    asked = [day for day in days if standings[day].evaluable]
    why = "; ".join(f"day {day:g} is {one.level}: {one.why}" for day, one in standings.items() if not one.evaluable)
    if not asked:
        return {one.name: ({}, why) for one in said}
    places = [list(days).index(day) for day in asked]
    models = [_scored(day, ours[:, place]) for day, place in zip(asked, places, strict=True)]
    each = list(zip(asked, places, models, strict=True))
    pairs = {day: {one.name: _Pair.of(one, day, place, model) for one in said} for day, place, model in each}

    def measure(multiplicity: FloatArray) -> dict[tuple[str, float, str], float | NotEstimable]:
        measured: dict[tuple[str, float, str], float | NotEstimable] = {}
        for of in outcomes(models, follow_up, multiplicity):
            auc, day = attempt(STATISTICS["auc"], of), of.scored.horizon
            our_ipa = {id(one.ours): _ipa(of, one.ours) for one in {id(one.ours): one for one in pairs[day].values()}.values()}
            for name, pair in pairs[day].items():
                told = pair.measured(of, auc, our_ipa[id(pair.ours)])
                measured |= {(name, day, part): value for part, value in told.items()}
        return measured

    estimates = bootstrapped(measure, patients, bootstrap, seed)
    parts = ("auc", "ipa", "our_auc", "our_ipa", "auc_gain", "ipa_gain")
    return {
        one.name: ({day: AtDay(**{part: estimates[one.name, day, part] for part in parts}) for day in asked}, why) for one in said
    }


def _scored(day: float, log_odds: FloatArray) -> Scored:
    column = np.ascontiguousarray(log_odds)
    return Scored(day, sigmoid(column), column)


@dataclass(frozen=True)
class _Pair:
    """A comparator at one horizon: its order, and the two risks whose accuracy may be compared."""

    order: Scored
    ours: Scored | NotEstimable
    theirs: Scored | NotEstimable

    @staticmethod
    def of(said: Said, day: float, place: int, model: Scored) -> _Pair:
        ours = _risk(day, said.ours[day]) if day in said.ours else model
        return _Pair(_scored(day, said.order[:, place]), ours, _risk(day, said.theirs.get(day, NotEstimable(NOT_A_RISK))))

    def measured(
        self, of: Outcome, our_auc: float | NotEstimable, our_ipa: float | NotEstimable
    ) -> dict[str, float | NotEstimable]:
        auc, ipa = attempt(STATISTICS["auc"], replace(of, scored=self.order)), _ipa(of, self.theirs)
        return {
            "auc": auc,
            "ipa": ipa,
            "our_auc": our_auc,
            "our_ipa": our_ipa,
            "auc_gain": _less(our_auc, auc),
            "ipa_gain": _less(our_ipa, ipa),
        }


def _risk(day: float, column: Column) -> Scored | NotEstimable:
    return column if isinstance(column, NotEstimable) else _scored(day, column)


def _ipa(of: Outcome, risk: Scored | NotEstimable) -> float | NotEstimable:
    return risk if isinstance(risk, NotEstimable) else attempt(STATISTICS["ipa"], replace(of, scored=risk))


def _less(a: float | NotEstimable, b: float | NotEstimable) -> float | NotEstimable:
    return a if isinstance(a, NotEstimable) else b if isinstance(b, NotEstimable) else a - b
