from functools import partial

import numpy as np
import pytest

from models.design import DesignMatrix
from training.learners.fit_trees import TreeSettings
from training.learners.learn import GRID, LEARNERS, learn, stacked
from training.learners.plan import Settings, plan_of
from training.statistics.censoring import FollowUp

pytestmark = pytest.mark.usefixtures("one_thread")
DAYS = np.array([90.0, 180.0, 365.0])


@pytest.fixture(scope="module")
def plan(small_cohort):
    return plan_of(small_cohort, Settings())


@pytest.fixture(scope="module")
def fitter(plan):
    trees = TreeSettings(rounds=20, rate=0.2)
    return partial(learn, plan.design, grid=GRID, served=tuple(DAYS), trees=trees, seed=1)


@pytest.fixture(scope="module")
def learned(plan, fitter):
    return fitter(plan.matrix, plan.cohort.follow_up)


def test_every_patient_stands_at_every_horizon_with_the_weight_of_censoring():
    followed = FollowUp(np.array([20.0, 100.0, 400.0, 50.0]), np.array([True, True, False, False]))
    rows = stacked(followed, (30.0, 90.0))
    assert rows.dead.tolist() == [[True, True], [False, False], [False, False], [False, False]]
    # the one lost on day 50 counts for nobody at day 90, the two who were followed for one and a half
    np.testing.assert_allclose(rows.weight, [[1, 1], [1, 1.5], [1, 1.5], [1, 0]])


def test_the_ensemble_is_the_mean_of_the_two_log_odds(plan, learned):
    found = learned.log_odds(plan.matrix, DAYS)
    assert found.keys() == LEARNERS.keys()
    np.testing.assert_allclose(found["ensemble"], (found["linear"] + found["trees"]) / 2, atol=1e-12)


def test_without_trees_there_is_the_linear_learner_alone(plan, fitter):
    alone = fitter(plan.matrix, plan.cohort.follow_up, trees=None)
    assert alone.booster is None
    assert alone.log_odds(plan.matrix, DAYS).keys() == {"linear"}


def test_the_same_patients_and_seed_give_the_same_log_odds(plan, fitter, learned):
    again = fitter(plan.matrix, plan.cohort.follow_up).log_odds(plan.matrix, DAYS)
    for name, values in learned.log_odds(plan.matrix, DAYS).items():
        np.testing.assert_array_equal(values, again[name])


def test_who_was_censored_before_the_first_horizon_is_weighted_away_not_dropped_nor_alive(plan, fitter):
    # what such a patient looks like does not matter to the linear learner's labels: nobody knows what became of them
    followed = plan.cohort.follow_up
    lost = ~followed.deaths & (followed.times < 30)
    assert lost.any()
    weight = stacked(followed, GRID).weight
    assert (weight[lost] == 0).all()
    assert weight[~lost].sum(axis=0) == pytest.approx(len(followed), rel=1e-9)


def test_a_patient_who_was_not_measured_is_estimated_from_these_patients_alone(plan, fitter):
    gaps = plan.matrix.x.copy()
    gaps[:, 0] = np.where(np.arange(len(gaps)) % 2 == 0, np.nan, gaps[:, 0])
    matrix = DesignMatrix(gaps, plan.matrix.to_estimate | np.isnan(gaps) & ~np.isnan(plan.matrix.x))
    found = fitter(matrix, plan.cohort.follow_up)
    filled = found.imputation.fill(matrix).x[::2, 0]
    assert np.isfinite(filled).all()
    assert filled.std() < np.nanstd(plan.matrix.x[:, 0])
