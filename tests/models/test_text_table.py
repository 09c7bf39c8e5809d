"""A CSV table is read as it was written, or refused with the rows that are not whole."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.cohort_file import InvalidCohort
from models.text_table import RaggedRow, TextRow, column_names, text_rows, text_table


def written(folder: Path, content: bytes | str) -> Path:
    path = folder / "table.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


cells = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(cells, cells, cells).filter(lambda row: any(map(str.strip, row))), max_size=5))
def test_what_was_written_is_what_is_read(tmp_path: Path, rows: list[tuple[str, ...]]) -> None:
    path = tmp_path / "table.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("a", "b", "c"), *rows])
    read = text_table(path)
    assert read.columns == ("a", "b", "c")
    assert [tuple(row.cells.values()) for row in read.rows] == rows
    assert [row.number for row in read.rows] == list(range(2, len(rows) + 2))


def test_a_row_over_several_lines_counts_once_and_an_empty_row_counts(tmp_path: Path) -> None:
    path = written(tmp_path, 'id,note\r\nA,"two\r\nlines"\r\n\r\n,\r\nB,\r\n')
    assert [(row.number, row.cells["id"]) for row in text_table(path).rows] == [(2, "A"), (5, "B")]


def test_ragged_rows_refuse_a_whole_table_each_length_with_its_rows(tmp_path: Path) -> None:
    path = written(tmp_path, "a,b,c\n1,2,3\n1,2\n1,2,3,4\n1\n1,2\n")
    with pytest.raises(InvalidCohort, match="number of cells") as refused:
        text_table(path)
    assert list(map(str, refused.value.faults)) == [
        "table.csv rows 3, 6, number of cells = 2: allowed is 3, as the header has; "
        "likely a row cut short, or a line break without quotes",
        "table.csv row 4, number of cells = 4: allowed is 3, as the header has; likely a comma without quotes",
        "table.csv row 5, number of cells = 1: allowed is 3, as the header has; "
        "likely a row cut short, or a line break without quotes",
    ]


def test_row_by_row_a_ragged_row_stands_where_it_was(tmp_path: Path) -> None:
    rows = list(text_rows(written(tmp_path, "a,b\n1,2\n1,2,\n3,4\n")))
    assert [type(row) for row in rows] == [TextRow, RaggedRow, TextRow]
    assert isinstance(rows[1], RaggedRow)
    assert rows[1].fault.likely == "a comma at the end of the row"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "table.csv = an empty file"),
        ("\na,b\n1,2\n", "an empty first row"),
        ("a;b\n1;2\n", "semicolons between columns"),
        ("id;ca19,9;alb\n1;2;3\n", "semicolons between columns"),
        ("a\tb\n1\t2\n", "tabs between columns"),
        ("größe,b\n1,2\n".encode("latin-1"), "a text that is not UTF-8"),
        ("a,b\n1,2\n".encode("utf-16"), "a text that is not UTF-8"),
        ("a,b,a,b,a\n1,2,3,4,5\n", "several columns a: .*\n.*several columns b"),
        ('a,b\n1,"2\n3,4\n', "broken quotes, noticed in line 3"),
        ('a,b\n1,"2"x\n3,4\n', "broken quotes, noticed in line 2"),
    ],
)
def test_what_is_no_table_is_refused_by_name(tmp_path: Path, content: bytes | str, said: str) -> None:
    with pytest.raises(InvalidCohort, match=said):
        text_table(written(tmp_path, content))


def test_a_fault_of_a_table_shows_no_cell_of_it(tmp_path: Path) -> None:
    path = written(tmp_path, 'id,b\nSMITH,1,\nJONES\nMILLER,"2"x\n')
    with pytest.raises(InvalidCohort, match="broken quotes") as refused:
        text_table(path)
    assert not any(name in str(refused.value) for name in ("SMITH", "JONES", "MILLER"))


def test_the_mark_of_a_spreadsheet_is_no_part_of_the_first_name_and_columns_without_a_name_are_let_be(tmp_path: Path) -> None:
    path = written(tmp_path, b"\xef\xbb\xbfpatient,alc,,\nA,1,,\n")
    assert column_names(path) == ("patient", "alc", "", "")
    assert text_table(path).rows[0].cells["patient"] == "A"
