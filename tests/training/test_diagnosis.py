"""What is planted in a cohort is found as a Fail with its rows, all at once; where nothing is wrong there is no alarm."""

import json

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import lymphorisk
from models.example import EXAMPLE
from training.cohort import read_cohort
from training.diagnosed import after_training, before_judging, before_training
from training.diagnosis.analysis import enough
from training.diagnosis.degenerate import degenerate
from training.diagnosis.diagnose import diagnose
from training.diagnosis.finding import NAMED, Diagnosis, Finding, diagnosis_text
from training.diagnosis.too_good import too_good
from training.learners.plan import HORIZONS, Settings
from training.simulation.files import write
from training.simulation.simulate import simulate
from training.telling.evidence import DIAGNOSIS
from training.telling.sections_belief import belief

EXTRA = '\n[extra]\n{0} = {{ column = "{0}", kind = "numeric" }}\n'


@pytest.fixture
def planted(tmp_path):
    """Writes a simulated cohort of one row a patient with some of its columns altered, and the cohort file with `more`."""

    def write_planted(alter, more: str = ""):
        path = write(simulate(500, 3), tmp_path / "planted")
        table = pd.read_csv(path.parent / "patients.csv", dtype=str)
        alter(table).to_csv(path.parent / "patients.csv", index=False)
        path.write_text(path.read_text() + more)
        return path

    return write_planted


@pytest.fixture(scope="module")
def trained_model(small_file, tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained") / "model"
    quick = ["--no-tracking", "--refits", "2", "--bootstrap", "0", "--folds", "3", "--learner", "linear"]
    ran = CliRunner().invoke(lymphorisk.app, ["train", str(small_file), "--out", str(folder), *quick])
    assert ran.exit_code == 0, ran.stderr
    assert "May it be believed? 1 Fail" in ran.stderr
    return folder


def check(path, *options: str):
    ran = CliRunner().invoke(lymphorisk.app, ["check", str(path), "--json", *options])
    return ran, json.loads(ran.stdout)


def fails(document):
    return {one["item"]: one for one in document["diagnosis"]["findings"] if one["verdict"] == "Fail"}


def test_a_planted_leak_is_a_fail_with_its_rows(planted):
    path = planted(lambda table: table.assign(visits=(pd.to_numeric(table.os_days) / 30).round(2)), EXTRA.format("visits"))
    ran, document = check(path)
    found = fails(document)["outcome under another name"]
    assert ran.exit_code == 1
    assert found["number"] == pytest.approx(1, abs=0.01)
    assert "column visits" in found["why"]
    assert (found["rows"], found["rows_at_fault"]) == (list(range(2, 2 + NAMED)), 500)


def test_a_constant_column_is_a_fail_with_its_rows(planted):
    def alter(table):
        return table.assign(albumin_g_dl=table.albumin_g_dl.where(table.albumin_g_dl.isna(), "3.8"))

    _, document = check(planted(alter))
    found = fails(document)["constant column"]
    assert "column albumin_g_dl has 38 g/L for all" in found["why"]
    assert found["number"] == found["rows_at_fault"] < 500  # those in whom it is not missing


def test_a_swapped_unit_is_a_fail_with_its_rows_and_the_likely_unit(planted):
    def alter(table):
        return table.assign(hemoglobin_g_dl=(pd.to_numeric(table.hemoglobin_g_dl) / 1.61).round(1))

    _, document = check(planted(alter))
    found = fails(document)["unit"]
    assert found["number"] == pytest.approx(7.2, abs=0.2)
    assert "likely mmol/L under the unit g/dL" in found["why"]
    assert found["rows_at_fault"] > 400


def test_a_unit_swapped_at_one_hospital_alone_is_found_there(planted):
    def alter(table):
        value = pd.to_numeric(table.hemoglobin_g_dl)
        site = table.site == table.site.mode()[0]
        return table.assign(hemoglobin_g_dl=np.where(site, (value / 1.61).round(1), value))

    ran, document = check(planted(alter))
    found = fails(document)["unit"]
    assert ran.exit_code == 0  # the cohort can be read and learned from: the Fail stands in the way of a promotion
    assert "at site" in found["why"]
    assert 20 <= found["rows_at_fault"] < 250


def test_an_immature_horizon_is_a_fail_with_the_rows_that_were_lost(planted):
    def cut(table):
        days, died = pd.to_numeric(table.os_days), pd.to_numeric(table.died)
        return table.assign(os_days=days.clip(upper=200), died=(died * (days <= 200)).astype("Int64"))

    ran, document = check(planted(cut))
    found = fails(document)["horizon 365 d"]
    assert ran.exit_code == 0
    assert "not identifiable" in found["why"]
    assert "the longest follow-up is 200 days" in found["why"]
    assert found["rows_at_fault"] > 100
    assert document["refused"]["365"].startswith("not identifiable")


def test_everything_that_was_planted_is_told_at_once_and_a_reason_leaves_it_a_fail(planted):
    def alter(table):
        return table.assign(visits=table.os_days, flat="1", hemoglobin_g_dl=pd.to_numeric(table.hemoglobin_g_dl) / 1.61)

    path = planted(alter, EXTRA.format("visits") + 'flat = { column = "flat", kind = "numeric" }\n')
    ran, document = check(path)
    wanted = {"outcome under another name", "constant column", "unit"}
    assert ran.exit_code == 1
    assert wanted <= set(fails(document))
    assert all(any(column in fault for fault in document["faults"]) for column in ("visits", "flat", "hemoglobin_g_dl"))
    ran, document = check(path, "--accept", "looked at by hand")
    assert ran.exit_code == 0
    assert {fails(document)[item]["accepted"] for item in wanted} == {"looked at by hand"}
    assert "faults" not in document


def test_an_impossible_row_is_refused_and_not_diagnosed(planted):
    ran = CliRunner().invoke(lymphorisk.app, ["check", str(planted(lambda table: table.assign(albumin_g_dl="38")))])
    assert (ran.exit_code, ran.stdout) == (1, "")


@pytest.mark.parametrize("form", ["one-row", "tidy"])
def test_a_simulated_cohort_fails_in_nothing_but_the_number_of_its_patients(tmp_path, form):
    cohort = read_cohort(write(simulate(800, 11), tmp_path, form))
    found = before_training(cohort, Settings())
    assert [one.item for one in found.fails] == ["sample size"]
    named = before_training(cohort, Settings(features=("ln_alc", "ln_nlr", "albumin", "age")))
    assert not named.fails
    unknown = {one.item for one in named.findings if one.verdict == "Unknown"}
    assert unknown == ({"dated after the index date"} if form == "one-row" else set())


def test_rows_after_the_index_date_pass_because_they_are_kept_out_and_are_counted(tmp_path):
    path = write(simulate(300, 4), tmp_path, "tidy")
    measured = pd.read_csv(tmp_path / "measurements.csv", dtype=str)
    pd.concat([measured, measured.head(12).assign(day="5")]).to_csv(tmp_path / "measurements.csv", index=False)
    found = {one.item: one for one in before_training(read_cohort(path), Settings()).findings}["dated after the index date"]
    assert (found.verdict, found.number) == ("Pass", 12)
    assert "measurements.csv: 12 rows after the index date, kept out of every feature" in found.why


def test_every_finding_has_a_verdict_a_number_or_a_reason_and_can_be_filed_without_small_groups(small_cohort):
    found = before_training(small_cohort, Settings())
    document = json.loads(json.dumps(found.filed(), allow_nan=False))
    json.dumps(found.as_json(), allow_nan=False)
    assert document["fails"] == len(found.fails) == 1
    assert all(one["rows"] == [] for one in document["findings"])
    assert {one["domain"] for one in document["findings"]} == {"participants", "predictors", "outcome", "analysis"}
    for one, told in zip(found.findings, document["findings"], strict=True):
        assert one.why
        assert one.number is not None or one.verdict == "Unknown"
        assert one.unit or one.number is None
        if isinstance(one.number, int) and 0 < one.number < 10 and one.unit in ("patients", "deaths", "rows"):
            assert told["number"] == "<10"
    (thirty,) = (one for one in document["findings"] if one["item"] == "horizon 30 d")
    assert "fewer than 10 patients lost before" in thirty["why"] or "<10 patients lost before" in thirty["why"]


def test_the_text_begins_with_what_fails_and_names_rows_and_reasons():
    answers = [("a", "Pass", ()), ("b", "Unknown", ()), ("c", "Fail", (2, 3, 4, 5, 6, 7, 8))]
    findings = [Finding(item, "analysis", "?", verdict, 1, "why", rows) for item, verdict, rows in answers]
    lines = diagnosis_text(Diagnosis("x", tuple(findings), "y")).splitlines()
    assert lines[0] == "May it be believed against y? 1 Fail, 1 Unknown, 1 Pass"
    assert lines[1] == "  Fail     c: why (rows 2, 3, 4, 5, 6 and 2 more)"
    assert [line.split()[0] for line in lines[1:]] == ["Fail", "Unknown", "Pass"]


def test_a_model_judged_on_the_cohort_it_learned_from_is_a_fail(small_artifact, small_cohort, tmp_path):
    from models.artifact import load

    own = before_judging(load(small_artifact), small_cohort)
    assert "own cohort" in {one.item for one in own.fails}
    others = read_cohort(write(simulate(400, 44), tmp_path))
    found = before_judging(load(small_artifact), others)
    assert not {"own cohort", "sample size"} & {one.item for one in found.fails}
    (both,) = (one for one in found.findings if one.item == "patients in both")
    assert both.verdict == "Unknown"
    assert "--against" in both.why
    held = {one.item: one.verdict for one in before_judging(load(small_artifact), others, small_cohort).findings}
    assert (held["patients in both"], held["look-alikes in both"]) == ("Pass", "Pass")


def test_after_training_the_sample_size_is_judged_by_what_was_explained(small_cohort, small_fit, small_validation):
    found = after_training(small_cohort, small_fit, small_validation.as_json())
    (size,) = (one for one in found.findings if one.item == "sample size")
    assert "as cross-validation found" in size.why
    believed, whole = found.findings[-2:]
    assert (believed.item, believed.verdict, believed.unit) == ("too good to be true", "Pass", "AUC")
    assert (whole.item, whole.verdict) == ("evaluation of everybody", "Pass")


def test_the_sample_size_says_both_numbers_what_was_counted_and_that_two_rules_disagree(small_cohort):
    before, after = enough(small_cohort, 90.0, 14, None), enough(small_cohort, 90.0, 14, 0.3)
    assert (before.verdict, after.verdict) == ("Fail", "Pass")
    assert f"{before.number} needed" in before.why
    assert f"{before.number} needed" in after.why
    assert f"{after.number} needed" in after.why
    assert "The two rules disagree" in after.why
    for one in (before, after):
        assert "for 14 columns of the design, each counted as one parameter (splines and terms of time are penalised" in one.why
    assert "disagree" not in before.why + enough(small_cohort, 90.0, 14, 0.02).why + enough(small_cohort, 90.0, 2, 0.3).why


@pytest.mark.parametrize(("auc", "verdict"), [(0.80, "Pass"), (0.85, "Pass"), (0.89, "Unknown"), (0.95, "Fail"), (0.995, "Fail")])
def test_an_auc_that_no_such_model_has_reached_is_held_against_it(auc, verdict):
    evaluations = {"everybody": {"horizons": {"30": horizon(), "90": horizon(auc=auc)}}, "previously treated": {"refused": "few"}}
    found = too_good(evaluations)
    assert (found.verdict, found.number) == (verdict, auc)
    assert f"{auc:.3f}, at day 90 (everybody)" in found.why
    assert too_good({"everybody": {"horizons": {"30": horizon(auc=None)}}}).verdict == "Unknown"


def test_only_numbers_of_patients_are_hidden_where_they_are_small_and_each_has_its_unit():
    def filed(unit, number=5):
        return Finding("a", "analysis", "?", "Pass", number, "why", unit=unit).filed()

    assert {filed(unit)["number"] for unit in ("patients", "deaths", "rows", "")} == {"<10"}
    assert {filed(unit)["number"] for unit in ("columns", "horizons", "index dates of a patient")} == {5}
    assert filed("AUC", 0.8765) | {"unit": "AUC", "number": 0.88} == filed("AUC", 0.8765)
    one = Finding("a", "analysis", "?", "Pass", 0.8765, "why", unit="AUC")
    assert one.as_json()["unit"] == "AUC"
    assert diagnosis_text(Diagnosis("x", (one,))).endswith("  Pass     a: why [0.876 AUC]")
    report = belief({DIAGNOSIS: {"findings": [one.as_json(), one.as_json() | {"number": 3, "unit": "columns"}]}})
    assert "0.8765 AUC" in str(report)
    assert "3 columns" in str(report)


def cell(value, why=""):
    return {"value": value, "low": None, "high": None, "why": why}


def horizon(**values):
    cells = {"auc": 0.7, "ipa": 0.1, "intercept": 0.0, "slope": 1.0, "observed_expected": 1.0, "ici": 0.02} | values
    told = {name: cell(value, "" if value is not None else "risks that do not vary") for name, value in cells.items()}
    return {"auc": told["auc"], "ipa": told["ipa"], "calibration": told}


def test_an_evaluation_without_a_value_is_a_fail_and_says_which():
    whole = {"horizons": {"90": horizon(), "180": horizon()}, "refused": {}}
    assert degenerate(whole, "everybody").verdict == "Pass"
    flat = {"horizons": {"90": horizon(), "180": horizon(auc=None, slope=None)}, "refused": {}}
    found = degenerate(flat, "everybody")
    assert (found.verdict, found.number) == ("Fail", 2)
    assert found.why == "auc at day 180: risks that do not vary; slope at day 180: risks that do not vary"
    nothing = degenerate({"horizons": {}, "refused": {"90": "not evaluable: 3 deaths"}}, "everybody")
    assert (nothing.verdict, nothing.number) == ("Fail", 0)
    assert "day 90: not evaluable" in nothing.why


def test_the_primary_horizon_fails_unless_promotable_and_others_are_only_unknown(write_cohort):
    cohort = read_cohort(write_cohort())
    found = {one.item: one for one in diagnose(cohort, days=HORIZONS, primary=90.0, parameters=4).findings}
    assert found["horizon 90 d, primary"].verdict == "Fail"
    assert found["horizon 30 d"].verdict == "Unknown"
    assert "at least 20 are needed" in found["horizon 30 d"].why


def test_train_leaves_its_diagnosis_in_the_artifact_and_evaluate_begins_with_one(trained_model, small_file):
    filed = json.loads((trained_model / "diagnosis.json").read_text())
    assert filed["fails"] == sum(one["verdict"] == "Fail" for one in filed["findings"]) > 0
    assert filed["findings"][-1]["item"] == "evaluation of everybody"
    command = ["evaluate", str(trained_model), str(small_file), "--bootstrap", "0"]
    words = CliRunner().invoke(lymphorisk.app, command).stdout.splitlines()
    assert words[0] == EXAMPLE
    assert words[1].startswith("May it be believed? ")
    assert words[2].startswith("  Fail     own cohort: ")
    document = json.loads(CliRunner().invoke(lymphorisk.app, [*command, "--json", "--against", str(small_file)]).stdout)
    failed = {one["item"] for one in document["diagnosis"]["findings"] if one["verdict"] == "Fail"}
    assert {"own cohort", "patients in both", "look-alikes in both"} <= failed
