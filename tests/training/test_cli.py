import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

import lymphorisk
from models import artifact
from training.cohort import read_cohort

TRAIN = ("--no-tracking", "--folds", "2", "--refits", "2", "--bootstrap", "5", "--learner", "linear")


def run(*command):
    return CliRunner().invoke(lymphorisk.app, [str(part) for part in command])


@pytest.fixture(scope="module")
def trained(small_file, tmp_path_factory):
    """The artifact and the answer of `train --json` on the small cohort."""
    folder = tmp_path_factory.mktemp("trained") / "model"
    return folder, run("train", small_file, "--out", folder, *TRAIN, "--json")


def test_simulate_writes_a_cohort_that_check_reads(tmp_path):
    simulated = run("simulate", "--patients", 40, "--out", tmp_path / "c", "--tidy", "--json")
    assert (simulated.exit_code, json.loads(simulated.stdout)["patients"]) == (0, 40)
    checked = run("check", tmp_path / "c" / "cohort.toml", "--json")
    account = json.loads(checked.stdout)
    assert checked.exit_code == 0
    assert (account["n"], account["example"][:7], account["flow"][0]["reason"]) == (40, "EXAMPLE", "rows read")


def test_simulate_never_writes_over_a_cohort(tmp_path):
    assert run("simulate", "--patients", 30, "--out", tmp_path / "c").exit_code == 0
    table = (tmp_path / "c" / "patients.csv").read_bytes()
    again = run("simulate", "--patients", 40, "--out", tmp_path / "c")
    assert again.exit_code == 1
    assert "never overwritten" in again.stderr
    assert (tmp_path / "c" / "patients.csv").read_bytes() == table


def test_check_tells_the_flow_the_horizons_and_the_warnings(small_file):
    checked = run("check", small_file)
    assert checked.exit_code == 0
    for words in ("EXAMPLE: simulated patients", "Who is in it", "left: under 18", "What the follow-up can answer", "Warnings"):
        assert words in checked.stdout
    assert "reading simulated-500-3" in checked.stderr
    assert "reading" not in checked.stdout


def test_a_refusal_is_json_where_it_is_asked_for(write_cohort):
    checked = run("check", write_cohort(cells={("died", 3): 2}), "--json")
    assert checked.exit_code == 1
    (fault,) = json.loads(checked.stdout)["faults"]
    assert fault.startswith("patients.csv row 3, column died = 2")
    assert fault in checked.stderr


def test_train_writes_the_artifact_and_answers_in_json(trained, small_file):
    folder, ran = trained
    assert ran.exit_code == 0, ran.stderr
    told = json.loads(ran.stdout)
    assert told["digest"] == artifact.load(folder).digest
    assert told["learner"] == "linear"
    assert told["mlflow"] is None
    assert "Who is in it" in ran.stderr  # the account of the cohort, before anything is fitted
    assert "cross-validation: 100%" in ran.stderr
    assert artifact.load(folder).provenance["cohort_digest"] == read_cohort(small_file).digest


def test_train_never_writes_over_an_artifact(trained, small_file):
    folder, _ = trained
    again = run("train", small_file, "--out", folder, *TRAIN)
    assert (again.exit_code, again.stdout) == (1, "")
    assert "is not empty: an artifact is written once" in again.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--features", "ln_nlr,shoe_size"), "features shoe_size: allowed are ln_alc, ln_nlr"),
        (("--features", "prior_systemic_therapy"), "feature prior_systemic_therapy: it does not vary"),
        (("--folds", 10_000), "folds 10000: allowed is up to the 491 patients"),
    ],
)
def test_train_refuses_what_the_cohort_cannot_support(small_file, tmp_path, options, said):
    ran = run("train", small_file, "--out", tmp_path / "model", *TRAIN, *options)
    assert (ran.exit_code, ran.stdout) == (1, "")
    assert said in ran.stderr
    assert list(tmp_path.iterdir()) == []


def test_train_refuses_a_cohort_that_answers_no_horizon_and_says_which_number_is_short(write_cohort, tmp_path):
    path = write_cohort(columns={"died": [1, 0, 0, 0, 0, 0] * 20})
    ran = run("train", path, "--out", tmp_path / "model", *TRAIN)
    assert ran.exit_code == 1
    assert "day 90 is not evaluable:" in ran.stderr
    assert "at least 20 are needed" in ran.stderr
    assert not (tmp_path / "model").exists()


def test_the_reason_for_accepting_a_suspicion_stands_in_the_card(write_cohort, tmp_path):
    path = write_cohort(400, columns={"nlr": 6.2})
    ran = run("train", path, "--out", tmp_path / "model", *TRAIN, "--accept", "one value by protocol")
    assert ran.exit_code == 0, ran.stderr
    (accepted,) = json.loads((tmp_path / "model" / "cohort.json").read_text())["accepted_suspicions"]
    assert "column nlr = 6.2" in accepted
    assert "one value by protocol" in accepted
    found = json.loads((tmp_path / "model" / "diagnosis.json").read_text())["findings"]
    assert [one["verdict"] for one in found if one["accepted"] == "one value by protocol"] == ["Fail"]  # it stays one
    assert "one value by protocol" in (tmp_path / "model" / "card.md").read_text()


def test_evaluate_answers_in_json_and_in_words(trained, small_file):
    folder, _ = trained
    found = run("evaluate", folder, small_file, "--bootstrap", 5, "--json")
    assert found.exit_code == 0, found.stderr
    assert {"cohort", "n", "uno_c", "horizons", "refused"} <= json.loads(found.stdout).keys()
    words = run("evaluate", folder, small_file, "--bootstrap", 0)
    assert words.stdout.startswith("EXAMPLE: simulated patients, not a real risk\n")
    assert "bootstrap" in found.stderr


def test_evaluate_pins_a_digest_and_refuses_what_is_no_artifact(trained, small_file, tmp_path):
    folder, _ = trained
    other = run("evaluate", folder, small_file, "--digest", "0" * 64)
    assert (other.exit_code, other.stdout) == (1, "")
    assert "the pinned digest is" in other.stderr
    assert "not an artifact folder" in run("evaluate", tmp_path, small_file).stderr


def test_fetch_of_another_kind_of_uri_is_refused(tmp_path):
    ran = run("fetch", "https://example.org/model", "--out", tmp_path / "model")
    assert (ran.exit_code, ran.stdout) == (1, "")
    assert "allowed is models:/name@alias" in ran.stderr


def test_draft_is_data_on_standard_output_or_a_file_that_is_not_there_yet(small_file, tmp_path):
    table, out = small_file.with_name("patients.csv"), tmp_path / "draft.toml"
    told = run("draft", table)
    assert run("draft", table, "--out", out).exit_code == 0
    assert told.stdout == out.read_text() == json.loads(run("draft", table, "--json").stdout)["draft"]
    again = run("draft", table, "--out", out)
    assert (again.exit_code, again.stdout) == (1, "")
    assert "never overwrites" in again.stderr


@pytest.mark.parametrize(
    "command",
    [
        ("check", "nowhere.toml"),
        ("check",),
        ("train", __file__),
        ("train", __file__, "--out", "model", "--learner", "forest"),
        ("train", __file__, "--out", "model", "--folds", 1),
        ("simulate", "--patients", 0, "--out", "c"),
        ("simulate", "--patients", 9, "--out", "c", "--seed", -1),
    ],
)
def test_wrong_usage_leaves_with_2(command):
    ran = run(*command)
    assert (ran.exit_code, ran.stdout) == (2, "")


def test_the_commands_of_training_load_nothing_heavy_until_they_run():
    heavy = ("pandas", "xgboost", "sklearn", "shap", "mlflow", "scipy")
    code = f"import lymphorisk, sys; print([name for name in {heavy} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
