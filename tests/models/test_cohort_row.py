"""One raw row becomes a patient, in training and in scoring alike; nothing is guessed, and the future is not read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from models.cohort_row import Outcome, excluded, outcome_of, patient_of, period_of
from models.fault import Fault
from models.mapping import Cell, CohortFile, Exclusion, FollowUpColumns, LabColumn
from models.patient import InvalidPatient

COHORT = CohortFile(
    path=Path("site.toml"),
    name="site",
    source="",
    patient="id",
    table="t.csv",
    measurement_table="",
    treatment_table="",
    missing=(-999, -99),
    required=(),
    follow_up=FollowUpColumns("os", 30.4375, "status"),
    fields={
        "age_years": Cell("age"),
        "sex": Cell("sex", {"M": "male", "2": "female"}),
        "tumour": Cell("tumour"),
        "site": Cell("centre"),
    },
    labs=(
        LabColumn("alc", "alc", "10*9/L"),
        LabColumn("albumin", "alb", "g/dL"),
        LabColumn("ldh", "ldh", "ukat/L", uln_column="ldh_uln"),
        LabColumn("ca19_9", "ca", "U/mL", method_column="assay", day_column="ca_day"),
    ),
    history={"prior_lines": Cell("lines"), "steroids_14d": Cell(constant="no")},
    audit_only=("race",),
    extra={"tmb": ("tmb", "numeric"), "stage": ("stage", "categorical")},
    exclusions=(),
)
ROW = {
    "id": "7",
    "age": "61",
    "sex": "2",
    "tumour": "PDAC",
    "centre": "A",
    "alc": "0.8",
    "alb": "3.6",
    "ldh": "6",
    "ldh_uln": "3",
}
ROW |= {
    "ca": "<2.0",
    "assay": "Elecsys",
    "ca_day": "-3",
    "lines": "2",
    "race": "white",
    "tmb": "4",
    "stage": "IV",
    "os": "2",
    "status": "1",
}


def faults_of(changes: Mapping[str, object], cohort: CohortFile = COHORT, **tables: Any) -> list[Fault]:
    with pytest.raises(InvalidPatient, match="allowed is") as caught:
        patient_of(cohort, ROW | dict(changes), **tables)
    return list(caught.value.faults)


def test_a_row_is_read_by_its_mapping() -> None:
    found = patient_of(COHORT, ROW)
    assert (found.id, found.age_years, found.sex, found.tumour, found.site) == ("7", 61.0, "female", "pancreatic", "A")
    labs = {one.analyte: one for one in found.measurements}
    assert (labs["alc"].value, labs["albumin"].value, labs["ldh"].value, labs["ldh"].uln) == (0.8, 36.0, 360.0, 180.0)
    ca19_9 = labs["ca19_9"]
    assert (ca19_9.value, ca19_9.limit, ca19_9.method, ca19_9.days_before_index) == (2.0, "<", "Elecsys", 3.0)
    assert (found.history.prior_lines, found.history.steroids_14d) == (2.0, 0.0)
    assert (found.extra, found.audit) == ({"tmb": 4.0, "stage": "IV"}, {"race": "white"})


def test_a_table_of_numbers_makes_the_same_patient_to_the_bit() -> None:
    typed = ROW | {
        "id": "7",
        "age": 61,
        "sex": 2.0,
        "alc": 0.8,
        "alb": 3.6,
        "ldh": 6.0,
        "ldh_uln": 3,
        "ca_day": -3,
        "lines": 2.0,
        "tmb": 4,
    }
    found, text = patient_of(COHORT, typed), patient_of(COHORT, ROW)
    values = [[(one.analyte, one.value, one.uln, one.days_before_index) for one in each.measurements] for each in (found, text)]
    assert values[0] == values[1]
    assert (found.history, found.extra, found.sex, found.age_years) == (text.history, text.extra, text.sex, text.age_years)


@pytest.mark.parametrize("empty", ["", None, float("nan"), "NA", -999, "-99.0"])
def test_what_is_not_there_is_not_measured_and_not_known(empty: object) -> None:
    found = patient_of(
        COHORT, ROW | dict.fromkeys(("sex", "centre", "alc", "ldh_uln", "lines", "race", "tmb", "stage", "assay"), empty)
    )
    assert found.current("alc") is None
    ldh = found.current("ldh")
    assert ldh is not None
    assert ldh.uln is None
    assert (found.sex, found.site, found.history.prior_lines, found.audit, found.extra) == ("unknown", "", None, {}, {})


def test_a_column_for_audits_only_need_not_be_there_to_score() -> None:
    assert patient_of(COHORT, {key: value for key, value in ROW.items() if key != "race"}).audit == {}


@pytest.mark.parametrize(
    ("changes", "field", "given"),
    [
        ({"age": "old"}, "column age", "old"),
        ({"age": ""}, "column age", "nothing"),
        ({"age": "1958"}, "column age", "1958.0"),
        ({"sex": "X"}, "column sex", "X"),
        ({"tumour": "lung"}, "column tumour", "lung"),
        ({"alc": "800"}, "column alc", "800 10*9/L"),
        ({"alc": "0.0012"}, "column alc", "0.0012 10*9/L"),
        ({"alc": "1_2"}, "column alc", "'1_2' 10*9/L"),
        ({"alc": "high"}, "column alc", "'high' 10*9/L"),
        ({"alb": "36"}, "column alb", "36 g/dL"),
        ({"ldh_uln": "x"}, "column ldh_uln", "x"),
        ({"ldh_uln": "-3"}, "column ldh", "upper limit of normal -3 ukat/L"),
        ({"ca_day": "4"}, "column ca", "day 4"),
        ({"ca_day": ""}, "column ca_day", "nothing"),
        ({"ca_day": "monday"}, "column ca_day", "monday"),
        ({"lines": "many"}, "column lines", "many"),
        ({"tmb": "high"}, "column tmb", "high"),
    ],
)
def test_a_cell_at_fault_is_named_by_its_column(changes: dict[str, object], field: str, given: str) -> None:
    assert [(fault.field, fault.given) for fault in faults_of(changes)] == [(field, given)]


def test_every_fault_of_a_row_is_named_at_once() -> None:
    changes = {"age": "", "sex": "X", "tumour": "?", "alc": "800", "lines": "-1", "tmb": "x", "ca_day": "x"}
    assert {fault.field.removeprefix("column ") for fault in faults_of(changes)} == set(changes)


def test_a_constant_at_fault_is_named_as_such() -> None:
    (fault,) = faults_of({}, replace(COHORT, fields=COHORT.fields | {"tumour": Cell(constant="lung")}))
    assert fault.field == "tumour (constant)"


def test_what_leaves_the_house_holds_no_cell() -> None:
    changes = dict.fromkeys(("age", "sex", "tumour", "alc", "alb", "ldh_uln", "ca_day", "lines", "tmb"), "zz731")
    rows = [
        {"day": "zz731", "value": "zz731"},
        {"day": "-1", "value": "7", "analyte": "zz731"},
        {"day": 0, "value": 7, "loinc": "zz731"},
    ]
    courses = [{"start": "zz731"}, {"start": -9, "modality": "zz731", "end": "zz731", "line": "zz731", "outcome": "zz731"}]
    found = faults_of(changes, measurements=rows, treatments=courses)
    assert len(found) >= 16
    assert not [fault for fault in found if "zz731" in fault.without_value()]


@pytest.mark.parametrize(
    ("row", "outcome"),
    [
        ({"os": "2", "status": "1"}, Outcome(60.875, True)),
        ({"os": 2.0, "status": 0.0}, Outcome(60.875, False)),
        ({"os": "0", "status": "TRUE"}, Outcome(0.0, True)),
        ({"os": "2", "status": False}, Outcome(60.875, False)),
        ({"os": "", "status": "1"}, None),
        ({"os": "2", "status": None}, None),
        ({"os": -999, "status": "1"}, None),
    ],
)
def test_a_follow_up_is_read_in_days_or_missing(row: dict[str, object], outcome: Outcome | None) -> None:
    assert outcome_of(COHORT, row) == outcome


@pytest.mark.parametrize(
    ("row", "field", "allowed"),
    [
        ({"os": "2", "status": "2"}, "column status", '1 or 0, true or false; or yes = "..." in the cohort file'),
        ({"os": "2", "status": "dead"}, "column status", '1 or 0, true or false; or yes = "..." in the cohort file'),
        ({"os": "-1", "status": "1"}, "column os", "0 or more; or an [[exclude]] rule that says why such rows are left out"),
        ({"os": "inf", "status": "1"}, "column os", "a number"),
        ({"os": "long", "status": "1"}, "column os", "a number"),
    ],
)
def test_a_follow_up_that_cannot_be_is_a_fault(row: dict[str, object], field: str, allowed: str) -> None:
    with pytest.raises(InvalidPatient, match="allowed is") as caught:
        outcome_of(COHORT, row)
    assert [(fault.field, fault.allowed) for fault in caught.value.faults] == [(field, allowed)]


@pytest.mark.parametrize(("word", "died"), [("Dead", True), ("dead", True), ("Alive", False), ("lost", False), ("", None)])
def test_a_death_has_the_word_that_the_file_says(word: str, died: bool | None) -> None:
    cohort = replace(COHORT, follow_up=FollowUpColumns("os", 1.0, "status", yes="Dead"))
    found = outcome_of(cohort, {"os": "5", "status": word})
    assert (found.died if found else None) == died


@pytest.mark.parametrize("word", ["Died", "deceased", "death"])
def test_another_word_for_a_death_is_never_taken_for_alive(word: str) -> None:
    cohort = replace(COHORT, follow_up=FollowUpColumns("os", 1.0, "status", yes="Dead"))
    with pytest.raises(InvalidPatient, match="another word for a death"):
        outcome_of(cohort, {"os": "5", "status": word})


@pytest.mark.parametrize(("code", "died"), [(2, True), (2.0, True), ("2", True), ("1", False)])
def test_a_death_may_be_a_code_of_the_source(code: object, died: bool) -> None:
    found = outcome_of(replace(COHORT, follow_up=FollowUpColumns("os", 1.0, "status", yes="2")), {"os": "5", "status": code})
    assert found is not None
    assert found.died == died


def test_delayed_entry_is_read_in_its_own_unit_and_never_invented() -> None:
    columns = FollowUpColumns("os", 1.0, "status", entered="entry", entered_days=7.0, censor_reason="why")
    cohort = replace(COHORT, follow_up=columns)
    assert outcome_of(cohort, {"os": "90", "status": "0", "entry": "2", "why": "moved"}) == Outcome(90.0, False, 14.0, "moved")
    assert outcome_of(cohort, {"os": "90", "status": "0", "entry": "", "why": None}) is None


def test_without_follow_up_there_is_no_outcome() -> None:
    assert outcome_of(replace(COHORT, follow_up=None), ROW) is None


@pytest.mark.parametrize(
    ("condition", "value", "cell", "out"),
    [
        ("below", 0, "-1", True),
        ("below", 0, "0", False),
        ("below", 0, "", False),
        ("below", 0, "low", False),
        ("above", 100, 101.0, True),
        ("above", 100, "100", False),
        ("equals", 1, "1.0", True),
        ("equals", "yes", "yes", True),
        ("equals", 1, "2", False),
        ("equals", 1, None, False),
        ("missing", True, "-999", True),
        ("missing", True, "5", False),
        ("missing", False, "5", True),
    ],
)
def test_a_declared_rule_leaves_rows_out_with_its_reason(condition: str, value: object, cell: object, out: bool) -> None:
    cohort = replace(COHORT, exclusions=(Exclusion("x", condition, value, "why"),))
    assert excluded(cohort, ROW | {"x": cell}) == ("why" if out else None)


def test_a_rule_on_a_column_that_is_not_there_leaves_nobody_out() -> None:
    assert excluded(replace(COHORT, exclusions=(Exclusion("x", "missing", True, "why"),)), ROW) is None


@pytest.mark.parametrize(
    ("age", "reason"), [("17.9", "under 18"), ("18", None), ("", None), ("-99", None), ("old", None), (5, "under 18")]
)
def test_children_are_left_out_of_every_cohort(age: object, reason: str | None) -> None:
    assert excluded(COHORT, ROW | {"age": age}) == reason


def test_a_code_for_a_missing_age_is_no_child() -> None:
    assert excluded(replace(COHORT, missing=(9,)), ROW | {"age": "9"}) is None


TIDY = replace(COHORT, labs=(), measurement_table="m.csv", treatment_table="tr.csv", history={})


def lab(day: object, analyte: str, value: object, unit: object, **more: object) -> dict[str, object]:
    return {"patient": "7", "day": day, "analyte": analyte, "value": value, "unit": unit, **more}


def test_tidy_rows_are_read_up_to_the_index_date_and_the_future_is_not() -> None:
    rows = [
        lab("0", "ALC", "800", "cells/uL"),
        lab("-30", "alc", "1.2", "10*9/L"),
        lab("1", "alc", "9000000", "parsec"),
        lab("-2", "ldh", "6", "ukat/L", uln="3", method="x"),
        lab("", "albumin", "", "g/L"),
        {"patient": "7", "day": "-2", "loinc": "1751-7", "value": "3.6", "unit": "g/dL"},
    ]
    found = patient_of(TIDY, ROW, rows)
    assert [(one.days_before_index, one.value) for one in found.series["alc"]] == [(0.0, 0.8), (30.0, 1.2)]
    ldh, albumin = found.current("ldh"), found.current("albumin")
    assert ldh is not None
    assert albumin is not None
    assert (ldh.value, ldh.uln, ldh.method, albumin.value) == (360.0, 180.0, "x", 36.0)


@pytest.mark.parametrize(
    ("row", "field", "given"),
    [
        (lab("0", "alc", "0.8", ""), "measurements alc", "0.8 without a unit"),
        (lab("0", "alc", "0.8", "mmol/L"), "measurements alc", "0.8 'mmol/L'"),
        (lab("0", "lymphs", "0.8", "10*9/L"), "measurements column analyte", "lymphs"),
        (lab("0", "", "0.8", "10*9/L"), "measurements column analyte", "nothing"),
        (lab("0", "", "0.8", "10*9/L", loinc="26474-7"), "measurements column loinc", "26474-7"),
        (lab("", "alc", "0.8", "10*9/L"), "measurements column day", "nothing"),
        (lab("x", "alc", "0.8", "10*9/L"), "measurements column day", "x"),
        (lab("0", "ldh", "300", "U/L", uln="x"), "measurements ldh uln", "x"),
    ],
)
def test_a_tidy_measurement_at_fault_is_named(row: dict[str, object], field: str, given: str) -> None:
    assert [(fault.field, fault.given) for fault in faults_of({}, TIDY, measurements=[row])] == [(field, given)]


def course(start: object, end: object = "", **more: object) -> dict[str, object]:
    return {"patient": "7", "start": start, "end": end, "modality": "chemotherapy", **more}


def test_tidy_treatments_are_read_up_to_the_index_date_and_the_future_is_not() -> None:
    rows = [
        course("-200", "-100", line="1", outcome="toxicity", agents="gemcitabine + nab-paclitaxel"),
        course("-90", "-20", line=2.0, modality="Immunotherapy", progression="yes"),
        course("5", "30", line="3", modality="nonsense"),
        course("-3", "60", line="3", outcome="response"),
    ]
    first, second, running = patient_of(TIDY, ROW, treatments=rows).treatments
    assert (first.start_days_before, first.end_days_before, first.line, first.outcome) == (200.0, 100.0, 1, "toxicity")
    assert first.agents == ("gemcitabine", "nab-paclitaxel")
    assert (second.modality, second.line, second.outcome) == ("immunotherapy", 2, "progression")
    assert (running.end_days_before, running.outcome) == (None, "unknown")
    assert patient_of(TIDY, ROW, treatments=rows).history.prior_lines == 2.0


@pytest.mark.parametrize(
    ("row", "field"),
    [
        (course(""), "treatments column start"),
        (course("last spring"), "treatments column start"),
        (course("-10", "soon"), "treatments column end"),
        (course("-10", "-20"), "treatments/0/end"),
        (course("-10", modality=""), "treatments/0/modality"),
        (course("-10", modality="chemo"), "treatments/0/modality"),
        (course("-10", "-5", outcome="fine"), "treatments/0/outcome"),
        (course("-10", "-5", line="1.5"), "treatments column line"),
        (course("-10", "-5", line="second"), "treatments column line"),
    ],
)
def test_a_tidy_treatment_at_fault_is_named(row: dict[str, object], field: str) -> None:
    assert [fault.field for fault in faults_of({}, TIDY, treatments=[row])] == [field]


def test_a_summary_that_contradicts_the_table_of_treatments_is_named_by_its_column() -> None:
    cohort = replace(TIDY, history={"prior_lines": Cell("lines")})
    (fault,) = faults_of({"lines": "2"}, cohort, treatments=[course("-200", "-100", line="1")])
    assert (fault.field, fault.given) == ("column lines", "2.0 (dated treatments: 1.0)")


DATED = replace(TIDY, index_date="day0")


def test_dates_become_days_before_the_index_date_and_the_future_is_not_known() -> None:
    labs = [
        {"patient": "7", "date": "2026-03-01", "analyte": "alc", "value": "0.8", "unit": "10*9/L"},
        {"patient": "7", "date": "2026-02-19 08:30:00", "analyte": "albumin", "value": "36", "unit": "g/L"},
        {"patient": "7", "date": "2026-03-02", "analyte": "crp", "value": "5", "unit": "mg/L"},
    ]
    found = patient_of(DATED, ROW | {"day0": "2026-03-01"}, labs, [course("2026-01-01", "2026-02-01", modality="chemotherapy")])
    assert [(one.analyte, one.days_before_index) for one in found.measurements] == [("alc", 0.0), ("albumin", 10.0)]
    assert [(one.start_days_before, one.end_days_before) for one in found.treatments] == [(59.0, 28.0)]


def test_what_is_no_date_is_named_where_dates_are_due() -> None:
    row = {"patient": "7", "date": "-14", "analyte": "alc", "value": "0.8", "unit": "10*9/L"}
    faults = faults_of({"day0": "1.3.2026"}, DATED, measurements=[row])
    assert {(fault.field, fault.given) for fault in faults} == {("column day0", "1.3.2026"), ("measurements column date", "-14")}
    assert all("YYYY-MM-DD" in fault.allowed for fault in faults)


@pytest.mark.parametrize(("mapping", "year"), [(replace(TIDY, index_year="when"), 2021.5), (DATED, 2020.5), (TIDY, None)])
def test_the_calendar_time_of_the_index_date_is_read_where_the_file_says_it(mapping: CohortFile, year: float | None) -> None:
    row = ROW | {"when": "2021.5", "day0": "2020-07-02"}
    assert period_of(mapping, row) == year
    assert not {"when", "day0"} & set(patient_of(mapping, row).extra)


def test_what_is_no_year_is_named() -> None:
    with pytest.raises(InvalidPatient, match="column when = 21: allowed is a year from 1950 to 2100"):
        period_of(replace(TIDY, index_year="when"), {"when": "21"})
