"""The course of a count: from the newest draw back, with the grades where they are, limits marked, and a scale that fits."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.lymphopenia import BOUNDARIES
from serving.pages.trends import HEIGHT, LEFT, MOST_SHOWN, RIGHT, TOP, WIDTH, Trend, trends_of


def patient(analyte: str, *draws: tuple[float, float] | tuple[float, float, str]) -> dict[str, Any]:
    told = [
        {"analyte": analyte, "days_before_index": float(one[0]), "value": float(one[1]), "limit": one[2] if len(one) > 2 else ""}
        for one in draws
    ]
    return {"measurements": told}


def the_one(document: dict[str, Any]) -> Trend:
    (found,) = trends_of(document)
    return found


def test_one_draw_is_no_course() -> None:
    assert trends_of(patient("alc", (3, 0.8))) == []
    assert trends_of(patient("albumin", (3, 34), (30, 36))) == []


def test_the_newest_draw_comes_first_and_stands_furthest_right() -> None:
    found = the_one(patient("alc", (60, 1.4), (2, 0.7), (30, 0.9)))
    assert [one.days for one in found.draws] == [2, 30, 60]
    assert [one.x for one in found.draws] == sorted((one.x for one in found.draws), reverse=True)
    assert (found.draws[-1].x, found.unit) == (LEFT, "10*9/L")


def test_the_bands_are_the_grades_with_their_limits_of_ctcae() -> None:
    found = the_one(patient("alc", (60, 1.4), (2, 0.7)))
    assert [band.grade for band in found.bands] == [1, 2, 3, 4]
    foot, top = found.bands[-1].y + found.bands[-1].height, found.bands[0].y
    per_unit = (foot - top) / BOUNDARIES[0]
    for band, limit in zip(found.bands, BOUNDARIES, strict=True):
        assert band.y == pytest.approx(foot - limit * per_unit, abs=0.02)
    low = found.draws[0]
    assert found.bands[1].y < low.y < found.bands[1].y + found.bands[1].height  # .7 is grade 2
    assert the_one(patient("nlr", (60, 4), (2, 9))).bands == ()


def test_ca19_9_runs_over_whole_powers_of_ten_and_a_value_of_nothing_has_a_place() -> None:
    found = the_one(patient("ca19_9", (60, 0.0), (30, 50), (2, 41200)))
    assert [tick.label for tick in found.up] == ["0.1", "1", "10", "100", "1,000", "10,000", "100,000"]
    heights = [one.y for one in found.draws]
    assert heights == sorted(heights)
    steps = [a.x - b.x for a, b in zip(found.up, found.up[1:], strict=False)]
    assert max(steps) - min(steps) < 0.03


def test_a_limit_is_marked_as_one() -> None:
    found = the_one(patient("ca19_9", (60, 2.0, "<"), (2, 120000, ">")))
    assert [one.limit for one in found.draws] == [">", "<"]


def test_of_very_many_draws_the_newest_are_shown_and_the_others_counted() -> None:
    found = the_one(patient("alc", *((day, 1.0) for day in range(100))))
    assert (len(found.draws), found.left_out) == (MOST_SHOWN, 100 - MOST_SHOWN)
    assert found.draws[-1].days == MOST_SHOWN - 1


@given(
    st.sampled_from(["alc", "anc", "nlr", "ca19_9"]),
    st.lists(st.tuples(st.integers(0, 3000), st.floats(0, 1e7, allow_subnormal=False)), min_size=2, max_size=80),
)
def test_every_draw_lies_within_the_picture(analyte: str, draws: list[tuple[int, float]]) -> None:
    found = the_one(patient(analyte, *draws))
    assert len(found.draws) + found.left_out == len(draws)
    for one in found.draws:
        assert LEFT - 0.01 <= one.x <= WIDTH - RIGHT + 0.01
        assert TOP - 0.01 <= one.y <= HEIGHT
        assert math.isfinite(one.y)
