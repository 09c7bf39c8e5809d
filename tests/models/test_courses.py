"""Dated treatments and the history they add up to; what they do not speak of stays unknown."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.courses import DAYS_A_MONTH, Treatment, course_faults, running, summarise


def test_lines_are_counted_by_their_number_and_unnumbered_courses_one_by_one() -> None:
    both = [Treatment("chemotherapy", 400, 300, line=1), Treatment("immunotherapy", 400, 300, line=1)]
    assert summarise(both).prior_lines == 1
    assert summarise([*both, Treatment("targeted", 200, 100, line=2)]).prior_lines == 2
    assert summarise([Treatment("chemotherapy", 400, 300), Treatment("targeted", 200, 100)]).prior_lines == 2


def test_a_line_that_has_just_begun_is_no_prior_line() -> None:
    found = summarise([Treatment("chemotherapy", 3.0)])
    assert (found.prior_lines, found.prior_systemic_therapy, found.last_line_months) == (0, 0, None)


def test_absence_is_believed_of_systemic_treatment_only() -> None:
    found = summarise([Treatment("chemotherapy", 400, 300)])
    assert (found.prior_chemotherapy, found.prior_immunotherapy) == (1, 0)
    assert (found.prior_radiotherapy, found.steroids_14d, found.gcsf_14d, found.infection_14d) == (None,) * 4
    radiated = summarise([Treatment("radiotherapy", 40, 30)])
    assert (radiated.prior_lines, radiated.prior_systemic_therapy, radiated.prior_radiotherapy) == (None, None, 1)


@pytest.mark.parametrize(("end", "steroids"), [(None, 1), (0, 1), (14, 1), (15, None)])
def test_what_confounds_a_count_is_recent_or_not_known(end: float | None, steroids: float | None) -> None:
    assert summarise([Treatment("steroid", 60, end)]).steroids_14d == steroids
    assert summarise([Treatment("g-csf", 60, end), Treatment("g-csf", 90, 80)]).gcsf_14d == steroids


def test_the_last_radiotherapy_counts_and_one_that_runs_is_today() -> None:
    older = Treatment("radiotherapy", 400, 380)
    assert summarise([older, Treatment("radiotherapy", 40, 30)]).days_since_radiotherapy == 30
    assert summarise([older, Treatment("radiotherapy", 4)]).days_since_radiotherapy == 0


def test_the_last_line_is_the_one_that_ended_last_from_its_first_course_on() -> None:
    courses = [
        Treatment("chemotherapy", 400, 300, line=1, outcome="progression"),
        Treatment("chemotherapy", 200, 150, line=2, outcome="unknown"),
        Treatment("targeted", 140, 100, line=2, outcome="toxicity"),
    ]
    found = summarise(courses)
    assert found.last_line_outcome == "toxicity"
    assert found.last_line_months == pytest.approx(100 / DAYS_A_MONTH)
    assert found.months_on_therapy == pytest.approx((100 + 50 + 40) / DAYS_A_MONTH)


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 30)), min_size=1, max_size=6))
def test_months_on_therapy_count_every_day_once(spans: list[tuple[int, int]]) -> None:
    courses = [Treatment("chemotherapy", float(end + length), float(end)) for end, length in spans]
    days = {day for end, length in spans for day in range(end, end + length)}
    assert summarise(courses).months_on_therapy == pytest.approx(len(days) / DAYS_A_MONTH)


def test_a_line_runs_when_it_has_no_end_and_began_longer_ago() -> None:
    courses = [Treatment("chemotherapy", 7), Treatment("targeted", 8), Treatment("steroid", 30), Treatment("endocrine", 30, 10)]
    assert [course.modality for course in running(courses, 7.0)] == ["targeted"]


@pytest.mark.parametrize(
    ("course", "field"),
    [
        (Treatment("chemotherapy", -1), "treatments/0/start"),
        (Treatment("chemotherapy", math.nan), "treatments/0/start"),
        (Treatment("chemotherapy", 10, -2), "treatments/0/end"),
        (Treatment("chemotherapy", 10, 20), "treatments/0/end"),
        (Treatment("chemo", 10), "treatments/0/modality"),
        (Treatment("chemotherapy", 10, 5, outcome="bad"), "treatments/0/outcome"),
    ],
)
def test_a_course_that_cannot_be_is_a_fault_with_its_place(course: Treatment, field: str) -> None:
    assert [fault.field for fault in course_faults([course], "treatments")] == [field]


def test_courses_in_order_are_no_fault() -> None:
    assert course_faults([Treatment("surgery", 30, 30), Treatment("g-csf", 3, 0)], "treatments") == []
