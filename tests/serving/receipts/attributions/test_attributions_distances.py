"""Distances between two distributions: against scipy, against sums worked by hand, and by the laws they obey."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ks_2samp, wasserstein_distance

from serving.receipts.attributions.distances import Numbers, Words, psi

NUMBERS = st.lists(st.integers(-40, 40).map(lambda one: one / 4), min_size=1, max_size=60)


def both(first: list[float], second: list[float]) -> tuple[float, float, float]:
    numbers = Numbers.of(np.array([*first, *second], dtype=np.float64))
    return numbers.distances(np.repeat([False, True], [len(first), len(second)]))


@given(NUMBERS, NUMBERS)
def test_area_and_gap_are_those_of_scipy(first: list[float], second: list[float]) -> None:
    area, gap, _ = both(first, second)
    assert area == pytest.approx(wasserstein_distance(first, second), abs=1e-12)
    with np.errstate(divide="ignore", invalid="ignore"):  # its p of so few numbers, which is not looked at
        assert gap == pytest.approx(ks_2samp(first, second, method="asymp").statistic, abs=1e-12)


@given(NUMBERS)
def test_nothing_lies_apart_from_itself(values: list[float]) -> None:
    assert both(values, values) == (0.0, 0.0, 0.0)


@given(NUMBERS, NUMBERS, st.randoms())
def test_the_order_of_patients_does_not_matter(first: list[float], second: list[float], order: object) -> None:
    found = both(first, second)
    for one in (first, second):
        order.shuffle(one)  # type: ignore[attr-defined]
    assert both(first, second) == found


@given(NUMBERS, NUMBERS)
def test_no_distance_is_negative_and_no_gap_above_one(first: list[float], second: list[float]) -> None:
    area, gap, stability = both(first, second)
    assert area >= 0
    assert 0 <= gap <= 1
    assert stability >= 0


def test_the_stability_index_is_that_of_a_sum_worked_by_hand() -> None:
    # with half a patient added: (30.5, 60.5, 10.5) and (20.5, 50.5, 30.5) of 101.5
    p, q = (30.5 / 101.5, 60.5 / 101.5, 10.5 / 101.5), (20.5 / 101.5, 50.5 / 101.5, 30.5 / 101.5)
    by_hand = sum((after - before) * math.log(after / before) for before, after in zip(p, q, strict=True))
    assert psi(np.array([30, 60, 10]), np.array([20, 50, 30])) == pytest.approx(by_hand, abs=1e-15)
    assert by_hand == pytest.approx(0.2671, abs=1e-4)


def test_the_bins_are_the_deciles_of_the_first() -> None:
    first, second = [float(one) for one in range(1, 101)], [5.0] * 30 + [95.5] * 10
    counts = [30, 0, 0, 0, 0, 0, 0, 0, 0, 10]
    _, _, stability = both(first, second)
    assert stability == pytest.approx(psi(np.full(10, 10), np.array(counts)), abs=1e-12)


def test_what_lies_beyond_the_first_falls_into_its_last_bins() -> None:
    _, _, stability = both([float(one) for one in range(1, 101)], [-7.0] * 4 + [900.0] * 6)
    assert stability == pytest.approx(psi(np.full(10, 10), np.array([4, *[0] * 8, 6])), abs=1e-12)


def test_half_of_the_absolute_differences_is_the_total_variation() -> None:
    words = Words(np.array([0, 0, 0, 1, 0, 1, 2, 2]), 4)
    variation, stability = words.distances(np.repeat([False, True], 4))
    assert variation == pytest.approx(0.5)  # (3, 1, 0) and (1, 1, 2) of 4
    assert stability == pytest.approx(psi(np.array([3, 1, 0]), np.array([1, 1, 2])))
