"""A table of patients in a CSV file: every cell as it was written, and no row that is cut short taken for a whole one.

Training and scoring read by it alike. The header is row 1, and rows are counted as a spreadsheet counts them; rows in which
nothing is written are counted and passed over.
"""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from models.fault import Fault
from models.mapping import InvalidCohort

if TYPE_CHECKING:
    from _csv import Reader

_ALLOWED = "a CSV in UTF-8 with commas between columns and their names in row 1, or a Parquet table"
_OTHER_MARKS = {";": "semicolons", "\t": "tabs"}
_SHOWN = 5  # rows named before "and N more"


@dataclass(frozen=True, slots=True)
class TextRow:
    """One row of a table: its number and its cells by the name of their column."""

    number: int
    cells: dict[str, str]


@dataclass(frozen=True, slots=True)
class RaggedRow:
    """A row with more or fewer cells than the header: nobody knows which cell belongs to which column."""

    number: int
    fault: Fault


@dataclass(frozen=True)
class TextTable:
    """A table read whole."""

    columns: tuple[str, ...]
    rows: tuple[TextRow, ...]


def column_names(path: Path) -> tuple[str, ...]:
    """The names in the header. Raises InvalidCohort where the file is no CSV table, or two columns have one name."""
    with _opened(path) as reader:
        return _header(path, reader)


def text_rows(path: Path) -> Iterator[TextRow | RaggedRow]:
    """The rows one after another, held one at a time. Raises InvalidCohort as `column_names` does, and for broken quotes."""
    with _opened(path) as reader:
        names = _header(path, reader)
        for number, cells in enumerate(reader, start=2):
            if len(cells) == len(names) and any(map(str.strip, cells)):
                yield TextRow(number, dict(zip(names, cells, strict=True)))
            elif any(map(str.strip, cells)):
                yield RaggedRow(number, _ragged(cells, len(names)))


def text_table(path: Path) -> TextTable:
    """The whole table. Raises InvalidCohort naming every row that has not as many cells as the header."""
    rows: list[TextRow] = []
    ragged: dict[Fault, list[int]] = defaultdict(list)
    for row in text_rows(path):
        if isinstance(row, TextRow):
            rows.append(row)
        else:
            ragged[row.fault].append(row.number)
    if ragged:
        raise InvalidCohort([in_rows(path.name, numbers, fault) for fault, numbers in ragged.items()])
    return TextTable(column_names(path), tuple(rows))


def require_distinct(table: str, names: Iterable[str]) -> None:
    """Raises InvalidCohort where two columns of a table have one name; a column without a name is read by nobody."""
    twice = [name for name, times in Counter(names).items() if times > 1 and name]
    if twice:
        allowed, likely = "one column of each name", "a column copied, or two tables pasted side by side"
        raise InvalidCohort([Fault(table, f"several columns {name}", allowed, likely) for name in twice])


def in_rows(table: str, rows: Sequence[int], fault: Fault) -> Fault:
    """The same fault with the table and the rows it was found in."""
    return Fault(f"{table} {rows_named(rows)}, {fault.field}", fault.given, fault.allowed, fault.likely)


def rows_named(rows: Sequence[int]) -> str:
    """Rows in words.

    >>> rows_named([3]), rows_named([2, 3, 4, 5, 6, 7, 9])
    ('row 3', 'rows 2, 3, 4, 5, 6 and 2 more')
    """
    distinct = sorted(set(rows))
    shown = ", ".join(map(str, distinct[:_SHOWN]))
    more = f" and {len(distinct) - _SHOWN} more" if len(distinct) > _SHOWN else ""
    return ("row " if len(distinct) == 1 else "rows ") + shown + more


def unreadable(table: str, given: str, likely: str) -> InvalidCohort:
    """What is raised where a file is no table at all."""
    return InvalidCohort([Fault(table, given, _ALLOWED, likely)])


@contextmanager
def _opened(path: Path) -> Iterator[Reader]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            # strict: a quote that is never closed would make one cell of all the rows that follow
            reader = csv.reader(file, strict=True)
            yield reader
    except UnicodeDecodeError as error:
        raise unreadable(path.name, "a text that is not UTF-8", "another encoding: save it as CSV UTF-8") from error
    except csv.Error as error:
        given = f"broken quotes, noticed in line {reader.line_num}"
        raise unreadable(path.name, given, f"a quote that is not closed, or not doubled within quotes ({error})") from error


def _header(path: Path, reader: Iterator[list[str]]) -> tuple[str, ...]:
    names = next(reader, None)
    if names is None:
        raise unreadable(path.name, "an empty file", "an export that failed")
    if not any(map(str.strip, names)):
        raise unreadable(path.name, "an empty first row", "lines above the header")
    for mark, word in _OTHER_MARKS.items():
        if sum(name.count(mark) for name in names) >= len(names):
            raise unreadable(path.name, f"{word} between columns", "the export of a spreadsheet in another language")
    require_distinct(path.name, names)
    return tuple(names)


def _ragged(cells: Sequence[str], columns: int) -> Fault:
    likely = "a row cut short, or a line break without quotes"
    if len(cells) > columns:
        likely = "a comma without quotes" if any(cells[columns:]) else "a comma at the end of the row"
    return Fault("number of cells", str(len(cells)), f"{columns}, as the header has", likely)
