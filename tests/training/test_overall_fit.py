"""Brier score and index of prediction accuracy, worked by hand and against lifelines' curve."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lifelines import KaplanMeierFitter

from training.statistics.censoring import FollowUp, weights
from training.statistics.estimates import NotEstimable
from training.statistics.overall_fit import brier, ipa

FOUR = FollowUp(np.array([1.0, 2.0, 3.0, 4.0]), np.array([True, False, True, False]))


def test_brier_of_four_patients_worked_by_hand() -> None:
    found = weights(FOUR, [3.0])
    # Lost on day 2: G is 2/3 from then on, so the death on day 3 and the survivor count 1.5 each.
    assert found.weight[:, 0].tolist() == pytest.approx([1, 0, 1.5, 1.5])
    score = brier(np.array([0.8, 0.5, 0.6, 0.4]), found.dead[:, 0], found.weight[:, 0])
    assert score == pytest.approx((0.04 + 1.5 * 0.16 + 1.5 * 0.16) / 4)


def test_ipa_of_four_patients_worked_by_hand() -> None:
    found, observed = weights(FOUR, [3.0]), 1 - 3 / 4 * 1 / 2
    fit = ipa(np.array([0.8, 0.5, 0.6, 0.4]), found.dead[:, 0], found.weight[:, 0], observed)
    assert fit == pytest.approx(1 - 0.13 / (observed * (1 - observed)))


@given(st.integers(0, 2**32 - 1))
def test_the_kaplan_meier_risk_for_everybody_has_no_accuracy_and_its_brier_is_its_variance(seed: int) -> None:
    random = np.random.default_rng(seed)
    cohort = FollowUp(random.integers(1, 30, 200).astype(float), random.random(200) < 0.6)
    observed = 1 - float(KaplanMeierFitter().fit(cohort.times, cohort.deaths).predict(10))
    found = weights(cohort, [10.0])
    everybody, dead, weight = np.full(200, observed), found.dead[:, 0], found.weight[:, 0]
    assert ipa(everybody, dead, weight, observed) == pytest.approx(0)
    assert brier(everybody, dead, weight) == pytest.approx(observed * (1 - observed))


def test_certainty_that_comes_true_is_perfect_and_certainty_that_does_not_is_harmful() -> None:
    dead, weight = np.array([True, False, False, False]), np.ones(4)
    assert ipa(dead.astype(float), dead, weight, 0.25) == 1
    assert ipa(1.0 - dead, dead, weight, 0.25) < 0


def test_there_is_no_accuracy_where_nothing_varies() -> None:
    with pytest.raises(NotEstimable, match="none did"):
        ipa(np.array([0.1, 0.2]), np.array([False, False]), np.ones(2), 0.0)
    with pytest.raises(NotEstimable, match="whose state at the horizon is known"):
        brier(np.array([0.1, 0.2]), np.array([False, False]), np.zeros(2))
