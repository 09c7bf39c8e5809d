"""The CTCAE grade of a lymphocyte count, and since when."""

from __future__ import annotations

import pytest

from models.lymphopenia import Lymphopenia, lymphopenia
from models.patient import GivenMeasurement, assemble


def found(*draws: tuple[float | str, float]) -> Lymphopenia | None:
    given = [GivenMeasurement("alc", value, "10*9/L", day) for value, day in draws]
    return lymphopenia(assemble(id="p", age_years=60, sex=None, tumour="nsclc", measurements=given))


@pytest.mark.parametrize(
    ("alc", "grade"),
    [(1.5, 0), (1.0, 0), (0.99, 1), (0.8, 1), (0.79, 2), (0.5, 2), (0.49, 3), (0.2, 3), (0.19, 4), (0, 4), ("<0.5", 3)],
)
def test_a_value_on_a_boundary_belongs_to_the_milder_grade(alc: float | str, grade: int) -> None:
    one = found((alc, 0.0))
    assert one is not None
    assert one.grade == grade


def test_it_lasts_since_the_earliest_of_the_unbroken_low_counts() -> None:
    assert found((0.7, 0.0), (0.9, 30.0), (0.6, 60.0), (1.4, 90.0), (0.3, 120.0)) == Lymphopenia(2, 60.0)


def test_a_normal_count_has_no_beginning() -> None:
    assert found((1.2, 3.0), (0.4, 30.0)) == Lymphopenia(0, None)


def test_a_count_older_than_28_days_says_nothing_of_today() -> None:
    assert found((0.4, 29.0)) is None
