"""Cohorts in which the truth was set, a few each: the exam `rescue` has forty."""

from __future__ import annotations

from pathlib import Path

import pytest
import rescue as exam


@pytest.fixture(scope="module")
def nothing() -> exam.Found:
    """Ten cohorts in which a recovery does nothing."""
    return exam.replicated(1.0, False, 10, 2000, _unseen)


def _unseen(steps: int) -> None:
    """Nobody waits."""


def test_where_recovery_does_nothing_the_naive_analysis_makes_a_ratio_out_of_nothing(nothing: exam.Found) -> None:
    assert nothing.mean(exam.NAIVE) < 0.6
    assert nothing.covering(exam.NAIVE, 1.0) == 0


def test_where_recovery_does_nothing_the_time_dependent_model_says_so(nothing: exam.Found) -> None:
    assert nothing.mean(exam.TIME_DEPENDENT) == pytest.approx(1.0, abs=0.08)
    assert nothing.covering(exam.TIME_DEPENDENT, 1.0) >= 0.8


@pytest.mark.parametrize("day", ["56", "84"])
def test_where_recovery_does_nothing_a_landmark_says_so(nothing: exam.Found, day: str) -> None:
    assert nothing.mean(f"landmark day {day}") == pytest.approx(1.0, abs=0.12)
    assert nothing.covering(f"landmark day {day}", 1.0) >= 0.8


def test_what_recovery_does_is_found_and_a_landmark_falls_short_of_it() -> None:
    found = exam.replicated(0.5, False, 6, 2000, _unseen)
    assert found.mean(exam.TIME_DEPENDENT) == pytest.approx(0.55, abs=0.07)
    assert found.mean("landmark day 56") > found.mean(exam.TIME_DEPENDENT) + 0.05


def test_the_exam_is_sat_small(tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []

    def watch(doing: str, done: int, total: int) -> None:
        told.append((doing, done, total))

    marks = exam.sit(tmp_path, watch, replicates=2, patients=1200)
    assert told[-1][1:] == (6, 6)
    assert {mark.what for mark in marks} >= {"no effect: naive hazard ratio", "hazard ratio .75: time-dependent, mean"}
    assert all(mark.value == mark.value for mark in marks)  # none is missing
