"""What a follow-up can answer, and whether the sentence names the number that is short."""

import numpy as np
import pytest

from training.statistics.censoring import FollowUp
from training.statistics.standing import standing


def deaths_on(*days_and_counts: tuple[float, int]) -> FollowUp:
    """A cohort in which everybody died."""
    times = np.concatenate([np.full(count, day) for day, count in days_and_counts])
    return FollowUp(times, np.ones(times.size, bool))


def accrued(n: int, first_cut: float, last_cut: float) -> FollowUp:
    """Median survival 250 d; patients entered the study over time, and all follow-up was cut on one date."""
    random = np.random.default_rng(3)
    life, cut = random.exponential(250 / np.log(2), n), random.uniform(first_cut, last_cut, n)
    return FollowUp(np.ceil(np.minimum(life, cut)), life <= cut)


def test_a_small_trial_in_which_everybody_died() -> None:
    trial = deaths_on((20.0, 9), (45.0, 12), (80.0, 7), (200.0, 119))
    assert standing(trial, 30).level == "not evaluable"
    assert standing(trial, 30).why == "9 deaths by day 30: at least 20 are needed"
    assert (standing(trial, 30).deaths, standing(trial, 30).survivors, standing(trial, 30).min_g) == (9, 138, 1.0)
    assert standing(trial, 60).level == "evaluable"
    assert standing(trial, 60).why == "21 deaths by day 60 by effective size: at least 100 are needed to promote a model"
    assert standing(trial, 180).evaluable


def test_when_everybody_died_before_the_horizon_it_is_identifiable_but_survivors_are_short() -> None:
    found = standing(deaths_on((50.0, 100)), 365)
    assert found.level == "not evaluable"
    assert found.why == "0 patients known to be alive on day 365: at least 20 are needed"
    assert found.min_g == 1.0


def test_a_cohort_cut_before_the_horizon_is_not_identifiable() -> None:
    found = standing(accrued(1000, 0.0, 360.0), 365)
    assert found.level == "not identifiable"
    assert "nobody is known to be alive on day 365" in found.why
    assert "the longest follow-up is 360 days" in found.why


def test_a_curve_that_formally_stays_up_does_not_make_a_horizon_identifiable() -> None:
    times = np.concatenate([np.linspace(10, 290, 50), np.full(60, 300.0)])
    cohort = FollowUp(times, times > 290)
    assert standing(cohort, 365).min_g > 0.5
    assert standing(cohort, 365).level == "not identifiable"


def test_a_horizon_that_hardly_anybody_reached_is_not_identifiable() -> None:
    found = standing(accrued(2000, 0.0, 370.0), 365)
    assert found.level == "not identifiable"
    assert "at least 0.10 is needed" in found.why


def test_enough_of_both_kinds_and_enough_follow_up_may_be_promoted() -> None:
    found = standing(accrued(2000, 400.0, 900.0), 365)
    assert found.level == "promotable"
    assert found.why == ""


def test_promotion_needs_follow_up_as_well_as_numbers() -> None:
    found = standing(accrued(20_000, 100.0, 430.0), 365)
    assert 0.10 < found.min_g < 0.30
    assert found.level == "evaluable"
    assert found.why.startswith("the probability of being followed to day 365 falls to 0.")


def test_rows_of_one_patient_are_one_patient() -> None:
    cohort = deaths_on((20.0, 25), (200.0, 100))
    twice = FollowUp(np.repeat(cohort.times, 2), np.repeat(cohort.deaths, 2))
    alone, grouped = standing(cohort, 90), standing(twice, 90, groups=np.repeat(np.arange(125), 2))
    assert grouped == alone
    assert standing(twice, 90).deaths == 2 * alone.deaths


def test_a_horizon_before_most_patients_entered_is_refused() -> None:
    late = FollowUp(np.full(300, 500.0), np.zeros(300, bool), np.tile([0.0, 100.0, 150.0], 100))
    assert standing(late, 90).level == "not identifiable"
    assert standing(late, 90).why == "half of the patients came under observation on day 100 or later: day 90 lies before that"
    assert standing(late, 180).level == "not evaluable"


def test_groups_must_name_the_patient_of_every_row() -> None:
    with pytest.raises(ValueError, match="the patient of each of the 3 rows"):
        standing(deaths_on((20.0, 3)), 30, groups=[1, 2])
