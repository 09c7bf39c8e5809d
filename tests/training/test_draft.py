import re

import pytest

from models.cohort_file import InvalidCohort, read_cohort_file
from training.cohort import read_cohort
from training.reading.draft import draft_of
from training.simulation.files import write
from training.simulation.simulate import simulate

UNITS = {
    "alc": "10*9/L", "anc": "10*9/L", "wbc": "10*9/L", "ca19_9": "U/mL", "albumin": "g/dL", "ldh": "U/L", "crp": "mg/L",
    "hemoglobin": "g/dL", "platelets": "10*9/L", "bilirubin": "umol/L", "creatinine": "umol/L", "sodium": "mmol/L",
    "ecog": "{score}", "bmi": "kg/m2",
}  # fmt: skip


@pytest.fixture
def table(tmp_path):
    write(simulate(60, 2), tmp_path)
    return tmp_path / "patients.csv"


def test_a_draft_lists_every_column_once(table):
    text = draft_of(table)
    header = table.read_text().splitlines()[0].split(",")
    assert all(len(re.findall(f'"{column}"', text)) == 1 for column in header)


def test_a_draft_as_written_is_refused_naming_every_blank(table):
    path = table.with_name("draft.toml")
    path.write_text(draft_of(table))
    with pytest.raises(InvalidCohort, match=r"draft\.toml") as refused:
        read_cohort_file(path)
    said = [fault.field for fault in refused.value.faults]
    blanks = [f"draft.toml: measurements.{analyte}.unit" for analyte in UNITS]
    blanks += ["draft.toml: measurements.ldh.uln", "draft.toml: follow_up.time", "draft.toml: follow_up.died"]
    assert sorted(said) == sorted(blanks)


def test_a_draft_filled_in_by_hand_is_a_cohort_file(table):
    text = draft_of(table)
    for analyte, unit in UNITS.items():
        text = re.sub(rf'^({analyte} = .*unit = )""', rf'\1"{unit}"', text, flags=re.M)
    text = text.replace('uln = ""', 'uln_column = "ldh_uln_u_l"').replace('died = { column = ""', 'died = { column = "died"')
    text = text.replace('time = { column = "", unit = ""', 'time = { column = "os_days", unit = "d"')
    text = text.replace('sex = "sex"', 'sex = { column = "sex", map = { M = "male", F = "female" } }')
    path = table.with_name("draft.toml")
    path.write_text(text)
    filled, written = read_cohort(path), read_cohort(table.with_name("cohort.toml"))
    assert len(filled) == len(written) == 60
    assert [one.measurements for one in filled.patients] == [one.measurements for one in written.patients]


@pytest.mark.parametrize(
    ("column", "analyte"),
    [
        ("CA19-9 (U/mL)", "ca19_9"),
        ("Neutrophils_pct", "neutrophil_pct"),
        ("neutrophils_10e9", "anc"),
        ("Lymphs %percent", "lymphocyte_pct"),
        ("Hb", "hemoglobin"),
        ("wblc", "wbc"),
        ("weight_kg", "weight"),
        ("alcohol", None),
        ("hba1c", None),
        ("biliary_stent", None),
        ("monotherapy", None),
        ("nlr_constant_placeholder", None),
        ("weight_loss", None),
        ("albumin_date", None),
    ],
)
def test_a_column_is_proposed_for_what_its_words_begin_with(tmp_path, column, analyte):
    path = tmp_path / "t.csv"
    path.write_text(f"id,{column}\n1,2\n2,\n")
    text = draft_of(path)
    mapped = re.findall(r"^(\w+) = \{ column = ", text.split("[measurements]")[1], flags=re.M)
    assert mapped == ([analyte] if analyte else [])
    assert (f'# "{column}"  50%' in text) == (analyte is None)


def test_a_name_with_quotes_is_written_as_toml_reads_it(tmp_path):
    path = tmp_path / 'the "clinic".csv'
    path.write_text('"id","sex","age"" at start"\nA,F,60\n')
    text = draft_of(path)
    assert 'name = "the \\"clinic\\""' in text
    assert 'age_years = "age\\" at start"' in text


def test_what_is_no_table_is_refused(tmp_path):
    with pytest.raises(InvalidCohort, match="no such file"):
        draft_of(tmp_path / "none.csv")
