"""`train --study`: what a study declares is done to the letter, told everywhere, and goes on where it was stopped."""

import json
import sqlite3
from contextlib import closing

import pytest
from mlflow import MlflowClient
from typer.testing import CliRunner

import lymphorisk
from models import artifact
from models.ledger import read_ledger
from models.seal_key import read_key
from training.simulation.files import write
from training.simulation.simulate import simulate
from training.telling.card import check_card
from training.tracking.trials import PARENT

STUDY = """\
name = "second line"
features = ["ln_nlr", "albumin", "ecog"]
learners = ["linear"]
folds = 2
refits = 2

[search]
trials = 3
repeats = 1
space = { linear = { penalty = [10, 160] } }

[test]
cohorts = ["later/cohort.toml"]

[gate]
slope = [0.8, 1.25]
require_test = true
"""


def run(*command):
    return CliRunner().invoke(lymphorisk.app, [str(part) for part in command])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A study and the cohort it keeps for the end."""
    folder = tmp_path_factory.mktemp("study")
    (folder / "study.toml").write_text(STUDY)
    write(simulate(250, 22), folder / "later")
    return folder


@pytest.fixture(scope="module")
def common(folder):
    return ("--bootstrap", 5, "--releases", folder / "releases", "--seal-key", folder / "seal.key", "--json")


@pytest.fixture(scope="module")
def trained(small_file, folder, common):
    """The artifact and the answer of a run with a study, tracked in MLflow."""
    out = folder / "model"
    tracked = ("--tracking-uri", f"sqlite:///{folder / 'mlflow.db'}", "--by", "A. Frey")
    made = run("train", small_file, "--study", folder / "study.toml", "--out", out, *tracked, *common)
    assert made.exit_code == 0, made.stderr
    return out, json.loads(made.stdout), made


def test_what_was_declared_and_found_is_sealed_in_the_artifact(trained):
    out, told, _ = trained
    study = json.loads((out / "study.json").read_text())
    assert (study["name"], study["features"], study["learners"]) == ("second line", ["ln_nlr", "albumin", "ecog"], ["linear"])
    assert study["gate"]["slope"] == [0.8, 1.25]
    assert study["gate"]["observed_expected"] == [0.9, 1.1]
    assert study["search"]["trials"] == study["search_result"]["tried"] == 3
    assert study["search_result"] == told["search"]
    provenance = artifact.load(out).provenance["settings"]
    assert provenance["linear"]["penalty"] == told["search"]["values"]["linear.penalty"]
    assert told["features"] == study["features"]
    assert check_card(out) == []


def test_the_test_cohort_is_judged_and_the_look_is_in_the_ledger(trained, folder):
    out, told, _ = trained
    (one,) = json.loads((out / "test.json").read_text())["cohorts"]
    assert told["test"] == {"cohorts": [one]}
    assert (one["cohort"], one["look"]) == ("simulated-250-22", 1)
    assert "180" in one["evaluations"]["everybody"]["horizons"]
    (entry,) = read_ledger(folder / "releases", read_key(folder / "seal.key"))
    assert (entry.kind, entry.facts["by"], entry.facts["what"]) == ("look", "A. Frey", "train")
    assert (entry.facts["model"], entry.facts["cohort"]) == (told["digest"], one["digest"])


def test_the_trials_are_child_runs_of_the_training_run(trained, folder):
    _, told, _ = trained
    client = MlflowClient(f"sqlite:///{folder / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("lymphorisk")
    runs = {one.info.run_name: one for one in client.search_runs([experiment.experiment_id])}
    assert set(runs) == {"simulated-500-3", "trial 0", "trial 1", "trial 2"}
    assert {runs[f"trial {number}"].data.tags[PARENT] for number in range(3)} == {told["mlflow"]["run"]}
    assert runs["simulated-500-3"].info.status == "FINISHED"


def test_another_run_goes_on_with_the_trials_and_is_the_second_look(trained, small_file, folder, common):
    """The same study again, with more trials, out of the same database."""
    out = folder / "again"
    (folder / "again-search.db").write_bytes((folder / "model-search.db").read_bytes())
    made = run("train", small_file, "--study", folder / "study.toml", "--trials", 4, "--out", out, "--no-tracking", *common)
    assert made.exit_code == 0, made.stderr
    assert json.loads(made.stdout)["search"]["tried"] == 4
    with closing(sqlite3.connect(folder / "again-search.db")) as kept:
        assert kept.execute("select count(*) from trials").fetchone() == (4,)  # three of the four were there already
    assert json.loads((out / "test.json").read_text())["cohorts"][0]["look"] == 2


def test_who_stops_a_search_is_told_what_is_kept_and_how_it_goes_on(small_file, folder, common, monkeypatch):
    from training.tuning.objective import Objective

    judged, calls = Objective.__call__, []

    def stopped(self, *given, **named):
        calls.append(given)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return judged(self, *given, **named)

    monkeypatch.setattr(Objective, "__call__", stopped)
    made = run("train", small_file, "--study", folder / "study.toml", "--out", folder / "stopped", "--no-tracking", *common)
    assert (made.exit_code, made.stdout) == (130, "")
    assert "stopped after 2 of 3 trials, which are kept: the same command goes on from there" in made.stderr
    assert (folder / "stopped-search.db").is_file()
    assert not (folder / "stopped").exists()
    monkeypatch.undo()
    made = run("train", small_file, "--study", folder / "study.toml", "--out", folder / "stopped", "--no-tracking", *common)
    assert (made.exit_code, json.loads(made.stdout)["search"]["tried"]) == (0, 3)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--features", "age", "--folds", 3), "--features, --folds with --study: study.toml declares what is tried"),
        (("--learner", "auto"), "--learner with --study"),
        (("--seed", 1), "--seed with --study"),
    ],
)
def test_what_a_study_declares_is_not_said_again(small_file, folder, tmp_path, options, said):
    made = run("train", small_file, "--study", folder / "study.toml", "--out", tmp_path / "model", "--no-tracking", *options)
    assert (made.exit_code, made.stdout) == (1, "")
    assert said in made.stderr
    assert list(tmp_path.iterdir()) == []


def test_trials_belong_to_a_study_with_a_search(small_file, folder, tmp_path):
    alone = run("train", small_file, "--trials", 3, "--out", tmp_path / "model", "--no-tracking")
    assert (alone.exit_code, "--trials without --study" in alone.stderr) == (1, True)
    (tmp_path / "plain.toml").write_text("")
    made = run("train", small_file, "--study", tmp_path / "plain.toml", "--trials", 3, "--out", tmp_path / "m", "--no-tracking")
    assert (made.exit_code, "plain.toml declares no [search]" in made.stderr) == (1, True)


def test_every_fault_of_a_study_is_named_before_anything_is_read(small_file, tmp_path):
    (tmp_path / "s.toml").write_text('folds = 1\n[search]\ntrials = 0\n[card]\ntripod_99 = "?"\n')
    made = run("train", small_file, "--study", tmp_path / "s.toml", "--out", tmp_path / "model", "--no-tracking", "--json")
    assert made.exit_code == 1
    assert len(json.loads(made.stdout)["faults"]) == 2
    (tmp_path / "s.toml").write_text('[card]\ntripod_99 = "?"\n')
    made = run("train", small_file, "--study", tmp_path / "s.toml", "--out", tmp_path / "model", "--no-tracking")
    assert "s.toml: [card] tripod_99: allowed are the items of TRIPOD+AI" in made.stderr


def test_an_unreachable_server_is_known_before_anything_is_trained(small_file, tmp_path):
    made = run("train", small_file, "--out", tmp_path / "model", "--tracking-uri", "http://127.0.0.1:9")
    assert (made.exit_code, made.stdout) == (1, "")
    assert "MLflow at http://127.0.0.1:9 does not answer" in made.stderr
    assert "nothing was trained" in made.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_fails_at_the_end_leaves_the_artifact_and_says_where(small_file, tmp_path, monkeypatch):
    def gone(*given, **named):
        raise ConnectionError("gone")

    monkeypatch.setattr("training.run.track", gone)
    options = ("--learner", "linear", "--features", "ln_nlr", "--folds", 2, "--refits", 2, "--bootstrap", 0)
    store = f"sqlite:///{tmp_path / 'mlflow.db'}"
    made = run("train", small_file, "--out", tmp_path / "model", "--tracking-uri", store, *options)
    assert (made.exit_code, made.stdout) == (1, "")
    digest = artifact.load(tmp_path / "model").digest
    assert made.stderr.endswith(f"(gone); the artifact is saved: {tmp_path / 'model'}, digest {digest}\n")
    assert "Traceback" not in made.stderr
