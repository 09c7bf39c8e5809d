"""Numbers as they are typed: none is mended, and a comma is asked about."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.pages.patient_numbers import number, number_fault


@given(st.one_of(st.integers(-(10**15) + 1, 10**15 - 1), st.floats(allow_nan=False, allow_infinity=False)))
def test_a_number_written_out_is_read_back_to_the_bit(value: float) -> None:
    found = number(repr(value))
    assert (found, type(found)) == (value, type(value))


@given(st.text())
def test_whatever_is_typed_is_a_finite_number_or_stays_as_it_was(text: str) -> None:
    found = number(text)
    assert found == text if isinstance(found, str) else math.isfinite(found)


@pytest.mark.parametrize("text", ["1,2", "1,200", "1 200", "0x10", "nan", "inf", "1e999", "١٢", "1_000", "--1", "1.2.3", "½"])
def test_what_is_no_number_is_said_to_be_none(text: str) -> None:
    fault = number_fault("alc", number(text), limits=True)
    assert fault is not None
    assert fault.allowed.startswith("a number such as 0.8")
    assert ("comma" in fault.likely) == ("," in text)
    assert text not in fault.without_value()


@pytest.mark.parametrize("text", ["<2.0", "> 120000", "≤0.1", ">=5"])
def test_a_limit_of_the_assay_may_stand_where_a_result_may_and_nowhere_else(text: str) -> None:
    assert number_fault("ca19_9", number(text), limits=True) is None
    assert number_fault("age_years", number(text)) is not None


def test_a_limit_of_no_number_is_none() -> None:
    assert number_fault("ca19_9", number("<2,0"), limits=True) is not None
