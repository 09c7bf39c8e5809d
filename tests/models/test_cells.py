"""What a cell holds: a number, a word, a day or nothing."""

from __future__ import annotations

import math
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from models.cells import day_of, equals, number_in, number_of, present, text_of, year_of
from models.fault import Fault
from models.mapping import CohortFile

PLAIN = CohortFile(Path("t.toml"), "t", "", "id", "t.csv", "", "", (), (), None, {}, (), {}, (), {}, ())
CODED = replace(PLAIN, missing=(-999, 9.5, "unk"))


@pytest.mark.parametrize("value", [None, math.nan, "", "  ", "NA", "n/a", "NaN", "null", "None", "<NA>", "NaT"])
def test_empty_is_nothing(value: object) -> None:
    assert not present(PLAIN, value)


@pytest.mark.parametrize("value", [0, 0.0, False, "0", "no", -999, "unk", "nay"])
def test_zero_and_no_are_something(value: object) -> None:
    assert present(PLAIN, value)


@pytest.mark.parametrize("value", [-999, -999.0, "-999", " -999.0 ", "9.50", "unk"])
def test_a_code_of_the_source_is_nothing_however_it_is_written(value: object) -> None:
    assert not present(CODED, value)


@pytest.mark.parametrize("value", ["-99", -99, "unknown", 999, "9.51"])
def test_another_number_is_no_code(value: object) -> None:
    assert present(CODED, value)


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("3", 3.0),
        (" 3.5 ", 3.5),
        ("-1e2", -100.0),
        (3, 3.0),
        (Decimal("0.8"), 0.8),
        ("1_2", "1_2"),
        ("<2", "<2"),
        (True, True),
        (None, None),
    ],
)
def test_a_number_is_a_number_and_all_else_stays_as_it_was(value: object, number: object) -> None:
    found = number_in(value)
    assert found == number
    assert type(found) is type(number)


@pytest.mark.parametrize("value", ["three", "1,5", "1_2", "inf", float("inf"), True, "<2"])
def test_what_is_no_finite_number_is_a_fault(value: object) -> None:
    faults: list[Fault] = []
    assert number_of(PLAIN, value, "column x", faults) is None
    assert faults == [Fault("column x", str(value), "a number")]


def test_an_empty_number_is_none_and_no_fault() -> None:
    faults: list[Fault] = []
    assert number_of(CODED, "-999", "column x", faults) is None
    assert faults == []


@pytest.mark.parametrize(("value", "day"), [("0", 0.0), (-14, -14.0), ("3.5", 3.5)])
def test_a_day_is_counted_from_the_index_date(value: object, day: float) -> None:
    assert day_of(PLAIN, value, "column day", []) == day


def test_what_has_no_day_cannot_be_placed() -> None:
    faults: list[Fault] = []
    assert day_of(PLAIN, "", "column day", faults) is None
    assert [fault.given for fault in faults] == ["nothing"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "1"), ("1.0", "1"), ("1.", "1"), (Decimal("1.00"), "1"), ("-0.0", "0"), ("2.50", "2.5"), ("0.00001", str(1e-5)),
        (" IV ", "IV"), ("01", "01"), ("1.0.0", "1.0.0"), ("1e2", "1e2"), (True, "True"), (None, ""), (1.5, "1.5"), (2, "2"),
    ],
)  # fmt: skip
def test_a_word_is_what_the_cell_says(value: object, text: str) -> None:
    assert text_of(PLAIN, value) == text


@pytest.mark.parametrize(
    ("text", "sentinel", "same"),
    [("1", 1, True), ("1.0", 1, True), ("01", 1, True), ("1", "1", True), ("1.0", "1", False), ("1", True, False)],
)
def test_a_cell_equals_a_number_of_the_file_however_it_is_written(text: str, sentinel: object, same: bool) -> None:
    assert equals(text, sentinel) == same


@pytest.mark.parametrize(
    ("value", "year"), [("2021", 2021.0), (2021.5, 2021.5), ("2020-07-02", 2020.5), ("2021-01-01 09:30", 2021.0), ("", math.nan)]
)
def test_a_year_is_a_number_or_a_date(value: object, year: float) -> None:
    faults: list[Fault] = []
    assert year_of(PLAIN, value, "column year", faults) == pytest.approx(year, nan_ok=True)
    assert not faults


@pytest.mark.parametrize("value", ["21", "20210101", "last year", "inf", True])
def test_what_is_no_year_is_a_fault(value: object) -> None:
    faults: list[Fault] = []
    assert math.isnan(year_of(PLAIN, value, "column year", faults))
    assert len(faults) == 1
