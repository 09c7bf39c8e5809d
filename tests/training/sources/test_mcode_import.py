"""The CSVs of the mCODE extraction framework: the same history as in FHIR, and no record number in what is written."""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest
from small_cdm import INDEX

from models.mapping import InvalidCohort
from training.cohort import read_cohort
from training.sources.account import Account
from training.sources.imported import Wanted
from training.sources.mcode.imported import FILES, import_csvs
from training.sources.people import Index

COHORTS = os.environ.get("LYMPHORISK_COHORTS")
MRN, LOINC = "MRN-4711", "http://loinc.org"


def on(days: int) -> str:
    return (INDEX + timedelta(days)).isoformat()


def drug(name: str, days: int) -> dict[str, str]:
    return {"displayText": name, "startDate": on(days), "endDate": on(days), "status": "completed"}


ROWS: Mapping[str, Sequence[Mapping[str, str]]] = {
    "patient-information": [{"gender": "female", "dateOfBirth": "1960-06-02"}],
    "condition-information": [
        {"displayName": "Pancreatic cancer", "dateOfDiagnosis": on(-300), "verificationStatus": "confirmed"},
    ],
    "observation-information": [
        {"status": "final", "code": "731-0", "codeSystem": LOINC, "value": "1.1 10*9/L", "effectiveDate": on(-1)},
        {"status": "final", "code": "751-8", "codeSystem": LOINC, "value": "4.4 10*9/L", "effectiveDate": on(-1)},
        {"status": "final", "code": "24108-3", "codeSystem": LOINC, "value": "<2.0 U/mL", "effectiveDate": on(-1)},
        {"status": "final", "code": "1751-7", "codeSystem": LOINC, "value": "3.4", "effectiveDate": on(-1)},
    ],
    "cancer-disease-status-information": [{"diseaseStatusCode": "271299001", "dateOfObservation": on(-10)}],
    "cancer-related-medication-administration-information": [
        drug("gemcitabine", -200), drug("gemcitabine", -186), drug("fluorouracil", 0), drug("fluorouracil", 14),
    ],
}


def imported(tmp_path: Path, rows: Mapping[str, Sequence[Mapping[str, str]]] = ROWS) -> tuple[Account, Path]:
    (tmp_path / "csv").mkdir()
    for name, each in rows.items():
        with (tmp_path / "csv" / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, ("mrn", *FILES[name][0]), restval="")
            writer.writeheader()
            writer.writerows({"mrn": MRN} | dict(one) for one in each)
    return import_csvs(tmp_path / "csv", Wanted(tmp_path / "out", "small"), threads=1, memory="500MB"), tmp_path / "out"


def test_a_folder_of_csvs_becomes_a_cohort(tmp_path: Path) -> None:
    _, out = imported(tmp_path)
    (patient,) = read_cohort(out / "cohort.toml", doubtful=True).patients
    assert (patient.age_years, patient.sex, patient.tumour) == (63.0, "female", "pancreatic")
    assert (patient.current("nlr").value, patient.current("ca19_9").limit) == (4.0, "<")  # type: ignore[union-attr]
    assert (patient.history.prior_lines, patient.history.last_line_outcome) == (1.0, "progression")


def test_a_result_without_a_unit_is_not_read(tmp_path: Path) -> None:
    account, _ = imported(tmp_path)
    assert "albumin" not in account.results
    assert any("albumin" in what and "unit" in why for what, why, _ in account.not_read)


def test_record_numbers_are_not_written(tmp_path: Path) -> None:
    account, out = imported(tmp_path)
    assert pd.read_parquet(out / "patients.parquet").patient.tolist() == ["m000001"]
    assert MRN not in (out / "report.json").read_text() + account.text()


def test_rows_of_nobody_and_rows_that_are_cut_short_are_told_and_never_become_one_patient(tmp_path: Path) -> None:
    _, out = imported(tmp_path)
    for name, row in (("patient-information", ",female,1950-01-01"), ("observation-information", ",final,731-0")):
        path = tmp_path / "csv" / f"{name}.csv"
        cells = path.read_text().splitlines()[0].count(",")
        row += "," * (cells - row.count(",")) if name == "patient-information" else ""
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes() + f"{row}\r\n".encode())
    account = import_csvs(tmp_path / "csv", Wanted(tmp_path / "again", "small"), threads=1, memory="500MB")
    assert ("patient-information.csv", "it does not say of whom it is", 1) in account.not_read
    assert ("observation-information.csv", "more or fewer cells than the header", 1) in account.not_read
    for name in ("patients", "measurements"):
        assert (tmp_path / "again" / f"{name}.parquet").read_bytes() == (out / f"{name}.parquet").read_bytes()


def test_a_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    imported(tmp_path)
    path = tmp_path / "csv" / "patient-information.csv"
    path.write_bytes(path.read_bytes().replace(b"MRN-4711", b"MRN-\xe9"))
    with pytest.raises(InvalidCohort, match=r"patient-information\.csv = a text that is not UTF-8"):
        import_csvs(tmp_path / "csv", Wanted(tmp_path / "again", "small"))


def test_missing_files_and_columns_are_named(tmp_path: Path) -> None:
    (tmp_path / "observation-information.csv").write_text("mrn,code\n1,731-0\n")
    with pytest.raises(InvalidCohort, match=r"patient-information\.csv = no such file(.|\n)*no column effectiveDate"):
        import_csvs(tmp_path, Wanted(tmp_path / "out", "small"))


@pytest.mark.skipif(COHORTS is None, reason="LYMPHORISK_COHORTS does not name the folder of the sources")
def test_the_samples_of_the_framework_are_read_and_what_is_not_is_told(tmp_path: Path) -> None:
    source = Path(str(COHORTS)) / "mcode_csv_sample"
    wanted = Wanted(tmp_path / "out", "samples", Index(day=date(2020, 3, 1)), everybody=True)
    account = import_csvs(source, wanted, threads=1, memory="500MB")
    weights = pd.read_parquet(tmp_path / "out" / "measurements.parquet")
    assert weights[["analyte", "value", "unit"]].to_numpy().tolist() == [["weight", "185", "[lb_av]"]]
    assert account.doses == {"radiotherapy": 2, "triamcinolone": 1}
    assert {name for name in account.read if name.removesuffix(".csv") not in FILES} == {
        what for what, why, _ in account.not_read if why == "a file that is not read"
    }
