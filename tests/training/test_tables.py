import pandas as pd
import pytest

from models.cohort_file import InvalidCohort
from training.reading.tables import lines, lines_by_patient, read_table


def test_every_cell_of_a_csv_is_the_text_that_was_written(tmp_path):
    path = tmp_path / "table.csv"
    path.write_bytes(b'\xef\xbb\xbfpatient,alc\n007,NA\n1e3,"0,8"\n')  # with the mark that a spreadsheet writes
    table = read_table(path)
    assert table.to_dict("records") == [{"patient": "007", "alc": "NA"}, {"patient": "1e3", "alc": "0,8"}]


def test_a_row_keeps_its_number_where_lines_are_empty(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("patient,alc\nA,1\n\n,\nB,2\n\n")
    assert [(line.number, line.row["patient"]) for line in lines(read_table(path))] == [(2, "A"), (5, "B")]


def test_an_empty_cell_of_parquet_is_none_whatever_its_type(tmp_path):
    frame = pd.DataFrame({
        "patient": ["A", "B"],
        "whole": pd.array([1, None], dtype="Int64"),
        "real": [0.5, None],
        "flag": pd.array([True, None], dtype="boolean"),
    })
    frame.set_index("patient").to_parquet(tmp_path / "table.parquet")
    records = read_table(tmp_path / "table.parquet").to_dict("records")
    assert records == [
        {"patient": "A", "whole": 1, "real": 0.5, "flag": True},
        {"patient": "B", "whole": None, "real": None, "flag": None},
    ]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("none.csv", None, "no such file: allowed is a CSV in UTF-8"),
        ("empty.csv", b"", "a file that cannot be read"),
        ("latin.csv", "patient,größe\n1,2\n".encode("latin-1"), "a file that cannot be read"),
        ("ragged.csv", b"a,b\n1,2\n1,2,3\n", "a file that cannot be read"),
        ("table.parquet", b"patient,alc\n1,2\n", "a file that cannot be read"),
        ("european.csv", b"patient;alc\nA;0,8\n", "one column: .* semicolons between columns"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path, name, content, said):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InvalidCohort, match=said):
        read_table(tmp_path / name)


def test_tidy_rows_are_grouped_by_patient_with_their_numbers(tmp_path):
    (tmp_path / "m.csv").write_text("patient,day\nA,0\nB,0\nA,-7\n")
    grouped = lines_by_patient(tmp_path, "m.csv", ("patient", "day"))
    assert {name: [line.number for line in mine] for name, mine in grouped.items()} == {"A": [2, 4], "B": [3]}
    assert lines_by_patient(tmp_path, "", ("patient",)) == {}


def test_a_tidy_table_without_its_columns_is_refused_with_all_of_them(tmp_path):
    (tmp_path / "m.csv").write_text("patient,when\nA,0\n")
    with pytest.raises(InvalidCohort, match=r"m.csv = no column day: .*\nm.csv = no column unit"):
        lines_by_patient(tmp_path, "m.csv", ("patient", "day", "unit"))
