"""Ramps, and terms that run from an early to a late effect."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.linear import LinearModel, Ramps

# two ramps of column 0, none of column 1, one of column 2
RAMPS = Ramps(np.array([0, 0, 2]), np.array([0.0, 2.0, -1.0]), np.array([4.0, 1.0, 2.0]), np.array([0.5, 0.2, 0.4]))
MODEL = LinearModel(
    3, RAMPS, np.array([1.0, 2.0, -3.0]), np.array([0.0, 4.0, 1.0]), np.array([-2.0, -1.0, 0.0]), np.array([0.0, 0.5, 1.0])
)


def test_ramps_rise_from_0_to_1_and_are_centred() -> None:
    np.testing.assert_allclose(RAMPS.centred(np.array([[1.0, 9.0, 0.0]])), [[0.25 - 0.5, 0.0 - 0.2, 0.5 - 0.4]])
    np.testing.assert_allclose(RAMPS.centred(np.array([[-9.0, 9.0, 9.0]])), [[-0.5, -0.2, 0.6]])


def test_terms_by_hand() -> None:
    terms = MODEL.terms(np.array([[1.0, 9.0, 0.0]]))
    early = np.array([1.0 * -0.25 + 2.0 * -0.2, 0.0, -3.0 * 0.1])
    late = np.array([4.0 * -0.2, 0.0, 0.1])
    np.testing.assert_allclose(terms, [[early, (early + late) / 2, late]])


def test_what_does_not_apply_has_no_term() -> None:
    terms = MODEL.terms(np.array([[np.nan, np.nan, 0.0]]))
    assert not terms[..., :2].any()
    assert terms[0, 0, 2] != 0


@given(st.integers(0, 10_000), st.integers(1, 40))
def test_terms_are_coefficient_times_ramp_minus_mean(seed: int, n: int) -> None:
    x = np.random.default_rng(seed).normal(0, 3, (n, 3))
    terms = MODEL.terms(x)
    for row in range(n):
        for h, late in enumerate(MODEL.late):
            expected = np.zeros(3)
            for j, column in enumerate(RAMPS.source):
                rise = min(max((x[row, column] - RAMPS.start[j]) / RAMPS.width[j], 0.0), 1.0) - RAMPS.mean[j]
                expected[column] += (MODEL.first[j] + late * (MODEL.last[j] - MODEL.first[j])) * rise
            np.testing.assert_allclose(terms[row, h], expected, atol=1e-12)


def test_the_mean_patient_has_no_terms() -> None:
    """Terms are zero on average over patients whose ramps average to the development means."""
    x = np.random.default_rng(4).normal(0, 2, (50, 3))
    risen = RAMPS.centred(x) + RAMPS.mean
    model = LinearModel(3, Ramps(RAMPS.source, RAMPS.start, RAMPS.width, risen.mean(axis=0)), *vars_of(MODEL))
    np.testing.assert_allclose(model.terms(x).mean(axis=0), 0.0, atol=1e-12)


def vars_of(model: LinearModel) -> tuple[np.ndarray, ...]:
    return model.first, model.last, model.base, model.late


def test_no_ramps_are_no_terms() -> None:
    nothing = np.zeros(0)
    model = LinearModel(
        2, Ramps(np.zeros(0, np.intp), nothing, nothing, nothing), nothing, nothing, np.array([-1.0]), np.array([0.0])
    )
    assert not model.terms(np.ones((3, 2))).any()


@pytest.mark.parametrize(("source", "width"), [([1, 0], [1.0, 1.0]), ([0, 1], [1.0, 0.0]), ([0, 1], [1.0, np.nan])])
def test_ramps_out_of_order_or_without_width_are_refused(source: list[int], width: list[float]) -> None:
    with pytest.raises(ValueError, match="sorted columns and positive widths"):
        Ramps(np.array(source), np.zeros(2), np.array(width), np.zeros(2))
