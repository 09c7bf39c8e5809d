"""Restricted means against lifelines and against an area measured by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from lifelines import KaplanMeierFitter
from lifelines.utils import restricted_mean_survival_time

from training.rescue.kaplan_meier import kaplan_meier
from training.rescue.rmst import RestrictedMean, restricted_mean
from training.statistics.censoring import FollowUp
from training.statistics.estimates import NotEstimable


def drawn(seed: int) -> FollowUp:
    rng = np.random.default_rng(seed)
    return FollowUp(np.ceil(rng.exponential(60, 120)), rng.random(120) < 0.75)


@pytest.mark.parametrize("until", [10.0, 45.0, 90.0])
def test_the_mean_is_that_of_lifelines(until: float) -> None:
    follow_up = drawn(2)
    oracle = KaplanMeierFitter().fit(follow_up.times, follow_up.deaths)
    found = restricted_mean(kaplan_meier(follow_up), until)
    assert found.days == pytest.approx(restricted_mean_survival_time(oracle, t=until), abs=1e-6)


def test_area_and_error_are_worked_by_hand() -> None:
    # alive 1 to day 2, 3/4 to day 4, 3/8 to day 6: area 2 + 1.5 + .75; day 3 loses one of three from view
    found = restricted_mean(kaplan_meier(FollowUp(np.array([2.0, 3, 4, 9]), np.array([True, False, True, False]))), 6.0)
    assert found.days == pytest.approx(4.25, abs=1e-12)
    assert found.error == pytest.approx(math.sqrt(2.25**2 / (4 * 3) + 0.75**2 / (2 * 1)), abs=1e-12)


def test_without_censoring_the_error_is_that_of_a_mean() -> None:
    times = np.random.default_rng(5).exponential(50, 400)
    found = restricted_mean(kaplan_meier(FollowUp(times, np.ones(400, bool))), 60.0)
    capped = np.minimum(times, 60)
    assert found.days == pytest.approx(capped.mean(), abs=1e-9)
    assert found.error == pytest.approx(capped.std() / math.sqrt(400), rel=1e-2)


def test_a_difference_adds_the_variances() -> None:
    found = RestrictedMean(60, 40, 3).minus(RestrictedMean(60, 30, 4))
    assert (found.days, found.error) == (10, 5)


def test_means_to_different_days_are_not_compared() -> None:
    with pytest.raises(ValueError, match="to day 60 and to day 90: allowed is the same day"):
        RestrictedMean(60, 40, 3).minus(RestrictedMean(90, 30, 4))


def test_a_mean_beyond_the_last_who_was_followed_is_refused() -> None:
    with pytest.raises(NotEstimable, match="followed to day 5: a restricted mean to day 9"):
        restricted_mean(kaplan_meier(FollowUp(np.array([2.0, 5]), np.array([True, False]))), 9.0)


@pytest.mark.parametrize("until", [0.0, -3.0, math.nan, math.inf])
def test_a_mean_to_no_day_is_refused(until: float) -> None:
    with pytest.raises(ValueError, match="allowed is a day above 0"):
        restricted_mean(kaplan_meier(drawn(2)), until)
