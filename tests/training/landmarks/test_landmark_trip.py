"""One model for all landmarks, from a study file to a patient who is scored again."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result
from typer.testing import CliRunner

from lymphorisk import app
from models import artifact
from models.design import design_matrix
from models.example import EXAMPLE
from models.patient_document import patient_document, patient_from
from serving.refused import Refused
from serving.score import score
from training.cohort import read_cohort
from training.diagnosis.learned_from import NO_EVIDENCE
from training.histories import read_histories
from training.simulation.histories import simulate_history
from training.simulation.history_files import write_history

STUDY = """
name = "again"
features = ["ln_alc", "ln_nlr", "ca19_9_log10", "albumin", "nlr_since_index",
    "ca19_9_since_index", "ecog_at_index", "landmark_days"]
horizons = [90, 180]
learners = ["linear"]
refits = 3
[landmarks]
days = [0, 56]
"""


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


@pytest.fixture(scope="module")
def trip(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("landmarks")
    write_history(simulate_history(400, 2), folder / "cohort", seed=2)
    (folder / "study.toml").write_text(STUDY)
    words = ("--study", str(folder / "study.toml"), "--out", str(folder / "model"), "--bootstrap", "4", "--json")
    tracking = f"sqlite:///{folder / 'mlflow.db'}"
    found = run("train", str(folder / "cohort" / "cohort.toml"), *words, "--tracking-uri", tracking)
    assert found.exit_code == 0, found.output
    return folder, json.loads(found.stdout)


def test_the_model_is_judged_at_each_landmark_beside_the_score_of_the_index_date(trip: tuple[Path, dict[str, Any]]) -> None:
    told = trip[1]
    assert told["example"] == EXAMPLE
    assert [one["day"] for one in told["judged"]] == [0, 56]
    for one in told["judged"]:
        assert 0.5 < one["model"]["90"]["auc"]["value"] < 1
        assert {"auc", "slope", "observed_expected", "ipa"} == set(one["score_of_the_index_date"]["90"])
    gain = told["judged"][1]["auc_gain"]["90"]["value"]
    beside = (told["judged"][1][key]["90"]["auc"]["value"] for key in ("model", "score_of_the_index_date"))
    assert gain == pytest.approx(np.subtract(*beside), abs=1e-12)
    assert told["patients"] == 400
    assert told["rows"] == sum(one["seen"] for one in told["at"])


def test_the_run_is_kept_in_mlflow_with_the_landmark_as_step(trip: tuple[Path, dict[str, Any]]) -> None:
    from training.tracking.mlflow_store import client_of

    folder, told = trip
    client = client_of(f"sqlite:///{folder / 'mlflow.db'}")
    kept = client.get_metric_history(told["mlflow"]["run"], "model_auc_90d")
    assert [(one.step, one.value) for one in kept] == [(one["day"], one["model"]["90"]["auc"]["value"]) for one in told["judged"]]
    assert client.get_run(told["mlflow"]["run"]).data.params["landmarks_days"] == "[0.0, 56.0]"


def test_the_page_is_whole_and_says_that_patients_were_simulated(trip: tuple[Path, dict[str, Any]]) -> None:
    page = (trip[0] / "model-report.html").read_text(encoding="utf-8")
    assert EXAMPLE in page
    assert page.count("data:image/png;base64,") == 2
    assert "http" not in page.replace("http://www.w3.org", "")
    assert "Who is still on therapy is a selection" in page


def test_a_patient_at_a_landmark_has_one_number_everywhere(trip: tuple[Path, dict[str, Any]]) -> None:
    folder = trip[0]
    made = artifact.load(folder / "model")
    assert made.model.population.landmarks == (0, 56)
    assert made.model.population.time_origin.startswith("a day up to 56 days after the decision")
    histories = read_histories(folder / "cohort" / "cohort.toml")
    patients = [one.as_of(56, 42) for one in histories if one.days > 56][:20]
    risks = made.model.score(design_matrix(made.model.design, patients)).risk
    again = [patient_from(json.loads(json.dumps(patient_document(one)))) for one in patients]
    answers = score(made, again)
    for row, answer in enumerate(answers):
        if not isinstance(answer, Refused):
            assert [horizon.risk for horizon in answer.horizons] == risks[row].tolist()


def test_a_cohort_file_is_scored_on_a_landmark_with_the_same_numbers(trip: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    folder, out = trip[0], tmp_path / "scores.csv"
    made = artifact.load(folder / "model")
    found = run("score", str(folder / "model"), str(folder / "cohort" / "cohort.toml"), "--landmark", "56", "--out", str(out))
    rows = {row["id"]: row for row in csv.DictReader(out.read_text(encoding="utf-8").splitlines())}
    followed = {one.at_index.id: one for one in read_histories(folder / "cohort" / "cohort.toml")}
    there = {id: one.as_of(56, 42) for id, one in followed.items() if one.days > 56 or (one.days == 56 and not one.died)}
    answers = dict(zip(there, score(made, list(there.values())), strict=True))
    scored = {id: answer for id, answer in answers.items() if not isinstance(answer, Refused)}
    assert {id for id, row in rows.items() if row["risk_90d"]} == set(scored)
    for id, answer in scored.items():
        risks = {horizon.days: horizon.risk for horizon in answer.horizons}
        assert (float(rows[id]["risk_90d"]), float(rows[id]["risk_180d"])) == (risks[90], risks[180])
    gone = next(id for id, one in followed.items() if one.died and one.days <= 56)
    assert f"died on day {followed[gone].days:g}" in rows[gone]["standing"]
    assert found.exit_code == 1  # some patients were refused


def test_what_is_said_of_todays_draw_is_not_said_of_that_of_the_index_date(trip: tuple[Path, dict[str, Any]]) -> None:
    folder = trip[0]
    made, histories = artifact.load(folder / "model"), read_histories(folder / "cohort" / "cohort.toml")
    patients = [one.as_of(56, 42) for one in histories if one.days > 56]
    seen = next(one for one in patients if "ecog" in one.series and one.current("ecog") is None)
    (answer,) = score(made, [seen])
    assert not isinstance(answer, Refused)
    (found,) = (one for one in answer.quality if one.name == "ecog_at_index")
    assert (found.states, found.remarks) == (("ok",), ())
    assert any("ECOG performance status: older than 42 days" in one for one in answer.warnings)


def test_the_day_of_a_cohort_file_is_not_guessed(trip: tuple[Path, dict[str, Any]], small_artifact: Path, tmp_path: Path) -> None:
    folder, out = trip[0], str(tmp_path / "scores.csv")
    cohort, lines = folder / "cohort" / "cohort.toml", tmp_path / "patients.ndjson"
    lines.write_text("{}\n")
    for model, patients, day, said in (
        (folder / "model", cohort, (), "allowed is --landmark DAY"),
        (small_artifact, cohort, ("--landmark", "56"), "this model scores patients on the index date"),
        (folder / "model", lines, ("--landmark", "56"), "only with a cohort file"),
    ):
        refused = run("score", str(model), str(patients), *day, "--out", out)
        assert refused.exit_code != 0
        assert said in " ".join(refused.output.split())
        assert not Path(out).exists()


def test_a_model_for_landmarks_asks_from_when_a_patient_is_followed_and_one_of_the_index_date_refuses_a_running_line(
    trip: tuple[Path, dict[str, Any]], small_artifact: Path
) -> None:
    folder = trip[0]
    made, baseline = artifact.load(folder / "model"), artifact.load(small_artifact)
    first = read_cohort(folder / "cohort" / "cohort.toml").patients[0]
    refused = score(made, [first])[0]
    assert isinstance(refused, Refused)
    assert refused.faults[0].field == "index_date"
    running = next(one.as_of(56) for one in read_histories(folder / "cohort" / "cohort.toml")
                   if one.days > 56 and any(course.start <= 20 and (course.end or 999) > 56 for course in one.courses))
    again = score(baseline, [running])[0]
    assert isinstance(again, Refused)
    assert "a line running" in again.faults[0].given


@pytest.fixture(scope="module")
def elsewhere(trip: tuple[Path, dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("elsewhere")
    write_history(simulate_history(300, 5), folder / "cohort", seed=5)
    words = ("--report", str(folder / "page.html"), "--releases", str(folder / "releases"), "--bootstrap", "4", "--json")
    found = run("evaluate", str(trip[0] / "model"), str(folder / "cohort" / "cohort.toml"), *words)
    assert found.exit_code == 0, found.output
    return folder, json.loads(found.stdout)


def test_on_another_cohort_it_is_judged_by_the_risks_that_a_file_of_scores_holds(
    trip: tuple[Path, dict[str, Any]], elsewhere: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    folder, told = elsewhere
    out, cohort = tmp_path / "scores.csv", folder / "cohort" / "cohort.toml"
    run("score", str(trip[0] / "model"), str(cohort), "--landmark", "56", "--out", str(out))
    risks = {row["id"]: row["risk_90d"] for row in csv.DictReader(out.read_text(encoding="utf-8").splitlines())}
    there = [one for one in read_histories(cohort) if one.days > 56 and risks[one.at_index.id]]
    risk = np.array([float(risks[one.at_index.id]) for one in there])
    died = np.array([one.died and one.days - 56 <= 90 for one in there])
    alive = np.array([one.days - 56 > 90 for one in there])
    lost = ~(died | alive)
    at = told["judged"][1]
    assert (told["rows"], at["day"], at["patients"]) == (sum(one["seen"] for one in told["at"]), 56, len(there))
    above = np.mean([np.mean((one > risk[alive]) + 0.5 * (one == risk[alive])) for one in risk[died]])
    assert at["model"]["90"]["auc"]["value"] == pytest.approx(above, abs=0.02)  # it alone weighs those who were lost
    assert lost.sum() < 0.2 * len(there)
    assert not told["learned_from_this_cohort"]
    assert told["look"] is None


def test_the_score_of_the_index_date_used_again_is_the_same_model_on_that_day(elsewhere: tuple[Path, dict[str, Any]]) -> None:
    first = elsewhere[1]["judged"][0]
    assert first["day"] == 0
    assert first["model"] == first["score_of_the_index_date"]
    assert first["auc_gain"]["90"]["value"] == 0


def test_the_page_of_another_cohort_is_whole(elsewhere: tuple[Path, dict[str, Any]]) -> None:
    page = (elsewhere[0] / "page.html").read_text(encoding="utf-8")
    assert EXAMPLE in page
    assert page.count("data:image/png;base64,") == 2
    assert "nothing was fitted to these patients" in page
    assert "http" not in page.replace("http://www.w3.org", "")


def test_on_its_own_cohort_it_says_that_this_is_no_evidence(trip: tuple[Path, dict[str, Any]]) -> None:
    found = run("evaluate", str(trip[0] / "model"), str(trip[0] / "cohort" / "cohort.toml"), "--bootstrap", "0")
    assert found.exit_code == 0, found.output
    assert NO_EVIDENCE in " ".join(found.stdout.split())
    assert "day 56, death within 90 d: AUC 0." in found.stdout


def test_what_is_kept_for_a_site_is_of_the_index_date(trip: tuple[Path, dict[str, Any]], small_file: Path) -> None:
    words = (str(trip[0] / "model"), str(trip[0] / "cohort" / "cohort.toml"), "--against", str(small_file))
    refused = run("evaluate", *words)
    assert refused.exit_code == 1
    assert "--against: a model for landmarks is judged" in refused.output


@pytest.mark.parametrize("verb", ["recalibrate", "promote"])
def test_what_is_for_models_of_the_index_date_is_refused(trip: tuple[Path, dict[str, Any]], tmp_path: Path, verb: str) -> None:
    model, cohort = str(trip[0] / "model"), str(trip[0] / "cohort" / "cohort.toml")
    store = ("--releases", str(tmp_path / "releases"), "--seal-key", str(tmp_path / "seal.key"))
    words = {
        "recalibrate": (model, cohort, "--site", "here", "--out", str(tmp_path / "child"), *store),
        "promote": (model, "--test", cohort, "--reason", "a test", "--dry-run", "--by", "A", *store),
    }
    refused = run(verb, *words[verb])
    assert refused.exit_code == 1, refused.output
    assert "a model for landmarks cannot be" in refused.output.replace("\n", " ")


def test_an_artifact_is_never_written_over(trip: tuple[Path, dict[str, Any]]) -> None:
    folder = trip[0]
    words = ("--study", str(folder / "study.toml"), "--out", str(folder / "model"), "--no-tracking")
    again = run("train", str(folder / "cohort" / "cohort.toml"), *words)
    assert again.exit_code == 1
    assert "is not empty" in again.output
