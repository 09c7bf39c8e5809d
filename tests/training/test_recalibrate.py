import numpy as np
import pytest
from scipy.special import expit

from training.learners.fit_linear import Stacked, late_of
from training.learners.recalibrate import SLOPE_BOUNDS, STIFFNESS, calibrated, fit_calibration

GRID = np.array([30.0, 90.0, 365.0])


def outcomes(n, seed, intercepts, slopes):
    rng = np.random.default_rng(seed)
    log_odds = np.array([-3.0, -1.5, 0.0]) + rng.normal(0, 1.2, (n, 1)) + rng.normal(0, 0.3, (n, 3))
    dead = rng.random((n, 3)) < expit(np.array(intercepts) + np.array(slopes) * log_odds)
    return log_odds, Stacked(dead, rng.gamma(4.0, 0.25, (n, 3)), GRID)


def test_intercepts_and_slopes_are_those_that_made_the_deaths():
    late = late_of(GRID, GRID)
    intercepts, slopes = 0.4 - 0.6 * late, 1.3 - 0.5 * late
    found = fit_calibration(*outcomes(60_000, 1, intercepts, slopes))
    np.testing.assert_allclose(found.intercept, intercepts, atol=0.06)
    np.testing.assert_allclose(found.slope, slopes, atol=0.04)


def test_it_is_weighted_logistic_regression_pulled_towards_the_identity():
    log_odds, stacked = outcomes(400, 2, (0.5, 0.2, -0.3), (1.4, 1.0, 0.7))
    late = late_of(GRID, GRID)
    basis = np.stack([np.stack([1 - late, late]) for _ in range(400)])  # (n, 2, h)
    columns = np.concatenate([basis, basis * log_odds[:, None, :]], axis=1).transpose(0, 2, 1).reshape(-1, 4)
    dead, weight = stacked.dead.ravel(), stacked.weight.ravel()
    p = np.array([0.0, 0.0, 1.0, 1.0])
    for _ in range(50):  # Newton's method, where the product takes L-BFGS
        risk = expit(columns @ p)
        gradient = columns.T @ (weight * (risk - dead)) + STIFFNESS * (p - [0, 0, 1, 1])
        hessian = (columns * (weight * risk * (1 - risk))[:, None]).T @ columns + STIFFNESS * np.eye(4)
        p = p - np.linalg.solve(hessian, gradient)
    found = fit_calibration(log_odds, stacked)
    np.testing.assert_allclose(found.intercept, p[0] * (1 - late) + p[1] * late, atol=1e-4)
    np.testing.assert_allclose(found.slope, p[2] * (1 - late) + p[3] * late, atol=1e-4)


def test_honest_log_odds_are_left_as_they_are():
    found = fit_calibration(*outcomes(60_000, 3, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)))
    np.testing.assert_allclose(found.intercept, 0, atol=0.06)
    np.testing.assert_allclose(found.slope, 1, atol=0.04)


def test_few_deaths_move_little_and_slopes_stay_positive():
    log_odds, stacked = outcomes(15, 4, (0.0, 0.0, 0.0), (-3.0, -3.0, -3.0))
    found = fit_calibration(log_odds, stacked)
    assert (found.slope >= SLOPE_BOUNDS[0]).all()
    nobody = fit_calibration(log_odds, Stacked(stacked.dead, np.zeros((15, 3)), GRID))
    assert nobody.intercept.tolist() == [0, 0, 0]
    assert nobody.slope.tolist() == [1, 1, 1]


def test_what_became_of_a_patient_who_was_lost_does_not_matter():
    log_odds, stacked = outcomes(300, 5, (0.2, 0.1, 0.0), (1.0, 0.9, 0.8))
    weight = stacked.weight.copy()
    weight[::3, 2] = 0.0
    shuffled = stacked.dead.copy()
    shuffled[::3, 2] = ~shuffled[::3, 2]
    one, other = (fit_calibration(log_odds, Stacked(dead, weight, GRID)) for dead in (stacked.dead, shuffled))
    np.testing.assert_array_equal(one.slope, other.slope)


def test_one_horizon_has_one_intercept_and_one_slope():
    log_odds, stacked = outcomes(5000, 6, (0.5, 0.0, 0.0), (1.3, 1.0, 1.0))
    found = fit_calibration(log_odds[:, :1], Stacked(stacked.dead[:, :1], stacked.weight[:, :1], GRID[:1]))
    assert found.slope == pytest.approx([1.3], abs=0.15)


def test_calibrated_log_odds_never_fall_with_the_horizon():
    log_odds, stacked = outcomes(500, 7, (0.5, 0.0, -0.5), (1.5, 1.0, 0.5))
    made = calibrated(log_odds, fit_calibration(log_odds, stacked))
    assert (np.diff(made, axis=1) >= 0).all()
