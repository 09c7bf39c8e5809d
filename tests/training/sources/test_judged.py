"""Results are judged as a patient's are: what is taken here is taken there, and what is refused names no value."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.analytes import ANALYTES
from models.measurements import GivenMeasurement, read_measurements
from training.sources.judged import LIMIT_LEFT_OUT, NoResult, judged
from training.sources.stages import NO_NUMBER

UNITS = sorted({unit for analyte in ANALYTES.values() for unit in analyte.units} | {"", "furlong", "g/l"})


@given(
    st.sampled_from(sorted(ANALYTES)), st.sampled_from(["", "<", ">", "=", "<=", "?"]),
    st.one_of(st.floats(allow_nan=False, allow_infinity=False, width=32), st.just(NO_NUMBER)), st.text(max_size=8),
    st.sampled_from(UNITS), st.sampled_from(UNITS), st.one_of(st.floats(0.1, 500), st.just(NO_NUMBER)),
)
def test_what_is_taken_is_without_fault_in_a_patient(
    analyte: str, sign: str, number: float, words: str, unit: str, unit_words: str, uln: float
) -> None:
    said = ""
    try:
        found = judged(analyte, sign, number, words, unit, unit_words, uln)
    except NoResult as refused:
        said = str(refused)
    if said:
        assert words.strip() not in said or len(words.strip()) < 4
        return
    value = found.value if found.value[:1] in "<>" else float(found.value)
    faults: list[object] = []
    read = read_measurements([GivenMeasurement(analyte, value, found.unit, 0.0, found.uln)], faults)  # type: ignore[arg-type]
    assert not faults
    assert math.isfinite(read[0].value)


@pytest.mark.parametrize(("given", "value"), [
    (("", 3.5, "", "g/dL", ""), "3.5"),
    (("", 35.0, "", "", "g/L"), "35"),
    (("<", 10.0, "<10", "g/L", "g/L"), "<10"),
    (("", 10.0, "< 10", "g/L", ""), "<10"),
    (("=", 40.0, "", "g/L", ""), "40"),
    (("", NO_NUMBER, "41", "g/L", ""), "41"),
])
def test_a_result_is_kept_as_it_was_given(given: tuple[str, float, str, str, str], value: str) -> None:
    assert judged("albumin", *given).value == value


@pytest.mark.parametrize(("given", "why"), [
    (("<", 10.0, ">10", "g/L", ""), "contradict each other"),
    (("", math.nan, "", "g/L", ""), "no value"),
    (("", 35.0, "", "g/L", "g/dL"), "contradict each other"),
    (("", 35.0, "", "furlong", "g/L"), "unit 'furlong' is not accepted"),
])
def test_what_is_unclear_is_refused(given: tuple[str, float, str, str, str], why: str) -> None:
    with pytest.raises(NoResult, match=why):
        judged("albumin", *given)


def test_an_impossible_upper_limit_leaves_the_result() -> None:
    found = judged("ldh", "", 310.0, "", "U/L", "", 9e5)
    assert (found.value, found.uln, found.remark) == ("310", None, LIMIT_LEFT_OUT)
    assert judged("ldh", "", 310.0, "", "U/L", "", 250.0).uln == 250.0
