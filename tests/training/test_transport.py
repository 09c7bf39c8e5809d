import json
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

import lymphorisk
from models.design import design_matrix
from models.risk import sigmoid
from training.cohort import read_cohort
from training.comparing.rivals import rivals_of
from training.comparing.simple_models import COX, SavedSimple
from training.diagnosis.learned_from import NO_EVIDENCE
from training.judge import INTERCEPT, SLOPE, judge
from training.judgement import gain, judgement_text, split_lines, strata_lines, transport_lines
from training.recalibration.shift import cross_fitted
from training.simulation.files import write
from training.simulation.simulate import simulate
from training.statistics.evaluate import evaluate, paired_difference
from training.transport import transport

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def simple(small_fit):
    log_odds = small_fit.cross.repeats[0].calibrated["ensemble"]
    found = rivals_of(small_fit, log_odds, families=False, seed=1)
    return SavedSimple(found.simple, found.absent)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("elsewhere")


@pytest.fixture(scope="module")
def elsewhere(folder):
    return read_cohort(write(simulate(700, 31), folder), required=("ln_nlr",))


@pytest.fixture(scope="module")
def judged(small_fit, simple, elsewhere):
    return judge(small_fit.model, elsewhere, simple=simple, bootstrap=8, seed=1)


def of(comparators, name):
    return next(one for one in comparators if one["name"] == name)


def test_a_saved_simple_model_is_applied_as_it_is_to_those_who_have_its_inputs(judged, small_fit, simple, elsewhere):
    cox = next(one for one in simple.models if one.simple.name == COX)
    rows, theirs = cox.log_odds(elsewhere.patients)
    ours = small_fit.model.score(design_matrix(small_fit.model.design, elsewhere.patients)).log_odds[rows]
    part, place = elsewhere.select(rows), small_fit.model.days.index(180)
    expected = paired_difference(
        ours[:, place], theirs[:, place], part.follow_up, 180, statistic="ipa",
        groups=[one.id for one in part.patients], bootstrap=8, seed=1,
    )  # fmt: skip
    found = of(judged["comparators"], COX)
    assert found["n"] == len(rows) < len(elsewhere)
    assert found["horizons"]["180"]["difference"]["ipa"] == expected.as_json()


def test_after_recalibration_model_and_comparator_were_shifted_in_the_same_way(judged, small_fit, simple, elsewhere):
    cox = next(one for one in simple.models if one.simple.name == COX)
    rows, theirs = cox.log_odds(elsewhere.patients)
    part, days = elsewhere.select(rows), tuple(map(float, small_fit.model.days))
    ours = small_fit.model.score(design_matrix(small_fit.model.design, elsewhere.patients)).log_odds[rows]
    ids = [one.id for one in part.patients]
    moved = [cross_fitted(one, part.follow_up, days, ids, slope=True, seed=1) for one in (ours, theirs)]
    judged_alone = [evaluate(sigmoid(one), one, part.follow_up, days, groups=ids, bootstrap=0, seed=1) for one in moved]
    ipa = [one.horizons[180.0].ipa.value for one in judged_alone]
    found = of(judged["recalibrated"][SLOPE]["comparators"], COX)["horizons"]["180"]
    assert found["difference"]["ipa"]["value"] == pytest.approx(ipa[0] - ipa[1])
    assert found["difference"]["auc"] == of(judged["comparators"], COX)["horizons"]["180"]["difference"]["auc"]


def test_a_published_score_has_an_accuracy_only_after_a_line_of_its_own(judged):
    ipa = [
        of(found["comparators"], "pni")["horizons"]["180"]["ipa"]
        for found in (judged, judged["recalibrated"][INTERCEPT], judged["recalibrated"][SLOPE])
    ]
    assert [one["value"] is None for one in ipa] == [True, True, False]
    assert ipa[0]["why"] == "the score states no risk, and was not recalibrated here"
    assert ipa[1]["why"] == "a score that states no risk has none to shift: only a line makes it one"


def test_a_model_that_says_too_little_everywhere_is_mended_by_a_shift(small_fit, simple, elsewhere):
    calibration = small_fit.model.calibration
    shy = replace(small_fit.model, calibration=replace(calibration, intercept=calibration.intercept - 1))
    found = judge(shy, elsewhere, simple=simple, bootstrap=0, seed=1)
    before, after = found["horizons"]["180"], found["recalibrated"][INTERCEPT]["horizons"]["180"]
    assert before["calibration"]["observed_expected"]["value"] > 1.4
    assert after["calibration"]["observed_expected"]["value"] == pytest.approx(1.0, abs=0.06)
    assert after["ipa"]["value"] > before["ipa"]["value"]
    assert "auc" not in after


def test_too_few_deaths_refuse_recalibration_and_the_row_says_nothing_there(small_fit, elsewhere):
    few, fewer = (judge(small_fit.model, elsewhere.select(np.arange(n)), bootstrap=0, seed=1) for n in (120, 20))
    assert "horizons" in few["recalibrated"][INTERCEPT]
    assert few["recalibrated"][SLOPE]["refused"].startswith("a slope needs 200 patients and 60 deaths, here are 120 patients")
    assert fewer["recalibrated"][INTERCEPT]["refused"].startswith("recalibration needs 20 deaths by day 90")
    assert transport([fewer]) == []
    assert all(row["sloped_ipa"] is None for row in transport([few]))


def test_a_model_saved_without_simple_models_says_so(small_fit, elsewhere):
    found = judge(small_fit.model, elsewhere, bootstrap=0, seed=1)
    assert of(found["comparators"], COX)["why"] == "the model was saved without its simple models: train it anew"
    assert "Cox on four variables: cannot be said (the model was saved without" in found["beats_them"]


def test_the_transport_table_has_a_row_for_each_cohort_and_horizon(judged, small_fit, elsewhere):
    other = judged | {"cohort": "another"}
    table = json.loads(json.dumps(transport([judged, other]), allow_nan=False))
    assert [(row["cohort"], row["day"]) for row in table[:2]] == [(elsewhere.name, day) for day in list(judged["horizons"])[:2]]
    assert len(table) == 2 * len(judged["horizons"])
    row = next(row for row in table if row["day"] == "180")
    assert row["auc"] == judged["horizons"]["180"]["auc"]
    assert row["shifted_ipa"] == judged["recalibrated"][INTERCEPT]["horizons"]["180"]["ipa"]
    assert set(row["ipa_over"]) == {"albumin_alone", "ln_nlr_alone", COX}
    assert {"pni", COX} <= set(row["sloped_ipa_over"])
    lines = transport_lines(table)
    assert lines[0].split()[:4] == ["cohort", "n", "day", "deaths"]
    assert lines[-1].startswith("another")
    assert len(lines) == 1 + len(table)


def test_the_text_answers_the_question_and_names_what_is_not_available(judged, small_fit):
    text = judgement_text(small_fit.model, judged)
    assert "  Does it beat them by day 90? albumin alone: " in text
    assert "LORIS (response to immunotherapy)    not available: " in text
    assert "recalibrated here (intercept, cross-fitted), day 180: IPA " in text
    assert gain({"value": 0.01, "low": -0.02, "high": 0.04}) == "+0.010 (-0.020 to +0.040)"
    assert gain({"value": None, "low": None, "high": None}) == "-"


def test_of_patients_the_model_learned_from_no_verdict_is_given(judged, small_fit):
    own = {"findings": [{"item": "own cohort", "verdict": "Fail"}]}
    text = judgement_text(small_fit.model, {**judged, "diagnosis": own})
    assert NO_EVIDENCE in text
    assert "Does it beat them" not in text
    fine = {"findings": [{"item": "own cohort", "verdict": "Pass"}]}
    assert "Does it beat them" in judgement_text(small_fit.model, {**judged, "diagnosis": fine})


def test_groups_whose_deaths_are_not_those_expected_are_named():
    def group(level, low, high):
        return {"by": "sex", "level": level, "observed_expected": {"value": 1.2, "low": low, "high": high}}

    found = {"strata": [group("male", 1.1, 1.3), group("female", 0.9, 1.5), group("unknown", None, None)]}
    assert strata_lines(found) == [
        "  O:E differs from 1 in 1 of 2 groups with an interval (by chance alone less than one, 5 % of them): "
        "sex male 1.200 (1.100-1.300)"
    ]
    assert split_lines({"temporal": {"refused": "no dates"}}) == [" temporal: refused: no dates"]


@pytest.mark.usefixtures("elsewhere")  # its files
def test_several_cohorts_in_one_command_give_one_table(small_artifact, folder, tmp_path):
    second = write(simulate(300, 33), tmp_path)
    command = ["evaluate", str(small_artifact), str(folder / "cohort.toml"), str(second), "--bootstrap", "2"]
    ran = CliRunner().invoke(lymphorisk.app, [*command, "--json"])
    assert ran.exit_code == 0, ran.stderr
    told = json.loads(ran.stdout)
    assert [one["cohort"] for one in told["cohorts"]] == ["simulated-700-31", "simulated-300-33"]
    assert {row["cohort"] for row in told["transport"]} == {"simulated-700-31", "simulated-300-33"}
