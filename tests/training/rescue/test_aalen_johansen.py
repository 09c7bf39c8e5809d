"""Incidence with a competing cause against lifelines, by hand, and with the laws it must keep."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines import AalenJohansenFitter, KaplanMeierFitter

from training.rescue.aalen_johansen import cumulative_incidence

END = st.tuples(st.integers(1, 30), st.integers(0, 2))
ends = st.lists(END, min_size=1, max_size=40).filter(lambda made: any(cause for _, cause in made))


def test_it_agrees_with_lifelines_to_a_millionth() -> None:
    rng = np.random.default_rng(4)
    times, causes = rng.permutation(200).astype(float) + 1, rng.integers(0, 3, 200)  # no ties: lifelines would scatter them
    oracle = AalenJohansenFitter(calculate_variance=True, seed=0).fit(times, causes, event_of_interest=1)
    found = cumulative_incidence(times, causes, 1)
    days = np.sort(times[causes > 0])[:-1]
    assert found.share.at(days) == pytest.approx(oracle.cumulative_density_.loc[days].to_numpy()[:, 0], abs=1e-6)
    assert found.variance.at(days) == pytest.approx(oracle.variance_.loc[days].to_numpy(), abs=1e-6)
    low, high = found.band(days)
    interval = oracle.confidence_interval_.loc[days].to_numpy()
    known = ~np.isnan(low)
    assert low[known] == pytest.approx(interval[known, 0], abs=1e-6)
    assert high[known] == pytest.approx(interval[known, 1], abs=1e-6)


def test_four_patients_worked_by_hand() -> None:
    # day 1 recovers one of four; day 2 dies one of three; day 3 is lost; day 4 the last recovers
    found = cumulative_incidence(np.array([1.0, 2, 3, 4]), np.array([1, 2, 0, 1]), 1)
    assert found.share.at([1.0, 2.0, 3.0, 4.0]).tolist() == pytest.approx([0.25, 0.25, 0.25, 0.75])


@settings(max_examples=40)
@given(ends)
def test_the_incidences_and_those_still_waiting_make_up_everybody(given_ends: list[tuple[int, int]]) -> None:
    times, causes = (np.array(column) for column in zip(*given_ends, strict=True))
    free = KaplanMeierFitter().fit(times, causes > 0)
    days = np.unique(times)
    shares = sum(cumulative_incidence(times.astype(float), causes, cause).share.at(days) for cause in (1, 2))
    assert shares + free.survival_function_.loc[days].to_numpy()[:, 0] == pytest.approx(np.ones(days.size), abs=1e-9)


@settings(max_examples=40)
@given(ends)
def test_nobody_is_promised_more_than_if_the_dead_could_still_recover(given_ends: list[tuple[int, int]]) -> None:
    times, causes = (np.array(column) for column in zip(*given_ends, strict=True))
    naive = 1 - KaplanMeierFitter().fit(times, causes == 1).survival_function_
    days = np.unique(times)
    found = cumulative_incidence(times.astype(float), causes, 1).share.at(days)
    assert (found <= naive.loc[days].to_numpy()[:, 0] + 1e-9).all()


def test_with_delayed_entry_only_those_who_had_entered_are_at_risk() -> None:
    # the second enters on day 2: on day 1 one of one recovers
    found = cumulative_incidence(np.array([1.0, 4]), np.array([1, 1]), 1, np.array([0.0, 2]))
    assert found.share.at([1.0]).tolist() == [1.0]


def test_a_day_that_is_missing_is_refused() -> None:
    with pytest.raises(ValueError, match=r"days of 1 patient.*likely missing"):
        cumulative_incidence(np.array([1.0, np.nan]), np.array([1, 0]), 1)


def test_days_without_a_cause_each_are_refused() -> None:
    with pytest.raises(ValueError, match=r"shapes \[\(2,\), \(1,\)\]"):
        cumulative_incidence(np.array([1.0, 2]), np.array([1]), 1)
