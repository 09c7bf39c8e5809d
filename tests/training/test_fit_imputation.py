import numpy as np
import pytest

from models.design import DesignMatrix
from training.learners.fit_imputation import CLIP_SD, SHRINKAGE, fit_imputation

MEAN, SD = np.array([38.0, 1.4, 0.1]), np.array([4.0, 0.6, 0.4])
CORRELATION = np.array([[1.0, -0.5, 0.3], [-0.5, 1.0, -0.6], [0.3, -0.6, 1.0]])
COVARIANCE = CORRELATION * np.outer(SD, SD)


def matrix(x, owed=True):
    return DesignMatrix(x, np.isnan(x) & owed)


def drawn(n, seed=1):
    return np.random.default_rng(seed).multivariate_normal(MEAN, COVARIANCE, n)


def test_of_complete_rows_it_is_their_mean_and_covariance_with_correlations_a_little_smaller():
    x = drawn(500)
    found = fit_imputation(matrix(x))
    np.testing.assert_allclose(found.mean, x.mean(axis=0), atol=1e-9)
    covariance = np.cov(x.T, bias=True)
    off = ~np.eye(3, dtype=bool)
    np.testing.assert_allclose(np.diag(found.covariance), np.diag(covariance), rtol=1e-5)
    np.testing.assert_allclose(found.covariance[off], (1 - SHRINKAGE) * covariance[off], rtol=2e-4)


def test_where_one_column_is_missing_at_random_it_is_the_closed_form_of_anderson():
    # Anderson, J Am Stat Assoc 1957;52:200-203: regress on what is always seen, then put in its moments over all rows
    x = drawn(3000)
    gone = x[:, 0] + np.random.default_rng(2).normal(0, 4, len(x)) > 39  # missing depends on what is seen
    seen = x[~gone]
    slope = np.cov(seen[:, 0], seen[:, 1], bias=True)[0, 1] / seen[:, 0].var()
    mean = seen[:, 1].mean() + slope * (x[:, 0].mean() - seen[:, 0].mean())
    residual = (seen[:, 1] - seen[:, 1].mean() - slope * (seen[:, 0] - seen[:, 0].mean())).var()
    variance = residual + slope**2 * x[:, 0].var()
    two = x[:, :2].copy()
    two[gone, 1] = np.nan
    found = fit_imputation(matrix(two))
    assert found.mean[1] == pytest.approx(mean, abs=0.01)
    assert found.covariance[1, 1] == pytest.approx(variance, rel=0.02)
    assert found.covariance[0, 1] / found.covariance[0, 0] == pytest.approx(slope, rel=0.03)
    assert abs(mean - seen[:, 1].mean()) > 0.05  # the mean of those who were measured is another number


def test_a_known_covariance_is_found_again_where_a_third_of_the_cells_is_missing():
    x = drawn(20_000)
    x[np.random.default_rng(3).random(x.shape) < 1 / 3] = np.nan
    found = fit_imputation(matrix(x))
    np.testing.assert_allclose(found.mean, MEAN, atol=4 * SD.max() / np.sqrt(13_000))
    correlation = found.covariance / np.sqrt(np.outer(*[np.diag(found.covariance)] * 2))
    np.testing.assert_allclose(correlation, CORRELATION, atol=0.03)


def test_an_estimate_is_the_conditional_mean_and_its_spread_the_conditional_sd():
    found = fit_imputation(matrix(drawn(20_000)))
    x = np.array([[32.0, np.nan, 0.1]])
    filled = found.fill(matrix(x))
    inverse = np.linalg.inv(COVARIANCE[np.ix_([0, 2], [0, 2])])
    slopes = COVARIANCE[1, [0, 2]] @ inverse
    assert filled.x[0, 1] == pytest.approx(MEAN[1] + slopes @ (x[0, [0, 2]] - MEAN[[0, 2]]), abs=0.03)
    assert filled.spread[0, 1] == pytest.approx(np.sqrt(COVARIANCE[1, 1] - slopes @ COVARIANCE[[0, 2], 1]), abs=0.02)


def test_what_does_not_apply_is_never_filled():
    x = drawn(200)
    x[:50, 2] = np.nan
    found = fit_imputation(matrix(x, owed=False))
    assert np.isnan(found.fill(matrix(x, owed=False)).x[:50, 2]).all()


def test_columns_are_clipped_to_what_was_seen_and_to_six_standard_deviations():
    x = drawn(500)
    x[0, 0] = 1e6
    found = fit_imputation(matrix(x))
    assert found.upper[0] < 1e6
    assert found.upper[0] == pytest.approx(x[:, 0].mean() + CLIP_SD * x[:, 0].std())
    assert found.lower.tolist() == x.min(axis=0).tolist()


def test_neither_the_order_of_patients_nor_the_unit_of_a_column_matters():
    x = drawn(300)
    x[np.random.default_rng(4).random(x.shape) < 0.2] = np.nan
    found = fit_imputation(matrix(x))
    turned = fit_imputation(matrix(x[::-1]))
    np.testing.assert_allclose(turned.covariance, found.covariance, rtol=1e-9)
    scale = np.array([0.1, 1.0, 1000.0])
    other = fit_imputation(matrix(x * scale))
    np.testing.assert_allclose(other.mean, found.mean * scale, rtol=1e-9)
    np.testing.assert_allclose(other.covariance, found.covariance * np.outer(scale, scale), rtol=1e-9)


def test_levels_that_exhaust_a_category_can_still_be_estimated_from():
    level = np.random.default_rng(5).integers(0, 3, 400)
    x = np.c_[level == 0, level == 1, level == 2, drawn(400)[:, 0]].astype(float)
    x[:20, 3] = np.nan
    filled = fit_imputation(matrix(x)).fill(matrix(x))
    assert np.isfinite(filled.x).all()


def test_a_column_that_was_never_measured_is_refused():
    x = drawn(50)
    x[:, 1] = np.nan
    with pytest.raises(ValueError, match=r"columns \[1\] are never measured"):
        fit_imputation(matrix(x))
