import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import lymphorisk
from models.cohort_file import InvalidCohort
from models.design import design_matrix
from training.cohort import followed, read_cohort, required_features
from training.learners.available import choose_design
from training.simulation.files import write
from training.simulation.simulate import simulate

OFFERED = '[extra]\nbest = { column = "best_response", kind = "categorical" }\n'
LEFT_OUT = '[[exclude]]\nwhere = { column = "os", below = 0 }\nreason = "follow-up before the index date"\n'
# what is wrong -> how the cohort is written, and what the one fault must say
FAULTS = {
    "two rows for one patient": (
        {"cells": {("id", 9): "P4"}},
        ["patients.csv rows 4, 9, column id = P4 in rows 4, 9", "one row a patient"],
    ),
    "a patient without a name": ({"cells": {("id", 9): ""}}, ["patients.csv row 9, column id = nothing"]),
    "death indicator 2": ({"cells": {("died", 3): 2, ("died", 7): 2}}, ["patients.csv rows 3, 7, column died = 2", "1 or 0"]),
    "mapped column unknown": (
        {"edits": {'"albumin", unit': '"albumine", unit'}},
        ["hospital.toml: measurements.albumin = column albumine", "likely column albumin"],
    ),
    "mapped unit unknown": (
        {"edits": {'"g/L"': '"grams"'}},
        ["hospital.toml: measurements.albumin.unit", "'grams'", "g/L, g/dL"],
    ),
    "negative follow-up without a rule": (
        {"cells": {("os", 5): -3}},
        ["patients.csv row 5, column os = -3", "an [[exclude]] rule"],
    ),
    "an outcome column offered as a covariate": (
        {"columns": {"best_response": "PD"}, "more": OFFERED},
        ["hospital.toml: extra.best = column best_response", "an outcome column offered as a covariate"],
    ),
    "follow-up offered as a covariate": (
        {"more": '[extra]\ntime = { column = "os", kind = "numeric" }\n'},
        ["extra.time = column os", "an outcome column offered as a covariate"],
    ),
    "an impossible value": ({"cells": {("nlr", 4): 6200}}, ["patients.csv row 4, column nlr = 6200 1", "0.01 to 200"]),
    "a text for a number": ({"cells": {("albumin", 4): "low"}}, ["patients.csv row 4, column albumin", "text"]),
    "a code for a death that nobody has": (
        {"edits": {'died = { column = "died" }': 'died = { column = "died", yes = "2" }'}},
        ['hospital.toml: follow_up.died = yes = "2", and column died holds 1 in 82 rows, 0 in 38 rows', "another code"],
    ),
    "an unknown tumour": ({"cells": {("tumour", 8): "lungs"}}, ["patients.csv row 8, column tumour = lungs"]),
    "a lab that never varies": (
        {"columns": {"nlr": 6.2}},
        ["patients.csv, column nlr = 6.2 for all 120 patients", "a placeholder of the source", "--accept REASON"],
    ),
    "days under months": (
        {"columns": {"os": list(range(341, 461))}, "edits": {'"os", unit = "d"': '"os", unit = "mo"'}},
        ["patients.csv, column os = a median of 400 mo, 33 years", "likely days under the unit mo", "--accept REASON"],
    ),
    "albumin in g/dL called g/L": (
        {"columns": {"albumin": [3.1 + k / 100 for k in range(120)]}},
        ["patients.csv rows 2, 3, 4, 5, 6 and 115 more, column albumin = 3.1 g/L", "8 to 70 g/L", "g/dL under the unit g/L"],
    ),
    "albumin in g/L called g/dL": (
        {"edits": {'"g/L"': '"g/dL"'}},
        ["patients.csv rows 2, 3, 4, 5, 6 and 115 more, column albumin", "8 to 70 g/L", "likely g/L under the unit g/dL"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("wrong", FAULTS)
def test_a_faulty_cohort_is_refused_with_file_column_rows_and_likely_cause(write_cohort, wrong):
    how, said = FAULTS[wrong]
    with pytest.raises(InvalidCohort, match=r"allowed is") as refused:
        read_cohort(write_cohort(**how))
    (fault,) = refused.value.faults
    assert all(part in str(fault) for part in said), str(fault)


@pytest.mark.parametrize("wrong", FAULTS)
def test_check_and_train_refuse_a_faulty_cohort_and_write_nothing(write_cohort, wrong):
    path = write_cohort(**FAULTS[wrong][0])
    before = sorted(path.parent.iterdir())
    for command in (["check", str(path)], ["train", str(path), "--out", str(path.parent / "model"), "--no-tracking"]):
        ran = CliRunner().invoke(lymphorisk.app, command)
        assert ran.exit_code == 1, command
        assert not ran.stdout or (command[0] == "check" and "May it be believed?" in ran.stdout)
        assert all(part in ran.stderr for part in FAULTS[wrong][1]), ran.stderr
    assert sorted(path.parent.iterdir()) == before


def test_every_fault_is_named_at_once(write_cohort):
    cells = {("id", 9): "P4", ("died", 3): 2, ("os", 5): -3, ("nlr", 4): 6200, ("age", 4): 1950}
    path = write_cohort(cells=cells, columns={"albumin": 38}, edits={'"lines"': '"prior"'})
    with pytest.raises(InvalidCohort, match="allowed is") as refused:
        read_cohort(path)
    said = [str(fault) for fault in refused.value.faults]
    starts = ["hospital.toml: treatment_history.prior_lines = column prior", "patients.csv rows 4, 9, column id"]
    starts += ["patients.csv row 3, column died", "patients.csv row 4, column nlr", "patients.csv row 4, column age"]
    starts += ["patients.csv row 5, column os", "patients.csv, column albumin"]
    assert len(said) == len(starts)
    assert all(any(one.startswith(start) for one in said) for start in starts), said


def test_rows_of_one_column_that_are_wrong_in_different_ways_are_one_fault_with_each_cause(write_cohort):
    low = [3.1 + k / 100 for k in range(119)]
    path = write_cohort(columns={"albumin": [*low, -99]})
    with pytest.raises(InvalidCohort, match="column albumin") as refused:
        read_cohort(path)
    (fault,) = refused.value.faults
    assert fault.likely.startswith("g/dL under the unit g/L (rows 2, 3, 4, 5, 6 and 114 more), or")
    assert "missing value (row 121)" in fault.likely


def test_a_column_that_is_not_there_is_one_fault_not_one_a_row(write_cohort):
    with pytest.raises(InvalidCohort, match="column years") as refused:
        read_cohort(write_cohort(edits={'"age"': '"years"'}))
    assert len(refused.value.faults) == 1


@pytest.mark.parametrize("wrong", ["a lab that never varies", "days under months"])
def test_what_is_suspicious_but_possible_is_accepted_for_a_reason_that_is_kept(write_cohort, wrong):
    cohort = read_cohort(write_cohort(**FAULTS[wrong][0]), accept="seen with the laboratory")
    (accepted,) = cohort.accepted
    assert accepted.endswith("(accepted: seen with the laboratory)")
    assert FAULTS[wrong][1][0] in accepted


def test_what_is_impossible_is_not_accepted_for_any_reason(write_cohort):
    path = write_cohort(**FAULTS["albumin in g/dL called g/L"][0])
    with pytest.raises(InvalidCohort, match=r"--accept = it is fine: allowed is .* suspicious but possible"):
        read_cohort(path, accept="it is fine")


def test_an_exclusion_is_counted_with_the_change_in_composition(write_cohort):
    cells = {("age", 2): 15, ("age", 3): 16, ("os", 4): "", ("died", 5): "", ("nlr", 6): "", ("os", 7): -4, ("albumin", 8): ""}
    cohort = read_cohort(write_cohort(cells=cells, more=LEFT_OUT))
    told = [(step.reason, step.left, step.remaining["n"]) for step in cohort.flow]
    assert told == [
        ("rows read", 0, 120),
        ("follow-up before the index date", 1, 119),
        ("under 18", 2, 117),
        ("follow-up missing", 2, 115),
        ("no required input: neutrophil-to-lymphocyte ratio", 1, 114),
    ]
    assert len(cohort) == 114
    everybody, adults = cohort.flow[1].remaining, cohort.flow[2].remaining
    assert everybody["median_age"] <= adults["median_age"]
    assert everybody["share_women"] != adults["share_women"]
    assert adults.keys() == {"n", "median_age", "share_women", "share_previously_treated", "median_nlr", "median_albumin"}


def test_a_declared_rule_that_leaves_nobody_out_is_told_too(write_cohort):
    assert [step.left for step in read_cohort(write_cohort(more=LEFT_OUT)).flow] == [0, 0]


def test_what_a_rule_leaves_out_is_not_judged(write_cohort):
    path = write_cohort(cells={("os", 4): -4, ("died", 4): 2, ("id", 4): "P9"}, more=LEFT_OUT)
    assert len(read_cohort(path)) == 119


def test_a_cohort_of_nobody_is_refused_with_where_they_went(write_cohort):
    with pytest.raises(InvalidCohort, match="nobody: 12 under 18: allowed is at least one patient"):
        read_cohort(write_cohort(12, columns={"age": 12}))


def test_a_haematological_malignancy_and_an_acute_state_are_left_out(write_cohort):
    edits = {'albumin = {': 'anc = { column = "anc", unit = "10*9/L" }\nalbumin = {'}
    path = write_cohort(cells={("tumour", 4): "myeloma", ("anc", 5): 0.3}, columns={"anc": 5 * [4.1, 5.2, 6.3] * 8}, edits=edits)
    assert [step.left for step in read_cohort(path).flow] == [0, 1, 1]


def test_sentinels_are_missing_values(write_cohort):
    cohort = read_cohort(write_cohort(cells={("albumin", 4): -999, ("os", 5): "-999.0"}))
    assert cohort.patients[2].current("albumin") is None
    assert [step.reason for step in cohort.flow] == ["rows read", "follow-up missing"]


def test_months_are_days(write_cohort):
    months = read_cohort(write_cohort(columns={"os": [k / 10 for k in range(120)]}, edits={'unit = "d"': 'unit = "mo"'}))
    assert months.follow_up.times[100] == pytest.approx(10 * 30.4375)


def test_delayed_entry_is_kept_and_whoever_entered_too_late_is_left_out(write_cohort):
    edits = {'[patient_fields]': 'entered = { column = "entered", unit = "d" }\n[patient_fields]'}
    path = write_cohort(cells={("entered", 2): -20, ("os", 3): 5, ("os", 4): 0}, columns={"entered": 10, "os": 300}, edits=edits)
    cohort = read_cohort(path)
    assert cohort.follow_up.entries.tolist() == [0.0, *[10.0] * 117]
    assert (cohort.flow[-1].reason, cohort.flow[-1].left) == ("entered at or after the end of follow-up", 2)


def test_required_inputs_are_those_named_else_nlr_else_alc(write_cohort):
    def required(more="", edits=None):
        return read_cohort(write_cohort(edits=edits or {}, more=more)).required

    assert required() == ("ln_nlr",)
    assert required(edits={'name = "hospital"': 'name = "hospital"\nrequired = ["albumin", "nlr"]'}) == ("albumin", "ln_nlr")
    assert required(edits={'nlr = { column = "nlr", unit = "1" }': ""}) == ()
    alc = {'nlr = { column = "nlr", unit = "1" }': 'alc = { column = "nlr", unit = "10*9/L" }'}
    assert required_features(read_cohort(write_cohort(columns={"nlr": [1.0, 1.1] * 60}, edits=alc)).file) == ("ln_alc",)


def test_an_input_that_no_feature_reads_cannot_be_required(write_cohort):
    with pytest.raises(InvalidCohort, match=r"required = sodium: allowed is one of alc"):
        read_cohort(write_cohort(edits={'name = "hospital"': 'required = ["sodium"]'}))


def test_a_cohort_file_without_patient_or_follow_up_is_refused(write_cohort):
    with pytest.raises(InvalidCohort, match=r"hospital.toml: patient = an empty name.*\n.*follow_up.died = an empty name"):
        read_cohort(write_cohort(edits={'patient = "id"': 'patient = ""', 'column = "died"': 'column = ""'}))
    unfollowed = write_cohort(edits={'[follow_up]\ntime = { column = "os", unit = "d" }\ndied = { column = "died" }\n': ""})
    with pytest.raises(InvalidCohort, match=r"hospital.toml: follow_up = nothing"):
        read_cohort(unfollowed)


def test_another_models_required_features_may_be_asked_for(write_cohort):
    cohort = read_cohort(write_cohort(cells={("albumin", 4): ""}), required=("albumin",))
    assert cohort.flow[-1].reason == "no required input: albumin"


def test_the_digest_follows_every_byte(write_cohort):
    digest = read_cohort(write_cohort()).digest
    assert digest == read_cohort(write_cohort()).digest
    assert digest != read_cohort(write_cohort(cells={("nlr", 5): 2.22})).digest


def test_one_row_and_tidy_tables_csv_and_parquet_are_one_cohort(tmp_path):
    drawn = simulate(150, 3, blemishes=True)
    cohorts = [
        read_cohort(write(drawn, tmp_path / f"{form}-{tables}", form, tables))
        for form in ("one-row", "tidy")
        for tables in ("csv", "parquet")
    ]
    design = choose_design(cohorts[0], ("ln_alc", "ln_nlr", "ca19_9_log10", "albumin", "prior_lines", "age", "sex_male")).design
    first, *others = [design_matrix(design, cohort.patients).x for cohort in cohorts]
    for other in others:
        np.testing.assert_array_equal(first, other)
    assert all(np.array_equal(cohort.follow_up.times, cohorts[0].follow_up.times) for cohort in cohorts)
    assert [step.left for step in cohorts[0].flow] == [step.left for step in cohorts[1].flow] == [0, 1, 1, 1]


def test_nothing_after_the_index_date_reaches_a_feature(tmp_path):
    path = write(simulate(80, 4), tmp_path, "tidy")
    before = read_cohort(path)
    design = choose_design(before).design
    later = pd.DataFrame(
        [
            {"patient": name, "day": day, "analyte": analyte, "value": value, "unit": "10*9/L", "uln": ""}
            for name in [patient.id for patient in before.patients]
            for day, analyte, value in ((1, "alc", 9.9), (30, "anc", 0.1), (200, "alc", 0.05))
        ]
    )
    measured = pd.read_csv(tmp_path / "measurements.csv", dtype=str)
    pd.concat([measured, later]).to_csv(tmp_path / "measurements.csv", index=False)
    treated = pd.read_csv(tmp_path / "treatments.csv", dtype=str)
    course = {"line": 9, "modality": "chemotherapy", "start": 1, "end": 50}
    begun = pd.DataFrame([{"patient": one.id} | course for one in before.patients])
    pd.concat([treated, begun]).to_csv(tmp_path / "treatments.csv", index=False)
    after = read_cohort(path)
    assert after.digest != before.digest
    np.testing.assert_array_equal(design_matrix(design, after.patients).x, design_matrix(design, before.patients).x)


def test_a_fault_in_a_tidy_table_names_that_table_and_its_row(tmp_path):
    path = write(simulate(40, 4), tmp_path, "tidy")
    measured = pd.read_csv(tmp_path / "measurements.csv", dtype=str)
    row = int(np.flatnonzero(measured["analyte"] == "albumin")[7])
    measured.loc[row, "value"] = "380"
    measured.to_csv(tmp_path / "measurements.csv", index=False)
    treated = pd.read_csv(tmp_path / "treatments.csv", dtype=str)
    treated.loc[3, "modality"] = "magic"
    treated.to_csv(tmp_path / "treatments.csv", index=False)
    with pytest.raises(InvalidCohort, match="allowed is") as refused:
        read_cohort(path)
    said = sorted(str(fault) for fault in refused.value.faults)
    assert said[0].startswith(f"measurements.csv row {row + 2}, measurements albumin = 380")
    assert said[1].startswith("treatments.csv row 5, treatments modality = magic")


def test_tidy_rows_of_somebody_else_are_told_and_not_used(tmp_path):
    path = write(simulate(40, 4), tmp_path, "tidy")
    with (tmp_path / "treatments.csv").open("a") as file:
        file.write("NOBODY,1,chemotherapy,drug,-300,-200,progression\n")
    warned = "treatments.csv: 1 row was not used, of 1 patient not in patients.csv"
    assert warned in read_cohort(path).warnings


def test_rows_cut_short_are_refused_by_check_and_not_taken_for_patients_without_follow_up(write_cohort):
    path = write_cohort()
    table = path.with_name("patients.csv")
    head, *rows = table.read_text().splitlines()
    table.write_text("\n".join([head, *rows[:80], *(row.rsplit(",", 3)[0] for row in rows[80:])]) + "\n")
    ran = CliRunner().invoke(lymphorisk.app, ["check", str(path)])
    assert (ran.exit_code, ran.stdout) == (1, "")
    assert "patients.csv rows 82, 83, 84, 85, 86 and 35 more, number of cells = 6: allowed is 9, as the header has" in ran.stderr


def test_a_comma_at_the_end_of_every_row_is_a_fault_that_names_no_patient(write_cohort):
    path = write_cohort()
    table = path.with_name("patients.csv")
    head, *rows = table.read_text().splitlines()
    table.write_text("\n".join([head, *(row + "," for row in rows)]) + "\n")
    for command in (["check", str(path)], ["train", str(path), "--out", str(path.parent / "model"), "--no-tracking"]):
        ran = CliRunner().invoke(lymphorisk.app, command)
        assert (ran.exit_code, ran.stdout) == (1, "")
        assert "number of cells = 10: allowed is 9, as the header has; likely a comma at the end of the row" in ran.stderr
        assert "P2" not in ran.stderr


def test_blanks_around_a_patients_name_part_nobody_from_the_measurements(tmp_path):
    path = write(simulate(40, 4), tmp_path, "tidy")
    whole = read_cohort(path)
    head, *rows = (tmp_path / "measurements.csv").read_text().splitlines()
    (tmp_path / "measurements.csv").write_text("\n".join([head, *(row.replace(",", " ,", 1) for row in rows)]) + "\n")
    spaced = read_cohort(path)
    assert spaced.patients == whole.patients
    assert spaced.warnings == whole.warnings


def test_tables_may_lie_elsewhere_and_are_missed_where_they_do_not(write_cohort, tmp_path):
    path = write_cohort()
    elsewhere = tmp_path / "tables"
    elsewhere.mkdir()
    with pytest.raises(InvalidCohort, match="no such file"):
        read_cohort(path, data=elsewhere)
    (tmp_path / "patients.csv").rename(elsewhere / "patients.csv")
    assert len(read_cohort(path, data=elsewhere)) == 120


def test_no_log_shows_patients_by_accident(write_cohort):
    shown = repr(read_cohort(write_cohort()))
    assert "hospital" in shown
    assert "P2" not in shown
    assert "Measurement" not in shown


def test_a_part_of_a_cohort_keeps_its_patients_and_their_follow_up_together(write_cohort):
    cohort = read_cohort(write_cohort())
    part = cohort.select(np.array([5, 2, 2]))
    assert [patient.id for patient in part.patients] == ["P7", "P4", "P4"]
    np.testing.assert_array_equal(part.follow_up.times, cohort.follow_up.times[[5, 2, 2]])
    mask = cohort.follow_up.deaths
    assert len(cohort.select(mask)) == mask.sum() == len(followed(cohort.follow_up, mask))


@pytest.mark.parametrize("source", ["a hospital", ""])
def test_a_simulated_cohort_cannot_pass_for_a_real_one(tmp_path, source):
    path = write(simulate(60, 1), tmp_path)
    text = path.read_text(encoding="utf-8").replace('source = "simulated"', f'source = "{source}"')
    path.write_text(text.replace('name = "simulated-60-1"', 'name = "hospital"'), encoding="utf-8")
    with pytest.raises(InvalidCohort, match='a simulated cohort must say source = "simulated"'):
        read_cohort(path)


def test_a_cohort_keeps_when_each_patient_entered_and_why_each_was_censored(write_cohort):
    columns = {"when": [2019 + row / 60 for row in range(120)], "why": ["hospice", "", "moved"] * 40}
    edits = {'died = { column = "died" }': 'died = { column = "died" }\ncensor_reason = "why"'}
    cohort = read_cohort(write_cohort(columns=columns, edits=edits, more='[index]\nyear = "when"\n'))
    assert cohort.periods == pytest.approx(columns["when"])
    assert cohort.censor_reasons == tuple(columns["why"])
    assert cohort.rows == tuple(range(2, 122))
    part = cohort.select(np.array([7, 2]))
    assert (part.periods, part.rows) == ((cohort.periods[7], cohort.periods[2]), (9, 4))
    assert part.censor_reasons == ("", "moved")


def test_one_patient_without_a_year_leaves_the_cohort_without_years_and_says_so(write_cohort):
    years = [2019 + row / 60 for row in range(120)]
    cohort = read_cohort(write_cohort(columns={"when": years}, cells={("when", 5): ""}, more='[index]\nyear = "when"\n'))
    assert cohort.periods is None
    assert "column when: empty for 1 of 120 patients: no split in time is possible" in cohort.warnings


def test_a_cohort_file_that_names_no_year_has_none(write_cohort):
    assert read_cohort(write_cohort()).periods is None


@pytest.mark.parametrize("form", ["one-row", "tidy"])
def test_simulated_patients_enter_over_years_and_are_lost_or_followed_to_the_end(tmp_path, form):
    cohort = read_cohort(write(simulate(400, 3), tmp_path, form))
    assert 2020 <= min(cohort.periods) < 2020.2
    assert 2022.7 < max(cohort.periods) <= 2023
    reasons = [reason for reason, died in zip(cohort.censor_reasons, cohort.follow_up.deaths, strict=True) if not died]
    assert set(reasons) == {"end of study", "lost to follow-up"}
    assert all(not reason for reason, died in zip(cohort.censor_reasons, cohort.follow_up.deaths, strict=True) if died)


def test_a_doubtful_cohort_can_be_read_to_be_diagnosed_and_names_the_rows_of_every_doubt(write_cohort):
    path = write_cohort(columns={"nlr": 6.2, "flat": "x"}, more='[extra]\nflat = { column = "flat", kind = "categorical" }\n')
    with pytest.raises(InvalidCohort, match="column flat = x for all 120 patients"):
        read_cohort(path)
    cohort = read_cohort(path, doubtful=True)
    assert [(doubt.kind, doubt.rows, doubt.accepted) for doubt in cohort.doubts] == [("placeholder", cohort.rows, "")] * 2
    assert cohort.accepted == ()
    accepted = read_cohort(path, accept="one assay")
    assert [doubt.accepted for doubt in accepted.doubts] == ["one assay"] * 2
    assert len(accepted.accepted) == 2


def test_rows_after_the_index_date_are_counted_though_never_read(tmp_path):
    path = write(simulate(40, 4), tmp_path, "tidy")
    assert read_cohort(path).later == {"measurements.csv": (), "treatments.csv": ()}
    measured = pd.read_csv(tmp_path / "measurements.csv", dtype=str)
    after = measured.head(3).assign(day="5")
    pd.concat([measured, after]).to_csv(tmp_path / "measurements.csv", index=False)
    first = len(measured) + 2
    assert read_cohort(path).later["measurements.csv"] == (first, first + 1, first + 2)
