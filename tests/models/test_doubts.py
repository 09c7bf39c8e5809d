"""What is possible and looks like a slip: said in words that hold no value, and never of a usual value."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.analytes import ANALYTES, factor_of
from models.courses import Treatment
from models.doubts import USUAL, of_a_result
from models.history_doubts import of_courses
from models.measurements import GivenMeasurement, read_measurements
from models.patient import InvalidPatient, assemble


def doubts(analyte: str, number: float, unit: str) -> list[str]:
    return list(of_a_result(analyte, number, factor_of(analyte, unit), ""))


@given(st.sampled_from(sorted(USUAL)), st.floats(0, 1))
def test_a_usual_value_raises_no_doubt_in_any_unit(analyte: str, share: float) -> None:
    low, high = USUAL[analyte]
    for unit, factor in ANALYTES[analyte].units.items():
        number = (low + share * (high - low)) / factor
        if low <= number * factor <= high and number not in (999, 9999):
            assert doubts(analyte, number, unit) == []


@given(st.sampled_from(sorted(USUAL)), st.floats(0.1, 0.9))
def test_a_usual_value_under_another_unit_is_doubted_refused_or_usual_there_too(analyte: str, share: float) -> None:
    low, high = USUAL[analyte]
    units = ANALYTES[analyte].units
    for meant, factor in units.items():
        number = (low + share * (high - low)) / factor
        for unit, other in units.items():
            faults: list[object] = []
            read_measurements([GivenMeasurement(analyte, number, unit)], faults)  # type: ignore[arg-type]  # faults of any kind
            usual = low <= number * other <= high
            assert usual or faults or doubts(analyte, number, unit), (meant, unit, number)


@given(st.sampled_from(sorted(ANALYTES)), st.floats(0.001, 1e6), st.data())
def test_a_doubt_holds_no_number_that_was_given(analyte: str, number: float, data: st.DataObject) -> None:
    unit = data.draw(st.sampled_from(sorted(ANALYTES[analyte].units)))
    for said in doubts(analyte, number, unit):
        assert not re.search(r"\d{3}", said)


def test_a_doubt_is_of_the_number_as_written_and_not_of_what_it_is_converted_to() -> None:
    assert any("nines" in said for said in of_a_result("wbc", 9999, Decimal("0.001"), ""))
    assert list(of_a_result("wbc", 9.999, Decimal(1), "")) == []


@pytest.mark.parametrize(
    ("courses", "said"),
    [
        ([(200, 100, 1), (90, 20, 2)], ""),
        ([(200, 100, 1), (100, 20, 2)], ""),
        ([(200, 100, 1), (150, 20, 2)], "different numbers"),
        ([(200, 10, 1), (150, 100, 1), (90, 50, 2)], "different numbers"),
        ([(200, 100, 2), (90, 20, 1)], "lower number"),
        ([(200, 100, None), (150, 20, None)], "a line of its own"),
        ([(200, 100, 1), (150, 20, 1)], ""),
        ([(300, 250, 1), (200, 100, 2), (240, 210, 1), (90, 20, 3)], ""),
    ],
)
def test_lines_that_run_into_each_other_are_doubted(courses: list[tuple[float, float, int | None]], said: str) -> None:
    found = list(of_courses([Treatment("chemotherapy", start, end, line, (str(start),)) for start, end, line in courses]))
    assert len(found) == bool(said)
    assert said in "".join(found)


def test_a_patients_doubts_are_kept_with_him_once_each() -> None:
    given = [GivenMeasurement("crp", 48, "mg/dL"), GivenMeasurement("crp", 48, "mg/dL", 20.0)]
    patient = assemble(id="p", age_years=97, sex="male", tumour="ovarian", measurements=given)
    assert [said.partition(":")[0] for said in patient.doubts] == ["C-reactive protein", "age", "sex and tumour"]


def test_what_lies_before_birth_is_refused_with_a_year_of_grace() -> None:
    old = GivenMeasurement("albumin", 36, "g/L", 365.25 * 30.9)
    assemble(id="p", age_years=30, sex="male", tumour="sarcoma", measurements=[old])
    with pytest.raises(InvalidPatient, match="a day before birth"):
        assemble(id="p", age_years=29, sex="male", tumour="sarcoma", measurements=[old])
