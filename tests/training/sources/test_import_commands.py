"""`lymphorisk import`: an answer, a report, a cohort that `check` reads, and refusals that say what is allowed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import Result
from small_cdm import a_cdm, diagnosed
from small_fhir import a_patient, bundle
from typer.testing import CliRunner

import lymphorisk


def run(*command: object) -> Result:
    return CliRunner().invoke(lymphorisk.app, [str(part) for part in command])


def test_a_common_data_model_is_imported_and_checked(tmp_path: Path) -> None:
    done = run("import", "omop", a_cdm(tmp_path / "cdm"), "--out", tmp_path / "out", "--threads", 1, "--json")
    assert done.exit_code == 0
    said = json.loads(done.stdout)
    assert said["flow"] == [{"reason": "persons read", "left": 0, "remaining": 1}]
    assert said == json.loads((tmp_path / "out" / "report.json").read_text()) | {"cohort": str(tmp_path / "out" / "cohort.toml")}
    checked = run("check", tmp_path / "out" / "cohort.toml", "--json")
    assert (checked.exit_code, json.loads(checked.stdout)["n"]) == (0, 1)


def test_resources_are_imported(tmp_path: Path) -> None:
    (tmp_path / "one.json").write_text(json.dumps(bundle(a_patient())))
    done = run("import", "fhir", tmp_path / "one.json", "--out", tmp_path / "out")
    assert done.exit_code == 0
    assert "persons read: 1" in done.stdout
    assert (tmp_path / "out" / "report.txt").read_text() in done.stdout + "\n"


def test_a_cohort_of_nobody_ends_with_one(tmp_path: Path) -> None:
    source = a_cdm(tmp_path / "cdm", only_condition_occurrence=[diagnosed(1, -9)])
    done = run("import", "omop", source, "--out", tmp_path / "out")
    assert done.exit_code == 1
    assert "nobody is left" in done.stderr
    assert "1 left: no malignant primary tumour recorded at any time" in done.stdout


@pytest.mark.parametrize(("more", "told"), [
    (("--date", "soon"), "--date = soon: allowed is a day as YYYY-MM-DD"),
    (("--concepts", "none.csv"), "none.csv = no such file"),
    (("--date", "2023-06-01", "--line", "3"), "--line = 3 and --date = 2023-06-01: allowed is one of the two"),
    (("--memory", "lots"), "--memory = lots: allowed is a number of KB, MB, GB or TB"),
    (("--schema", "hospital"), "--schema = hospital: allowed is a schema of a PostgreSQL server"),
])
def test_options_that_cannot_be_are_refused(tmp_path: Path, more: tuple[str, ...], told: str) -> None:
    done = run("import", "omop", a_cdm(tmp_path / "cdm"), "--out", tmp_path / "out", *more)
    assert (done.exit_code, told in done.stderr) == (1, True)
    assert not (tmp_path / "out").exists()


def test_nothing_is_left_behind_beside_the_cohort(tmp_path: Path) -> None:
    assert run("import", "omop", a_cdm(tmp_path / "cdm"), "--out", tmp_path / "out").exit_code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cdm", "out"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "cohort.toml", "doses.parquet", "measurements.parquet", "patients.parquet", "report.json", "report.txt",
        "treatments.parquet",
    ]
