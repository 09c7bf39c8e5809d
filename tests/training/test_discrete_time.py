"""Discrete time: who counts in which interval, and whether the hazards add up to the Kaplan-Meier risk."""

import numpy as np
import pytest

from models.design import columns_of
from training.learners.discrete_time import EDGES, MONTH, fit_discrete_time, person_periods
from training.learners.fit_trees import TreeSettings
from training.statistics.calibration import sigmoid
from training.statistics.censoring import Array, FollowUp, survival

DESIGN = columns_of(["ln_nlr", "albumin", "age"], {})  # signs +1, -1, 0
DAYS = np.array([30.0, 90.0, 180.0, 365.0])


def simulated(n: int, seed: int, *, entries: bool = False, wrong: float = 1.0) -> tuple[Array, FollowUp]:
    random = np.random.default_rng(seed)
    x = np.c_[random.normal(1.4, 0.6, n), random.normal(38, 4, n), random.normal(65, 10, n)]
    hazard = np.exp(wrong * (0.6 * (x[:, 0] - 1.4) - 0.1 * (x[:, 1] - 38))) / 400
    life, cut = random.exponential(1 / hazard), random.uniform(100, 1200, n)
    entered = random.uniform(0, 60, n) * (random.random(n) < 0.5)
    times = np.maximum(np.ceil(np.minimum(life, cut)), 1)
    there = times > entered if entries else np.ones(n, bool)
    return x[there], FollowUp(times[there], (life <= cut)[there], entered[there] if entries else None)


def test_who_counts_in_which_interval_worked_by_hand() -> None:
    """Dies in month 2; lost in the middle of month 2; dies on day 0; enters in the middle of month 1, seen to its end."""
    times = np.array([1.2 * MONTH, 1.5 * MONTH, 0.0, MONTH])
    rows = person_periods(FollowUp(times[:3], np.array([True, False, True])))
    assert rows.patient.tolist() == [0, 0, 1, 1, 2]
    assert rows.interval.tolist() == [0, 1, 0, 1, 0]
    assert rows.died.tolist() == [False, True, False, False, True]
    assert rows.weight.tolist() == pytest.approx([1, 1, 1, 0.5, 1])
    late = person_periods(FollowUp(times[3:], np.array([False]), np.array([0.5 * MONTH])))
    assert late.weight.tolist() == pytest.approx([0.5])


@pytest.mark.parametrize("entries", [False, True])
def test_the_mean_risk_is_the_kaplan_meier_risk(entries: bool) -> None:
    x, follow_up = simulated(3000, 1, entries=entries)
    if entries:  # who is still there to be seen is no sample of those who started: the shares are compared without covariates
        x = np.tile(x.mean(axis=0), (len(x), 1))
    found = sigmoid(fit_discrete_time(DESIGN, x, follow_up, seed=1).log_odds(x, DAYS)).mean(axis=0)
    assert found == pytest.approx(1 - survival(follow_up).at(DAYS), abs=0.015)


def test_risk_rises_with_time_and_never_goes_against_a_clinical_sign() -> None:
    x, follow_up = simulated(800, 2, wrong=-1.0)
    model = fit_discrete_time(DESIGN, x, follow_up, seed=1, settings=TreeSettings(rounds=60, depth=2))
    days = np.arange(5.0, 730.0, 25.0)
    assert (np.diff(model.log_odds(x, days), axis=1) > 0).all()
    for column, sign in ((0, 1), (1, -1)):
        moved = x.copy()
        moved[:, column] += 1.5
        assert (sign * (model.log_odds(moved, days) - model.log_odds(x, days)) >= -1e-6).all()


def test_days_that_were_not_learned_from_are_refused() -> None:
    x, follow_up = simulated(200, 3)
    model = fit_discrete_time(DESIGN, x, follow_up, seed=1, settings=TreeSettings(rounds=5))
    with pytest.raises(ValueError, match=r"days \[800.0\]: allowed is above 0 and up to 730.5"):
        model.log_odds(x, np.array([800.0]))
    assert np.isfinite(model.log_odds(x, EDGES[-1:])).all()
