"""The tables of a cohort as they lie on disk: every cell as it was written, nothing guessed, every row with its number."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from pyarrow import ArrowInvalid, parquet

from models.cohort_file import CohortFile
from models.text_table import require_distinct, text_table, unreadable

Row = Mapping[str, Any]
HEADER = 2  # the first row below the header is row 2, as a spreadsheet counts


@dataclass(frozen=True)
class Line:
    """One row of a table and its number, counted as a spreadsheet does: the header is row 1."""

    number: int
    row: Row


@dataclass(frozen=True)
class Table:
    """The names of a table's columns, and its rows in order."""

    columns: tuple[str, ...]
    lines: tuple[Line, ...]


def read_table(path: Path) -> Table:
    """A CSV (every cell as text) or a Parquet table (empty cells None).

    Raises InvalidCohort where there is no table to be read, and for rows of a CSV that are not as long as its header.
    """
    if not path.is_file():
        raise unreadable(str(path), "no such file", "a folder of tables that --data DIR must name")
    if path.suffix.lower() == ".parquet":
        return _parquet(path)
    read = text_table(path)
    return Table(read.columns, tuple(Line(row.number, row.cells) for row in read.rows))


def _parquet(path: Path) -> Table:
    try:
        require_distinct(path.name, parquet.read_schema(path).names)
        table = pd.read_parquet(path)
    except ArrowInvalid as error:
        raise unreadable(path.name, "a file that cannot be read", str(error)) from error
    table = table.reset_index(drop=all(name is None for name in table.index.names))  # a named index is a column
    table.columns = [str(column) for column in table.columns]
    rows: list[Any] = table.astype(object).where(table.notna(), None).to_dict("records")
    return Table(tuple(table.columns), tuple(Line(number, row) for number, row in enumerate(rows, start=HEADER)))


def digest_of(file: CohortFile, folder: Path) -> str:
    """SHA-256 over the bytes of the cohort file and of its tables, in their order."""
    digest = hashlib.sha256(file.path.read_bytes())
    for name in (file.table, file.measurement_table, file.treatment_table):
        if name:
            with (folder / name).open("rb") as table:
                while block := table.read(1 << 20):
                    digest.update(block)
    return digest.hexdigest()
