"""A cohort file says what every column means; every fault of it is named at once, with the file and the key."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from models.cohort_file import CohortFile, InvalidCohort, read_cohort_file
from models.fault import Fault
from models.mapping import Cell, Exclusion, FollowUpColumns, LabColumn

PEOPLE = """
table = "t.csv"
[patient_fields]
age_years = "age"
tumour = { constant = "pancreatic" }
"""
Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(text: str) -> Path:
        path = tmp_path / "site.toml"
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return path

    return write


@pytest.fixture
def read(write: Write) -> Callable[[str], CohortFile]:
    return lambda text: read_cohort_file(write(text))


@pytest.fixture
def faults(write: Write) -> Callable[[str], dict[str, Fault]]:
    def faults(text: str) -> dict[str, Fault]:
        with pytest.raises(InvalidCohort, match=r"site\.toml: ") as caught:
            read_cohort_file(write(text))
        return {fault.field.removeprefix("site.toml: "): fault for fault in caught.value.faults}

    return faults


Read = Callable[[str], CohortFile]
Faults = Callable[[str], dict[str, Fault]]

WHOLE = """
name = "pacto"
source = "a trial"
table = "baseline.csv"
patient = "patient_id"
missing = [-999, -99, "unk"]
required = ["nlr"]

[follow_up]
time = { column = "os_months", unit = "mo" }
died = { column = "status", yes = "Dead" }
entered = { column = "entry", unit = "wk" }
censor_reason = "why"

[patient_fields]
age_years = "age"
sex = { column = "sex", map = { M = "male", F = "female" } }
tumour = { constant = "pancreatic" }
site = "centre"
audit_only = ["race"]
liver_metastases = "liver"

[measurements]
alc = { column = "alc_10e9_l", unit = "10*9/L" }
ldh = { column = "ldh_u_l", unit = "U/L", uln = 205 }
ca19_9 = { column = "ca", unit = "kU/L", method = "assay", day = "ca_day" }
bilirubin = { column = "bili", unit = "mg/dL", uln_column = "bili_uln" }

[treatment_history]
prior_lines = "lines"

[extra]
tmb = { column = "tmb_mut_mb", kind = "numeric" }
stage = { column = "stage", kind = "categorical" }

[[exclude]]
where = { column = "os_months", below = 0 }
reason = "follow-up before the index date"
"""


def test_a_whole_file_is_read(read: Read) -> None:
    found = read(WHOLE)
    assert (found.name, found.source, found.table, found.patient) == ("pacto", "a trial", "baseline.csv", "patient_id")
    assert (found.missing, found.required, found.audit_only, found.tidy) == ((-999, -99, "unk"), ("nlr",), ("race",), False)
    assert found.follow_up == FollowUpColumns("os_months", 30.4375, "status", "Dead", "entry", 7.0, "why")
    assert found.fields == {
        "age_years": Cell("age"),
        "sex": Cell("sex", {"M": "male", "F": "female"}),
        "tumour": Cell(constant="pancreatic"),
        "site": Cell("centre"),
    }
    assert found.labs == (
        LabColumn("alc", "alc_10e9_l", "10*9/L"),
        LabColumn("ldh", "ldh_u_l", "U/L", uln=205.0),
        LabColumn("ca19_9", "ca", "kU/L", method_column="assay", day_column="ca_day"),
        LabColumn("bilirubin", "bili", "mg/dL", uln_column="bili_uln"),
    )
    assert found.history == {"prior_lines": Cell("lines"), "liver_metastases": Cell("liver")}
    assert found.extra == {"tmb": ("tmb_mut_mb", "numeric"), "stage": ("stage", "categorical")}
    assert found.exclusions == (Exclusion("os_months", "below", 0, "follow-up before the index date"),)


def test_little_is_needed_to_score(read: Read) -> None:
    found = read(PEOPLE)
    assert (found.name, found.patient, found.follow_up, found.labs) == ("site", "patient", None, ())


def test_three_tables_are_named_in_a_section(read: Read) -> None:
    found = read(PEOPLE.replace('table = "t.csv"', '[tables]\npatients = "p.csv"\nmeasurements = "m.csv"\ntreatments = "t.csv"'))
    assert (found.table, found.measurement_table, found.treatment_table, found.tidy) == ("p.csv", "m.csv", "t.csv", True)
    assert read(PEOPLE + '[index]\nrule = "given"\n').table == "t.csv"
    assert read(PEOPLE + '[index]\nyear = "entered"\n').index_year == "entered"


def test_a_file_that_is_not_there_or_no_toml_is_refused(tmp_path: Path, write: Write) -> None:
    with pytest.raises(InvalidCohort, match="no such file"):
        read_cohort_file(tmp_path / "nowhere.toml")
    with pytest.raises(InvalidCohort, match=r"site\.toml = a file that is no TOML: allowed is a cohort file; likely .*line 1"):
        read_cohort_file(write("name = = 3"))


@pytest.mark.parametrize(
    ("lines", "key"),
    [
        ('colour = "red"', "colour"),
        ('[tables]\nlabs = "m.csv"', "tables.labs"),
        ('[index]\nday = "day0"', "index.day"),
        ('[index]\nrule = "every line"', "index.rule"),
        ('[measurements]\nlactate = { column = "a", unit = "U/L" }', "measurements.lactate"),
        ('[measurements]\nalc = { column = "a", unit = "10*9/L", units = "x" }', "measurements.alc.units"),
        ('[treatment_history]\nprior_surgery = "a"', "treatment_history.prior_surgery"),
        ('[follow_up]\ntime = { column = "t", unit = "d" }\ndied = "e"\nevent = "e"', "follow_up.event"),
    ],
)
def test_a_key_nobody_knows_is_a_fault_that_names_those_there_are(faults: Faults, lines: str, key: str) -> None:
    (found,) = faults(lines + PEOPLE if "[" not in lines else PEOPLE + lines).items()
    assert found[0] == key
    assert found[1].allowed.startswith(("one of ", '"given"'))


@pytest.mark.parametrize(
    ("unit", "given"),
    [("", "a column without a unit"), ("mmol", "a column 'mmol'"), ("%", "a column '%'")],
)
def test_a_unit_is_never_guessed(faults: Faults, unit: str, given: str) -> None:
    fault = faults(PEOPLE + f'[measurements]\nalc = {{ column = "a", unit = "{unit}" }}')["measurements.alc.unit"]
    assert fault.given == given
    assert fault.allowed.startswith("a number with its unit: 10*9/L")


@pytest.mark.parametrize("unit", ["10*9/L", "K/uL", "cells/uL", "/mm3", "10\u00b3/\u00b5L"])
def test_every_accepted_spelling_of_a_unit_is_taken(read: Read, unit: str) -> None:
    assert read(PEOPLE + f'[measurements]\nalc = {{ column = "a", unit = "{unit}" }}').labs[0].unit == unit


@pytest.mark.parametrize("analyte", ["crp", "ecog", "karnofsky", "anc", "ca19_9", "monocytes", "nlr"])
def test_a_column_without_unit_is_a_fault_whatever_the_analyte(faults: Faults, analyte: str) -> None:
    assert list(faults(PEOPLE + f'[measurements]\n{analyte} = {{ column = "a" }}')) == [f"measurements.{analyte}.unit"]
    assert list(faults(PEOPLE + f'[measurements]\n{analyte} = "a"')) == [f"measurements.{analyte}"]


@pytest.mark.parametrize("uln", ["0", "-3", '"205"', "true"])
def test_an_upper_limit_of_normal_is_a_positive_number(faults: Faults, uln: str) -> None:
    assert "measurements.ldh.uln" in faults(PEOPLE + f'[measurements]\nldh = {{ column = "a", unit = "U/L", uln = {uln} }}')


@pytest.mark.parametrize(
    ("lines", "key"),
    [
        ("patient = 3", "patient"),
        ('patient = ""', "patient"),
        ("missing = -999", "missing"),
        ('missing = "NA"', "missing"),
        ("missing = [true]", "missing"),
        ('required = "nlr"', "required"),
        ('required = ["creatinine"]', "required"),
        ("name = 3", "name"),
        ("exclude = 3", "exclude[0]"),
        ('measurements = "m.csv"', "measurements"),
    ],
)
def test_a_setting_of_another_kind_is_a_fault(faults: Faults, lines: str, key: str) -> None:
    assert list(faults(lines + PEOPLE)) == [key]


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('table = "t.csv"', "", "table"),
        ('age_years = "age"', "", "patient_fields.age_years"),
        ('age_years = "age"', 'age_years = ""', "patient_fields.age_years"),
        ('age_years = "age"', 'age_years = { column = "a", constant = 3 }', "patient_fields.age_years"),
        ('age_years = "age"', 'age_years = { column = "a", map = "b" }', "patient_fields.age_years"),
        ('age_years = "age"', "age_years = 65", "patient_fields.age_years"),
        ('tumour = { constant = "pancreatic" }', "", "patient_fields.tumour"),
        ('tumour = { constant = "pancreatic" }', "tumour = { constant = [1] }", "patient_fields.tumour"),
        ('age_years = "age"', 'age_years = "age"\naudit_only = "race"', "patient_fields.audit_only"),
        ('age_years = "age"', 'age_years = "age"\nrace = "race"', "patient_fields.race"),
    ],
)
def test_who_the_patients_are_must_be_said(faults: Faults, old: str, new: str, key: str) -> None:
    assert list(faults(PEOPLE.replace(old, new))) == [key]


@pytest.mark.parametrize(
    ("follow_up", "key"),
    [
        ('died = "e"', "follow_up.time"),
        ('time = "t"\ndied = "e"', "follow_up.time"),
        ('time = { column = "t" }\ndied = "e"', "follow_up.time"),
        ('time = { column = "t", unit = "months" }\ndied = "e"', "follow_up.time"),
        ('time = { column = "", unit = "d" }\ndied = "e"', "follow_up.time"),
        ('time = { column = "t", unit = "d" }', "follow_up.died"),
        ('time = { column = "t", unit = "d" }\ndied = ""', "follow_up.died"),
        ('time = { column = "t", unit = "d" }\ndied = { column = "e", no = "Alive" }', "follow_up.died"),
        ('time = { column = "t", unit = "d" }\ndied = "e"\nentered = "f"', "follow_up.entered"),
    ],
)
def test_a_follow_up_needs_its_columns_and_its_unit(faults: Faults, follow_up: str, key: str) -> None:
    assert list(faults(PEOPLE + "[follow_up]\n" + follow_up)) == [key]


@pytest.mark.parametrize(("unit", "days"), [("d", 1.0), ("wk", 7.0), ("mo", 30.4375), ("a", 365.25)])
def test_follow_up_is_counted_in_days(read: Read, unit: str, days: float) -> None:
    found = read(PEOPLE + f'[follow_up]\ntime = {{ column = "t", unit = "{unit}" }}\ndied = "e"').follow_up
    assert found is not None
    assert found.days == days


@pytest.mark.parametrize(
    "rule",
    [
        'where = { column = "a", below = 0 }',
        'where = { column = "a", below = "0" }\nreason = "r"',
        'where = { column = "a", above = true }\nreason = "r"',
        'where = { column = "a", missing = 1 }\nreason = "r"',
        'where = { column = "a", below = 0, above = 9 }\nreason = "r"',
        'where = { column = "a", like = "x" }\nreason = "r"',
        'where = { column = "", equals = 1 }\nreason = "r"',
        'where = { equals = 1 }\nreason = "r"',
        'where = "a < 0"\nreason = "r"',
        'where = { column = "a", below = 0 }\nreason = ""',
        'where = { column = "a", below = 0 }\nreason = "r"\nnote = "n"',
    ],
)
def test_an_exclusion_is_one_condition_with_its_reason(faults: Faults, rule: str) -> None:
    good = '[[exclude]]\nwhere = { column = "a", missing = true }\nreason = "r"\n'
    assert list(faults(PEOPLE + good + "[[exclude]]\n" + rule)) == ["exclude[1]"]


@pytest.mark.parametrize(
    "extra", ['"tmb"', '{ column = "tmb" }', '{ column = "tmb", kind = "text" }', '{ column = "", kind = "numeric" }']
)
def test_a_sites_own_covariate_says_of_which_kind_it_is(faults: Faults, extra: str) -> None:
    assert list(faults(PEOPLE + f"[extra]\ntmb = {extra}")) == ["extra.tmb"]


FOLLOW_UP = '[follow_up]\ntime = { column = "d.time", unit = "d" }\ndied = { column = "flag" }\ncensor_reason = "left"\n'


@pytest.mark.parametrize(
    ("lines", "key"),
    [
        ('[extra]\nx = { column = "flag", kind = "numeric" }', "extra.x"),
        ('[extra]\nx = { column = "d.time", kind = "numeric" }', "extra.x"),
        ('[extra]\nx = { column = "left", kind = "categorical" }', "extra.x"),
        ('[treatment_history]\nlast_line_months = "d.time"', "treatment_history.last_line_months"),
        ('[measurements]\nalc = { column = "d.time", unit = "10*9/L" }', "measurements.alc"),
        *(
            (f'[extra]\nx = {{ column = "{column}", kind = "numeric" }}', "extra.x")
            for column in (
                "os_days",
                "OS.months",
                "pfs",
                "Best Response",
                "daysToDeath",
                "survival_mo",
                "vital_status",
                "RECIST",
                "event",
            )
        ),
    ],
)
def test_an_outcome_column_offered_as_a_covariate_is_a_fault(faults: Faults, lines: str, key: str) -> None:
    (found,) = faults(PEOPLE + FOLLOW_UP + lines).items()
    assert found[0] == key
    assert found[1].likely == "an outcome column offered as a covariate"


INNOCENT = ["steroids", "most_recent", "dose", "cosmos", "ttpa", "response_to_last_line", "prior_vte_event"]


@pytest.mark.parametrize("column", INNOCENT)
def test_a_column_that_only_sounds_like_an_outcome_is_taken(read: Read, column: str) -> None:
    assert read(PEOPLE + f'[extra]\nx = {{ column = "{column}", kind = "numeric" }}').extra


def test_the_response_to_the_last_line_is_history(read: Read) -> None:
    assert read(PEOPLE + '[treatment_history]\nlast_line_outcome = "best_response"').history


def test_every_fault_is_named_at_once(faults: Faults) -> None:
    text = """
    colour = "red"
    missing = 3
    [patient_fields]
    sex = 3
    [follow_up]
    time = { column = "t", unit = "months" }
    [measurements]
    alc = { column = "a" }
    """
    assert set(faults(text)) == {
        "colour",
        "missing",
        "table",
        "patient_fields.age_years",
        "patient_fields.tumour",
        "patient_fields.sex",
        "follow_up.time",
        "follow_up.died",
        "measurements.alc.unit",
    }


@pytest.mark.parametrize("source", ["", "a hospital"])
@pytest.mark.parametrize("mark", ["simulated-500-1", " Simulated-500-1", "truth.csv"])
def test_a_simulated_cohort_that_says_otherwise_is_refused(faults: Faults, tmp_path: Path, source: str, mark: str) -> None:
    if mark == "truth.csv":
        (tmp_path / mark).touch()
    found = faults(f'name = "{mark}"\nsource = "{source}"\n{PEOPLE}')["source"]
    assert found.allowed.endswith('a simulated cohort must say source = "simulated"')


@pytest.mark.parametrize("source", ["simulated", "Simulated", " SIMULATED "])
def test_a_simulated_cohort_may_say_so_in_any_case(read: Read, tmp_path: Path, source: str) -> None:
    (tmp_path / "truth.csv").touch()
    assert read(f'name = "simulated-500-1"\nsource = "{source}"\n{PEOPLE}').source == source
