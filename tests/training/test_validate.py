from dataclasses import replace

import numpy as np
import pytest

from training.cohort import read_cohort
from training.fit import Settings, fit
from training.statistics.evaluate import paired_difference
from training.validate import EVERYBODY, LEAST_TREATED, TREATED, against_albumin, validate

pytestmark = pytest.mark.usefixtures("one_thread")
QUICK = Settings(learner="linear", folds=3, repeats=2, refits=2)


@pytest.fixture(scope="module")
def half_treated(small_cohort):
    """The small cohort, as if every other patient had not been treated before."""
    patients = [
        replace(one, history=replace(one.history, prior_systemic_therapy=float(row % 2), prior_lines=None))
        for row, one in enumerate(small_cohort.patients)
    ]
    return replace(small_cohort, patients=tuple(patients))


@pytest.fixture(scope="module")
def validated(half_treated):
    fitted = fit(half_treated, QUICK)
    return fitted, validate(half_treated, fitted, bootstrap=30, seed=1)


def test_the_previously_treated_come_first(validated):
    _, found = validated
    assert list(found.evaluations) == list(found.fold_means) == [TREATED, EVERYBODY]
    assert found.evaluations[TREATED].n == 245
    assert list(found.as_json()["evaluations"]) == [TREATED, EVERYBODY]


def test_everybody_is_one_population_where_all_were_treated(small_validation):
    assert list(small_validation.evaluations) == [EVERYBODY]


def test_a_patient_is_judged_by_the_mean_of_the_repeats(half_treated, validated):
    fitted, found = validated
    mean = np.mean([repeat.calibrated["linear"] for repeat in fitted.cross.repeats], axis=0)
    place = fitted.cross.horizons.index(180.0)
    gain = paired_difference(mean[:, place], -mean[:, place], half_treated.follow_up, 180, bootstrap=0, seed=0)
    assert found.evaluations[EVERYBODY].horizons[180.0].auc.value == pytest.approx((1 + gain.value) / 2)


def test_the_gain_over_albumin_alone_is_paired_on_those_in_whom_it_was_measured(half_treated, validated):
    fitted, found = validated
    albumin = np.array([one.current("albumin").value if one.current("albumin") else np.nan for one in half_treated.patients])
    there = np.flatnonzero(~np.isnan(albumin))
    assert 0 < len(there) < len(half_treated)
    ours = np.mean([repeat.calibrated["linear"] for repeat in fitted.cross.repeats], axis=0)[there]
    part, place = half_treated.select(there).follow_up, fitted.cross.horizons.index(90.0)
    expected = paired_difference(ours[:, place], -albumin[there], part, 90, bootstrap=30, seed=1)
    gain = found.over_albumin[EVERYBODY][90.0]
    assert (gain.value, gain.low, gain.high) == pytest.approx((expected.value, expected.low, expected.high))
    alone = paired_difference(-albumin[there], albumin[there], part, 90, bootstrap=0, seed=1)
    assert found.albumin_alone[EVERYBODY][90.0].value == pytest.approx((1 + alone.value) / 2)


def test_against_albumin_is_silent_where_too_few_have_it_and_says_why_where_too_few_died(small_cohort):
    albumin, zeros = np.full(len(small_cohort), np.nan), np.zeros(len(small_cohort))
    assert against_albumin({90.0: zeros}, albumin, small_cohort.follow_up, 5, 1) == ({}, {})
    albumin[: LEAST_TREATED + 5] = -40.0
    alone, gains = against_albumin({90.0: zeros}, albumin, small_cohort.follow_up, 5, 1)
    assert alone[90.0].value is None
    assert gains[90.0].why.startswith("day 90 is not evaluable: ")


def test_a_model_that_learned_nothing_is_not_found_to_be_good(write_cohort):
    """Outcomes that have nothing to do with the patients: the out-of-fold AUC lies about one half."""
    cohort = read_cohort(write_cohort(600))
    found = validate(cohort, fit(cohort, replace(QUICK, repeats=1)), bootstrap=50, seed=1)
    auc = found.evaluations[EVERYBODY].horizons[180.0].auc
    assert auc.low < 0.5 < auc.high + 0.03
    assert found.evaluations[EVERYBODY].horizons[180.0].ipa.value < 0.01


def test_the_same_seed_gives_the_same_intervals(half_treated, validated):
    fitted, found = validated
    again = validate(half_treated, fitted, bootstrap=30, seed=1)
    assert again.as_json() == found.as_json()
