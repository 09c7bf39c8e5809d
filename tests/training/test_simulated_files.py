"""The simulated cohort on disk, read back the way any cohort is read."""

import csv
import re
import tomllib
from collections import defaultdict
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from models.cohort_file import read_cohort_file
from models.cohort_row import outcome_of, patient_of
from models.features import FEATURES
from models.patient import Patient
from models.population import ineligibility
from training.simulation.files import write
from training.simulation.simulate import SimulatedCohort, simulate
from training.simulation.tables import one_row, tidy, truth
from training.simulation.truth import HORIZONS

FROM_HISTORY = {"alc_change", "nlr_change", "ca19_9_change"}


@pytest.fixture(scope="module")
def cohort() -> SimulatedCohort:
    return simulate(400, seed=2)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def by_patient(path: Path) -> dict[str, list[dict[str, str]]]:
    grouped: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in rows_of(path):
        grouped[row["patient"]].append(row)
    return grouped


def read_one_row(path: Path) -> dict[str, Patient]:
    mapping = read_cohort_file(path)
    rows = rows_of(path.parent / mapping.table)
    assert mapping.missing_columns(rows[0]) == []
    return {row["patient"]: patient_of(mapping, row) for row in rows}


def read_tidy(path: Path) -> dict[str, Patient]:
    mapping = read_cohort_file(path)
    rows = rows_of(path.parent / mapping.table)
    assert mapping.missing_columns(rows[0]) == []
    measured, treated = by_patient(path.parent / mapping.measurement_table), by_patient(path.parent / mapping.treatment_table)
    return {row["patient"]: patient_of(mapping, row, measured[row["patient"]], treated[row["patient"]]) for row in rows}


def test_both_forms_are_read_without_a_fault_and_tell_the_same_of_every_patient(cohort: SimulatedCohort, tmp_path: Path) -> None:
    wide, long = read_one_row(write(cohort, tmp_path / "a")), read_tidy(write(cohort, tmp_path / "b", form="tidy"))
    assert list(wide) == list(long) == list(cohort.ids)
    for patient in cohort.ids:
        for name, feature in FEATURES.items():
            if name not in FROM_HISTORY:
                one, other = feature.of(wide[patient]), feature.of(long[patient])
                # months are written to a tenth in the summary and follow from whole days in the treatments
                assert one.status == other.status, (patient, name)
                assert one.value == pytest.approx(other.value, abs=0.051, nan_ok=True), (patient, name)


def test_what_is_read_is_what_was_drawn(cohort: SimulatedCohort, tmp_path: Path) -> None:
    patients = list(read_one_row(write(cohort, tmp_path)).values())
    drawn = cohort.patients
    assert [FEATURES["ln_alc"].of(one).value for one in patients] == pytest.approx(np.log(drawn.alc))
    albumin = np.where(cohort.missing["albumin"], np.nan, 10 * drawn.albumin)
    assert [FEATURES["albumin"].of(one).value for one in patients] == pytest.approx(albumin, nan_ok=True)
    assert [one.history.prior_lines for one in patients] == list(drawn.treatments.prior_lines)
    assert all(not ineligibility(one) for one in patients)


def test_trajectories_can_be_read_from_the_tidy_form(cohort: SimulatedCohort, tmp_path: Path) -> None:
    patients = read_tidy(write(cohort, tmp_path, form="tidy")).values()
    for name in ("alc_change", "nlr_change"):
        assert all(FEATURES[name].of(one).status == "measured" for one in patients if one.current("anc").value >= 1)  # type: ignore[union-attr]
    pancreatic = [one for one in patients if one.tumour == "pancreatic" and one.current("ca19_9")]
    assert sum(FEATURES["ca19_9_change"].of(one).status == "measured" for one in pancreatic) > 0.7 * len(pancreatic)


def test_follow_up_is_read_as_drawn(cohort: SimulatedCohort, tmp_path: Path) -> None:
    path = write(cohort, tmp_path)
    mapping = read_cohort_file(path)
    outcomes = [outcome_of(mapping, row) for row in rows_of(tmp_path / mapping.table)]
    assert [one.days for one in outcomes if one] == list(cohort.times)
    assert [one.died for one in outcomes if one] == list(cohort.deaths)


def test_the_cohort_file_says_it_is_simulated_and_never_mentions_the_truth(cohort: SimulatedCohort, tmp_path: Path) -> None:
    for form in ("one-row", "tidy"):
        path = write(cohort, tmp_path / form, form=form)
        text = path.read_text(encoding="utf-8")
        assert tomllib.loads(text)["source"] == "simulated"
        assert tomllib.loads(text)["name"] == "simulated-400-2"
        assert "truth" not in text
        assert "risk" not in text


def test_the_truth_is_written_beside_with_both_risks_at_every_horizon(cohort: SimulatedCohort, tmp_path: Path) -> None:
    write(cohort, tmp_path)
    read = pd.read_csv(tmp_path / "truth.csv")
    assert list(read["patient"]) == list(cohort.ids)
    for name in ("risk_given_frailty", "risk_given_covariates"):
        assert read[[f"{name}_{day}d" for day in HORIZONS]].to_numpy() == pytest.approx(getattr(cohort, name))
    assert read.shape == truth(cohort).shape == (400, 13)


def test_parquet_holds_what_csv_holds(cohort: SimulatedCohort, tmp_path: Path) -> None:
    for form, names in (("one-row", ["patients"]), ("tidy", ["patients", "measurements", "treatments"])):
        for tables in ("csv", "parquet"):
            path = write(cohort, tmp_path / form, form=form, tables=tables)  # type: ignore[arg-type]
            assert f'patients.{tables}"' in path.read_text(encoding="utf-8")
        for name in names:
            kept = pd.read_parquet(tmp_path / form / f"{name}.parquet")
            assert kept.to_csv(index=False) == (tmp_path / form / f"{name}.csv").read_text(encoding="utf-8")


def test_ca19_9_outside_the_range_of_the_assay_is_written_as_a_limit() -> None:
    many = simulate(5_000, seed=7)
    written = one_row(many)["ca19_9_u_ml"].dropna()
    limits = {value for value in written if not re.fullmatch(r"\d+(\.\d)?", value)}
    assert limits == {"<2", ">2000", ">12000", ">120000"}
    assert (written == "<2").mean() == pytest.approx(0.08, abs=0.03)


def test_the_tidy_tables_hold_days_before_the_index_date_alone(cohort: SimulatedCohort) -> None:
    tables = tidy(cohort)
    assert tables["measurements"]["day"].between(-60, 0).all()
    assert (tables["treatments"]["end"] < 0).all()
    labs = tables["measurements"]
    assert labs.loc[labs["analyte"] == "ldh", "uln"].notna().all()
    assert not labs.duplicated(["patient", "day", "analyte"]).any()


def test_a_blemished_cohort_has_empty_cells_where_something_is_not_known() -> None:
    blemished = one_row(simulate(400, seed=2, blemishes=True))
    assert (blemished["age_years"] < 18).sum() == 2
    assert blemished["alc_10e9_l"].isna().sum() == 2
    assert (blemished["os_days"].isna() & blemished["died"].isna()).sum() == 2


def test_another_form_or_kind_of_table_is_refused(cohort: SimulatedCohort, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="form = 'wide': allowed is 'one-row' or 'tidy'"):
        write(cohort, tmp_path / "no", form="wide")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="tables = 'xlsx': allowed is 'csv' or 'parquet'"):
        write(cohort, tmp_path / "no", tables="xlsx")  # type: ignore[arg-type]
    assert not (tmp_path / "no").exists()
