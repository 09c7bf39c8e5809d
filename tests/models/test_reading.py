import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.reading import missing_code, read, shown, why_no_number


@pytest.mark.parametrize(
    ("written", "number", "limit"),
    [("<2.0", 2.0, "<"), ("> 120000", 1.2e5, ">"), ("<=2", 2, "<"), ("\u2265 5", 5.0, ">"), (" 0.8", 0.8, ""), ("1e3", 1000, "")],
)
def test_a_limit_keeps_its_sign_and_its_number(written: str, number: float, limit: str) -> None:
    assert read(written) == (number, limit)


@pytest.mark.parametrize(
    "given_",
    ["", " ", "neg", "nan", "inf", "1,200", "1_200", "2-4", "<", "<>2", "~5", "1 200", "\u0661", "0x10", True, None, [1], b"1"],
)
def test_what_is_no_result_is_not_a_number(given_: object) -> None:
    assert math.isnan(read(given_)[0])


def test_numbers_of_every_kind_are_read() -> None:
    assert [read(one)[0] for one in (1, 1.5, np.float64(1.5), np.float32(1.5), np.int64(2))] == [1.0, 1.5, 1.5, 1.5, 2.0]
    assert math.isnan(read(np.bool_(True))[0])
    assert math.isinf(read(10**400)[0])


@given(st.floats(0, 1e9))
def test_a_number_and_its_text_are_the_same(number: float) -> None:
    assert read(repr(number)) == read(number) == (number, "")


def test_a_long_text_is_refused_in_no_time_and_shown_short() -> None:
    assert math.isnan(read("1" * 200_000 + "x")[0])
    assert len(shown("1" * 200_000)) == 40
    assert shown(10**5000) == "an endless integer"
    assert (shown(1200.0), shown("<2"), shown(None)) == ("1200", "'<2'", "nothing")


def test_the_likely_cause_of_a_missing_number_is_named() -> None:
    assert "comma" in why_no_number("1,200")
    assert "yes or no" in why_no_number(False)
    assert "leave the measurement out" in why_no_number(math.nan)
    assert "<2.0" in why_no_number("undetectable")
    assert missing_code(-99) == missing_code(9999) != ""
    assert missing_code(998) == ""
