"""Held against what was planted: a parent whose risks are too low at a hospital by a known shift."""

import json
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

import lymphorisk
from models import ledger
from models.artifact import Artifact, load
from models.design import design_matrix
from models.example import EXAMPLE
from models.risk import Calibration
from models.seal_key import read_key
from training.cohort import read_cohort
from training.recalibration.recalibrate import recalibrate
from training.refused import NotSupported
from training.simulation.files import write
from training.simulation.simulate import simulate
from training.statistics.evaluate import evaluate
from training.telling.card import check_card

pytestmark = pytest.mark.usefixtures("one_thread")
LOW = 0.8  # log-odds by which the parent states every risk too low


@pytest.fixture(scope="module")
def local_file(tmp_path_factory):
    return write(simulate(500, 21), tmp_path_factory.mktemp("local"))


@pytest.fixture(scope="module")
def local(local_file):
    return read_cohort(local_file)


@pytest.fixture(scope="module")
def parent(small_fit):
    model = small_fit.model
    low = Calibration(model.calibration.intercept - LOW, model.calibration.slope)
    return Artifact(replace(model, calibration=low), "d" * 64, {})


@pytest.fixture(scope="module")
def made(parent, local):
    return recalibrate(parent, local, "Northern", bootstrap=20, seed=1)


def test_observed_over_expected_comes_to_1_and_the_auc_stays_what_it_was(made, local, parent):
    for day, one in made.account["horizons"].items():
        before, after = (one["observed_expected"][name] for name in ("before", "after"))
        assert before["value"] > 1.15
        assert after["value"] == pytest.approx(1, abs=0.2)  # one shift serves five horizons
        assert after["low"] < after["value"] < after["high"]
        assert one["auc"]["before"] == one["auc"]["after"], day
    ratios = [one["observed_expected"]["after"]["value"] for one in made.account["horizons"].values()]
    assert np.mean(ratios) == pytest.approx(1, abs=0.05)
    shift = made.account["map"]["shift"]
    assert shift["low"] < LOW < shift["high"]
    assert made.account["map"]["slope"] == 1


def test_the_account_is_cross_fitted_and_the_child_is_not(made, local):
    model = made.model
    scores = model.score(design_matrix(model.design, local.patients))
    apparent = evaluate(scores.risk, scores.log_odds, local.follow_up, model.days, bootstrap=0, seed=1)
    for day, one in apparent.horizons.items():
        told = made.account["horizons"][f"{day:g}"]
        assert one.auc.value == told["auc"]["after"]
        ratio = told["observed_expected"]["after"]["value"]
        assert ratio != one.calibration.observed_expected.value
        assert ratio == pytest.approx(one.calibration.observed_expected.value, abs=0.02)


def test_a_slope_is_learned_where_it_is_asked_for_and_deaths_allow_it(parent, local):
    told = recalibrate(parent, local, "Northern", slope=True, bootstrap=0, seed=1).account["map"]
    assert told["slope"] != 1
    assert 0.7 < told["slope"] < 1.4
    assert set(told["prior"]) == {"shift_sd", "ln_slope_sd"}
    few = local.select(np.arange(150))
    with pytest.raises(NotSupported, match="a slope needs 200 patients and 60 deaths"):
        recalibrate(parent, few, "Northern", slope=True, bootstrap=0, seed=1)


def test_fewer_deaths_move_less_and_too_few_nothing(parent, local, made):
    some = recalibrate(parent, local.select(np.arange(200)), "Northern", bootstrap=0, seed=1).account["map"]["shift"]
    whole = made.account["map"]["shift"]
    assert some["high"] - some["low"] > whole["high"] - whole["low"]
    with pytest.raises(NotSupported, match="recalibration needs 20 deaths by day 90"):
        recalibrate(parent, local.select(np.arange(40)), "Northern", bootstrap=0, seed=1)


def test_what_makes_no_sense_is_refused(parent, local, made, small_cohort):
    child = Artifact(made.model, "e" * 64, {})
    with pytest.raises(NotSupported, match="recalibrate its parent"):
        recalibrate(child, local, "Northern", bootstrap=0, seed=1)
    with pytest.raises(NotSupported, match=r"the cohort that .* was developed on"):
        recalibrate(parent, small_cohort, "Northern", bootstrap=0, seed=1)
    with pytest.raises(NotSupported, match="site: a name is needed"):
        recalibrate(parent, local, " ", bootstrap=0, seed=1)
    real = Artifact(replace(parent.model, trained_on="a hospital"), "f" * 64, {})
    with pytest.raises(NotSupported, match="is simulated: it says nothing"):
        recalibrate(real, local, "Northern", bootstrap=0, seed=1)


def command(*words):
    return CliRunner().invoke(lymphorisk.app, ["recalibrate", *map(str, words)])


def test_the_command_leaves_a_child_its_account_and_a_line_in_the_ledger(tmp_path, monkeypatch, small_artifact, local_file):
    monkeypatch.setenv("LYMPHORISK_SEAL_KEY", str(tmp_path / "seal.key"))
    out, releases = tmp_path / "child", tmp_path / "releases"
    asked = (small_artifact, local_file, "--site", "Northern", "--bootstrap", 5, "--releases", releases, "--by", "A. Nalyst")
    ran = command(*asked, "--out", out, "--json")
    assert ran.exit_code == 0, ran.output
    told, child, parent = json.loads(ran.stdout), load(out), load(small_artifact)
    assert told["digest"] == child.digest != parent.digest
    assert told["example"] == EXAMPLE
    assert child.provenance["parent"] == parent.digest == child.model.recalibrated["parent"]["digest"]
    kept = json.loads((out / "recalibration.json").read_text())
    assert kept == {name: value for name, value in told.items() if name not in ("model", "digest")}
    (entry,) = ledger.read_ledger(releases, read_key(tmp_path / "seal.key"))
    models = {"model": child.digest, "parent": parent.digest}
    facts = models | {"site": "Northern", "cohort": kept["cohort"]["digest"], "by": "A. Nalyst"}
    assert (entry.kind, dict(entry.facts)) == (ledger.RECALIBRATED, facts)
    again = command(*asked, "--out", out)
    assert (again.exit_code, "is not empty" in again.output) == (1, True)


def test_the_childs_card_holds_and_the_parents_evidence_is_kept(tmp_path, monkeypatch, small_artifact, local_file):
    monkeypatch.setenv("LYMPHORISK_SEAL_KEY", str(tmp_path / "seal.key"))
    out = tmp_path / "child"
    ran = command(small_artifact, local_file, "--site", "Northern", "--bootstrap", 0, "--releases", tmp_path / "r", "--out", out)
    assert ran.exit_code == 0, ran.output
    assert check_card(out) == []
    page, sheet = ((out / name).read_text() for name in ("card.md", "recalibration.md"))
    assert "recalibrated for Northern" in page
    assert sheet.startswith(EXAMPLE)
    assert "| 90 |" in sheet
    for name in ("evaluation.json", "cohort.json", "booster.ubj"):
        assert (out / name).read_bytes() == (small_artifact / name).read_bytes()
    for name in ("card.md", "card.json", "learner.json", "manifest.json"):
        assert (out / f"parent-{name}").read_bytes() == (small_artifact / name).read_bytes()
    learner = json.loads((out / "learner.json").read_text())
    assert learner["served"]["90"] != json.loads((out / "parent-learner.json").read_text())["served"]["90"]


def test_the_order_of_patients_is_kept_so_that_a_child_ranks_as_its_parent_does(parent, made, local):
    ranked = [
        one.ranks.of(one.score(design_matrix(one.design, local.patients)).log_odds) for one in (parent.model, made.model)
    ]
    assert np.abs(ranked[0] - ranked[1]).max() <= 1 / parent.model.ranks.log_odds.shape[1]
    assert 0.3 < ranked[0].mean() < 0.7  # patients drawn from the same world
