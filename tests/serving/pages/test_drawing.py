"""A staircase arrives where it says, whatever the steps; what does not add up is not drawn."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.pages.drawing import (
    LABELS,
    MOST_STEPS,
    NARROW,
    SHORT,
    VALUES,
    WIDTH,
    DoesNotAddUp,
    Scale,
    ranges,
    shortened,
    staircase,
)

NUMBERS = st.floats(-50, 50)
STEPS = st.lists(NUMBERS, max_size=40)


def drawn(start: float, values: list[float], base: float | None = None):
    steps = [(f"step {place}", value) for place, value in enumerate(values)]
    end = start + math.fsum(values)
    return staircase(("start", start), steps, ("end", end), lambda value: f"{value:.6f}", "{many} more", base), end


@given(NUMBERS, STEPS)
def test_every_bar_begins_where_the_one_before_it_ends_and_the_last_arrives(start: float, values: list[float]) -> None:
    figure, end = drawn(start, values)
    if max(map(abs, values), default=0) < 1e-3:
        return  # hardly a step: nothing to see
    first, *steps, last = figure.bars
    at = first.meets
    for bar in steps:
        assert min(abs(bar.x - at), abs(bar.x + bar.width - at)) <= 1.02  # a bar is at least one unit wide
        at = bar.meets
    assert at == pytest.approx(last.meets, abs=0.05)
    assert float(last.value) == pytest.approx(end, abs=1e-5)


@given(NUMBERS, STEPS, st.sampled_from([None, 0.0]))
def test_everything_lies_within_the_figure(start: float, values: list[float], base: float | None) -> None:
    figure, _ = drawn(start, values, base)
    for bar in figure.bars:
        assert LABELS - 2.01 <= bar.x <= bar.x + bar.width <= WIDTH - VALUES + 2.01
        assert 0 <= bar.y < figure.height - 20
    assert all(LABELS <= tick.x <= WIDTH - VALUES for tick in figure.ticks)


@given(STEPS)
def test_nothing_gets_lost_when_small_steps_are_taken_together(values: list[float]) -> None:
    found = shortened([(str(place), value) for place, value in enumerate(values)], "{many} more")
    assert len(found) <= MOST_STEPS
    assert math.fsum(value for _, value in found) == pytest.approx(math.fsum(values), abs=1e-6)
    if len(found) == MOST_STEPS and found[-1][0].endswith("more"):
        assert int(found[-1][0].split()[0]) == sum(abs(one) > 1e-9 for one in values) - MOST_STEPS + 1


def test_the_largest_steps_come_first_and_say_up_or_down() -> None:
    figure, _ = drawn(0.0, [0.5, -2.0, 1.0])
    assert [(bar.label, bar.look) for bar in figure.bars] == [
        ("start", "whole"),
        ("step 1", "down"),
        ("step 2", "up"),
        ("step 0", "up"),
        ("end", "whole"),
    ]


@pytest.mark.parametrize("missed", [1e-6, -0.3])
def test_a_sum_that_is_none_is_not_drawn(missed: float) -> None:
    with pytest.raises(DoesNotAddUp, match="do not lead from the start to the end"):
        staircase(("a", 1.0), [("b", 0.5)], ("c", 1.5 + missed), str, "{many}")


@given(st.floats(-100, 100), st.floats(1e-3, 100))
def test_ticks_are_round_and_within(low: float, span: float) -> None:
    scale = Scale(low, low + span, 0, 100)
    ticks = scale.ticks()
    assert 2 <= len(ticks) <= 6 or span / 10 < abs(low) * 1e-9
    assert all(low - 1e-9 <= one <= low + span + 1e-9 for one in ticks)
    steps = {round(after - before, 9) for before, after in itertools.pairwise(ticks)}
    assert len(steps) <= 1 or max(steps) - min(steps) < 1e-6


def test_a_scale_without_a_width_has_one_tick_in_the_middle() -> None:
    assert (Scale(3.0, 3.0, 0, 100).ticks(), Scale(3.0, 3.0, 0, 100).at(3.0)) == ([3.0], 50.0)


@given(st.lists(st.tuples(*[st.floats(0, 1)] * 4), min_size=1, max_size=6))
def test_risks_lie_where_they_belong(risks: list[tuple[float, float, float, float]]) -> None:
    names = ("low", "risk", "high", "reference")
    given_ = [(str(place), dict(zip(names, (*sorted(one[:3]), one[3]), strict=True))) for place, one in enumerate(risks)]
    width = NARROW - 80 - SHORT
    for row, (label, one) in zip(ranges(given_, str).rows, given_, strict=True):
        assert row.label == label
        for at, name in ((row.low, "low"), (row.risk, "risk"), (row.reference, "reference")):
            assert at == pytest.approx(SHORT + width * one[name], abs=0.01)
        assert row.low + row.width == pytest.approx(SHORT + width * one["high"], abs=1.02)
