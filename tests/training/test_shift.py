import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from training.recalibration.shift import PRIOR_SHIFT, Recalibration, cross_fitted, fit_shift
from training.statistics.censoring import FollowUp, censoring
from training.statistics.estimates import NotEstimable

pytestmark = pytest.mark.usefixtures("one_thread")
DAY = (90.0,)
VAGUE = {"prior_shift": 1e4, "prior_slope": 1e4}


def patients(n, shift=0.0, slope=1.0, seed=1):
    """Log-odds (n, 1) of dying by day 90, and what became of the patients when the truth is another line of them."""
    rng = np.random.default_rng(seed)
    log_odds = rng.normal(-1.5, 1.0, (n, 1))
    dead = rng.random(n) < expit(shift + slope * log_odds[:, 0])
    return log_odds, FollowUp(np.where(dead, 45.0, 200.0), dead)


def test_one_horizon_has_the_posterior_worked_out_by_hand():
    # eight patients at log-odds 0, two of whom died: the most probable shift s solves 2 - 8 expit(s) = s / .5^2
    follow_up = FollowUp(np.array([45.0] * 2 + [200.0] * 6), np.arange(8) < 2)
    found = fit_shift(np.zeros((8, 1)), follow_up, DAY, slope=False)
    by_hand = brentq(lambda s: 2 - 8 / (1 + np.exp(-s)) - s / 0.25, -2, 0, xtol=1e-12)
    assert PRIOR_SHIFT == 0.5
    assert found.shift == pytest.approx(by_hand, abs=1e-6)
    risk = expit(by_hand)
    assert found.shift_sd == pytest.approx((8 * risk * (1 - risk) + 4) ** -0.5, abs=1e-6)
    assert (found.slope, found.centre) == (1.0, 0.0)


def test_without_a_prior_the_intercept_is_that_of_a_weighted_regression_with_an_offset():
    log_odds, follow_up = patients(300, 0.6)
    lost = np.random.default_rng(2).random(300) < 0.2  # lost on day 30: neither dead nor alive on day 90
    follow_up = FollowUp(np.where(lost, 30.0, follow_up.times), follow_up.deaths & ~lost)
    g = censoring(follow_up).before(np.minimum(follow_up.times, 90.0))
    weight = np.where(lost, 0.0, 1.0 / g)
    score = lambda a: np.sum(weight * (follow_up.deaths - expit(log_odds[:, 0] + a)))  # noqa: E731
    found = fit_shift(log_odds, follow_up, DAY, slope=False, **VAGUE)
    assert found.shift == pytest.approx(brentq(score, -3, 3, xtol=1e-12), abs=1e-6)


def test_without_a_prior_the_line_is_that_of_another_library():
    log_odds, follow_up = patients(500, -0.3, 0.7)
    oracle = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(log_odds, follow_up.deaths)
    found = fit_shift(log_odds, follow_up, DAY, slope=True, **VAGUE)
    assert found.slope == pytest.approx(oracle.coef_[0, 0], abs=1e-5)
    assert found.intercept == pytest.approx(oracle.intercept_[0], abs=1e-5)


def test_the_shift_that_made_the_deaths_is_found_and_few_deaths_move_little():
    assert fit_shift(*patients(20_000, 0.7), DAY, slope=False).shift == pytest.approx(0.7, abs=0.05)
    shifts = [np.mean([fit_shift(*patients(n, 0.7, seed=s), DAY, slope=False).shift for s in range(40)]) for n in (10, 100, 1000)]
    assert 0 < shifts[0] < 0.5 < shifts[1] < shifts[2] < 0.75


def test_a_patient_counts_once_however_many_horizons_there_are():
    log_odds, follow_up = patients(60, 1.0)
    once = fit_shift(log_odds, follow_up, DAY, slope=False)
    thrice = fit_shift(np.repeat(log_odds, 3, axis=1), follow_up, (90.0, 95.0, 100.0), slope=False)
    assert (thrice.shift, thrice.shift_sd) == pytest.approx((once.shift, once.shift_sd), abs=1e-6)


def test_whoever_is_lost_adds_no_evidence():
    log_odds, follow_up = patients(200, 1.0)
    half = np.arange(200) % 2 == 0
    lost = FollowUp(np.where(half, follow_up.times, 20.0), follow_up.deaths & half)
    all_there, half_there = (fit_shift(log_odds, one, DAY, slope=False) for one in (follow_up, lost))
    assert half_there.shift_sd > 1.15 * all_there.shift_sd


@given(st.floats(-3, 3), st.floats(0.2, 3), st.floats(-2, 2), st.integers(0, 1000))
def test_one_map_for_all_horizons_leaves_the_order_under_the_time_bound(shift, slope, centre, seed):
    raw = np.random.default_rng(seed).normal(0, 1, (30, 4))
    found = Recalibration(centre, shift, slope, 0.1)
    before, after = np.maximum.accumulate(raw, axis=1), np.maximum.accumulate(found.apply(raw), axis=1)
    np.testing.assert_array_equal(np.argsort(before, axis=0, kind="stable"), np.argsort(after, axis=0, kind="stable"))
    np.testing.assert_allclose(after, found.apply(before), atol=1e-12)


def test_a_shift_for_each_horizon_would_change_the_order_under_the_time_bound():
    raw = np.array([[-1.0, -1.05], [-3.0, -1.02]])  # the first patient's second risk is held up by the first
    bounded = [np.maximum.accumulate(raw + shift, axis=1)[:, 1] for shift in (0.0, np.array([-0.5, 0.0]))]
    assert bounded[0][0] > bounded[0][1]
    assert bounded[1][0] < bounded[1][1]


def test_nobody_is_mapped_by_a_line_that_saw_what_became_of_them():
    log_odds, follow_up = patients(100, 0.5)
    names = np.repeat(np.arange(50), 2)
    mapped = cross_fitted(log_odds, follow_up, DAY, names, slope=False, seed=1, folds=5)
    other = FollowUp(np.where(names == 7, 10.0, follow_up.times), follow_up.deaths)  # deaths decide the folds, days do not
    again = cross_fitted(log_odds, other, DAY, names, slope=False, seed=1, folds=5)
    assert (mapped - log_odds)[names == 7].std() < 1e-12  # both rows of a patient are in one fold
    assert len(np.unique(np.round(mapped - log_odds, 12))) == 5
    died = follow_up.deaths[names == 7]
    assert died.any() == other.deaths[names == 7].any()
    np.testing.assert_array_equal(mapped[names == 7], again[names == 7])


def test_nobody_known_is_no_recalibration():
    with pytest.raises(NotEstimable, match="a patient whose state at a horizon is known"):
        fit_shift(np.zeros((3, 1)), FollowUp(np.full(3, 10.0), np.zeros(3, bool)), DAY, slope=False)
