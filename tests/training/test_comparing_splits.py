from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.risk import sigmoid
from training.cohort import followed
from training.comparing import splits
from training.comparing.splits import leave_one_site_out, temporal
from training.fit import Settings, fit
from training.learners.learn import learn
from training.statistics.evaluate import evaluate

pytestmark = pytest.mark.usefixtures("one_thread")
QUICK = Settings(learner="linear", features=("ln_nlr", "albumin", "age"), folds=3, refits=2)


@pytest.fixture(scope="module")
def quick(small_cohort):
    return fit(small_cohort, QUICK)


def changed(fitted, **changes):
    """The same fit of the same rows, of patients with other sites, ids or dates."""
    return replace(fitted, plan=replace(fitted.plan, cohort=replace(fitted.plan.cohort, **changes)))


def with_sites(fitted, sites, ids=None):
    names = ids or [one.id for one in fitted.plan.cohort.patients]
    rows = zip(fitted.plan.cohort.patients, sites, names, strict=True)
    return changed(fitted, patients=tuple(replace(one, site=site, id=name) for one, site, name in rows))


class Watched:
    """The learner, which notes the rows of the patients it was trained on."""

    def __init__(self):
        self.trained = []

    def __call__(self, design, matrix, follow_up, **given):
        self.trained.append({row.tobytes() for row in matrix.x})
        return learn(design, matrix, follow_up, **given)


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 1000))
def test_no_learner_is_trained_on_the_site_it_is_judged_on(quick, seed):
    rng = np.random.default_rng(seed)
    n = len(quick.plan.cohort)
    sites, ids = rng.choice(["A", "B", "C", ""], n), [f"P{number}" for number in rng.integers(0, n - 60, n)]
    watched = Watched()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(splits, "learn", watched)
        found = leave_one_site_out(with_sites(quick, sites, ids), bootstrap=0, seed=1)
    x = quick.plan.matrix.x
    deaths = {site: quick.plan.cohort.follow_up.deaths[sites == site].sum() for site in "ABC"}
    order = sorted("ABC", key=lambda site: (-deaths[site], site))
    assert len(watched.trained) == 3
    for site, trained in zip(order, watched.trained, strict=True):
        of_site = {ids[row] for row in np.flatnonzero(sites == site)}
        assert trained == {x[row].tobytes() for row in range(n) if ids[row] not in of_site}
    assert (found.judged == np.flatnonzero(sites != "")).all()


def test_each_site_is_judged_by_what_the_others_taught(quick):
    n = len(quick.plan.cohort)
    sites = np.where(np.arange(n) % 2 == 0, "north", "south")
    found = leave_one_site_out(with_sites(quick, sites), bootstrap=5, seed=1)
    assert found.how.startswith("2 of 2 sites, those with the most deaths, each judged by a learner that was not trained on it; ")
    assert found.how.endswith("on log-odds of learners that had seen this one; " + splits.CHOSEN)
    told = found.as_json()
    assert (told["n"], [one["level"] for one in told["strata"]]) == (n, ["north", "south"])
    assert 0.6 < told["horizons"]["180"]["auc"]["value"] < 0.95
    assert all(one["observed_expected"]["value"] is not None for one in told["strata"])


def test_the_sites_with_the_most_deaths_are_judged_and_a_cohort_of_one_site_has_no_such_split(quick):
    n = len(quick.plan.cohort)
    many = leave_one_site_out(with_sites(quick, [f"S{row % 7}" for row in range(n)]), bootstrap=0, seed=1)
    assert many.how.startswith("5 of 7 sites")
    assert many.evaluation.n < n
    assert leave_one_site_out(with_sites(quick, ["A"] * n), bootstrap=0, seed=1).as_json() == {
        "refused": "1 of 1 sites have 20 deaths: two are needed"
    }
    nameless = leave_one_site_out(with_sites(quick, [""] * n), bootstrap=0, seed=1)
    assert nameless.as_json() == {"refused": "the cohort file names no site"}


def test_later_patients_are_judged_by_what_earlier_ones_taught_and_by_nothing_else(quick):
    n = len(quick.plan.cohort)
    periods = np.random.default_rng(4).permutation(2015.0 + np.arange(n) / 100)
    dated, watched = changed(quick, periods=tuple(periods)), Watched()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(splits, "learn", watched)
        found = temporal(dated, bootstrap=0, seed=1)
    later = np.flatnonzero(periods >= np.quantile(periods, 0.75, method="higher"))
    assert (found.judged == later).all()
    allowed = {quick.plan.matrix.x[row].tobytes() for row in set(range(n)) - set(later)}
    assert watched.trained[-1] == allowed
    assert all(trained <= allowed for trained in watched.trained)
    assert (found.evaluation.n, found.trained_on) == (len(later), n - len(later))
    assert found.how.startswith("trained on patients of before 2018.")
    assert found.how.endswith("its calibration was fitted on the earlier ones; " + splits.CHOSEN)
    assert 0.6 < found.evaluation.horizons[180.0].auc.value < 0.95


def test_the_simple_models_learn_from_earlier_patients_too_and_are_judged_on_the_same_later_ones(quick):
    n = len(quick.plan.cohort)
    found = temporal(changed(quick, periods=tuple(2020.0 + np.arange(n) / n)), bootstrap=5, seed=1)
    assert [one.name for one in found.comparisons] == ["albumin_alone", "ln_nlr_alone", "cox_four"]
    assert found.as_json()["beats_them"].startswith("Does it beat them by day 90? albumin alone: ")
    albumin = [one.current("albumin") for one in quick.plan.cohort.select(found.judged).patients]
    assert found.comparisons[0].n == sum(one is not None for one in albumin)
    assert 0.5 < found.comparisons[2].horizons[180.0].auc.value < 0.9


def test_a_drift_in_time_that_cross_validation_cannot_see_is_seen(quick):
    """The later half dies twice as fast: cross-validation finds as many deaths as it expects, the later patients more."""
    cohort = quick.plan.cohort
    n = len(cohort)
    times = np.where(np.arange(n) >= n // 2, cohort.follow_up.times / 2, cohort.follow_up.times)
    faster = fit(replace(cohort, follow_up=replace(cohort.follow_up, times=times)), QUICK)
    found = temporal(changed(faster, periods=tuple(2020.0 + np.arange(n) / n)), bootstrap=0, seed=1)
    log_odds = faster.cross.repeats[0].calibrated["linear"]
    later = followed(faster.plan.cohort.follow_up, found.judged)
    everybody = evaluate(sigmoid(log_odds), log_odds, faster.plan.cohort.follow_up, faster.cross.horizons, bootstrap=0, seed=1)
    assert len(later) == found.evaluation.n
    assert everybody.horizons[180.0].calibration.observed_expected.value == pytest.approx(1.0, abs=0.1)
    assert found.evaluation.horizons[180.0].calibration.observed_expected.value > 1.1


@pytest.mark.parametrize(
    ("periods", "why"),
    [
        (lambda n: None, "the calendar year of the index date is not known for everybody"),
        (lambda n: (2020.0,) * n, "at least 75% of the patients are of one period"),
    ],
)
def test_a_cohort_without_an_earlier_and_a_later_time_has_no_temporal_split(quick, periods, why):
    found = temporal(changed(quick, periods=periods(len(quick.plan.cohort))), bootstrap=0, seed=1)
    assert found.as_json()["refused"].startswith(why)


def test_too_few_later_deaths_refuse_the_split_with_their_number_hidden(quick):
    few = quick.plan.cohort.select(np.arange(60))
    plan = replace(quick.plan, cohort=replace(few, periods=tuple(np.arange(60.0))))
    found = temporal(replace(quick, plan=plan), bootstrap=0, seed=1).as_json()
    assert found["refused"].startswith("of the 15 patients who would be judged, day ")
    assert "fewer than 10 deaths by day 90" in found["refused"]
