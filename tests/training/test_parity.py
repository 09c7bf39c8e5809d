"""The parity certificate: its made-up patients ask everything of a model, and a path that does not answer fails it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from models import artifact
from models.design import design_matrix
from models.risk import RiskModel
from training.cohort import read_cohort
from training.gate import paths
from training.gate.parity import by_training, certificate
from training.gate.parity_patients import MadeUp, made_up
from training.gate.paths import NotScored, Risks, by_file, by_http
from training.gate.verdict import above, at_least, missing, table, within


def test_the_made_up_patients_are_read_as_one_cohort_with_much_of_it_missing(model: RiskModel, tmp_path: Path) -> None:
    asked = made_up(model, 60, 1, tmp_path)
    cohort = read_cohort(asked.cohort_file, accept="made up", required=model.required)
    assert [patient.id for patient in cohort.patients] == [patient["id"] for patient in asked.patients]
    owed = design_matrix(model.design, cohort.patients).to_estimate
    assert 5 < owed.any(axis=1).sum() <= 60
    units = {one["unit"] for patient in asked.patients for one in patient["measurements"] if one["analyte"] == "albumin"}
    assert len(units) > 1
    assert any(one["value"] == "<2.0" for patient in asked.patients for one in patient["measurements"])


def test_everybody_has_what_the_model_requires(make_model: Callable[..., RiskModel], tmp_path: Path) -> None:
    demanding = make_model(required=("ln_alc", "albumin", "ecog", "steroids_14d", "ln_ldh_ratio"))
    asked = made_up(demanding, 60, 1, tmp_path)
    assert len(read_cohort(asked.cohort_file, accept="made up", required=demanding.required)) == 60


def test_the_same_seed_makes_the_same_patients(model: RiskModel, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert made_up(model, 5, 1, tmp_path / "a").patients == made_up(model, 5, 1, tmp_path / "b").patients
    assert made_up(model, 5, 2, tmp_path / "a").patients != made_up(model, 5, 1, tmp_path / "b").patients


@pytest.mark.parametrize("error", [NotScored("broken"), OSError("broken"), subprocess.TimeoutExpired("broken", 1)])
def test_a_path_that_does_not_answer_fails_the_certificate(model_folder: Path, error: Exception) -> None:
    def broken(folder: Path, asked: MadeUp) -> Risks:
        raise error

    digest = artifact.load(model_folder).digest
    found = certificate(model_folder, digest, {"a path": broken})
    assert (found.verdict().holds, "did not answer" in found.differs["a path"]) == (False, True)


def test_too_few_patients_certify_nothing(model_folder: Path) -> None:
    def same(folder: Path, asked: MadeUp) -> Risks:
        return by_training(artifact.load(folder), asked)

    digest = artifact.load(model_folder).digest
    assert certificate(model_folder, digest, {"a path": same}, count=50).verdict().holds
    assert not certificate(model_folder, digest, {"a path": same}, count=49).verdict().holds


def test_the_file_and_the_service_say_what_training_says(model_folder: Path) -> None:
    digest = artifact.load(model_folder).digest
    found = certificate(model_folder, digest, {"file": by_file, "HTTP": by_http})
    assert found.differs == {"file": "", "HTTP": ""}


def test_a_service_that_does_not_begin_is_told(model_folder: Path, tmp_path: Path, model: RiskModel) -> None:
    asked = made_up(model, 2, 1, tmp_path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paths, "_COMMAND", ("false",))
        with pytest.raises(NotScored, match="the service did not begin"):
            by_http(model_folder, asked)
        with pytest.raises(NotScored, match=r"^$"):
            by_file(model_folder, asked)


CELL = {"value": 0.8, "low": 0.7, "high": 0.9}


def test_a_bar_is_met_by_the_value_a_gain_by_the_lower_end_and_a_band_has_both_ends() -> None:
    assert [at_least("x", "y", CELL, bar).holds for bar in (0.79, 0.8, 0.81)] == [True, True, False]
    assert [above("x", "y", CELL, bar).holds for bar in (0.69, 0.7, 0.75)] == [True, False, False]
    assert [within("x", "y", CELL, band).holds for band in ((0.8, 1.0), (0.5, 0.8), (0.81, 1.0))] == [True, True, False]


def test_what_could_not_be_estimated_never_holds() -> None:
    nothing = {"value": None, "low": None, "high": None, "why": "nobody died"}
    for verdict in (at_least("x", "y", nothing, 0), above("x", "y", nothing, -9), within("x", "y", nothing, (-9, 9))):
        assert (verdict.holds, verdict.why) == (False, "nobody died")
    no_interval = {"value": 0.9, "low": None, "high": None, "why": "no interval"}
    assert not above("x", "y", no_interval, 0).holds


def test_a_reason_counts_out_no_small_group() -> None:
    assert missing("evaluation", "on south", "1 deaths by day 90: at least 20 are needed").why.startswith("fewer than 10 deaths")


def test_what_fails_stands_out_of_the_table() -> None:
    first, second = table([at_least("AUC", "here", CELL, 0.7), missing("IPA", "there", "nobody")]).splitlines()
    assert first.startswith("  holds  AUC, here  ")
    assert second.startswith("  FAILS  IPA, there ")
