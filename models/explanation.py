"""Why the risk is what it is: terms by clinical group, percentage points that add up, and the sentences a clinician reads.

Percentage points are computed, not rescaled: they are the exact Shapley values of the game in which a coalition of group
terms is worth sigmoid(base + its terms), so they sum to the displayed risk minus the reference risk, and can be recomputed
from the terms alone. Proportional rescaling misses them by up to 30 points (method.md section 8).

References
----------
Shapley LS, A value for n-person games, 1953, doi:10.1515/9781400881970-018.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import cycle, islice
from math import factorial
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.design import FloatArray
from models.risk import ADDITIVITY, LEVEL, NotAdditive, RiskModel, Scores, sigmoid

COVERS = (
    f"The {LEVEL} % intervals cover what the same method would say had it learned from unlimited patients of this population; "
    "they cover neither the truth that it misses even then nor how patients of another hospital differ"
)
TIME_BOUND = "time bound"  # not a SHAP value: it keeps the risk from falling as the horizon grows
MOST_PLAYERS = 10
ESTIMATED_SHARE = 0.5  # a group whose term is more than half estimated is never named as a reason
SMALLEST_REASON = 0.005  # half a percentage point
_NOTHING: Mapping[str, str] = MappingProxyType({})


def percentage_points(base: FloatArray, terms: FloatArray) -> FloatArray:
    """Exact Shapley values of sigmoid(base + sum of terms) over at most ten groups.

    `base` (n_horizons,), `terms` (n, n_horizons, n_groups), log-odds; returns the shape of `terms`, in probability, summing along
    the groups to sigmoid(base + all terms) - sigmoid(base).
    """
    players = terms.shape[-1]
    if players > MOST_PLAYERS:
        raise ValueError(f"{players} groups: at most {MOST_PLAYERS} can be explained exactly")
    worth = np.broadcast_to(base[:, None], (*terms.shape[:-1], 1))
    for player in range(players):
        worth = np.concatenate([worth, worth + terms[..., player : player + 1]], axis=-1)
    risk = sigmoid(worth)
    points: FloatArray = (risk[..., None, :] * _shapley_weights(players)).sum(axis=-1)
    return points


@cache
def _shapley_weights(players: int) -> FloatArray:
    """Shape (players, 2**players): player i's Shapley value is the sum over coalitions S of weights[i, S] x worth(S)."""
    weights = np.zeros((players, 2**players))
    for coalition in range(2**players):
        size = coalition.bit_count()
        for player in range(players):
            if coalition >> player & 1:
                weights[player, coalition] = factorial(size - 1) * factorial(players - size) / factorial(players)
            else:
                weights[player, coalition] = -factorial(size) * factorial(players - size - 1) / factorial(players)
    return weights


class GroupTerm(NamedTuple):
    """One clinical group's part of one risk: log-odds with its 90 % interval, and percentage points (as a fraction)."""

    group: str
    term: float
    low: float
    high: float
    points: float
    estimated_share: float  # share of the group's absolute terms that rests on estimates

    @property
    def distinguishable(self) -> bool:
        """Whether the refit interval leaves 0 out."""
        return self.low > 0 or self.high < 0

    @property
    def is_reason(self) -> bool:
        """Whether the group may be named as a reason: measured for the most part, and more than nothing."""
        return self.estimated_share <= ESTIMATED_SHARE and abs(self.points) >= SMALLEST_REASON and self.group != TIME_BOUND


class HorizonExplanation(NamedTuple):
    """One horizon of one patient: the risk with its 90 % interval, the reference risk, terms by feature and by group."""

    days: int
    risk: float
    low: float
    high: float
    log_odds: float
    base: float
    reference: float
    died_share: float
    terms: Mapping[str, float]
    time_bound: float
    groups: tuple[GroupTerm, ...]
    rank: float | None = None  # share of development patients with lower log-odds; None where the model keeps none


def explain(model: RiskModel, scores: Scores, estimated: NDArray[np.bool_]) -> list[tuple[HorizonExplanation, ...]]:
    """The explanation of each patient at each horizon; `estimated` (n, n_features) says which features rest on estimates.

    Raises NotAdditive where percentage points do not sum to the displayed risk minus the reference risk within 1e-9.
    """
    by_group = model.group_terms(scores.terms)
    players = np.concatenate([by_group, scores.time_bound[..., None]], axis=-1)
    points = percentage_points(scores.base, players)
    _require_points_add_up(points, scores)
    spread, spread_risk = model.spreads(scores.filled.x)
    groups = _groups(model, players, points, spread, _estimated_shares(model, scores.terms, estimated))
    return _horizons(model, scores, spread_risk, groups)


def _require_points_add_up(points: FloatArray, scores: Scores) -> None:
    gap = np.abs(points.sum(axis=-1) - (scores.risk - sigmoid(scores.base)))
    if not (gap <= ADDITIVITY).all():
        raise NotAdditive(f"percentage points miss the displayed risk minus the reference risk by {gap.max():.1e}")


def _estimated_shares(model: RiskModel, terms: FloatArray, estimated: NDArray[np.bool_]) -> FloatArray:
    size = np.abs(terms)
    whole = model.group_terms(size)
    part = model.group_terms(np.where(estimated[:, None, :], size, 0.0))
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


def _horizons(
    model: RiskModel, scores: Scores, spread: FloatArray, groups: Iterator[tuple[GroupTerm, ...]]
) -> list[tuple[HorizonExplanation, ...]]:
    """Of each patient every horizon; arrays become numbers all at once, since one by one takes longer than their arithmetic."""
    reach, of_model = model.reach * spread, (model.days, scores.base.tolist(), sigmoid(scores.base).tolist(), model.died_shares)
    days, base, reference, died = map(cycle, of_model)
    own = (scores.risk, sigmoid(scores.log_odds - reach), sigmoid(scores.log_odds + reach), scores.log_odds, scores.time_bound)
    risk, low, high, log_odds, bound = (one.ravel().tolist() for one in own)
    terms = (dict(zip(model.design.features, one, strict=True)) for one in _rows(scores.terms))
    ranks = cycle([None]) if model.ranks is None else model.ranks.of(scores.log_odds).ravel().tolist()
    flat = map(HorizonExplanation, days, risk, low, high, log_odds, base, reference, died, terms, bound, groups, ranks)
    return [tuple(islice(flat, len(model.days))) for _ in scores.risk]


def _groups(
    model: RiskModel, players: FloatArray, points: FloatArray, spread: FloatArray, shares: FloatArray
) -> Iterator[tuple[GroupTerm, ...]]:
    """Patient by patient and horizon by horizon, the groups' terms with their intervals; that of the time bound has none."""
    names, none = (*model.design.groups, TIME_BOUND), np.zeros((*players.shape[:-1], 1))
    reach = model.reach * np.concatenate([spread, none], axis=-1)
    parts = (players, players - reach, players + reach, points, np.concatenate([shares, none], axis=-1))
    return (tuple(map(GroupTerm, names, *one)) for one in zip(*map(_rows, parts), strict=True))


def _rows(values: FloatArray) -> list[list[float]]:
    """The values (n, n_horizons, m) as one list for each patient and horizon."""
    rows: list[list[float]] = values.reshape(-1, values.shape[-1]).tolist()
    return rows


class Reason(NamedTuple):
    """A clinical group that is named as a reason, and those about as large as it in the same direction."""

    group: GroupTerm
    equal: tuple[str, ...]


def ranked_reasons(groups: Sequence[GroupTerm]) -> tuple[list[Reason], list[GroupTerm]]:
    """The reasons, the largest first, and the groups that rest on estimates for the most part and are therefore none."""
    ranked = sorted(groups, key=lambda group: -abs(group.points))
    named = [group for group in ranked if group.is_reason]
    found = [Reason(group, _equal(group, named[place + 1 :])) for place, group in enumerate(named)]
    return found, [group for group in ranked if group.estimated_share > ESTIMATED_SHARE]


def reasons(explanation: HorizonExplanation, beside: Mapping[str, str] = _NOTHING) -> list[str]:
    """The sentences of one horizon, the largest group first; groups that rest on estimates are said apart, never as reasons.

    `beside` holds, by group, what is said in its sentence of the numbers it is made of.
    """
    named, estimated = ranked_reasons(explanation.groups)
    sentences = [_sentence(one) + beside.get(one.group.group, "") for one in named]
    for group in estimated:
        words = f"{group.group}: mostly not measured, estimated from the rest; not a reason"
        sentences.append(words + beside.get(group.group, ""))
    return sentences or ["nothing sets this patient apart from the development cohort's average"]


def _sentence(reason: Reason) -> str:
    group = reason.group
    direction = "raise" if group.points > 0 else "lower"
    words = f"{group.group}: {direction}s the risk by {abs(group.points) * 100:.1f} percentage points"
    if not group.distinguishable:
        return words + " (not distinguishable from no effect)"
    return words + (f" (about equally with {', '.join(reason.equal)})" if reason.equal else "")


def _equal(group: GroupTerm, smaller: Sequence[GroupTerm]) -> tuple[str, ...]:
    return tuple(other.group for other in smaller if _overlap(group, other)) if group.distinguishable else ()


def _overlap(a: GroupTerm, b: GroupTerm) -> bool:
    """Whether the sizes of two groups' terms, with their intervals, overlap in the same direction."""
    if a.term * b.term <= 0:
        return False
    sizes = [sorted((abs(group.low), abs(group.high))) for group in (a, b)]
    return b.distinguishable and sizes[0][0] <= sizes[1][1] and sizes[1][0] <= sizes[0][1]
