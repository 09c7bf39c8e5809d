"""The risk is the sum of its terms, the same to the bit in any company, and a model's parts fit together or it is none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.design import DesignMatrix
from models.explanation import explain
from models.imputation import Filled
from models.risk import ADDITIVITY, Calibration, NotAdditive, RiskModel, Scores, sigmoid

MakeModel = Callable[..., RiskModel]


def rows(model: RiskModel, seed: int, n: int) -> DesignMatrix:
    """Design rows over more than the model's limits, some values missing, some not applicable."""
    rng = np.random.default_rng(seed)
    low, high = model.imputation.lower, model.imputation.upper
    x = rng.uniform(low - 0.2 * (high - low), high + 0.2 * (high - low), (n, len(low)))
    x[rng.random(x.shape) < 0.15] = np.nan
    return DesignMatrix(x, np.isnan(x) & (rng.random(x.shape) < 0.7))


def part(matrix: DesignMatrix, chosen: Any) -> DesignMatrix:
    return DesignMatrix(matrix.x[chosen], matrix.to_estimate[chosen])


@settings(max_examples=25)
@given(st.integers(0, 10_000))
def test_base_and_terms_are_the_log_odds_of_the_displayed_risk(model: RiskModel, seed: int) -> None:
    scores = model.score(rows(model, seed, 20))
    added = scores.base + scores.terms.sum(axis=-1) + scores.time_bound
    np.testing.assert_allclose(added, np.log(scores.risk / (1 - scores.risk)), rtol=0, atol=ADDITIVITY)
    np.testing.assert_allclose(added, scores.log_odds, rtol=0, atol=1e-12)


@settings(max_examples=20)
@given(st.integers(0, 10_000), st.integers(2, 300))
def test_a_patient_is_the_same_to_the_bit_alone_in_a_batch_and_in_any_order(directed: RiskModel, seed: int, n: int) -> None:
    matrix, order = rows(directed, seed, n), np.random.default_rng(seed).permutation(n)
    together, shuffled = directed.score(matrix), directed.score(part(matrix, order))
    spreads = directed.spreads(together.filled.x)
    for name in ("terms", "time_bound", "log_odds", "risk"):
        np.testing.assert_array_equal(getattr(shuffled, name), getattr(together, name)[order])
    for row in np.random.default_rng(seed).choice(n, min(n, 8), replace=False):
        alone = directed.score(part(matrix, slice(row, row + 1)))
        for name in ("terms", "time_bound", "log_odds", "risk"):
            np.testing.assert_array_equal(getattr(alone, name)[0], getattr(together, name)[row])
        for one, all_of_them in zip(directed.spreads(alone.filled.x), spreads, strict=True):
            np.testing.assert_array_equal(one[0], all_of_them[row])


@settings(max_examples=15)
@given(st.integers(0, 10_000), st.integers(2, 40))
def test_an_explanation_is_the_same_to_the_bit_alone_and_in_a_batch(model: RiskModel, seed: int, n: int) -> None:
    matrix = rows(model, seed, n)
    estimated = np.zeros((n, len(model.design.features)), np.bool_)
    estimated[:, ::3] = True
    together = explain(model, model.score(matrix), estimated)
    for row in (0, n - 1):
        alone = explain(model, model.score(part(matrix, slice(row, row + 1))), estimated[row : row + 1])
        assert alone[0] == together[row]


def test_the_terms_are_the_learners_terms_scaled(make_model: MakeModel) -> None:
    calibration = Calibration(np.full(4, 0.3), np.array([0.8, 0.9, 1.1, 1.2]))
    x = rows(make_model(), 1, 30)
    model = make_model(calibration=calibration)
    filled = model.imputation.fill(x).x
    assert model.trees is not None
    mean = (model.linear.terms(filled) + model.trees.terms(filled)) / 2
    by_feature = np.stack(
        [mean[..., model.design.feature_of_column == f].sum(-1) for f in range(len(model.design.features))], axis=-1
    )
    np.testing.assert_allclose(model.score(x).terms, by_feature * calibration.slope[:, None], atol=1e-12)
    np.testing.assert_allclose(model.base, 0.3 + calibration.slope * (model.linear.base + model.trees.base) / 2)


def test_the_learner_alone_is_the_learner(make_model: MakeModel) -> None:
    one = Calibration(np.zeros(4), np.ones(4))
    linear, trees = (
        make_model(tree_share=share, trees=make_model().trees if share else None, calibration=one) for share in (0.0, 1.0)
    )
    x = rows(linear, 2, 9)
    filled = linear.imputation.fill(x).x
    np.testing.assert_allclose(linear.score(x).terms.sum(-1), linear.linear.terms(filled).sum(-1), atol=1e-12)
    np.testing.assert_allclose(trees.score(x).terms.sum(-1), trees.trees.terms(filled).sum(-1), atol=1e-12)
    np.testing.assert_allclose(trees.base, trees.trees.base)


def test_the_time_bound_is_what_lifts_a_risk_to_the_one_before(make_model: MakeModel) -> None:
    model = make_model(calibration=Calibration(np.array([0.0, 0.0, -3.0, 0.0]), np.ones(4)))
    scores = model.score(rows(model, 3, 200))
    raw = scores.base + scores.terms.sum(axis=-1)
    assert (scores.time_bound > 0).any()
    assert (scores.time_bound >= 0).all()
    assert not scores.time_bound[:, 0].any()
    np.testing.assert_array_equal(scores.log_odds, np.maximum.accumulate(raw, axis=1))


def test_spreads_are_those_of_the_refits(model: RiskModel) -> None:
    filled = model.imputation.fill(rows(model, 4, 6)).x
    groups, whole = model.spreads(filled)
    column_group = model.design.group_of_feature[model.design.feature_of_column]
    moved, moved_whole = [], []
    for first, last, base in zip(model.refits.first, model.refits.last, model.refits.base, strict=True):
        gap = replace(model.linear, first=first, last=last).terms(filled) - model.linear.terms(filled)
        moved.append(np.stack([gap[..., column_group == g].sum(-1) for g in range(len(model.design.groups))], axis=-1))
        moved_whole.append(gap.sum(-1) + base - model.linear.base)
    slope = model.calibration.slope
    expected = np.sqrt(np.mean(np.square(moved), axis=0)) * model.refits.inflation * slope[:, None]
    np.testing.assert_allclose(groups, expected, rtol=1e-9)
    np.testing.assert_allclose(
        whole, np.sqrt(np.mean(np.square(moved_whole), axis=0)) * model.refits.inflation_risk * slope, rtol=1e-9
    )


@pytest.mark.parametrize(("refits", "student"), [(6, 1.9432), (50, 1.6759), (1000, 1.6464)])
def test_an_interval_reaches_as_far_as_students_t_says(model: RiskModel, refits: int, student: float) -> None:
    few = model.refits
    names = ("first", "last", "base")
    many = replace(few, **{name: np.resize(getattr(few, name), (refits, getattr(few, name).shape[1])) for name in names})
    assert replace(model, refits=many).reach == pytest.approx(student, abs=0.006)  # of a table: two-sided 90 %


def test_group_terms_are_sums_of_the_groups_features(model: RiskModel) -> None:
    terms = np.random.default_rng(5).normal(size=(3, 4, len(model.design.features)))
    expected = np.stack(
        [terms[..., model.design.group_of_feature == g].sum(-1) for g in range(len(model.design.groups))], axis=-1
    )
    np.testing.assert_allclose(model.group_terms(terms), expected, atol=1e-12)


def test_nobody_is_scored_as_nobody(model: RiskModel) -> None:
    scores = model.score(rows(model, 1, 0))
    assert scores.risk.shape == (0, 4)
    assert explain(model, scores, np.zeros((0, len(model.design.features)), np.bool_)) == []


def test_an_explanation_that_does_not_add_up_is_never_shown(model: RiskModel) -> None:
    scores = model.score(rows(model, 6, 3))
    terms = scores.terms.copy()
    terms[1, 2, 0] += 2e-9
    with pytest.raises(NotAdditive, match=r"miss the displayed log-odds by 2\.0e-09"):
        replace(scores, terms=terms).require_additive()
    terms[1, 2, 0] = np.nan
    with pytest.raises(NotAdditive, match="miss the displayed log-odds"):
        replace(scores, terms=terms).require_additive()


@pytest.mark.parametrize("log_odds", [-600.0, -40.0, 0.0, 20.0, 36.0, 60.0])
def test_near_certainty_is_additive_as_far_as_a_probability_can_tell(log_odds: float) -> None:
    one = np.array([[log_odds]])
    empty = Filled(np.zeros((1, 0)), np.zeros((1, 0)))
    assert Scores(empty, one[0], np.zeros((1, 1, 0)), np.zeros((1, 1)), one, sigmoid(one)).require_additive()


@pytest.mark.parametrize("log_odds", [0.0, 30.0, 36.0, 60.0])
@pytest.mark.parametrize("missed", [3e-9, 1.0])
def test_what_a_probability_cannot_tell_the_log_odds_do(log_odds: float, missed: float) -> None:
    one = np.array([[log_odds]])
    empty = Filled(np.zeros((1, 0)), np.zeros((1, 0)))
    with pytest.raises(NotAdditive, match="miss the displayed log-odds"):
        Scores(empty, one[0] + missed, np.zeros((1, 1, 0)), np.zeros((1, 1)), one, sigmoid(one)).require_additive()


def test_the_sigmoid_is_the_probability_of_log_odds() -> None:
    np.testing.assert_allclose(sigmoid(np.log([1 / 3, 1.0, 9.0])), [0.25, 0.5, 0.9])


def broken(model: RiskModel, **changes: Any) -> dict[str, Any]:
    return {name: replace(getattr(model, name), **change) for name, change in changes.items()}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"imputation": {"mean": np.zeros(2)}}, "imputation.mean of shape"),
        ({"imputation": {"covariance": np.full((15, 15), np.nan)}}, "imputation.covariance"),
        ({"linear": {"first": np.zeros(1)}}, "linearmodel.first"),
        ({"linear": {"base": np.zeros(1)}}, "linearmodel.base"),
        ({"linear": {"columns": 3}}, "ramps of the design's columns"),
        ({"linear": {"late": np.array([0.0, 0.4, 0.7, 1.1])}}, "horizons within those of the fit"),
        ({"calibration": {"slope": np.array([1.0, 1.0, 0.0, 1.0])}}, "slopes above 0"),
        ({"calibration": {"intercept": np.array([np.inf] * 4)}}, "calibration.intercept"),
        ({"refits": {"last": np.zeros((2, 1))}}, "refits.last"),
        ({"refits": {"inflation": np.ones(1)}}, "refits.inflation"),
        ({"trees": {"columns": 3}}, "trees of the design's columns"),
        ({"trees": {"horizons": (30.0, 90.0, 180.0, 364.0)}}, "trees at the model's horizons"),
    ],
)
def test_parts_that_do_not_fit_are_no_model(make_model: MakeModel, change: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        make_model(**broken(make_model(), **change))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"horizons": ()}, "shape"),
        ({"tree_share": 0.0}, "trees where they count"),
        ({"trees": None}, "trees where they count"),
        ({"tree_share": 1.5}, "trees where they count"),
        ({"required": ("hemoglobin",)}, "required inputs among the features"),
    ],
)
def test_a_model_that_contradicts_itself_is_none(make_model: MakeModel, change: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        make_model(**change)


def test_horizons_rise(make_model: MakeModel) -> None:
    with pytest.raises(ValueError, match="horizons that rise"):
        make_model(horizons=make_model().horizons[::-1])


def test_a_model_without_refits_has_no_intervals_and_is_none(make_model: MakeModel) -> None:
    refits = make_model().refits
    nothing = replace(refits, first=refits.first[:0], last=refits.last[:0], base=refits.base[:0])
    with pytest.raises(ValueError, match="at least one refit"):
        make_model(refits=nothing)
