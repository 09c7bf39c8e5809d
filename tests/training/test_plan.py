from dataclasses import replace

import numpy as np
import pytest

from training.cohort import read_cohort
from training.learners.plan import Settings, plan_of
from training.refused import NothingEvaluable, NotSupported
from training.statistics.censoring import FollowUp


def test_settings_that_cannot_be_are_refused_all_at_once():
    with pytest.raises(NotSupported, match=r"learner forest: .*; horizons .*ascending; folds 1: allowed is 2 or more"):
        Settings(learner="forest", horizons=(90.0, 30.0), folds=1)
    for horizons in ((), (0.0, 90.0), (90.0, 90.0), (45.5,)):
        with pytest.raises(NotSupported, match="days above 0, each once, ascending"):
            Settings(horizons=horizons)


def test_horizons_are_served_where_evaluable_and_fitted_where_identifiable(small_cohort):
    followed, cut = small_cohort.follow_up, 300.0
    short = FollowUp(np.minimum(followed.times, cut), followed.deaths & (followed.times <= cut))
    few = small_cohort.select(np.arange(150))
    assert plan_of(few, Settings()).served == (60.0, 90.0, 180.0, 365.0)
    assert plan_of(few, Settings()).grid == (30.0, 60.0, 90.0, 180.0, 270.0, 365.0)
    plan = plan_of(replace(small_cohort, follow_up=short), Settings())
    assert plan.standings[365.0].level == "not identifiable"
    assert plan.served == (30.0, 60.0, 90.0, 180.0)
    assert plan.grid == (30.0, 60.0, 90.0, 180.0, 270.0)


def test_a_horizon_of_ones_own_is_fitted_where_it_is_not_on_the_grid(small_cohort):
    plan = plan_of(small_cohort, Settings(horizons=(120.0, 500.0)))
    assert {120.0, 500.0} <= set(plan.grid)
    assert plan.grid == tuple(sorted(plan.grid))


def test_with_few_deaths_there_is_only_the_linear_learner(write_cohort):
    cohort = read_cohort(write_cohort())
    assert plan_of(cohort, Settings()).trees is None
    with pytest.raises(NotSupported, match="learner ensemble: the cohort has 82 deaths, and below 250 only the linear"):
        plan_of(cohort, Settings(learner="ensemble"))


def test_trees_are_fitted_unless_the_linear_learner_is_asked_for(small_cohort):
    assert plan_of(small_cohort, Settings()).trees is not None
    assert plan_of(small_cohort, Settings(learner="linear")).trees is None


def test_a_cohort_that_answers_nothing_is_refused_with_the_number_that_is_short_at_each_horizon(small_cohort):
    nobody = FollowUp(small_cohort.follow_up.times, np.zeros(len(small_cohort), bool))
    with pytest.raises(NothingEvaluable, match=r"day 30 is not evaluable: 0 deaths by day 30: .*; day 60 is .*; day 90"):
        plan_of(replace(small_cohort, follow_up=nobody), Settings())


def test_there_are_no_more_folds_than_patients(small_cohort):
    with pytest.raises(NotSupported, match="folds 9000: allowed is up to the 491 patients"):
        plan_of(small_cohort, Settings(folds=9000))
