"""Published scores recompute what their own publications give for real patients, where those tables are at hand."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest

from models.patient import GivenMeasurement, assemble
from models.published import PUBLISHED


def rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file)


def test_loris_is_the_published_loris_of_every_patient(cohort_tables: Path) -> None:
    errors = []
    for row in rows(cohort_tables / "loris" / "msk_nonicb_nonpancreatic.csv"):
        patient = assemble(
            id=row["patient_id"], age_years=float(row["age_years"]), sex=None, tumour=row["cancer_type"],
            measurements=[GivenMeasurement("nlr", row["nlr"], "1"), GivenMeasurement("albumin", row["albumin_g_dl"], "g/dL")],
            history={"prior_systemic_therapy": row["prior_systemic_therapy"]},
            extra={"tmb": float(row["tmb_mut_mb"])},
        )  # fmt: skip
        value = PUBLISHED["loris"].of(patient).value
        assert value is not None
        errors.append(abs(value - float(row["loris_published"])))
    assert len(errors) == 820
    assert max(errors) < 0.001


def test_mgps_is_the_trials_own_mgps_of_every_patient(cohort_tables: Path) -> None:
    compared = 0
    for row in rows(cohort_tables / "pacto" / "pacto_baseline.csv"):
        given = {"crp": (row["crp_mg_l"], "mg/L"), "albumin": (row["albumin_g_l"], "g/L")}
        measurements = [GivenMeasurement(name, value, unit) for name, (value, unit) in given.items() if value]
        patient = assemble(id=row["patient_id"], age_years=65, sex=None, tumour="pancreatic", measurements=measurements)
        found = PUBLISHED["mgps"].of(patient)
        assert (found.value is None) == (len(measurements) < 2)
        if row["mgps"] and found.value is not None:  # the trial gave 0 for a low CRP without albumin: that is no score here
            assert found.value == pytest.approx(float(row["mgps"]), abs=0)
            compared += 1
    assert compared == 143
