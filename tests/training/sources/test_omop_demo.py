"""The demo of 28 synthetic persons (OHDSI Eunomia): what the import says of it is what plain SQL over its files says."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import pytest

from models.mapping import InvalidCohort
from training.cohort import read_cohort
from training.sources.account import Account
from training.sources.concept_sets import concepts
from training.sources.imported import Wanted
from training.sources.omop.imported import import_files
from training.sources.people import Index

COHORTS = os.environ.get("LYMPHORISK_COHORTS")
pytestmark = pytest.mark.skipif(COHORTS is None, reason="LYMPHORISK_COHORTS does not name the folder of the sources")
ON = date(2015, 6, 1)
CODES = {
    "albumin": "1751-7", "bilirubin": "1975-2", "bmi": "39156-5", "creatinine": "2160-0", "hemoglobin": "718-7",
    "platelets": "777-3", "sodium": "2951-2", "wbc": "6690-2", "weight": "29463-7",
}
PEOPLE = f"""
    FROM PERSON p JOIN OBSERVATION_PERIOD o ON o.person_id = p.person_id LEFT JOIN DEATH d ON d.person_id = p.person_id
    WHERE DATE '{ON}' BETWEEN o.observation_period_start_date AND o.observation_period_end_date
      AND coalesce(d.death_date, DATE '2099-01-01') >= DATE '{ON}'"""


@pytest.fixture(scope="module")
def archive() -> Path:
    return Path(str(COHORTS)) / "omop_synthea27nj" / "Synthea27Nj_5.4.zip"


@pytest.fixture(scope="module")
def imported(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Account, Path]:
    """All who were under observation on a day, whatever their diagnoses: nobody of the demo has a tumour."""
    out = tmp_path_factory.mktemp("demo") / "cohort"
    return import_files(archive, Wanted(out, "demo", Index(day=ON), everybody=True), concepts(), threads=1, memory="500MB"), out


@pytest.fixture(scope="module")
def sql(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """The files of the demo as tables, read by nothing of the product."""
    folder = tmp_path_factory.mktemp("plain")
    zipfile.ZipFile(archive).extractall(folder)
    connection = duckdb.connect()
    for name in ("PERSON", "OBSERVATION_PERIOD", "DEATH", "MEASUREMENT", "CONCEPT"):
        connection.execute(f"CREATE TABLE {name} AS SELECT * FROM read_csv('{folder / name}.csv')")
    yield connection
    connection.close()


@pytest.mark.parametrize(("analyte", "code"), CODES.items())
def test_results_are_those_of_its_code(
    imported: tuple[Account, Path], sql: duckdb.DuckDBPyConnection, analyte: str, code: str
) -> None:
    known = "JOIN CONCEPT c ON c.concept_id = m.measurement_concept_id"
    rows = f"SELECT m.* FROM MEASUREMENT m {known} WHERE c.concept_code = '{code}'"
    possible = f"SELECT * FROM ({rows}) WHERE '{analyte}' <> 'weight' OR value_as_number BETWEEN 20 AND 400"
    theirs = f"SELECT * FROM ({possible}) m WHERE m.person_id IN (SELECT p.person_id {PEOPLE})"
    counts = (sql.execute(f"SELECT count(*) FROM ({one})").fetchall() for one in (rows, possible, theirs))
    seen, usable, written = (n for ((n,),) in counts)
    fates = imported[0].results[analyte]
    assert (sum(fates.values()), fates.get("written", 0)) == (seen, written)
    assert seen - usable == sum(n for fate, n in fates.items() if fate.startswith("not a possible value"))


def test_every_other_row_is_told_as_not_read(imported: tuple[Account, Path], sql: duckdb.DuckDBPyConnection) -> None:
    (rows,) = sql.execute("SELECT count(*) FROM MEASUREMENT").fetchone() or ()
    read = sum(sum(fates.values()) for fates in imported[0].results.values())
    assert read + sum(n for *_, n in imported[0].not_read) == rows == 10_040


def test_patients_and_follow_up_are_those_of_its_persons(imported: tuple[Account, Path], sql: duckdb.DuckDBPyConnection) -> None:
    ended = f"""CASE WHEN d.death_date IS NOT NULL THEN d.death_date ELSE o.observation_period_end_date END - DATE '{ON}'"""
    age = f"date_part('year', age(DATE '{ON}', make_date(year_of_birth, month_of_birth, day_of_birth)))"
    expected = sql.execute(f"""
        SELECT CAST(p.person_id AS VARCHAR), {age}, CASE gender_source_value WHEN 'F' THEN 'female' ELSE 'male' END, {ended},
               CASE WHEN d.death_date IS NULL THEN 0 ELSE 1 END {PEOPLE} ORDER BY 1""").fetchall()
    found = duckdb.sql(f"""SELECT patient, age_years, sex, os_days, died
        FROM read_parquet('{imported[1] / "patients.parquet"}') ORDER BY 1""").fetchall()
    assert found == expected
    assert imported[0].flow == (
        ("persons read", 0, 28), ("dead before the index date", 2, 26), ("not under observation on the index date", 3, 23),
    )


def test_nobody_of_it_is_in_a_cohort_of_tumours(imported: tuple[Account, Path]) -> None:
    with pytest.raises(InvalidCohort, match="nobody: 23 no malignant primary tumour recorded by the index date"):
        read_cohort(imported[1] / "cohort.toml")


def test_unpacked_it_is_the_same(imported: tuple[Account, Path], archive: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(archive).extractall(tmp_path / "demo")
    wanted = Wanted(tmp_path / "out", "demo", Index(day=ON), everybody=True)
    assert import_files(tmp_path / "demo", wanted, concepts(), threads=1, memory="500MB") == imported[0]
