"""The command from a cohort on disk to the report: what it says, what it hides, what it refuses, and what it keeps in MLflow."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import Result
from typer.testing import CliRunner

import lymphorisk
from models.example import EXAMPLE
from training.histories import read_histories
from training.rescue.population import lymphopenic
from training.small_cells import masked
from training.tracking.mlflow_store import client_of


def ran(*words: object) -> Result:
    return CliRunner().invoke(lymphorisk.app, [str(word) for word in words], catch_exceptions=False)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """600 simulated patients with histories; two of three progressed and were low."""
    folder = tmp_path_factory.mktemp("histories") / "cohort"
    assert ran("simulate", "--history", "--patients", 600, "--seed", 5, "--out", folder).exit_code == 0
    return folder / "cohort.toml"


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty of them."""
    folder = tmp_path_factory.mktemp("few") / "cohort"
    assert ran("simulate", "--history", "--patients", 40, "--seed", 2, "--out", folder).exit_code == 0
    return folder / "cohort.toml"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('store')}/mlflow.db"


@pytest.fixture(scope="module")
def out(cohort: Path, store: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("analysis") / "out"
    done = ran("rescue", cohort, "--out", folder, "--landmarks", "28,56", "--tracking-uri", store)
    assert done.exit_code == 0, done.output
    (folder / "said.txt").write_text(done.stdout)
    return folder


@pytest.fixture(scope="module")
def told(out: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((out / "rescue.json").read_text())
    return document


def test_it_begins_with_the_example_and_says_association(out: Path) -> None:
    said = (out / "said.txt").read_text()
    page = re.sub(r"data:image/png;base64,[^\"]+", "", (out / "report.html").read_text())
    assert said.startswith(EXAMPLE)
    for text in (said, page):
        assert "association among these patients" in text
        assert "Recovery may mark fitness" in text
        assert "E-value" in text
        assert "BIASED" in text
        assert "regression" in text.lower() or "by chance call" in text
    assert EXAMPLE in (out / "numbers.csv").read_text().splitlines()[1]


def test_the_page_loads_nothing_and_names_no_patient(cohort: Path, out: Path) -> None:
    page = (out / "report.html").read_text()
    assert "src=\"http" not in page
    assert "<script" not in page
    ids = pd.read_csv(cohort.parent / "patients.csv", dtype=str).iloc[:, 0]
    for path in (out / "report.html", out / "numbers.csv", out / "rescue.json", out / "said.txt"):
        text = path.read_text()
        assert not [one for one in ids if one in text]


def test_the_counts_are_those_of_the_tables(cohort: Path, told: dict[str, Any]) -> None:
    """Counted again from the rows as they lie on disk, by another road: every pair of draws is tried."""
    tables = (cohort.parent / f"{name}.csv" for name in ("patients", "measurements", "treatments"))
    patients, measured, treated = map(pd.read_csv, tables)
    ended = treated[~treated["modality"].isin(["radiotherapy", "steroid", "g-csf"]) & (treated["end"] <= 0)]
    progressed = set(ended.loc[ended["outcome"] == "progression", "patient"])
    alc = measured[measured["analyte"] == "alc"].sort_values("day")
    recent = alc[(alc["day"] <= 0) & (alc["day"] >= -28)].groupby("patient")["value"].last().astype(float)
    low = set(recent.index[recent < 1.0]) & progressed
    later = alc[(alc["day"] > 0) & alc["patient"].isin(low)].groupby("patient")
    recovered = sum(_recovered(list(zip(rows["day"], rows["value"].astype(float), strict=True))) for _, rows in later)
    assert told["cohort"]["patients"] == len(patients)
    assert told["patients"] == len(low)
    assert told["deaths"] == patients.loc[patients["patient"].isin(low), "died"].sum()
    assert told["events"][0]["happened"] == recovered


def _recovered(draws: list[tuple[float, float]]) -> bool:
    pairs = ((first, last) for first in range(len(draws)) for last in range(first + 1, len(draws)))
    return any(draws[b][0] - draws[a][0] >= 7 and min(alc for _, alc in draws[a : b + 1]) >= 1.0 for a, b in pairs)


def test_every_number_of_the_document_is_in_the_table(out: Path, told: dict[str, Any]) -> None:
    with (out / "numbers.csv").open() as file:
        rows = list(csv.DictReader(file))
    found = {(row["analysis"], row["group"], row["quantity"]): row for row in rows}
    for one in told["events"]:
        adjusted = found["time-dependent Cox", one["label"], "hazard ratio, adjusted"]
        assert adjusted["value"] == str(one["adjusted"].get("value", ""))
    assert float(found["naive (biased)", "", "hazard ratio, unadjusted"]["value"]) == told["naive"]["unadjusted"]["value"]
    at = [row for row in rows if row["analysis"] == "landmark day 56" and row["quantity"] == "alive"]
    assert len(at) == sum(len(group["days"]) for group in told["landmarks"]["56"]["groups"])


def test_the_biased_analysis_is_caught(told: dict[str, Any]) -> None:
    naive, honest = told["naive"], told["events"][0]["adjusted"]
    assert naive["unadjusted"]["value"] < 0.6
    assert naive["by_lot"] < 0.6  # made out of nothing by construction
    assert honest["low"] < 1 < honest["high"]


def test_pictures_are_drawn_for_what_was_answered(out: Path, told: dict[str, Any]) -> None:
    drawn = {path.stem for path in (out / "pictures").glob("*.png")}
    answered = {f"landmark-{day}" for day, one in told["landmarks"].items() if "refused" not in one}
    assert drawn == {"flow", "incidence", "ratios", "naive"} | answered
    assert "landmark-56" in drawn
    page = (out / "report.html").read_text()
    assert page.count("data:image/png;base64,") == len(drawn)


def test_no_small_count_is_told(told: dict[str, Any]) -> None:
    """A count of one to nine anywhere would be a whole number below ten under a name of counts."""
    sizes = {"patients", "deaths", "happened", "asked", "recovered", "alive", "recovered_later"}
    found = list(_counts(told, sizes | {"left", "remaining", "died", "lost"}))
    assert len(found) > 20
    assert [one for one in found if isinstance(one, int) and 0 < one < 10] == []


def _counts(part: Any, names: set[str]) -> list[object]:
    if isinstance(part, dict):
        own = [value for name, value in part.items() if name in names and not isinstance(value, dict | list)]
        return own + [each for value in part.values() for each in _counts(value, names)]
    return [each for value in part for each in _counts(value, names)] if isinstance(part, list) else []


def test_mlflow_keeps_ratios_parameters_and_files(store: str, out: Path, told: dict[str, Any]) -> None:
    client = client_of(store)
    (experiment,) = [one for one in client.search_experiments() if one.name == "lymphorisk-rescue"]
    (run,) = client.search_runs([experiment.experiment_id])
    assert run.info.run_id in (out / "said.txt").read_text()
    assert run.data.metrics["time_dependent/rescue_adjusted"] == told["events"][0]["adjusted"]["value"]
    assert run.data.metrics["naive_biased/unadjusted"] == told["naive"]["unadjusted"]["value"]
    assert run.data.params["cohort_digest"] == told["cohort"]["digest"]
    assert run.data.tags["mlflow.note.content"].startswith(EXAMPLE)
    kept = {one.path for one in client.list_artifacts(run.info.run_id)}
    assert kept >= {"report.html", "numbers.csv", "rescue.json", "pictures"}


def test_an_analysis_is_written_once(cohort: Path, out: Path) -> None:
    done = ran("rescue", cohort, "--out", out)
    assert done.exit_code == 1
    assert "is not empty" in done.stderr


def test_few_patients_are_refused_question_by_question(few: Path, tmp_path: Path) -> None:
    done = ran("rescue", few, "--out", tmp_path / "out", "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    for one in (told["events"][0]["adjusted"], told["landmarks"]["28"], told["naive"], told["e_value"]):
        assert re.search(r"at least \d+ are needed", one["refused"])
    assert (tmp_path / "out" / "report.html").is_file()


def test_a_store_that_cannot_be_is_refused_before_anything_is_analysed(few: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    done = ran("rescue", few, "--out", tmp_path / "out", "--tracking-uri", f"sqlite:///{tmp_path}/file/mlflow.db")
    assert done.exit_code == 1
    assert "nothing was analysed" in done.stderr
    assert not (tmp_path / "out").exists()


def test_what_mlflow_fails_at_leaves_the_analysis_written(
    few: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object) -> str:
        raise OSError("the disk is full")

    monkeypatch.setattr("training.rescue.tracked.track_analysis", gone)
    done = ran("rescue", few, "--out", tmp_path / "out", "--tracking-uri", f"sqlite:///{tmp_path}/mlflow.db")
    assert done.exit_code == 1
    assert f"the analysis is written: {tmp_path / 'out'}" in done.stderr
    assert (tmp_path / "out" / "report.html").is_file()


def test_a_cohort_without_histories_is_refused(tmp_path: Path) -> None:
    assert ran("simulate", "--patients", 60, "--seed", 2, "--out", tmp_path / "flat").exit_code == 0
    done = ran("rescue", tmp_path / "flat" / "cohort.toml", "--out", tmp_path / "out")
    assert done.exit_code == 1
    assert "[tables] measurements" in done.stderr


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--cutoff", "1000"), 1, "divided by 1000"),
        (("--landmarks", "28,400"), 1, "before the horizon, day 365"),
        (("--landmarks", "28,28"), 1, "each once"),
        (("--landmarks", "4 weeks"), 2, "days with commas"),
        (("--horizon", "0"), 2, "horizon"),
    ],
)
def test_what_cannot_be_asked_is_refused(cohort: Path, tmp_path: Path, words: tuple[str, ...], code: int, said: str) -> None:
    done = ran("rescue", cohort, "--out", tmp_path / "out", *words)
    assert done.exit_code == code
    assert said in re.sub(r"[\s│]+", " ", done.stderr)
    assert not (tmp_path / "out").exists()


def test_another_cut_off_is_another_question(few: Path, tmp_path: Path) -> None:
    done = ran("rescue", few, "--out", tmp_path / "out", "--cutoff", "0.8", "--everybody", "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["patients"] == masked(len(lymphopenic(read_histories(few), 0.8, everybody=True).people))
    assert "ALC of 0.8 10*9/L or more" in found["events"][0]["definition"]
    assert found["settings"]["population"] == "everybody in the cohort"
