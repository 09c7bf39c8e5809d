"""Rows of a tidy table by patient are the same rows, from CSV and Parquet, sorted or not."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from models.mapping import InvalidCohort
from training.reading.by_patient import lines_by_patient

ROWS = pd.DataFrame({"patient": ["b", "a", "b", "c", "a"], "day": [-1, -2, -3, -4, -5], "value": ["1", "<2", None, "4", "5"]})


def found(folder: Path, table: pd.DataFrame, name: str = "m.parquet") -> dict[str, list[tuple[int, object, object]]]:
    if name.endswith(".parquet"):
        table.to_parquet(folder / name)
    else:
        table.to_csv(folder / name, index=False)
    grouped = lines_by_patient(folder, name, ("patient", "day"))
    return {
        who: [(line.number, int(line.row["day"]), line.row["value"] or None) for line in lines] for who, lines in grouped.items()
    }


def test_each_patient_has_its_rows_in_their_order(tmp_path: Path) -> None:
    assert found(tmp_path, ROWS) == {
        "b": [(2, -1, "1"), (4, -3, None)], "a": [(3, -2, "<2"), (6, -5, "5")], "c": [(5, -4, "4")],
    }


def test_csv_parquet_and_a_sorted_table_say_the_same(tmp_path: Path) -> None:
    assert found(tmp_path, ROWS) == found(tmp_path, ROWS, "m.csv")
    in_order = ROWS.sort_values("patient", kind="stable", ignore_index=True)
    without = {who: [row[1:] for row in rows] for who, rows in found(tmp_path, in_order).items()}
    assert without == {who: [row[1:] for row in rows] for who, rows in found(tmp_path, ROWS).items()}


def test_numbers_name_patients_as_their_words_do(tmp_path: Path) -> None:
    numbered = ROWS.assign(patient=[2.0, 1.0, 2.0, 3.0, None])
    assert {who: len(rows) for who, rows in found(tmp_path, numbered).items()} == {"2": 2, "1": 1, "3": 1, "": 1}


def test_an_index_without_a_name_is_no_column_and_one_with_a_name_is(tmp_path: Path) -> None:
    assert found(tmp_path, ROWS.iloc[[3]]) == {"c": [(2, -4, "4")]}
    assert found(tmp_path, ROWS.set_index("patient")) == found(tmp_path, ROWS)


@pytest.mark.parametrize("name", ["m.parquet", "m.csv"])
def test_missing_columns_are_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidCohort, match="no column patient"):
        found(tmp_path, ROWS.drop(columns="patient"), name)


def test_what_is_no_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "m.parquet").write_bytes(b"no table")
    with pytest.raises(InvalidCohort, match="a file that cannot be read"):
        lines_by_patient(tmp_path, "m.parquet", ("patient",))
    with pytest.raises(InvalidCohort, match="no such file"):
        lines_by_patient(tmp_path, "other.parquet", ("patient",))
