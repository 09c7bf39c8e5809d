"""What one model for all landmarks learns of simulated histories, held against the truth; the exam does it with many more."""

from __future__ import annotations

import landmarks
import pytest

from training.fit import Settings
from training.progress import unwatched

PATIENTS = 700
LINEAR = Settings(horizons=(90.0, 180.0), learner="linear", learners=("linear",), folds=3, refits=2)


@pytest.fixture(scope="module")
def marks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, float]:
    sat = landmarks.sit(tmp_path_factory.mktemp("oracle"), unwatched, PATIENTS, LINEAR, days=(0, 56))
    return {mark.what: mark.value for mark in sat}


def test_a_patient_looked_at_again_is_told_apart_better_than_by_the_score_of_the_index_date(marks: dict[str, float]) -> None:
    # .03 is asked of the exam on day 56; the standard error of the difference among these is about .018
    assert marks["day 56: AUC by 180 days minus that of the index date's score"] > 0.01


def test_the_ranking_is_not_far_below_that_of_who_knows_the_true_state(marks: dict[str, float]) -> None:
    for day in (0, 56):
        assert -0.07 < marks[f"day {day}: AUC by 180 days minus the oracle's"] < 0.005


def test_risks_are_neither_too_timid_nor_too_bold_at_any_landmark(marks: dict[str, float]) -> None:
    slopes = {what: slope for what, slope in marks.items() if "calibration slope" in what}
    assert len(slopes) == 4
    assert all(0.7 < slope < 1.35 for slope in slopes.values()), slopes
