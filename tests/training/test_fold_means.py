import numpy as np
import pytest

from models.risk import sigmoid
from training.cohort import followed
from training.fold_means import fold_means
from training.statistics.evaluate import evaluate


def test_it_is_the_mean_of_the_folds_judged_one_by_one(small_cohort, small_fit):
    everybody = np.ones(len(small_cohort), bool)
    (repeat,), column = small_fit.cross.repeats, small_fit.cross.horizons.index(180.0)
    judged = []
    for fold in range(5):
        rows = np.flatnonzero(repeat.fold == fold)
        log_odds = repeat.calibrated["ensemble"][rows, column : column + 1]
        part = followed(small_cohort.follow_up, rows)
        judged.append(evaluate(sigmoid(log_odds), log_odds, part, (180.0,), bootstrap=0, seed=0))
    means = fold_means(small_fit.cross, "ensemble", small_cohort.follow_up, everybody, (180.0,))
    assert means["auc_180d"] == pytest.approx(np.mean([one.horizons[180.0].auc.value for one in judged]))
    assert means["ipa_180d"] == pytest.approx(np.mean([one.horizons[180.0].ipa.value for one in judged]))
    assert means["slope_180d"] == pytest.approx(np.mean([one.horizons[180.0].calibration.slope.value for one in judged]))
    assert means["uno_c"] == pytest.approx(np.mean([one.uno_c.estimate.value for one in judged]))


def test_a_fold_with_few_deaths_has_its_part(small_cohort, small_fit):
    # every fold has fewer than 20 deaths by day 30: each alone could not be evaluated, the mean of all can
    everybody = np.ones(len(small_cohort), bool)
    (repeat,) = small_fit.cross.repeats
    dead = small_cohort.follow_up.deaths & (small_cohort.follow_up.times <= 30)
    assert max(dead[repeat.fold == fold].sum() for fold in range(5)) < 20
    means = fold_means(small_fit.cross, "ensemble", small_cohort.follow_up, everybody, (30.0,))
    assert 0.5 < means["auc_30d"] < 1
    assert means.keys() == {"uno_c", "auc_30d", "ipa_30d", "slope_30d"}


def test_only_those_asked_for_are_judged_and_what_cannot_be_had_is_not_there(small_cohort, small_fit):
    alive = small_cohort.follow_up.times > 90
    means = fold_means(small_fit.cross, "linear", small_cohort.follow_up, alive, (90.0,))
    assert "auc_90d" not in means
    assert "uno_c" not in means
