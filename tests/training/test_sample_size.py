"""Riley's sample size against the worked examples of the papers, and what is explained against simulated patients."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.statistics.censoring import FollowUp
from training.statistics.sample_size import explained, largest_r2, sample_size


def test_pre_eclampsia_as_worked_by_hand_in_the_paper():
    # BMJ 2020;368:m441: 30 parameters, outcome in 5 %, R2 .05 (15 % of the possible .33): 5,249 patients; 73 for the overall risk
    found = sample_size(30, 0.05, 0.05)
    assert (found.for_shrinkage, found.for_risk, found.needed) == (5249, 73, 5249)
    by_hand = 0.05 / (0.05 + 0.05 * (1 - (0.05**0.05 * 0.95**0.95) ** 2))
    assert found.for_optimism == np.ceil(30 / ((by_hand - 1) * np.log(1 - 0.05 / by_hand)))


def test_chagas_disease_as_in_the_authors_own_program():
    # pmsampsize(type = "b", csrsquared = 0.288, parameters = 24, prevalence = 0.174) says 623, 662 and 221
    found = sample_size(24, 0.174, 0.288)
    assert (found.for_shrinkage, found.for_optimism, found.for_risk, found.needed) == (623, 662, 221, 662)


def test_without_an_expectation_it_is_fifteen_hundredths_of_what_is_possible():
    assert largest_r2(0.5) == pytest.approx(0.75)
    assert sample_size(10, 0.5).r2 == pytest.approx(0.15 * 0.75)


@given(st.integers(1, 80), st.floats(0.02, 0.98), st.floats(0.02, 0.5))
def test_more_parameters_and_less_to_explain_need_more_patients(parameters, risk, share):
    r2 = share * largest_r2(risk)
    one = sample_size(parameters, risk, r2)
    assert sample_size(parameters + 1, risk, r2).needed >= one.needed
    assert sample_size(parameters, risk, r2 / 2).for_shrinkage >= one.for_shrinkage
    assert one.for_risk == sample_size(parameters, 1 - risk, r2).for_risk


@pytest.mark.parametrize(
    ("parameters", "risk", "r2"), [(0, 0.2, None), (5, 0.0, None), (5, 1.0, None), (5, 0.2, 0.0), (5, 0.05, 0.4)]
)
def test_what_makes_no_sense_is_refused(parameters, risk, r2):
    with pytest.raises(ValueError, match="allowed is"):
        sample_size(parameters, risk, r2)


def test_what_is_explained_is_the_likelihood_ratio_of_complete_follow_up():
    rng = np.random.default_rng(1)
    log_odds = rng.normal(-1, 1.2, 4000)
    dead = rng.random(4000) < 1 / (1 + np.exp(-log_odds))
    found = explained(log_odds, FollowUp(np.where(dead, 50.0, 400.0), dead), 90)
    p, rate = 1 / (1 + np.exp(-log_odds)), dead.mean()
    gain = np.where(dead, np.log(p / rate), np.log((1 - p) / (1 - rate))).sum()
    assert found == pytest.approx(1 - np.exp(-2 * gain / 4000))


def test_censoring_takes_nothing_from_what_is_explained():
    rng = np.random.default_rng(2)
    log_odds = rng.normal(-1, 1.2, 20_000)
    dead = rng.random(20_000) < 1 / (1 + np.exp(-log_odds))
    times = np.where(dead, rng.uniform(1, 90, 20_000), 400.0)
    whole = FollowUp(times, dead)
    lost = rng.uniform(0, 250, 20_000)
    cut = FollowUp(np.minimum(times, lost), dead & (times <= lost))
    assert explained(log_odds, cut, 90) == pytest.approx(explained(log_odds, whole, 90), abs=0.01)


def test_nobody_dying_explains_nothing():
    with pytest.raises(ValueError, match="a risk of 0 by day 90"):
        explained(np.zeros(3), FollowUp(np.full(3, 400.0), np.zeros(3, bool)), 90)
