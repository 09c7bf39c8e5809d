import json
from dataclasses import replace

import numpy as np
import pytest

from models.risk import sigmoid
from training.cohort import read_cohort
from training.comparing.simple_models import ALBUMIN, SIMPLE, out_of_fold_simple
from training.fit import Settings, fit
from training.statistics.evaluate import evaluate, paired_difference
from training.validate import EVERYBODY, TREATED, validate

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
    there = np.array([row for row, one in enumerate(half_treated.patients) if one.current("albumin")])
    assert 0 < len(there) < len(half_treated)
    theirs = out_of_fold_simple(SIMPLE[ALBUMIN], half_treated, fitted.cross, fitted.plan.grid, 1)
    ours = np.mean([repeat.calibrated["linear"] for repeat in fitted.cross.repeats], axis=0)[there]
    part, place = half_treated.select(there), fitted.cross.horizons.index(90.0)
    given = {"groups": [one.id for one in part.patients], "bootstrap": 30, "seed": 1}
    expected = paired_difference(ours[:, place], theirs.log_odds[:, place], part.follow_up, 90, **given)
    assert found.over_albumin[EVERYBODY][90.0] == expected
    judged = evaluate(sigmoid(theirs.log_odds), theirs.log_odds, part.follow_up, fitted.cross.horizons, **given)
    assert found.albumin_alone[EVERYBODY][90.0] == judged.horizons[90.0].auc


def test_every_population_stands_beside_its_comparators_and_is_looked_at_group_by_group(validated):
    _, found = validated
    told = json.loads(json.dumps(found.as_json(), allow_nan=False))
    for name, one in told["evaluations"].items():
        names = [beside["name"] for beside in one["comparators"]]
        assert names[:3] == ["albumin_alone", "ln_nlr_alone", "cox_four"]
        assert {"pni", "loris"} <= set(names)
        whole = {(group["by"], group["level"]) for group in told["evaluations"][EVERYBODY]["strata"]}
        assert whole >= {(group["by"], group["level"]) for group in one["strata"]}
        assert one["beats_them"].startswith("Does it beat them by day 90? albumin alone: "), name
    assert found.comparisons[TREATED][0].n < found.comparisons[EVERYBODY][0].n
    assert told["scheme"] == {
        "kind": "repeated cross-validation grouped by patient", "folds": 3, "repeats": 2, "seed": 1, "resamples": 30,
    }  # fmt: skip


def test_the_splits_are_told_and_can_be_left_out_and_other_families_stand_beside_it_when_asked(half_treated, validated):
    fitted, found = validated
    told = found.as_json()["splits"]
    assert told["temporal"]["n"] + told["temporal"]["trained_on"] == len(half_treated)
    assert told["leave one site out"]["n"] < len(half_treated)
    again = validate(half_treated, fitted, bootstrap=0, seed=1, families=True, splits=False)
    assert again.splits == {}
    kinds = [one.kind for one in again.comparisons[TREATED]]
    assert (kinds.count("simple"), kinds.count("family")) == (3, 3)
    assert "family" not in {one.kind for one in found.comparisons[TREATED]}


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
