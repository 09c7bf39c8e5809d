"""Calibration against scikit-learn's unpenalised regressions, hand-worked patients, and models wrong in a known way."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from training.statistics.calibration import (
    calibration_curve,
    calibration_intercept,
    calibration_slope,
    departure,
    fit_curve,
    observed_expected,
    sigmoid,
    weighted_logistic,
)
from training.statistics.estimates import NotEstimable


def patients(n: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """True log-odds, deaths drawn from them, and weights of which some are 0."""
    random = np.random.default_rng(seed)
    log_odds = random.normal(-1, 1.2, n)
    return log_odds, random.random(n) < sigmoid(log_odds), random.choice([0.0, 1.0, 1.5, 4.0], n)


def unpenalised(x: np.ndarray, dead: np.ndarray, weight: np.ndarray) -> LogisticRegression:
    return LogisticRegression(C=np.inf, tol=1e-10, max_iter=10_000, solver="newton-cholesky").fit(x, dead, weight)


def test_slope_is_that_of_scikit_learn() -> None:
    log_odds, dead, weight = patients(300, 1)
    oracle = unpenalised(log_odds[:, None], dead, weight).coef_[0, 0]
    assert calibration_slope(log_odds, dead, weight) == pytest.approx(oracle, rel=1e-6)


def test_curve_is_that_of_scikit_learn() -> None:
    log_odds, dead, weight = patients(300, 2)
    x = np.column_stack([log_odds, log_odds**2])
    oracle = unpenalised(x, dead, weight).predict_proba(x)[:, 1]
    assert calibration_curve(log_odds, dead, weight) == pytest.approx(oracle, rel=1e-5)


def test_intercept_makes_the_mean_risk_the_observed_share() -> None:
    log_odds, dead, weight = patients(300, 3)
    shifted = sigmoid(log_odds - 2 + calibration_intercept(log_odds - 2, dead, weight))
    assert weight @ shifted == pytest.approx(weight @ dead)


def test_intercept_of_one_risk_for_everybody_worked_by_hand() -> None:
    dead = np.array([True, False, False, False])
    # A quarter died: log-odds -ln 3; everybody was told 1/2.
    assert calibration_intercept(np.zeros(4), dead, np.ones(4)) == pytest.approx(-np.log(3))


def test_risks_that_are_true_are_calibrated() -> None:
    log_odds, dead, _ = patients(40_000, 4)
    weight = np.ones(40_000)
    assert calibration_intercept(log_odds, dead, weight) == pytest.approx(0, abs=0.04)
    assert calibration_slope(log_odds, dead, weight) == pytest.approx(1, abs=0.04)
    assert departure(log_odds, sigmoid(log_odds), fit_curve(log_odds, dead, weight)).ici < 0.008


@given(st.floats(0.3, 3), st.floats(-2, 2))
def test_an_affine_error_is_found_exactly(slope: float, shift: float) -> None:
    log_odds, dead, weight = patients(300, 5)
    told = slope * log_odds + shift
    assert calibration_slope(told, dead, weight) == pytest.approx(calibration_slope(log_odds, dead, weight) / slope)
    assert calibration_curve(told, dead, weight) == pytest.approx(calibration_curve(log_odds, dead, weight), rel=1e-6)


def test_departure_sees_what_intercept_and_slope_miss() -> None:
    random = np.random.default_rng(6)
    log_odds = random.normal(0, 1.5, 40_000)
    truth = sigmoid(log_odds + 0.3 * (log_odds**2 - 1.5**2))
    dead, weight = random.random(40_000) < truth, np.ones(40_000)
    found = departure(log_odds, sigmoid(log_odds), fit_curve(log_odds, dead, weight))
    distance = np.abs(truth - sigmoid(log_odds))
    assert found.ici == pytest.approx(distance.mean(), abs=0.005)
    assert found.e50 == pytest.approx(np.median(distance), abs=0.006)
    assert found.e90 == pytest.approx(np.quantile(distance, 0.9), abs=0.012)


def test_observed_over_expected_worked_by_hand() -> None:
    assert observed_expected(np.array([0.1, 0.3]), 0.3) == pytest.approx(1.5)
    assert observed_expected(np.array([0.1, 0.3]), 0.3, np.array([0.0, 2.0])) == pytest.approx(1)


@given(st.integers(0, 2**32 - 1))
def test_a_multiplicity_is_a_repetition_and_the_order_does_not_matter(seed: int) -> None:
    log_odds, dead, weight = patients(120, 7)
    random = np.random.default_rng(seed)
    copies = random.integers(0, 4, 120)
    written_out = random.permutation(np.repeat(np.arange(120), copies))
    counted = departure(log_odds, sigmoid(log_odds), fit_curve(log_odds, dead, copies * weight), copies.astype(float))
    again = fit_curve(log_odds[written_out], dead[written_out], weight[written_out])
    repeated = departure(log_odds[written_out], sigmoid(log_odds[written_out]), again)
    assert (counted.ici, counted.e50, counted.e90) == pytest.approx((repeated.ici, repeated.e50, repeated.e90))
    slope = calibration_slope(log_odds[written_out], dead[written_out], weight[written_out])
    assert calibration_slope(log_odds, dead, copies * weight) == pytest.approx(slope)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 30.0])
def test_newton_arrives_from_far_away(scale: float) -> None:
    log_odds, dead, weight = patients(300, 8)
    slope, intercept = calibration_slope(log_odds, dead, weight), calibration_intercept(log_odds, dead, weight)
    assert calibration_slope(scale * log_odds + 40, dead, weight) == pytest.approx(slope / scale)
    assert calibration_intercept(log_odds + 30, dead, weight) == pytest.approx(intercept - 30)


def test_what_no_line_can_fit_is_refused_by_name() -> None:
    log_odds, dead = np.arange(10.0), np.arange(10) >= 5
    with pytest.raises(NotEstimable, match="separate the dead from the living"):
        calibration_slope(log_odds, dead, np.ones(10))
    with pytest.raises(NotEstimable, match="same risk was stated for everybody"):
        calibration_slope(np.full(10, -2.2), dead, np.ones(10))
    with pytest.raises(NotEstimable, match="or none did"):
        calibration_intercept(log_odds, np.zeros(10, bool), np.ones(10))
    with pytest.raises(NotEstimable, match="or do not vary"):
        weighted_logistic(np.ones((4, 2)), np.array([True, False, True, False]), np.ones(4))
    with pytest.raises(NotEstimable, match="do not vary"):
        calibration_curve(np.tile([0.0, 1.0], 5), np.arange(10) % 3 == 0, np.ones(10))
    with pytest.raises(NotEstimable, match="state at the horizon is known"):
        calibration_slope(log_odds, dead, np.zeros(10))
    with pytest.raises(NotEstimable, match="above 0"):
        observed_expected(np.zeros(3), 0.1)
