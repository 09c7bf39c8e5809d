import pandas as pd
import pyarrow
import pytest
from pyarrow import parquet

from models.cohort_file import InvalidCohort
from training.reading.by_patient import lines_by_patient
from training.reading.tables import read_table


def test_every_cell_of_a_csv_is_the_text_that_was_written(tmp_path):
    path = tmp_path / "table.csv"
    path.write_bytes(b'\xef\xbb\xbfpatient,alc\n007,NA\n1e3,"0,8"\n')  # with the mark that a spreadsheet writes
    table = read_table(path)
    assert table.columns == ("patient", "alc")
    assert [line.row for line in table.lines] == [{"patient": "007", "alc": "NA"}, {"patient": "1e3", "alc": "0,8"}]


def test_a_row_keeps_its_number_where_lines_are_empty(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("patient,alc\nA,1\n\n,\nB,2\n\n")
    assert [(line.number, line.row["patient"]) for line in read_table(path).lines] == [(2, "A"), (5, "B")]


def test_an_empty_cell_of_parquet_is_none_whatever_its_type(tmp_path):
    frame = pd.DataFrame({
        "patient": ["A", "B"],
        "whole": pd.array([1, None], dtype="Int64"),
        "real": [0.5, None],
        "flag": pd.array([True, None], dtype="boolean"),
    })
    frame.set_index("patient").to_parquet(tmp_path / "table.parquet")
    assert [line.row for line in read_table(tmp_path / "table.parquet").lines] == [
        {"patient": "A", "whole": 1, "real": 0.5, "flag": True},
        {"patient": "B", "whole": None, "real": None, "flag": None},
    ]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("none.csv", None, "no such file: allowed is a CSV in UTF-8"),
        ("empty.csv", b"", "an empty file"),
        ("latin.csv", "patient,größe\n1,2\n".encode("latin-1"), "a text that is not UTF-8"),
        ("ragged.csv", b"a,b\n1,2\n1,2,3\n", "ragged.csv row 3, number of cells = 3: allowed is 2, as the header has"),
        ("table.parquet", b"patient,alc\n1,2\n", "a file that cannot be read"),
        ("european.csv", b"patient;alc\nA;0,8\n", "semicolons between columns: allowed is a CSV in UTF-8 with commas"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path, name, content, said):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InvalidCohort, match=said):
        read_table(tmp_path / name)


def test_a_table_with_two_columns_of_one_name_is_refused_csv_or_parquet(tmp_path):
    (tmp_path / "twice.csv").write_text("patient,alc,alc\nA,1,2\n")
    table = pyarrow.Table.from_arrays([pyarrow.array([1]), pyarrow.array([2])], names=["alc", "alc"])
    parquet.write_table(table, tmp_path / "twice.parquet")
    for name in ("twice.csv", "twice.parquet"):
        with pytest.raises(InvalidCohort, match=f"{name} = several columns alc: allowed is one column of each name"):
            read_table(tmp_path / name)


def test_a_name_is_the_same_name_whatever_blanks_stand_around_it(tmp_path):
    (tmp_path / "m.csv").write_text("patient,day\nA,0\n A ,-7\n")
    assert [line.number for line in lines_by_patient(tmp_path, "m.csv", ("patient",))["A"]] == [2, 3]


def test_tidy_rows_are_grouped_by_patient_with_their_numbers(tmp_path):
    (tmp_path / "m.csv").write_text("patient,day\nA,0\nB,0\nA,-7\n")
    grouped = lines_by_patient(tmp_path, "m.csv", ("patient", "day"))
    assert {name: [line.number for line in mine] for name, mine in grouped.items()} == {"A": [2, 4], "B": [3]}
    assert lines_by_patient(tmp_path, "", ("patient",)) == {}


def test_a_tidy_table_without_its_columns_is_refused_with_all_of_them(tmp_path):
    (tmp_path / "m.csv").write_text("patient,when\nA,0\n")
    with pytest.raises(InvalidCohort, match=r"m.csv = no column day: .*\nm.csv = no column unit"):
        lines_by_patient(tmp_path, "m.csv", ("patient", "day", "unit"))
