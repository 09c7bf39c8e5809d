"""One draw: what follows from it, what contradicts itself, and that a unit's spelling changes no bit."""

from __future__ import annotations

import math
from decimal import Decimal

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from models.fault import Fault
from models.measurements import ALC_FLOOR, GivenMeasurement, Measurement, read_measurements

Given = GivenMeasurement


def read(*given: Given) -> dict[str, Measurement]:
    faults: list[Fault] = []
    found = read_measurements(given, faults)
    assert not faults, faults
    return {one.analyte: one for one in found}


def faults_of(*given: Given) -> list[Fault]:
    faults: list[Fault] = []
    read_measurements(given, faults)
    return faults


@pytest.mark.parametrize(
    "alc",
    [
        (Given("alc", 0.8, "10*9/L"),),
        (Given("alc", 0.8, "K/uL"),),
        (Given("alc", 800, "cells/uL"),),
        (Given("alc", "800", "/mm3"),),
        (Given("wbc", 8, "10*9/L"), Given("lymphocyte_pct", 10, "%")),
        (Given("wbc", 8000, "/mm3"), Given("lymphocyte_pct", 10.0, "%")),
    ],
)
def test_one_lymphocyte_count_however_it_is_spelled_is_one_patient_to_the_bit(alc: tuple[Given, ...]) -> None:
    found = read(*alc, Given("anc", 5.2, "10*9/L"))
    assert (found["alc"].value, found["nlr"].value) == (0.8, 5.2 / 0.8)


@drawn(st.integers(1, 2000), st.integers(0, 1000))
def test_a_count_from_a_percentage_is_the_decimal_product_to_the_bit(hundredths: int, tenths: int) -> None:
    wbc, share = Decimal(hundredths) / 100, Decimal(tenths) / 10
    found: list[Fault] = []
    made = read_measurements([Given("wbc", float(wbc), "10*9/L"), Given("lymphocyte_pct", float(share), "%")], found)
    assert next(one.value for one in made if one.analyte == "alc") == float(wbc * share / 100)


def test_a_count_that_is_given_is_not_made_again() -> None:
    found = read(Given("wbc", 8, "10*9/L"), Given("lymphocyte_pct", 11, "%"), Given("alc", 0.8, "10*9/L"))
    assert found["alc"].value == 0.8
    assert not found["alc"].converted


def test_counts_of_two_days_make_no_ratio() -> None:
    assert "nlr" not in read(Given("alc", 0.8, "10*9/L"), Given("anc", 4, "10*9/L", 1.0))


def test_the_ratio_is_that_of_the_counts_even_where_one_is_given() -> None:
    found = read(Given("nlr", 5.1, "1"), Given("alc", 0.8, "10*9/L"), Given("anc", 4, "10*9/L"))
    assert found["nlr"].value == 5.0


@pytest.mark.parametrize(("nlr", "refused"), [(5.25, False), (4.75, False), (5.26, True), (4.74, True), (0.2, True)])
def test_a_ratio_that_disagrees_by_more_than_five_percent_is_refused(nlr: float, refused: bool) -> None:
    found = faults_of(Given("nlr", nlr, "1", field="/m/0"), Given("alc", 0.8, "10*9/L"), Given("anc", 4, "10*9/L"))
    assert [fault.field for fault in found] == ["/m/0"] * refused


def test_a_ratio_is_held_against_its_counts_and_not_against_the_floor_of_the_model() -> None:
    found = read(Given("nlr", 100, "1"), Given("alc", 0.02, "10*9/L"), Given("anc", 2, "10*9/L"))
    assert found["nlr"].value == 2 / ALC_FLOOR


@pytest.mark.parametrize("alc", [0, "<0.1"])
def test_a_lymphocyte_count_of_nothing_makes_a_ratio_that_is_no_less_than_the_floor_says(alc: float | str) -> None:
    found = read(Given("alc", alc, "10*9/L"), Given("anc", 4, "10*9/L"))
    assert 40 <= found["nlr"].value <= 80


@pytest.mark.parametrize(
    ("anc", "alc", "limit"),
    [(4, "<0.5", ">"), (4, ">5", "<"), ("<0.8", 0.5, "<"), (">100", 0.5, ">"), (">100", "<0.5", ">"), ("<1", "<0.5", "")],
)
def test_the_limit_of_a_ratio_turns_with_its_denominator(anc: float | str, alc: float | str, limit: str) -> None:
    assert read(Given("anc", anc, "10*9/L"), Given("alc", alc, "10*9/L"))["nlr"].limit == limit


@pytest.mark.parametrize(("text", "limit", "value"), [("<2.0", "<", 2.0), (">120000", ">", 120000.0)])
def test_limits_are_kept(text: str, limit: str, value: float) -> None:
    found = read(Given("ca19_9", text, "U/mL"))["ca19_9"]
    assert (found.limit, found.value) == (limit, value)


def test_a_value_below_its_limit_is_below_it() -> None:
    assert Measurement("anc", 0.5, 0.0, "<").below(0.5)
    assert not Measurement("anc", 0.5, 0.0).below(0.5)
    assert not Measurement("anc", 1.0, 0.0, "<").below(0.5)


@pytest.mark.parametrize(
    "given",
    [
        (Given("wbc", 4, "10*9/L"), Given("alc", 1.0, "10*9/L"), Given("anc", 3.5, "10*9/L")),
        (Given("wbc", 4, "10*9/L"), Given("alc", 4.5, "10*9/L")),
        (Given("wbc", 4, "10*9/L"), Given("lymphocyte_pct", 60, "%"), Given("neutrophil_pct", 70, "%")),
    ],
)
def test_parts_larger_than_their_whole_are_refused(given: tuple[Given, ...]) -> None:
    assert any("counts of different draws or units" in str(fault) for fault in faults_of(*given))


def test_percentages_that_sum_to_more_than_a_hundred_are_refused_without_a_whole() -> None:
    (fault,) = faults_of(Given("lymphocyte_pct", 60, "%"), Given("neutrophil_pct", 70, "%", field="/m/1"))
    assert (fault.field, fault.given) == ("/m/1", "130 % with the lymphocytes")


def test_rounding_alone_is_no_contradiction() -> None:
    read(Given("wbc", 4, "10*9/L"), Given("alc", 1.0, "10*9/L"), Given("anc", 3.4, "10*9/L"))
    read(Given("lymphocyte_pct", 35, "%"), Given("neutrophil_pct", 66, "%"))


def test_a_count_from_a_percentage_that_no_living_adult_has_is_refused() -> None:
    (fault,) = faults_of(Given("wbc", 200, "10*9/L"), Given("lymphocyte_pct", 80, "%", field="column lymph"))
    assert fault.field == "column lymph"
    assert "alc of at most 10" in fault.allowed


def test_a_karnofsky_score_becomes_an_ecog_grade() -> None:
    assert [read(Given("karnofsky", score, "{score}"))["ecog"].value for score in (100, 80, 60, 40, 20)] == [0, 1, 2, 3, 4]


def test_two_values_on_one_day_are_refused_and_one_value_twice_is_one() -> None:
    (fault,) = faults_of(Given("albumin", 36, "g/L", 3.0), Given("albumin", 3.7, "g/dL", 3.0, field="column alb2"))
    assert (fault.field, fault.given) == ("column alb2", "two values on day -3")
    (fault,) = faults_of(Given("ca19_9", "<2", "U/mL"), Given("ca19_9", 2, "U/mL"))
    assert fault.given == "two values on day 0"
    (fault,) = faults_of(Given("ecog", 2, "{score}"), Given("karnofsky", 90, "{score}"))
    assert fault.field == "karnofsky"
    assert len(read_measurements([Given("albumin", 36, "g/L"), Given("albumin", 3.6, "g/dL")], [])) == 1


def test_a_fault_of_one_draw_names_that_draw_and_no_other() -> None:
    early = Given("wbc", 200, "10*9/L", 7.0), Given("lymphocyte_pct", 80, "%", 7.0, field="/m/1")
    late = Given("wbc", 8, "10*9/L"), Given("lymphocyte_pct", 10, "%", field="/m/3")
    assert [fault.field for fault in faults_of(*early, *late)] == ["/m/1"]


@pytest.mark.parametrize(
    ("given", "ratio"),
    [
        (Given("ldh", 400, "U/L", uln=200), 2.0),
        (Given("ldh", 6, "ukat/L", uln=3), 2.0),
        (Given("bilirubin", 2.4, "mg/dL", uln=1.2), 2.0),
        (Given("bilirubin", 41, "umol/L", uln=20.5), 2.0),
    ],
)
def test_the_upper_limit_of_normal_is_converted_with_its_value(given: Given, ratio: float) -> None:
    found = read(given)[given.analyte]
    assert found.uln is not None
    assert found.value / found.uln == pytest.approx(ratio, rel=1e-15)


@pytest.mark.parametrize("uln", [0.0, -200.0, math.nan, math.inf, 1e9])
def test_an_impossible_upper_limit_of_normal_is_refused(uln: float) -> None:
    (fault,) = faults_of(Given("ldh", 400, "U/L", uln=uln, field="/m/0"))
    assert fault.field == "/m/0"
    assert fault.given.startswith("upper limit of normal")
    assert len(faults_of(Given("crp", 4, "mg/L", uln=0.0))) == 1


@pytest.mark.parametrize("day", [-1.0, math.nan, math.inf])
def test_what_was_not_measured_before_the_index_date_is_refused(day: float) -> None:
    (fault,) = faults_of(Given("albumin", 36, "g/L", day))
    assert "on or before the index date" in fault.allowed


def test_an_analyte_nobody_knows_is_refused_with_those_that_are_known() -> None:
    (fault,) = faults_of(Given("lymphs", 0.8, "10*9/L"))
    assert fault.allowed.startswith("one of alc, anc")


def test_an_odd_count_makes_an_odd_ratio() -> None:
    assert read(Given("alc", 0.8, "10*9/L"), Given("anc", 4, "10*9/L"))["nlr"].plausible
    assert not read(Given("alc", 0.02, "10*9/L"), Given("anc", 4, "10*9/L"))["nlr"].plausible
