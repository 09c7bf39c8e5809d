"""Percentage points are exact Shapley values that add up; what rests on estimates or on chance is never called a reason."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from math import factorial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.design import DesignMatrix
from models.explanation import TIME_BOUND, GroupTerm, HorizonExplanation, explain, percentage_points, reasons
from models.risk import NotAdditive, RiskModel, sigmoid

LOG_ODDS = st.floats(-6, 6)
BLOOD, BURDEN, ORGANS = "lymphocytes and inflammation", "tumour burden", "nutrition and organ function"


def by_permutations(base: float, terms: list[float]) -> np.ndarray:
    """Every order in which the groups can be told, and what each then adds to the risk: the definition."""
    points = np.zeros(len(terms))
    for order in permutations(range(len(terms))):
        told = base
        for player in order:
            points[player] += 1 / (1 + np.exp(-told - terms[player])) - 1 / (1 + np.exp(-told))
            told += terms[player]
    return points / factorial(len(terms))


@settings(max_examples=60)
@given(LOG_ODDS, st.lists(LOG_ODDS, min_size=1, max_size=5))
def test_percentage_points_are_shapley_values_over_every_order(base: float, terms: list[float]) -> None:
    points = percentage_points(np.array([base]), np.array([[terms]]))
    np.testing.assert_allclose(points[0, 0], by_permutations(base, terms), atol=1e-12)


@given(st.lists(LOG_ODDS, min_size=2, max_size=2), st.lists(st.lists(LOG_ODDS, min_size=7, max_size=7), min_size=2, max_size=2))
def test_percentage_points_sum_to_the_risk_minus_the_reference_risk(base: list[float], terms: list[list[float]]) -> None:
    points = percentage_points(np.array(base), np.array([terms]))
    gap = sigmoid(np.array(base) + np.sum(terms, axis=-1)) - sigmoid(np.array(base))
    np.testing.assert_allclose(points.sum(axis=-1), [gap], rtol=0, atol=1e-12)


@given(LOG_ODDS, st.lists(LOG_ODDS, min_size=4, max_size=4))
def test_a_group_without_a_term_has_no_points_and_others_have_the_sign_of_their_term(base: float, terms: list[float]) -> None:
    terms[1] = 0.0
    points = percentage_points(np.array([base]), np.array([[terms]]))[0, 0]
    assert points[1] == pytest.approx(0.0, abs=1e-15)
    assert all(point * term >= -1e-15 for point, term in zip(points, terms, strict=True))


def test_ten_groups_can_be_explained_exactly_and_eleven_cannot() -> None:
    points = percentage_points(np.array([-1.0]), np.full((1, 1, 10), 0.2))
    reference, risk = sigmoid(np.array([-1.0, 1.0]))
    np.testing.assert_allclose(points, (risk - reference) / 10)
    with pytest.raises(ValueError, match="11 groups: at most 10"):
        percentage_points(np.array([-1.0]), np.zeros((1, 1, 11)))


def scored(model: RiskModel, n: int = 6) -> DesignMatrix:
    rng = np.random.default_rng(3)
    return DesignMatrix(
        rng.uniform(model.imputation.lower, model.imputation.upper, (n, len(model.imputation.lower))), np.zeros((n, 15), bool)
    )


def test_an_explanation_adds_up_on_both_scales(model: RiskModel) -> None:
    scores = model.score(scored(model))
    for row, horizons in enumerate(explain(model, scores, np.zeros((6, 13), np.bool_))):
        assert [one.days for one in horizons] == [30, 90, 180, 365]
        for h, one in enumerate(horizons):
            assert one.base + sum(one.terms.values()) + one.time_bound == pytest.approx(one.log_odds, abs=1e-12)
            assert one.base + sum(group.term for group in one.groups) == pytest.approx(one.log_odds, abs=1e-12)
            assert sum(group.points for group in one.groups) == pytest.approx(one.risk - one.reference, abs=1e-9)
            assert one.reference == 1 / (1 + np.exp(-one.base))
            assert one.died_share == model.horizons[h].died_share
            assert one.low < one.risk < one.high
            assert one.risk == scores.risk[row, h]
            assert [group.group for group in one.groups] == [*model.design.groups, TIME_BOUND]


def test_intervals_are_those_of_the_refits(model: RiskModel) -> None:
    scores = model.score(scored(model))
    groups, whole = model.spreads(scores.filled.x)
    one = explain(model, scores, np.zeros((6, 13), np.bool_))[2][1]
    for index, group in enumerate(one.groups[:-1]):
        assert (group.low, group.high) == pytest.approx(
            (group.term - model.reach * groups[2, 1, index], group.term + model.reach * groups[2, 1, index])
        )
    assert (one.groups[-1].low, one.groups[-1].high) == (one.time_bound, one.time_bound)
    assert one.low == pytest.approx(sigmoid(scores.log_odds[2, 1] - model.reach * whole[2, 1]))


def test_the_estimated_share_counts_the_size_of_terms(model: RiskModel) -> None:
    scores, estimated = model.score(scored(model)), np.zeros((6, 13), np.bool_)
    estimated[:, model.design.features.index("albumin")] = True
    estimated[:, model.design.features.index("ln_nlr")] = True
    one = explain(model, scores, estimated)[0][1]
    shares = {group.group: group.estimated_share for group in one.groups}
    blood = {name: abs(one.terms[name]) for name in ("ln_alc", "ln_nlr", "steroids_14d")}
    assert shares[ORGANS] == 1.0
    assert shares[BURDEN] == 0.0
    assert shares[BLOOD] == pytest.approx(blood["ln_nlr"] / sum(blood.values()))


def test_points_that_do_not_add_up_are_never_shown(model: RiskModel) -> None:
    scores = model.score(scored(model))
    with pytest.raises(NotAdditive, match="percentage points miss the displayed risk"):
        explain(model, replace(scores, risk=scores.risk + 2e-9), np.zeros((6, 13), np.bool_))


def group(name: str, term: float, spread: float = 0.1, points: float | None = None, estimated: float = 0.0) -> GroupTerm:
    return GroupTerm(name, term, term - spread, term + spread, term / 10 if points is None else points, estimated)


def explanation(*groups: GroupTerm) -> HorizonExplanation:
    return HorizonExplanation(90, 0.3, 0.2, 0.4, 0.0, 0.0, 0.1, 0.15, {}, 0.0, groups)


def test_reasons_are_told_by_their_size() -> None:
    found = reasons(explanation(group(BURDEN, -0.4), group(BLOOD, 0.9), group("patient", 0.01)))
    assert found == [
        "lymphocytes and inflammation: raises the risk by 9.0 percentage points",
        "tumour burden: lowers the risk by 4.0 percentage points",
    ]


def test_an_interval_that_spans_nothing_is_not_distinguishable() -> None:
    (found,) = reasons(explanation(group(BLOOD, 0.3, spread=0.31)))
    assert found.endswith("raises the risk by 3.0 percentage points (not distinguishable from no effect)")


def test_overlapping_intervals_in_one_direction_are_about_equally_large() -> None:
    found = reasons(explanation(group(BLOOD, 0.9), group(BURDEN, 0.75), group(ORGANS, -0.8), group("patient", 0.3)))
    assert found[0].endswith("9.0 percentage points (about equally with tumour burden)")
    assert not any("equally" in sentence for sentence in found[1:])


def test_what_cannot_be_told_from_nothing_equals_nothing() -> None:
    found = reasons(explanation(group(BLOOD, 0.9, spread=0.3), group(BURDEN, 0.8, spread=0.9)))
    assert not any("equally" in sentence for sentence in found)


def test_lowering_groups_are_compared_by_size() -> None:
    assert "about equally with tumour burden" in reasons(explanation(group(BLOOD, -0.9), group(BURDEN, -0.8)))[0]


@pytest.mark.parametrize(("share", "named"), [(0.5, True), (0.51, False), (1.0, False)])
def test_a_group_that_is_mostly_estimated_is_never_named_as_a_reason(share: float, named: bool) -> None:
    found = reasons(explanation(group(BLOOD, 0.9, estimated=share), group(BURDEN, 0.85)))
    assert any("inflammation: raises" in sentence for sentence in found) == named
    assert any("equally with lymph" in sentence for sentence in found) is False
    assert (f"{BLOOD}: mostly not measured, estimated from the rest; not a reason" in found) != named


def test_the_time_bound_is_no_reason_and_what_is_nothing_is_said_to_be() -> None:
    assert reasons(explanation(group(TIME_BOUND, 0.9), group(BLOOD, 0.04))) == [
        "nothing sets this patient apart from the development cohort's average"
    ]
