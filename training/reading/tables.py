"""The tables of a cohort as they lie on disk: every cell as it was written, nothing guessed, every row with its number."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from pyarrow import ArrowInvalid

from models.cohort_file import CohortFile, InvalidCohort
from models.fault import Fault

Row = Mapping[str, Any]
HEADER = 2  # the first row below the header is row 2, as a spreadsheet counts


@dataclass(frozen=True)
class Line:
    """One row of a table and its number, counted as a spreadsheet does: the header is row 1."""

    number: int
    row: Row


def read_table(path: Path) -> pd.DataFrame:
    """A CSV (every cell as text) or a Parquet table (empty cells None); the index keeps the number of a row among all rows.

    Raises InvalidCohort where there is no table to be read.
    """
    if not path.is_file():
        raise _unreadable(str(path), "no such file", "a folder of tables that --data DIR must name")
    try:
        table = _parquet(path) if path.suffix == ".parquet" else _csv(path)
    except (UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError, ArrowInvalid) as error:
        raise _unreadable(path.name, "a file that cannot be read", str(error)) from error
    table.columns = [str(column) for column in table.columns]
    if len(table.columns) == 1 and ";" in table.columns[0]:
        raise _unreadable(path.name, "one column", "semicolons between columns")
    return table


def _unreadable(place: str, given: str, likely: str) -> InvalidCohort:
    return InvalidCohort([Fault(place, given, "a CSV in UTF-8 with commas between columns, or a Parquet table", likely)])


def _csv(path: Path) -> pd.DataFrame:
    # blank lines are read and then dropped, so that a row keeps the number it has in a spreadsheet
    table = pd.read_csv(path, dtype=str, keep_default_na=False, skip_blank_lines=False)
    return table[(table != "").any(axis=1)]


def _parquet(path: Path) -> pd.DataFrame:
    table = pd.read_parquet(path)
    table = table.reset_index(drop=all(name is None for name in table.index.names))  # a named index is a column
    return table.astype(object).where(table.notna(), None)


def lines(table: pd.DataFrame) -> list[Line]:
    """The rows of a table with their numbers."""
    rows: list[Any] = table.to_dict("records")
    return [Line(int(index) + HEADER, row) for index, row in zip(table.index, rows, strict=True)]


def lines_by_patient(folder: Path, name: str, needed: Sequence[str]) -> dict[str, list[Line]]:
    """The rows of a tidy table by patient; none where there is no such table. Raises InvalidCohort for missing columns."""
    if not name:
        return {}
    table = read_table(folder / name)
    if missing := [column for column in needed if column not in table]:
        raise InvalidCohort([Fault(name, f"no column {column}", f"columns {', '.join(needed)}") for column in missing])
    grouped: dict[str, list[Line]] = defaultdict(list)
    for line in lines(table):
        grouped[str(line.row["patient"])].append(line)
    return dict(grouped)


def digest_of(file: CohortFile, folder: Path) -> str:
    """SHA-256 over the bytes of the cohort file and of its tables, in their order."""
    digest = hashlib.sha256(file.path.read_bytes())
    for name in (file.table, file.measurement_table, file.treatment_table):
        if name:
            digest.update((folder / name).read_bytes())
    return digest.hexdigest()
