"""Where the tables of a source are worked on: DuckDB on the disk of this computer; `server` has the other.

The statements are written in the SQL that both understand. Nothing of a hospital's tables is held in memory as a whole: DuckDB
moves what does not fit to a folder that is removed in the end, and PostgreSQL keeps temporary tables, which end with the session.
The tables of the source themselves are only read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import duckdb
import pyarrow as pa

from training.refused import NotSupported

BATCH = 50_000  # rows that are in Python at one time
ARROW = {"TEXT": pa.string(), "DATE": pa.date32(), "DOUBLE PRECISION": pa.float64(), "BIGINT": pa.int64(), "INTEGER": pa.int32()}
_FILE = re.compile(r'^ {2}file = (.+)$|sniffing file "([^"\n]+)"', re.MULTILINE)
_LINE = re.compile(r"CSV Error on Line: (\d+)")
Columns = Mapping[str, str]  # name -> type, as both databases write it


@contextmanager
def readable() -> Iterator[None]:
    """What DuckDB cannot do becomes NotSupported; its message is kept only where it can hold no cell of a table."""
    try:
        yield
    except (duckdb.IOException, duckdb.CatalogException) as error:
        raise NotSupported(f"the source cannot be read: {str(error).splitlines()[0]}") from error
    except duckdb.Error as error:
        raise NotSupported(f"the source cannot be read as a common data model: {_told(error)}") from error


def _told(error: duckdb.Error) -> str:
    """The kind of the error, the file and the line; never the line itself, which holds cells."""
    text = str(error)
    names = [Path(name).name for one in _FILE.findall(text) for name in one if name]
    if not names:
        return type(error).__name__
    lines = _LINE.findall(text)
    where = f", line {lines[0]}" if lines else ""
    likely = "it is not UTF-8" if "not utf-8" in text else "a row with more or fewer cells than its header, or another encoding"
    return f"{names[-1]}{where}: no CSV in UTF-8 with one row a line; likely {likely}"


class Work(Protocol):
    """A database in which an import does its work."""

    def run(self, statement: str) -> None:
        """One statement without an answer."""

    def rows(self, select: str) -> Iterator[tuple[Any, ...]]:
        """The rows of a query, a batch at a time."""

    def keep(self, name: str, select: str) -> None:
        """Make a table of the rows of a query, which lasts as long as the import."""

    def fill(self, name: str, columns: Columns, rows: Iterable[Sequence[Any]]) -> None:
        """Make a table of rows."""

    def save(self, select: str, path: Path) -> None:
        """Write the rows of a query to a Parquet file."""


class DuckDb:
    """A DuckDB database in a folder of its own. `memory` is what it may use before it moves to the disk."""

    def __init__(self, folder: Path, threads: int = 2, memory: str = "2GB"):
        self.connection = duckdb.connect(str(folder / "work.duckdb"))
        spill = str(folder / "spill").replace("'", "''")
        for setting in (f"threads = {threads:d}", f"memory_limit = '{memory}'", f"temp_directory = '{spill}'"):
            self.connection.execute(f"SET {setting}")
        self.connection.execute("SET preserve_insertion_order = false")
        # a source is read, and nothing is fetched for it from anywhere
        self.connection.execute("SET autoinstall_known_extensions = false")

    def run(self, statement: str) -> None:
        self.connection.execute(statement)

    def rows(self, select: str) -> Iterator[tuple[Any, ...]]:
        found = self.connection.cursor().execute(select)
        while batch := found.fetchmany(BATCH):
            yield from batch

    def keep(self, name: str, select: str) -> None:
        self.run(f"CREATE TABLE {name} AS {select}")

    def fill(self, name: str, columns: Columns, rows: Iterable[Sequence[Any]]) -> None:
        self.run(f"CREATE TABLE {name} ({declared(columns)})")
        for batch in batches(rows):
            self.connection.register("incoming", arrow_table(columns, batch))
            self.run(f"INSERT INTO {name} SELECT * FROM incoming")
            self.connection.unregister("incoming")

    def save(self, select: str, path: Path) -> None:
        target = str(path).replace("'", "''")
        self.run(f"COPY ({select}) TO '{target}' (FORMAT parquet, COMPRESSION zstd)")

    def close(self) -> None:
        """Let go of the files."""
        self.connection.close()


def declared(columns: Columns) -> str:
    """The columns of a table, as CREATE TABLE has them."""
    return ", ".join(f"{name} {kind}" for name, kind in columns.items())


def batches(rows: Iterable[Sequence[Any]]) -> Iterator[list[Sequence[Any]]]:
    """The rows, as many at a time as may be in Python."""
    found = iter(rows)
    while batch := list(islice(found, BATCH)):
        yield batch


def arrow_table(columns: Columns, rows: Sequence[Sequence[Any]]) -> pa.Table:
    """Rows as a table of Arrow."""
    by_column = zip(*rows, strict=True) if rows else ((),) * len(columns)
    arrays = [pa.array(cells, ARROW[kind]) for cells, kind in zip(by_column, columns.values(), strict=True)]
    return pa.table(arrays, names=list(columns))
