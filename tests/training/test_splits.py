"""Folds: no patient on both sides, the deaths spread evenly."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.statistics.splits import grouped_folds


@given(st.integers(0, 2**32 - 1), st.integers(2, 6))
def test_a_patient_never_sits_on_both_sides(seed: int, k: int) -> None:
    random = np.random.default_rng(seed)
    groups = random.integers(0, 40, 200)
    folds = grouped_folds(groups, random.random(200) < 0.3, k, seed=1)
    assert all(np.unique(folds[groups == patient]).size == 1 for patient in np.unique(groups))
    assert set(folds) == set(range(k))


@given(st.integers(0, 2**32 - 1), st.integers(2, 6))
def test_folds_are_even_in_patients_and_in_deaths(seed: int, k: int) -> None:
    deaths = np.random.default_rng(seed).random(103) < 0.2
    folds = grouped_folds(np.arange(103), deaths, k, seed=seed)
    assert np.ptp(np.bincount(folds, minlength=k)) <= 1
    assert np.ptp(np.bincount(folds[deaths], minlength=k)) <= 1


def test_patients_with_many_rows_are_spread() -> None:
    groups = np.repeat(np.arange(20), [30] * 5 + [1] * 15)
    assert np.ptp(np.bincount(grouped_folds(groups, np.zeros(groups.size, bool), 5, seed=1))) == 0


def test_the_fold_of_a_patient_depends_on_the_seed_and_not_on_the_order_of_the_rows() -> None:
    groups = np.array([f"patient {number}" for number in range(50)])
    deaths, order = np.arange(50) % 3 == 0, np.random.default_rng(2).permutation(50)
    folds = grouped_folds(groups, deaths, 5, seed=9)
    assert (grouped_folds(groups[order], deaths[order], 5, seed=9) == folds[order]).all()
    assert (grouped_folds(groups, deaths, 5, seed=10) != folds).any()


@pytest.mark.parametrize("k", [1, 4])
def test_more_folds_than_patients_are_refused(k: int) -> None:
    with pytest.raises(ValueError, match=f"{k} folds of 3 patients: allowed is 2 to the number of patients"):
        grouped_folds([1, 2, 3], np.array([True, False, False]), k, seed=1)
