"""What was learned from simulated patients, held against the truth; the exam in tests/exams does it with 20,000."""

import math

import pytest
import truth

from training.fit import Settings

PATIENTS = 3000


@pytest.fixture(scope="module")
def marks(tmp_path_factory):
    settings = Settings(refits=2, tree_refits=1)  # they make the intervals, and nothing here asks for those
    sat = truth.sit(tmp_path_factory.mktemp("oracle"), lambda *done: None, PATIENTS, PATIENTS, settings)
    return {mark.what: mark.value for mark in sat}


def test_the_ranking_is_nearly_as_good_as_the_oracles(marks):
    # method.md section 9: from 2,000 patients, at most .015 below the oracle
    assert -0.015 <= marks["AUC by day 180 minus the oracle's"] <= 0


def test_the_risk_lies_near_the_true_risk(marks):
    # .055 to .066 from 2,000 patients in method.md; .055 is asked of 20,000
    assert marks["mean absolute error of the 180-day risk"] <= 0.06


@pytest.mark.parametrize(("day", "dead"), [(180, 0.41), (365, 0.62)])
def test_as_many_die_as_were_foretold(marks, day, dead):
    # 2.5 standard errors of a ratio of two shares, of the patients developed on and of those judged
    error = math.sqrt(2 * (1 - dead) / (dead * PATIENTS))
    assert abs(marks[f"observed over expected deaths by day {day}"] - 1) <= 2.5 * error
