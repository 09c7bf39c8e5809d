from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import xgboost as xgb

from models.risk import sigmoid
from training.cohort import read_cohort
from training.fit import Settings, choose_learner, fit
from training.learners.leaf_tables import compile_leaf_tables
from training.learners.learn import learn
from training.learners.plan import plan_of
from training.simulation.files import write
from training.simulation.simulate import simulate
from training.statistics.censoring import FollowUp
from training.statistics.evaluate import evaluate
from training.statistics.standing import standing

pytestmark = pytest.mark.usefixtures("one_thread")
QUICK = Settings(folds=2, refits=2, tree_refits=1)


def test_the_saved_learner_is_the_one_with_the_best_cross_validated_ipa(small_cohort, small_fit):
    learner, ipa = choose_learner(small_cohort, small_fit.cross)
    assert learner == max(ipa, key=ipa.get)
    assert choose_learner(small_cohort, small_fit.cross, ("trees",))[0] == "trees"
    assert ipa.keys() == {"linear", "ensemble", "trees"}


def test_the_ipa_of_a_learner_is_the_mean_over_repeats_and_promotable_horizons(small_cohort, small_fit):
    cross, followed = small_fit.cross, small_cohort.follow_up
    days = [day for day in cross.horizons if standing(followed, day).level == "promotable"]
    assert 0 < len(days) < len(cross.horizons)
    log_odds = cross.repeats[0].calibrated["linear"][:, [cross.horizons.index(day) for day in days]]
    judged = evaluate(sigmoid(log_odds), log_odds, followed, days, bootstrap=0, seed=0)
    expected = np.mean([judged.horizons[day].ipa.value for day in days])
    assert choose_learner(small_cohort, cross)[1]["linear"] == pytest.approx(expected, abs=1e-12)


def test_a_learner_that_knows_more_is_chosen(small_cohort, small_fit):
    followed, days = small_cohort.follow_up, small_fit.cross.horizons
    noise = np.random.default_rng(1).normal(0, 0.1, (len(small_cohort), len(days)))
    poor = np.maximum.accumulate(noise - 1, axis=1)
    honest = small_fit.cross.repeats[0].calibrated["linear"]
    repeat = SimpleNamespace(calibrated={"linear": poor, "ensemble": honest, "trees": poor})
    cross = SimpleNamespace(horizons=days, repeats=[repeat], calibration=dict.fromkeys(repeat.calibrated))
    assert choose_learner(replace(small_cohort, follow_up=followed), cross)[0] == "ensemble"


def test_what_was_chosen_and_how_is_written_down(small_fit):
    facts = small_fit.model.facts
    assert (facts["learner"], facts["learner_chosen_by"]) == ("ensemble", "the data scientist")
    assert facts["learner_ipa"].keys() == {"linear", "ensemble", "trees"}
    assert facts["cross_validation"] == {"folds": 5, "repeats": 1, "seed": 1}


def test_the_saved_model_says_what_the_learners_said_calibrated(small_cohort, small_fit):
    plan = plan_of(small_cohort, Settings(learner="ensemble"))
    learned = learn(
        plan.design, plan.matrix, small_cohort.follow_up, grid=plan.grid, served=plan.served, trees=plan.trees, seed=1
    )
    raw = learned.log_odds(plan.matrix, np.array(plan.served))["ensemble"]
    calibration = small_fit.cross.calibration["ensemble"]
    expected = np.maximum.accumulate(calibration.intercept + calibration.slope * raw, axis=1)
    np.testing.assert_allclose(small_fit.model.score(plan.matrix).log_odds, expected, atol=1e-5)


def test_training_is_determined_by_its_seed(small_cohort):
    few = small_cohort.select(np.arange(450))
    one, same, other = (fit(few, replace(QUICK, seed=seed, learner="ensemble")) for seed in (3, 3, 4))
    assert one.booster == same.booster != other.booster
    np.testing.assert_array_equal(one.model.refits.first, same.model.refits.first)
    np.testing.assert_array_equal(one.model.calibration.slope, same.model.calibration.slope)
    np.testing.assert_array_equal(one.model.score(one.matrix).log_odds, same.model.score(one.matrix).log_odds)


def test_the_order_of_the_patients_does_not_matter(small_cohort):
    few = small_cohort.select(np.arange(300))
    turned = few.select(np.arange(300)[::-1])
    settings = replace(QUICK, learner="linear", features=("ln_nlr", "albumin", "ecog", "prior_lines"))
    one, other = fit(few, settings), fit(turned, settings)
    np.testing.assert_allclose(one.model.score(one.matrix).risk, other.model.score(other.matrix).risk[::-1], atol=1e-4)


def test_what_became_of_patients_after_the_last_horizon_changes_nothing(small_cohort):
    followed = small_cohort.follow_up
    beyond, rng = followed.times > 365, np.random.default_rng(1)
    times, deaths = followed.times.copy(), followed.deaths.copy()
    times[beyond], deaths[beyond] = rng.uniform(366, 2000, beyond.sum()), rng.random(beyond.sum()) < 0.5
    settings = replace(QUICK, learner="linear", features=("ln_nlr", "albumin"))
    one = fit(small_cohort, settings).model.linear
    other = fit(replace(small_cohort, follow_up=FollowUp(times, deaths)), settings).model.linear
    np.testing.assert_allclose(other.first, one.first, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(other.last, one.last, rtol=1e-9, atol=1e-12)


@pytest.fixture(scope="module")
def cut(tmp_path_factory):
    """A cohort whose follow-up is cut so that nobody is observed to day 365."""
    drawn = simulate(700, 5, accrual_days=200, closing_day=330)
    return read_cohort(write(drawn, tmp_path_factory.mktemp("cut")))


def test_a_horizon_nobody_was_followed_to_is_refused_as_not_identifiable(cut):
    fitted = fit(cut, QUICK)
    assert fitted.model.refused["365"].startswith("not identifiable: nobody is known to be alive on day 365")
    assert 365 not in fitted.model.days
    assert 180 in fitted.model.days


def test_a_small_cohort_gets_the_linear_learner_with_variables_named_in_advance(small_cohort):
    few = small_cohort.select(np.arange(147))
    fitted = fit(few, replace(QUICK, learner="auto"))
    assert fitted.learner == "linear"
    assert fitted.booster is None
    assert fitted.choice.named_in_advance
    assert fitted.model.facts["promotable"] is False
    assert "deaths by day 90 by effective size: at least 100 are needed" in fitted.model.facts["promotable_why"]
    assert fitted.model.refused["30"].startswith("not evaluable: ")


def test_the_booster_that_is_kept_is_the_one_the_leaf_tables_were_made_of(small_fit):
    booster = xgb.Booster({"nthread": 1})
    booster.load_model(bytearray(small_fit.booster))
    x = small_fit.model.imputation.fill(small_fit.matrix).x
    tables = compile_leaf_tables(booster, x, [float(day) for day in small_fit.model.days])
    np.testing.assert_array_equal(tables.terms(x[:20]), small_fit.model.trees.terms(x[:20]))


def test_progress_is_told_stage_by_stage(small_cohort):
    told = []
    fit(small_cohort.select(np.arange(200)), replace(QUICK, learner="linear"), lambda *stage: told.append(stage))
    stages = list(dict.fromkeys(doing for doing, _, _ in told))
    assert stages == ["cross-validation", "fit on everybody", "refits for the intervals"]
    for doing in stages:
        assert [(done, total) for name, done, total in told if name == doing][-1][0] == next(t for n, _, t in told if n == doing)
