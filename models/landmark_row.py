"""A patient of a cohort's tables as known on a landmark: a day after the index date on which he is alive and followed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Literal

from models.cohort_row import Outcome, Row, outcome_of, patient_of
from models.fault import Fault
from models.mapping import CohortFile
from models.patient import DAYS_A_YEAR, Patient
from models.population import Ineligible

Gone = Literal["", "died", "censored", "not entered"]


def gone(day: float, days: float, died: bool, entered: float) -> Gone:
    """Why a patient cannot be looked at on a day; nothing where he is alive and followed beyond it.

    `days` of follow-up, whether it ended in death and from when it counts: all from the index date.
    """
    if days <= day and (day > 0 or days == 0):
        return "died" if died else "censored"
    return "not entered" if entered > day else ""


def patient_on(
    cohort: CohortFile, row: Row, measurements: Iterable[Row], treatments: Iterable[Row], landmark: float
) -> Patient:
    """The patient of one row and of its rows in the tidy tables, `landmark` days after the index date.

    What is dated later is not in him. Raises InvalidPatient naming every column at fault, and Ineligible for whom the file says
    that he had died by then, was last seen before, or was not yet under observation; where it tells of no follow-up, everybody
    is taken to be followed. Whoever was last seen alive on that very day can be scored on it, though nobody can learn from him.
    """
    outcome = outcome_of(cohort, row)
    if outcome is not None and (given := _absence(outcome, landmark)):
        raise Ineligible([Fault(f"landmark day {landmark:g}", given, "a day on which the patient is alive and followed")])
    patient = patient_of(cohort, row, measurements, treatments, until=landmark)
    return replace(patient, age_years=patient.age_years + landmark / DAYS_A_YEAR, landmark=landmark)


def _absence(outcome: Outcome, day: float) -> str:
    why = gone(day, outcome.days, outcome.died, outcome.entered)
    if why == "not entered":
        return f"under observation from day {outcome.entered:g}"
    if why == "died":
        return f"died on day {outcome.days:g}"
    return f"followed to day {outcome.days:g}" if why and outcome.days < day else ""
