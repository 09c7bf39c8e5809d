"""A patient of a cohort's tables on a later day: what is known then, and who is no longer there."""

from __future__ import annotations

import re

import pytest

from models.cohort_file import CohortFile, read_cohort_file
from models.landmark_row import gone, patient_on
from models.patient import InvalidPatient
from models.population import Ineligible

FILE = """
name = "made up"
[tables]
patients = "patients.csv"
measurements = "measurements.csv"
treatments = "treatments.csv"
[follow_up]
time = { column = "os_days", unit = "d" }
died = { column = "died" }
entered = { column = "entered", unit = "d" }
[patient_fields]
age_years = "age"
tumour = { constant = "pancreatic" }
"""
DRAWS = [
    {"patient": "A", "day": "0", "analyte": "alc", "value": "0.8", "unit": "10*9/L"},
    {"patient": "A", "day": "28", "analyte": "alc", "value": "1.2", "unit": "10*9/L"},
    {"patient": "A", "day": "29", "analyte": "alc", "value": "2.2", "unit": "10*9/L"},
]
GIVEN = [
    {"patient": "A", "line": "2", "modality": "chemotherapy", "agents": "paclitaxel"}
    | {"start": "1", "end": "40", "outcome": "progression"},
]
LATER = [GIVEN[0] | {"end": "77", "outcome": "toxicity"}]


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> CohortFile:
    path = tmp_path_factory.mktemp("cohort") / "cohort.toml"
    path.write_text(FILE)
    return read_cohort_file(path)


def row(days: str = "90", died: str = "1", entered: str = "0") -> dict[str, str]:
    return {"patient": "A", "age": "60", "os_days": days, "died": died, "entered": entered}


def test_nothing_dated_later_is_known(cohort: CohortFile) -> None:
    seen = patient_on(cohort, row(), DRAWS, GIVEN, 28)
    assert [(one.value, one.days_before_index) for one in seen.series["alc"]] == [(1.2, 0), (0.8, 28)]
    (course,) = seen.treatments
    assert (course.start_days_before, course.end_days_before, course.outcome) == (27, None, "unknown")
    assert (seen.landmark, seen.age_years) == (28, pytest.approx(60 + 28 / 365.25))
    assert seen == patient_on(cohort, row(), DRAWS[:2], LATER, 28)


@pytest.mark.parametrize(("days", "died", "entered", "said"), [
    ("28", "1", "0", "died on day 28"),
    ("27", "0", "0", "followed to day 27"),
    ("90", "0", "29", "under observation from day 29"),
])
def test_who_is_not_there_is_refused_with_the_day(cohort: CohortFile, days: str, died: str, entered: str, said: str) -> None:
    with pytest.raises(Ineligible, match=re.escape(f"landmark day 28 = {said}: allowed is a day on which")):
        patient_on(cohort, row(days, died, entered), DRAWS, GIVEN, 28)


@pytest.mark.parametrize(("days", "died"), [("28", "0"), ("29", "1"), ("", "")])
def test_who_was_last_seen_on_that_day_or_of_whom_nothing_is_told_is_scored(cohort: CohortFile, days: str, died: str) -> None:
    assert patient_on(cohort, row(days, died), DRAWS, GIVEN, 28).landmark == 28


def test_a_follow_up_that_cannot_be_read_is_told(cohort: CohortFile) -> None:
    with pytest.raises(InvalidPatient, match="column os_days"):
        patient_on(cohort, row("soon"), DRAWS, GIVEN, 28)


def test_who_dies_on_the_landmark_is_no_longer_there_to_learn_from() -> None:
    assert [gone(28, days, True, 0) for days in (27, 28, 29)] == ["died", "died", ""]
    assert [gone(0, days, False, 0) for days in (0, 1)] == ["censored", ""]
    assert gone(28, 90, True, 40) == "not entered"
