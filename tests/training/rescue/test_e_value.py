"""E-values against the published examples, and the laws they keep."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.rescue.e_value import e_value


def test_the_published_example_of_a_risk_ratio() -> None:
    # VanderWeele, Ding 2017: a risk ratio of 3.9 (1.8 to 8.7) has an E-value of 7.26, its limit one of 3.0
    found = e_value(3.9, 1.8, 8.7, common=False)
    assert (round(found.estimate, 2), round(found.limit, 1)) == (7.26, 3.0)


def test_the_published_example_below_one() -> None:
    # VanderWeele, Ding 2017: a risk ratio of 0.80 (0.71 to 0.91) has an E-value of 1.81, its limit one of 1.43
    found = e_value(0.80, 0.71, 0.91, common=False)
    assert (round(found.estimate, 2), round(found.limit, 2)) == (1.81, 1.43)


def test_a_common_outcome_turns_the_hazard_ratio_into_a_smaller_risk_ratio() -> None:
    # hazard ratio 2: (1 - .5 ** 1.41421) / (1 - .5 ** .70711) = .62477 / .38743 = 1.6126
    assert e_value(2.0, 1.5, 2.5).estimate == pytest.approx(1.6126 + (1.6126 * 0.6126) ** 0.5, abs=1e-3)


def test_an_interval_that_spans_one_needs_nothing_unmeasured() -> None:
    assert e_value(0.9, 0.7, 1.1).limit == 1.0


@given(st.floats(0.05, 20), st.booleans())
def test_a_ratio_and_its_inverse_have_the_same_e_value(ratio: float, common: bool) -> None:
    one, other = (e_value(each, each, each, common=common).estimate for each in (ratio, 1 / ratio))
    assert one == pytest.approx(other)
    assert one >= 1


@pytest.mark.parametrize("given_ratio", [(0.9, 0.95, 1.1), (-1.0, -2.0, 0.5), (0.5, 0.0, 1.0)])
def test_a_ratio_outside_its_interval_is_refused(given_ratio: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match="allowed is a ratio above 0 within its interval"):
        e_value(*given_ratio)
