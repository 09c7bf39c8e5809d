import json
from dataclasses import replace

import pytest

from models import artifact
from models.cohort_file import InvalidCohort
from models.design import design_matrix
from training.cohort import read_cohort
from training.fit import Settings
from training.refused import NothingEvaluable
from training.report import run_json, run_text
from training.run import train
from training.telling.card import check_card
from training.validate import EVERYBODY, TREATED

QUICK = Settings(learner="linear", folds=2, refits=2, features=("ln_nlr", "albumin", "ecog"))


@pytest.fixture(scope="module")
def run(small_file, tmp_path_factory):
    heard = []
    made = train(small_file, tmp_path_factory.mktemp("run") / "model", QUICK, bootstrap=5, tracking=None, say=heard.append)
    assert [len(cohort) for cohort in heard] == [len(made.cohort)]
    return made


def test_the_saved_artifact_is_the_fitted_model(run):
    loaded = artifact.load(run.folder, run.digest)
    matrix = design_matrix(loaded.model.design, run.cohort.patients)
    assert (loaded.model.score(matrix).risk == run.fit.model.score(run.fit.matrix).risk).all()
    evidence = {"cohort.json", "comparators.json", "diagnosis.json", "evaluation.json", "learner.json", "risks.json"}
    assert {path.name for path in run.folder.iterdir()} == evidence | {"model.json", "manifest.json", "card.json", "card.md"}
    assert check_card(run.folder) == []
    assert run.report.read_text().startswith("<!DOCTYPE html>")
    assert run.tracked is None
    assert all(path.is_file() for path in run.pictures)


def test_nothing_is_written_over(run, small_file):
    with pytest.raises(FileExistsError, match="written once and never altered"):
        train(small_file, run.folder, QUICK, tracking=None)


def test_nothing_is_written_where_the_cohort_is_refused(write_cohort, tmp_path):
    out = tmp_path / "out" / "model"
    with pytest.raises(InvalidCohort, match="column died = 2"):
        train(write_cohort(cells={("died", 3): 2}), out, QUICK, tracking=None)
    with pytest.raises(NothingEvaluable, match="day 90 is not evaluable"):
        train(write_cohort(columns={"died": [1, 0, 0, 0, 0, 0] * 20}), out, QUICK, tracking=None)
    assert not out.parent.exists()


def test_the_report_is_json_and_says_what_was_chosen_and_refused(run):
    told = json.loads(json.dumps(run_json(run), allow_nan=False))
    assert next(iter(told)) == "example"
    assert (told["learner"], told["features"]) == ("linear", ["ln_nlr", "albumin", "ecog"])
    assert told["digest"] == run.digest
    assert list(told["validation"]["evaluations"]) == [EVERYBODY]


def test_the_text_tells_the_previously_treated_first_with_albumin_alone_beside(run):
    found = run.validation
    validation = replace(
        found,
        evaluations={TREATED: found.evaluations[EVERYBODY], **found.evaluations},
        fold_means={TREATED: found.fold_means[EVERYBODY], **found.fold_means},
        over_albumin={TREATED: found.over_albumin[EVERYBODY], **found.over_albumin},
        albumin_alone={TREATED: found.albumin_alone[EVERYBODY], **found.albumin_alone},
        comparisons={TREATED: found.comparisons[EVERYBODY], **found.comparisons},
    )
    text = run_text(replace(run, validation=validation))
    assert text.startswith("EXAMPLE: simulated patients, not a real risk\n")
    assert text.index(" previously treated, 491 patients") < text.index(" everybody, 491 patients")
    assert text.split(" temporal, ")[0].count("  Does it beat them by day 90? albumin alone: ") == 2
    assert "Cross-validated (1 x 2-fold cross-validation by patient, seed 1), calibration cross-fitted" in text
    assert f"digest {run.digest}" in text


def test_a_model_that_cannot_be_promoted_says_which_number_is_short(small_file, tmp_path):
    cohort = read_cohort(small_file)
    lines = small_file.with_name("patients.csv").read_text().splitlines()[:148]
    (tmp_path / "patients.csv").write_text("\n".join(lines) + "\n")
    few = train(small_file, tmp_path / "model", replace(QUICK, features=None), data=tmp_path, bootstrap=0, tracking=None)
    assert len(few.cohort) < len(cohort)
    text = run_text(few)
    assert "Not promotable: " in text
    assert "at least 100 are needed to promote a model" in text
    assert "Refused: 30 d, not evaluable: " in text
