"""Where a patient stands among others: worked by hand, against an independent percentile, and unmoved by a recalibration."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import percentileofscore

from models.ranks import BETWEEN, MOST_PLACES, Ranks, ranks_of
from models.risk import RiskModel


def test_the_share_below_is_told_by_horizon_and_a_tie_counts_half() -> None:
    ranks = Ranks(np.array([[-2.0, -1.0, 0.0, 1.0], [-1.0, 0.0, 0.0, 2.0]]))
    found = ranks.of(np.array([[-0.5, 0.0], [-9.0, 9.0]]))
    assert found.tolist() == [[0.5, 0.5], [0.0, 1.0]]


@given(st.integers(0, 2**32 - 1), st.integers(20, 1500))
def test_a_development_patient_ranks_as_an_independent_percentile_has_it(seed: int, patients: int) -> None:
    log_odds = np.random.default_rng(seed).normal(size=(patients, 2)).cumsum(axis=1)
    ranks = ranks_of(log_odds)
    assert ranks is not None
    places = ranks.log_odds.shape[1]
    assert places == min(MOST_PLACES, patients // BETWEEN)
    found = ranks.of(log_odds)
    for horizon in range(2):
        expected = percentileofscore(log_odds[:, horizon], log_odds[:, horizon], kind="mean") / 100
        assert np.abs(found[:, horizon] - expected).max() <= 0.5 / places + 1 / patients


def test_ten_patients_at_least_stand_between_two_places() -> None:
    log_odds = np.sort(np.random.default_rng(1).normal(size=(235, 1)), axis=0)
    ranks = ranks_of(log_odds)
    assert ranks is not None
    counts = np.histogram(log_odds[:, 0], np.concatenate([[-np.inf], ranks.log_odds[0], [np.inf]]))[0]
    assert counts[1:-1].min() >= BETWEEN


def test_of_fewer_than_twenty_patients_no_ranks_are_kept() -> None:
    assert ranks_of(np.zeros((19, 3))) is None


@pytest.mark.parametrize(
    ("log_odds", "rule"),
    [
        (np.zeros((3, 5)), "shape"),
        (np.zeros(4), "shape"),
        (np.zeros((4, 1)), "two places"),
        (np.array([[0.0, np.nan]] * 4), "finite"),
        (np.array([[1.0, 0.0]] * 4), "rise"),
        (np.array([[3.0, 4.0], [2.0, 4.0], [3.0, 4.0], [3.0, 4.0]]), "never fall"),
    ],
)
def test_ranks_that_make_no_sense_are_no_part_of_a_model(
    make_model: Callable[..., RiskModel], log_odds: np.ndarray, rule: str
) -> None:
    with pytest.raises(ValueError, match=rule):
        make_model(ranks=Ranks(log_odds))
