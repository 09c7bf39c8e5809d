"""A horizon is promotable only where the patients are enough for the columns: by what cross-validation found, or by default."""

import numpy as np
import pytest

from training.cohort import read_cohort
from training.learners.plan import Settings, plan_of
from training.learners.promotable import explained_out_of_fold, held_to_riley
from training.simulation.files import write
from training.simulation.simulate import simulate


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    cohort = read_cohort(write(simulate(700, 5), tmp_path_factory.mktemp("some")))
    return plan_of(cohort, Settings(features=("ln_nlr", "albumin", "age")))


def test_few_columns_stay_promotable_and_many_do_not(plan, small_cohort):
    assert plan.standings[90.0].level == "promotable"
    assert held_to_riley(plan, 90.0, None).standings == plan.standings
    many = plan_of(small_cohort, Settings())
    held = held_to_riley(many, 90.0, None).standings[90.0]
    assert many.standings[90.0].level == "promotable"
    assert (held.level, held.evaluable) == ("evaluable", True)
    assert held.why.startswith("sample size after Riley: ")
    assert f"for {len(many.design.columns)} columns" in held.why


def test_more_explained_needs_fewer_patients_and_nothing_explained_is_never_enough(plan):
    assert held_to_riley(plan, 90.0, 0.02).standings[90.0].level == "evaluable"
    assert held_to_riley(plan, 90.0, 0.2).standings[90.0].level == "promotable"
    assert "explains nothing" in held_to_riley(plan, 90.0, -0.01).standings[90.0].why


def test_a_horizon_that_is_not_promotable_keeps_its_own_reason(plan):
    assert held_to_riley(plan, 45.0, None) is plan


def test_the_fitted_model_says_what_cross_validation_explained(small_fit, small_cohort):
    found = explained_out_of_fold(small_cohort, small_fit.cross, small_fit.learner, 90.0)
    assert 0.05 < found < 0.4
    assert small_fit.model.facts["explained"] == pytest.approx(found, abs=1e-6)
    assert small_fit.model.facts["promotable"] is False
    assert "sample size after Riley" in small_fit.model.facts["promotable_why"]
    shown = {one.days: one.level for one in small_fit.model.horizons}
    assert shown[90] == "evaluable"
    assert explained_out_of_fold(small_cohort, small_fit.cross, small_fit.learner, 45.0) is None
    assert np.isfinite(found)
