"""What changed between two scorings adds up to the difference, and is shared as Shapley shares it."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.changed import BASELINE, Change, Sum, changed
from models.explanation import TIME_BOUND
from models.risk import NotAdditive

GROUPS = ("lymphocytes and inflammation", "tumour burden", "treatment history", TIME_BOUND)
LOG_ODDS = st.floats(-4, 4)
TERMS = st.fixed_dictionaries(dict.fromkeys(GROUPS, LOG_ODDS))


def risk(log_odds: float) -> float:
    return 1 / (1 + math.exp(-log_odds))


def added(base: float, groups: dict[str, float]) -> Sum:
    return Sum(base, groups, risk(base + sum(groups.values())))


SUMS = st.builds(added, LOG_ODDS, TERMS)


def by_every_order(before: Sum, after: Sum) -> dict[str, float]:
    """The mean, over all orders in which the groups may move, of what each moves: the definition, not the formula."""
    players = [*before.groups, *([BASELINE] if before.base != after.base else [])]
    found = dict.fromkeys(players, 0.0)
    orders = list(itertools.permutations(players))
    for order in orders:
        at = before.base + sum(before.groups.values())
        for player in order:
            step = after.base - before.base if player == BASELINE else after.groups[player] - before.groups[player]
            found[player] += (risk(at + step) - risk(at)) / len(orders)
            at += step
    return found


@given(SUMS, SUMS, SUMS)
def test_the_parts_add_up_to_the_difference(before: Sum, between: Sum, after: Sum) -> None:
    found = changed(before, between, after)
    assert (found.before, found.after) == (before.risk, after.risk)
    total = sum(found.patient.values()) + sum(found.model.values())
    assert total == pytest.approx(found.after - found.before, abs=1e-9)


@given(LOG_ODDS, TERMS, TERMS, SUMS)
def test_each_part_is_the_mean_over_all_orders(base: float, then: dict[str, float], now: dict[str, float], after: Sum) -> None:
    before, between = added(base, then), added(base, now)
    found = changed(before, between, after)
    assert found.patient == pytest.approx(by_every_order(before, between), abs=1e-12)
    assert found.model == pytest.approx(by_every_order(between, after), abs=1e-12)


@given(SUMS, SUMS)
def test_the_same_patient_under_a_new_model_has_a_patient_part_of_nothing(one: Sum, other: Sum) -> None:
    assert set(changed(one, one, other).patient.values()) == {0.0}


@given(LOG_ODDS, TERMS, TERMS)
def test_the_same_model_has_a_model_part_of_nothing(base: float, then: dict[str, float], now: dict[str, float]) -> None:
    found = changed(added(base, then), added(base, now), added(base, now))
    assert set(found.model.values()) == {0.0}
    assert BASELINE not in found.model


def test_a_group_that_only_one_model_has_is_part_of_the_model() -> None:
    more = {"tumour burden": 0.5, "time since the index date": 0.7}
    between, after = added(-1.0, {"tumour burden": 0.5}), added(-1.0, more)
    found = changed(between, between, after)
    assert found.model == pytest.approx({"tumour burden": 0.0, "time since the index date": risk(0.2) - risk(-0.5)})


def test_in_words_the_largest_part_comes_first() -> None:
    moved = {"tumour burden": 0.04, "lymphocytes": 0.07, "age": -0.0001, "line": 0.02}
    found = Change(0.18, 0.31, moved, {"age": 0.0001, BASELINE: 0})
    assert found.sentence() == "18.0 % -> 31.0 %: lymphocytes +7.0, tumour burden +4.0, line +2.0, model update 0.0"
    assert Change(0.2, 0.2, {"age": 0.0}, {}).sentence() == "20.0 % -> 20.0 %: nothing of the patient, model update 0.0"


def test_what_does_not_add_up_is_never_shown() -> None:
    with pytest.raises(NotAdditive, match="miss the difference of the risks by"):
        changed(Sum(0.0, {"age": 0.5}, 0.9), added(0.0, {"age": 1.0}), added(0.0, {"age": 1.0}))
