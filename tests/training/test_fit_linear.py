import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import check_grad
from sklearn.linear_model import LogisticRegression

from models.design import columns_of
from training.learners.fit_linear import (
    CHANGE,
    PENALTY,
    UNSIGNED,
    LinearSettings,
    Stacked,
    StackedLoss,
    drawn_effects,
    fit_linear,
    late_of,
    make_ramps,
)

GRID = np.array([30.0, 90.0, 365.0])
DESIGN = columns_of(["ecog", "prior_lines", "age"], {})  # signs +1, +1, 0


def patients(n, seed, effects=(0.8, 0.5, 0.0), at=(-2.5, -1.2, 0.3), drift=0.0):
    """Few whole values a column, so that every ramp is a straight line; dead by t with log-odds linear in them."""
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 5, (n, 3)).astype(float)
    late = late_of(GRID, GRID)
    eta = np.array(at) + ((x - 2) @ np.array(effects))[:, None] * (1 + drift * late)
    dead = rng.random(n)[:, None] < 1 / (1 + np.exp(-eta))
    return x, Stacked(np.maximum.accumulate(dead, axis=1), np.ones(dead.shape), GRID)


def fitted(x, stacked, served=GRID, **options):
    ramps = make_ramps(x, x.min(axis=0), x.max(axis=0))
    return fit_linear(DESIGN, ramps, x, stacked, served, **options)


def log_odds(fit, x):
    return fit.model.base + fit.model.terms(x).sum(axis=-1)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), weighted=st.booleans())
def test_the_gradient_is_that_of_finite_differences(seed, weighted):
    rng = np.random.default_rng(seed)
    dead, weight = rng.random((20, 3)) < 0.4, rng.gamma(1.0, 1.0, (20, 3)) * (rng.random((20, 3)) < 0.8)
    copies = rng.integers(0, 3, 20).astype(float) if weighted else None
    loss = StackedLoss(rng.normal(size=(20, 4)), Stacked(dead, weight, GRID), copies, rng.gamma(2.0, 1.0, 4))
    at = rng.normal(size=3 + 8)
    error = check_grad(lambda p: loss(p)[0], lambda p: loss(p)[1], at)
    assert error < 1e-4 * (1 + np.abs(loss(at)[1]).max())


def test_at_one_horizon_it_is_ridge_logistic_regression():
    x, stacked = patients(800, 1)
    one = Stacked(stacked.dead[:, 1:2], np.random.default_rng(1).gamma(2.0, 0.5, (800, 1)), GRID[1:2])
    fit = fitted(x, one, GRID[1:2])
    # where one horizon is all there is, the late effect only costs: it settles at CHANGE / (1 + CHANGE) of the early one
    ridge = PENALTY * (1 + CHANGE / (1 + CHANGE)) * np.array([1.0, 1.0, UNSIGNED])
    z = (x - x.mean(axis=0)) / x.std(axis=0) / np.sqrt(ridge / ridge[0])
    oracle = LogisticRegression(C=1 / ridge[0], tol=1e-10, max_iter=10_000).fit(z, one.dead[:, 0], one.weight[:, 0])
    np.testing.assert_allclose(log_odds(fit, x)[:, 0], oracle.decision_function(z), atol=2e-3)


def test_without_penalty_it_is_logistic_regression_on_stacked_rows():
    x, stacked = patients(1500, 2, drift=-0.5)
    fit = fitted(x, stacked, settings=LinearSettings(penalty=1e-6), rounds=2000)
    s, late = np.log(GRID / 90), late_of(GRID, GRID)
    basis = np.stack([np.tile(s, 1500), np.tile(s**2, 1500)], axis=1)
    rows = np.repeat(x - 2, 3, axis=0)
    z = np.c_[basis, rows * np.tile(1 - late, 1500)[:, None], rows * np.tile(late, 1500)[:, None]]
    oracle = LogisticRegression(C=1e9, tol=1e-10, max_iter=10_000).fit(z, stacked.dead.ravel())
    assert (oracle.coef_[0][[2, 3, 5, 6]] > 0).all()  # no bound is met
    np.testing.assert_allclose(log_odds(fit, x).ravel(), oracle.decision_function(z), atol=5e-3)


def test_early_and_late_effects_may_differ():
    x, stacked = patients(20_000, 3, drift=-0.6)
    model = fitted(x, stacked, settings=LinearSettings(penalty=1.0)).model
    low, high = model.terms(np.array([[1.0, 2.0, 2.0], [3.0, 2.0, 2.0]]))[:, :, 0]
    early, _, last = (high - low) / 2
    assert early == pytest.approx(0.8, abs=0.1)
    assert last == pytest.approx(0.8 * 0.4, abs=0.1)


def test_a_signed_effect_is_bounded_to_its_sign_at_both_ends():
    x, stacked = patients(2000, 4, effects=(-0.8, -0.5, -0.6))
    model = fitted(x, stacked).model
    signed, free = model.ramps.source < 2, model.ramps.source == 2
    assert (model.first[signed] == 0).all()
    assert (model.last[signed] == 0).all()
    assert (model.first[free] < 0).any()


def test_the_base_is_the_mean_log_odds_of_the_patients():
    x, stacked = patients(500, 5)
    fit = fitted(x, stacked)
    np.testing.assert_allclose(log_odds(fit, x).mean(axis=0), fit.model.base, atol=1e-12)


def test_what_does_not_apply_has_no_term():
    x, stacked = patients(500, 6)
    x[::4, 0] = np.nan
    ramps = make_ramps(x, np.zeros(3), np.full(3, 4.0))
    fit = fit_linear(DESIGN, ramps, x, stacked, GRID)
    assert (fit.model.terms(x)[::4, :, 0] == 0).all()
    np.testing.assert_allclose(fit.model.terms(x)[:, :, 0].mean(axis=0), 0, atol=1e-12)


def test_whoever_is_drawn_twice_counts_twice_and_weight_zero_is_nobody():
    x, stacked = patients(400, 7)
    copies = np.random.default_rng(7).integers(0, 3, 400)
    ramps = make_ramps(x, x.min(axis=0), x.max(axis=0))
    weighted = StackedLoss(x, stacked, copies.astype(float), np.ones(3))
    rows = np.repeat(np.arange(400), copies)
    copied = StackedLoss(x[rows], Stacked(stacked.dead[rows], stacked.weight[rows], GRID), None, np.ones(3))
    at = np.random.default_rng(8).normal(size=9)
    assert weighted(at)[0] == pytest.approx(copied(at)[0], rel=1e-12)
    np.testing.assert_allclose(weighted(at)[1], copied(at)[1], rtol=1e-9)
    assert (ramps.width > 0).all()


def test_what_became_of_a_patient_who_was_lost_does_not_matter():
    x, stacked = patients(300, 8)
    weight = stacked.weight.copy()
    weight[::3, 2] = 0.0  # lost before the last horizon
    shuffled = stacked.dead.copy()
    shuffled[::3, 2] = ~shuffled[::3, 2]
    fits = [fitted(x, Stacked(dead, weight, GRID)) for dead in (stacked.dead, shuffled)]
    np.testing.assert_array_equal(fits[0].parameters, fits[1].parameters)


def test_a_column_that_varies_is_a_line_and_bends_between_quantiles():
    x = np.random.default_rng(9).normal(size=(500, 1))
    ramps = make_ramps(x, x.min(axis=0), x.max(axis=0))
    assert len(ramps.source) == 4
    assert ramps.start[0] == x.min()
    np.testing.assert_allclose(ramps.start[1:], np.quantile(x, [0.1, 0.35, 0.65]))
    np.testing.assert_allclose(ramps.mean, np.clip((x - ramps.start) / ramps.width, 0, 1).mean(axis=0))


def test_a_constant_column_has_a_ramp_of_some_width_and_no_effect():
    x, stacked = patients(300, 10)
    x[:, 1] = 3.0
    model = fitted(x, stacked).model
    assert (model.ramps.width > 0).all()
    assert (model.terms(x)[:, :, 1] == 0).all()


@pytest.mark.parametrize("horizons", [1, 2, 3])
def test_fewer_horizons_than_the_time_basis_has_columns_are_fitted_too(horizons):
    x, stacked = patients(600, 11)
    few = Stacked(stacked.dead[:, :horizons], stacked.weight[:, :horizons], GRID[:horizons])
    fit = fitted(x, few, GRID[:horizons])
    risk = 1 / (1 + np.exp(-log_odds(fit, x)))
    np.testing.assert_allclose(risk.mean(axis=0), few.dead.mean(axis=0), atol=0.01)


def test_an_outlying_start_overflows_nothing():
    x, stacked = patients(100, 12)
    value, gradient = StackedLoss(1e3 * x, stacked, None, np.ones(3))(np.full(9, 10.0))
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()


def test_late_runs_from_the_first_to_the_last_horizon_on_the_log_scale():
    np.testing.assert_allclose(late_of(np.array([30.0, 104.642, 365.0]), GRID), [0, 0.5, 1], atol=1e-4)
    assert late_of(GRID, GRID[:1]).tolist() == [0, 0, 0]


def test_drawn_effects_are_those_the_penalty_expects():
    rng = np.random.default_rng(1)
    ridge, signs = np.array([4.0, 4.0, 25.0]), np.array([0, 1, -1])
    drawn = np.array([drawn_effects(rng.standard_normal((2, 3)), ridge, signs) for _ in range(20_000)])
    # the penalty on an effect's two ends is a quadratic form; the covariance of the draws is its inverse
    form = np.array([[1 + CHANGE, -CHANGE], [-CHANGE, 1 + CHANGE]])
    np.testing.assert_allclose(np.cov(drawn[:, :, 0].T), np.linalg.inv(4.0 * form), rtol=0.05)
    assert (drawn[:, :, 1] >= 0).all()
    assert (drawn[:, :, 2] <= 0).all()
    unsigned, signed = ((drawn[:, :, place] ** 2).mean() for place in (0, 1))
    assert signed == pytest.approx(unsigned, rel=0.05)  # a known sign turns an effect; it does not make it smaller


def test_where_there_is_no_evidence_a_refit_says_what_was_drawn():
    x, stacked = patients(40, 6)
    nothing = Stacked(stacked.dead, 1e-6 * stacked.weight, GRID)
    guess = np.random.default_rng(2).standard_normal((2, 3))
    fit = fitted(x, nothing, guess=guess, rounds=2000)
    effects = drawn_effects(guess, PENALTY * np.array([1.0, 1.0, UNSIGNED]), np.array([1, 1, 0]))
    np.testing.assert_allclose(fit.parameters[3:].reshape(2, 3), effects, atol=1e-4)


def test_horizons_that_say_the_same_are_counted_as_often_as_they_are_there():
    x, stacked = patients(5000, 7)
    once = Stacked(stacked.dead[:, 1:2], np.ones((5000, 1)), GRID[1:2])
    fit = fitted(x, once, GRID[1:2])
    np.testing.assert_allclose(fit.overcount, 1, rtol=0.05)
    days = np.array([90.0, 90.001, 90.002])
    thrice = Stacked(np.repeat(once.dead, 3, axis=1), np.ones((5000, 3)), days)
    loss = StackedLoss((x - x.mean(axis=0)) / x.std(axis=0), thrice, None, np.ones(3))
    shares = np.array([1.0, 0.5, 0.0])  # of each horizon in an early level: 1.5 scores, 1.25 informations
    np.testing.assert_allclose(loss.overcount(fit.parameters), shares.sum() ** 2 / (shares**2).sum(), rtol=0.1)
