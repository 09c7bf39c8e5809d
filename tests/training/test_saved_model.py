from collections import Counter

import numpy as np
import pytest

from models.population import BEHIND
from training.fit import fit
from training.learners.plan import Settings
from training.learners.saved_model import LIMITS, population_of
from training.small_cells import without_small
from training.statistics.censoring import survival

pytestmark = pytest.mark.usefixtures("one_thread")


def test_a_horizon_carries_its_standing_and_the_share_who_died(small_cohort, small_fit):
    alive = survival(small_cohort.follow_up)
    for one in small_fit.model.horizons:
        assert (one.level, one.why) == (small_fit.standings[one.days].level, small_fit.standings[one.days].why)
        assert one.died_share == pytest.approx(1 - alive.at(one.days))
    served, refused = {f"{day}" for day in small_fit.model.days}, set(small_fit.model.refused)
    assert served | refused == {"30", "60", "90", "180", "365"}


def test_the_population_counts_deaths_not_patients(small_cohort):
    population = population_of(small_cohort)
    dead = [one for one, died in zip(small_cohort.patients, small_cohort.follow_up.deaths, strict=True) if died]
    counted = Counter(one.tumour for one in dead)
    assert population.deaths_by_tumour == without_small(counted)
    assert min(population.deaths_by_tumour.values()) >= 10
    assert population.deaths_by_prior_line == {"yes": len(dead)}


def test_the_development_range_is_that_of_the_middle_99_percent_who_were_measured(small_fit):
    place = [column.name for column in small_fit.choice.design.columns].index("albumin")
    low, high = small_fit.model.development_range["albumin"]
    measured = small_fit.matrix.x[:, place]
    assert np.nanmean((measured >= low) & (measured <= high) | np.isnan(measured)) == pytest.approx(0.99, abs=0.01)
    assert "tumour" not in small_fit.model.development_range


def test_a_model_of_simulated_patients_says_so_and_what_it_is_for(small_fit):
    model = small_fit.model
    assert model.simulated
    assert model.trained_on == "simulated"
    assert model.facts["limits"] == LIMITS
    assert model.facts["outside_below_deaths"] == BEHIND
    assert model.required == ("ln_nlr",)


def test_a_model_without_the_primary_horizon_is_not_promotable_and_says_why(small_cohort):
    settings = Settings(learner="linear", horizons=(180.0,), folds=2, refits=2, features=("ln_nlr",))
    facts = fit(small_cohort, settings).model.facts
    assert facts["promotable"] is False
    assert facts["promotable_why"] == "day 90 was not asked for"
