"""Patients who stand in the development and in the validation cohort: whoever was learned from cannot be judged on."""

from __future__ import annotations

import numpy as np

from models.patient import Patient
from training.cohort import Cohort
from training.diagnosis.finding import Finding
from training.diagnosis.lookalikes import lookalikes
from training.diagnosis.rows import rows_at

YEARS = 5.0  # by which the age of one person may differ between two index dates
HALF = 0.5
_QUESTION = "Is no patient in both development and validation?"


def overlap(development: Cohort, validation: Cohort) -> list[Finding]:
    """Rows of `validation` whose patient is in `development`: under the same name, and under another with the same look."""
    alike = "Does no patient of the validation look like one of the development, to the last digit?"
    return [_same_names(development, validation), lookalikes(development, validation).finding("look-alikes in both", alike)]


def unknown_development() -> Finding:
    """What is said where the development cohort is not at hand."""
    why = "the development cohort is not at hand: --against COHORT holds the two against each other"
    return Finding("patients in both", "participants", _QUESTION, "Unknown", None, why)


def _same_names(development: Cohort, validation: Cohort) -> Finding:
    """Names alone prove nothing: two hospitals may both count from 1. They count where most fit in age, sex and tumour."""
    item, by_name = "patients in both", {patient.id: patient for patient in development.patients}
    shared = np.array([patient.id in by_name for patient in validation.patients])
    fits = np.array([one.id in by_name and _one_person(one, by_name[one.id]) for one in validation.patients])
    if not shared.any():
        why = f"none of {len(validation)} patients has the name of one in {development.name}"
        return Finding(item, "participants", _QUESTION, "Pass", 0, why, unit="patients")
    why = f"{fits.sum()} of {len(validation)} patients have name, age, sex and tumour of a patient of {development.name}"
    if fits.sum() >= HALF * shared.sum():
        return Finding(item, "participants", _QUESTION, "Fail", int(fits.sum()), why, rows_at(validation, fits), unit="patients")
    why += f", but {shared.sum()} names occur in both: likely two hospitals that count alike"
    return Finding(item, "participants", _QUESTION, "Unknown", int(shared.sum()), why, unit="patients")


def _one_person(one: Patient, other: Patient) -> bool:
    sexes = {one.sex, other.sex} - {"unknown"}
    return len(sexes) < 2 and one.tumour == other.tumour and abs(one.age_years - other.age_years) <= YEARS
