import numpy as np
import pytest

from models.design import columns_of
from training.learners.fit_linear import Stacked
from training.learners.fit_trees import ROWS_FOR_THREADS, THREADS, TreeSettings, fit_trees, threads_for, tree_log_odds

GRID = np.array([30.0, 90.0, 365.0])
DESIGN = columns_of(["ln_nlr", "albumin", "age"], {})  # signs +1, -1, 0
FEW = TreeSettings(rounds=30, rate=0.2, least_child_weight=2.0)


def patients(n, seed, wrong=1.0):
    rng = np.random.default_rng(seed)
    x = np.c_[rng.normal(1.4, 0.6, n), rng.normal(38, 4, n), rng.normal(65, 10, n)]
    eta = np.array([-2.5, -1.2, 0.3]) + wrong * (0.9 * (x[:, :1] - 1.4) - 0.15 * (x[:, 1:2] - 38))
    dead = np.maximum.accumulate(rng.random((n, 1)) < 1 / (1 + np.exp(-eta)), axis=1)
    return x, Stacked(dead, np.ones(dead.shape), GRID)


@pytest.mark.parametrize("wrong", [1.0, -1.0])
def test_risk_never_falls_with_time_nor_against_a_clinical_sign(wrong):
    x, stacked = patients(600, 1, wrong)
    booster = fit_trees(DESIGN, x, stacked, FEW, seed=1)
    rng = np.random.default_rng(2)
    low = np.c_[rng.uniform(-1, 4, 300), rng.uniform(15, 55, 300), rng.uniform(20, 90, 300)]
    days = np.array([10.0, 30, 60, 120, 365, 700])
    assert (np.diff(tree_log_odds(booster, low, days), axis=1) >= 0).all()
    for column, sign in ((0, 1), (1, -1)):
        moved = low.copy()
        moved[:, column] += rng.uniform(0, 3, 300)
        assert (sign * (tree_log_odds(booster, moved, days) - tree_log_odds(booster, low, days)) >= -1e-6).all()


def test_a_weight_of_zero_is_nobody_and_a_patient_drawn_twice_weighs_twice():
    x, stacked = patients(400, 3)
    copies = np.random.default_rng(3).integers(0, 3, 400).astype(float)
    drawn = fit_trees(DESIGN, x, stacked, FEW, 1, copies)
    weighted = fit_trees(DESIGN, x, Stacked(stacked.dead, stacked.weight * copies[:, None], GRID), FEW, 1)
    there = copies > 0
    among = fit_trees(DESIGN, x[there], Stacked(stacked.dead[there], stacked.weight[there] * copies[there, None], GRID), FEW, 1)
    np.testing.assert_array_equal(tree_log_odds(drawn, x, GRID), tree_log_odds(weighted, x, GRID))
    np.testing.assert_array_equal(tree_log_odds(drawn, x, GRID), tree_log_odds(among, x, GRID))


def test_what_became_of_a_patient_who_was_lost_does_not_matter():
    x, stacked = patients(400, 4)
    weight = stacked.weight.copy()
    weight[::3, 2] = 0.0
    shuffled = stacked.dead.copy()
    shuffled[::3, 2] = ~shuffled[::3, 2]
    one, other = (fit_trees(DESIGN, x, Stacked(dead, weight, GRID), FEW, 1) for dead in (stacked.dead, shuffled))
    np.testing.assert_array_equal(tree_log_odds(one, x, GRID), tree_log_odds(other, x, GRID))


def test_the_same_seed_gives_the_same_trees():
    x, stacked = patients(400, 5)
    one, same, other = (fit_trees(DESIGN, x, stacked, FEW, seed).save_raw("ubj") for seed in (1, 1, 2))
    assert one == same
    assert one != other


def test_a_second_thread_is_taken_where_there_are_rows_enough():
    assert (threads_for(ROWS_FOR_THREADS - 1), threads_for(ROWS_FOR_THREADS)) == (1, THREADS)


def test_larger_cohorts_get_more_rounds():
    assert TreeSettings.for_patients(4999).rounds < TreeSettings.for_patients(5000).rounds
