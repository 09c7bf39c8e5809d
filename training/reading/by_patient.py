"""The rows of a large tidy table by patient: kept as columns, and made rows only while their patient is read.

A history of millions of results takes a tenth of the memory that its rows would take.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import overload

import numpy as np
import pyarrow as pa
from pyarrow import ArrowInvalid, parquet

from models.cells import name_of
from models.fault import Fault
from models.mapping import InvalidCohort
from models.text_table import require_distinct, unreadable
from training.reading.tables import HEADER, Line, read_table

_UNNAMED = "__index_level_"  # how pandas writes an index without a name, which is no column


class OfPatient(Sequence[Line]):
    """The rows of one patient, in the order of the table; `places` are their places in it, from 0."""

    def __init__(self, table: pa.Table, places: np.ndarray[tuple[int], np.dtype[np.int64]]):
        self._table, self._places = table, places

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, place: int) -> Line: ...

    @overload
    def __getitem__(self, place: slice) -> list[Line]: ...

    def __getitem__(self, place: int | slice) -> Line | list[Line]:
        return list(self)[place]

    def __iter__(self) -> Iterator[Line]:
        first, n = int(self._places[0]), len(self._places)
        together = int(self._places[-1]) - first + 1 == n  # as an import writes them: a slice costs nothing
        rows = self._table.slice(first, n) if together else self._table.take(pa.array(self._places))
        for number, row in zip(self._places.tolist(), rows.to_pylist(), strict=True):
            yield Line(number + HEADER, row)


def lines_by_patient(folder: Path, name: str, needed: Sequence[str]) -> Mapping[str, Sequence[Line]]:
    """The rows of a tidy table by patient; none where there is no such table. Raises InvalidCohort for missing columns."""
    if not name:
        return {}
    path = folder / name
    columns, grouped = _parquet(path) if path.suffix.lower() == ".parquet" and path.is_file() else _text(path)
    if missing := [column for column in needed if column not in columns]:
        raise InvalidCohort([Fault(name, f"no column {column}", f"columns {', '.join(needed)}") for column in missing])
    return grouped


def _text(path: Path) -> tuple[tuple[str, ...], dict[str, list[Line]]]:
    table = read_table(path)
    grouped: dict[str, list[Line]] = defaultdict(list)
    for line in table.lines if "patient" in table.columns else ():
        grouped[name_of(line.row["patient"])].append(line)
    return table.columns, dict(grouped)


def _parquet(path: Path) -> tuple[tuple[str, ...], Mapping[str, Sequence[Line]]]:
    try:
        require_distinct(path.name, parquet.read_schema(path).names)
        table = parquet.read_table(path)
    except ArrowInvalid as error:
        raise unreadable(path.name, "a file that cannot be read", str(error)) from error
    table = table.drop_columns([name for name in table.column_names if name.startswith(_UNNAMED)])
    if "patient" not in table.column_names:
        return tuple(table.column_names), {}
    return tuple(table.column_names), _grouped(table)


def _grouped(table: pa.Table) -> dict[str, Sequence[Line]]:
    encoded = table.column("patient").combine_chunks().dictionary_encode(null_encoding="encode")
    codes, names = encoded.indices.to_numpy(), encoded.dictionary.to_pylist()
    order = np.argsort(codes, kind="stable")
    ends = np.searchsorted(codes[order], np.arange(len(names) + 1))
    gathered: dict[str, list[np.ndarray[tuple[int], np.dtype[np.int64]]]] = {}
    for code, name in enumerate(names):
        gathered.setdefault(name_of(name), []).append(order[ends[code] : ends[code + 1]])
    return {name: OfPatient(table, np.sort(np.concatenate(each))) for name, each in gathered.items()}
