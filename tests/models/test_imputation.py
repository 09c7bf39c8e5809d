"""What was not measured: the conditional mean and its spread, alone or in company, and never more than was asked for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.design import DesignMatrix
from models.imputation import Imputation

K = 7


def correlated(seed: int, k: int = K) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    loadings = rng.normal(size=(k, k))
    return rng.normal(0, 3, k), loadings @ loadings.T + 0.2 * np.eye(k)


def wide(mean: np.ndarray, covariance: np.ndarray) -> Imputation:
    """Limits too far off to matter."""
    return Imputation(mean, covariance, np.full(len(mean), -1e6), np.full(len(mean), 1e6))


def with_gaps(seed: int, n: int) -> DesignMatrix:
    """Rows with random gaps: most are owed an estimate, some do not apply."""
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 3, (n, K))
    x[rng.random((n, K)) < 0.4] = np.nan
    return DesignMatrix(x, np.isnan(x) & (rng.random((n, K)) < 0.7))


@given(st.integers(0, 10_000), st.integers(0, 2**K - 1))
def test_estimates_are_the_closed_form_of_the_normal_distribution(seed: int, pattern: int) -> None:
    mean, covariance = correlated(seed)
    seen = (pattern >> np.arange(K)) & 1 == 1
    row = np.where(seen, np.random.default_rng(seed).normal(0, 3, K), np.nan)
    filled = wide(mean, covariance).fill(DesignMatrix(row[None], ~seen[None]))
    if seen.any():
        slopes = np.linalg.solve(covariance[np.ix_(seen, seen)], covariance[np.ix_(seen, ~seen)]).T
        expected = mean[~seen] + slopes @ (row[seen] - mean[seen])
        variance = np.diag(covariance[np.ix_(~seen, ~seen)] - slopes @ covariance[np.ix_(seen, ~seen)])
    else:
        expected, variance = mean, np.diag(covariance)
    np.testing.assert_allclose(filled.x[0, ~seen], expected, rtol=1e-7, atol=1e-7)
    np.testing.assert_allclose(filled.spread[0, ~seen], np.sqrt(variance), rtol=1e-6)
    np.testing.assert_array_equal(filled.x[0, seen], row[seen])
    assert not filled.spread[0, seen].any()


def test_two_correlated_labs_by_hand() -> None:
    model = wide(np.array([10.0, 5.0]), np.array([[4.0, 1.2], [1.2, 1.0]]))
    filled = model.fill(DesignMatrix(np.array([[12.0, np.nan]]), np.array([[False, True]])))
    assert filled.x[0, 1] == pytest.approx(5 + 1.2 / 4 * 2)
    assert filled.spread[0, 1] == pytest.approx(np.sqrt(1 - 1.2**2 / 4))


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.integers(2, 300))
def test_a_row_is_the_same_to_the_bit_alone_and_in_company(seed: int, n: int) -> None:
    mean, covariance = correlated(seed % 7)
    matrix, order = with_gaps(seed, n), np.random.default_rng(seed).permutation(n)
    together = wide(mean, covariance).fill(matrix)
    shuffled = wide(mean, covariance).fill(DesignMatrix(matrix.x[order], matrix.to_estimate[order]))
    np.testing.assert_array_equal(shuffled.x, together.x[order])
    np.testing.assert_array_equal(shuffled.spread, together.spread[order])
    for row in range(min(n, 10)):
        alone = wide(mean, covariance).fill(DesignMatrix(matrix.x[row : row + 1], matrix.to_estimate[row : row + 1]))
        np.testing.assert_array_equal(alone.x[0], together.x[row])
        np.testing.assert_array_equal(alone.spread[0], together.spread[row])


@given(st.integers(0, 10_000))
def test_what_does_not_apply_stays_no_number_and_tells_nothing(seed: int) -> None:
    mean, covariance = correlated(1)
    matrix = with_gaps(seed, 20)
    filled = wide(mean, covariance).fill(matrix)
    np.testing.assert_array_equal(np.isnan(filled.x), np.isnan(matrix.x) & ~matrix.to_estimate)
    owed_all = wide(mean, covariance).fill(DesignMatrix(matrix.x, np.isnan(matrix.x)))
    np.testing.assert_array_equal(filled.x[matrix.to_estimate], owed_all.x[matrix.to_estimate])


def test_columns_are_clipped_before_they_tell_of_others_and_so_are_estimates() -> None:
    limits = np.array([0.0, 0.0]), np.array([3.0, 2.0])
    model = Imputation(np.array([1.0, 1.0]), np.array([[1.0, 0.9], [0.9, 1.0]]), *limits)
    filled = model.fill(DesignMatrix(np.array([[50.0, np.nan], [2.0, np.nan]]), np.array([[False, True]] * 2)))
    np.testing.assert_allclose(filled.x, [[3.0, 2.0], [2.0, 1.9]])


def test_what_is_given_is_not_changed() -> None:
    matrix = with_gaps(3, 5)
    before = matrix.x.copy()
    wide(*correlated(3)).fill(matrix)
    np.testing.assert_array_equal(matrix.x, before)


def test_nobody_is_filled_with_nothing() -> None:
    assert wide(*correlated(3)).fill(DesignMatrix(np.zeros((0, K)), np.zeros((0, K), np.bool_))).x.shape == (0, K)
