"""Accelerated failure time on patients whose true log-odds are known."""

import numpy as np
import pytest

from models.design import columns_of
from training.learners.aft import SIGMA, fit_aft
from training.refused import NotSupported
from training.statistics.censoring import Array, FollowUp

DESIGN = columns_of(["ln_nlr", "albumin", "age"], {})  # signs +1, -1, 0
DAYS = np.array([30.0, 90.0, 365.0])


def simulated(n: int, seed: int, wrong: float = 1.0) -> tuple[Array, Array, FollowUp]:
    """Columns, true log-odds (n, 3) and follow-up of patients whose log time is logistic."""
    random = np.random.default_rng(seed)
    x = np.c_[random.normal(1.4, 0.6, n), random.normal(38, 4, n), random.normal(65, 10, n)]
    location = np.log(250) + wrong * (-0.6 * (x[:, 0] - 1.4) + 0.1 * (x[:, 1] - 38))
    life, cut = np.exp(location + SIGMA * random.logistic(size=n)), random.uniform(30, 1000, n)
    return x, (np.log(DAYS) - location[:, None]) / SIGMA, FollowUp(np.ceil(np.minimum(life, cut)), life <= cut)


def test_the_log_odds_come_near_the_true_ones_although_a_third_were_censored() -> None:
    x, _, follow_up = simulated(3000, 1)
    new, true, _ = simulated(1000, 2)
    found = fit_aft(DESIGN, x, follow_up, seed=1).log_odds(new, DAYS)
    assert 0.3 < 1 - follow_up.deaths.mean() < 0.5
    assert np.abs((found - true).mean(axis=0)).max() < 0.1
    assert np.abs(found - true).mean() < 0.25
    assert np.abs(true - true.mean(axis=0)).mean() > 0.4  # which is what knowing nothing of the patient would leave


def test_patients_differ_by_the_same_log_odds_at_all_times_and_risk_rises_with_time() -> None:
    x, _, follow_up = simulated(500, 3)
    found = fit_aft(DESIGN, x, follow_up, seed=1).log_odds(x, DAYS)
    assert np.diff(found, axis=1) == pytest.approx(np.tile(np.diff(np.log(DAYS)) / SIGMA, (500, 1)))


def test_risk_never_goes_against_a_clinical_sign_even_where_the_patients_do() -> None:
    x, _, follow_up = simulated(800, 4, wrong=-1.0)
    model = fit_aft(DESIGN, x, follow_up, seed=1)
    for column, sign in ((0, 1), (1, -1)):
        moved = x.copy()
        moved[:, column] += 1.5
        assert (sign * (model.log_odds(moved, DAYS) - model.log_odds(x, DAYS)) >= -1e-6).all()


def test_delayed_entry_is_refused_and_a_death_on_the_index_date_is_not() -> None:
    x, _, follow_up = simulated(100, 5)
    with pytest.raises(NotSupported, match="delayed entry: allowed is follow-up from the index date"):
        fit_aft(DESIGN, x, FollowUp(follow_up.times, follow_up.deaths, follow_up.times / 2), seed=1)
    at_once = FollowUp(np.where(np.arange(100) < 5, 0.0, follow_up.times), follow_up.deaths)
    assert np.isfinite(fit_aft(DESIGN, x, at_once, seed=1).log_odds(x, DAYS)).all()
