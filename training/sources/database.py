"""Where the tables of a source are worked on: DuckDB on the disk of this computer, or the PostgreSQL server that holds them.

The statements are written in the SQL that both understand. Nothing of a hospital's tables is held in memory as a whole: DuckDB
moves what does not fit to a folder that is removed in the end, and PostgreSQL keeps temporary tables, which end with the session.
The tables of the source themselves are only read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import duckdb
import pyarrow as pa
from pyarrow import parquet

BATCH = 50_000  # rows that are in Python at one time
_ARROW = {"TEXT": pa.string(), "DATE": pa.date32(), "DOUBLE PRECISION": pa.float64(), "BIGINT": pa.int64(), "INTEGER": pa.int32()}
Columns = Mapping[str, str]  # name -> type, as both databases write it


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
        self.run(f"CREATE TABLE {name} ({_declared(columns)})")
        for batch in _batches(rows):
            self.connection.register("incoming", _table(columns, batch))
            self.run(f"INSERT INTO {name} SELECT * FROM incoming")
            self.connection.unregister("incoming")

    def save(self, select: str, path: Path) -> None:
        target = str(path).replace("'", "''")
        self.run(f"COPY ({select}) TO '{target}' (FORMAT parquet, COMPRESSION zstd)")

    def close(self) -> None:
        """Let go of the files."""
        self.connection.close()


class PostgreSql:
    """A session on the PostgreSQL server that holds the tables; the account needs to read them, and temporary tables."""

    def __init__(self, url: str):
        import psycopg

        self.connection = psycopg.connect(url, autocommit=False)

    def run(self, statement: str) -> None:
        self.connection.execute(statement.encode())

    def rows(self, select: str) -> Iterator[tuple[Any, ...]]:
        with self.connection.cursor(name=f"rows_{abs(hash(select))}") as cursor:
            cursor.itersize = BATCH
            cursor.execute(select.encode())
            yield from cursor

    def keep(self, name: str, select: str) -> None:
        self.run(f"CREATE TEMPORARY TABLE {name} AS {select}")
        self.run(f"ANALYZE {name}")

    def fill(self, name: str, columns: Columns, rows: Iterable[Sequence[Any]]) -> None:
        self.run(f"CREATE TEMPORARY TABLE {name} ({_declared(columns)})")
        for batch in _batches(rows):  # rows may come from a query of this very session, which waits while it copies
            with self.connection.cursor() as cursor, cursor.copy(f"COPY {name} FROM STDIN".encode()) as copy:
                for row in batch:
                    copy.write_row(row)
        self.run(f"ANALYZE {name}")

    def save(self, select: str, path: Path) -> None:
        with self.connection.cursor() as cursor:
            described = cursor.execute(f"SELECT * FROM ({select}) AS asked LIMIT 0".encode()).description or []
        columns = {one.name: _TYPES.get(one.type_code, "TEXT") for one in described}
        schema = pa.schema([(name, _ARROW[kind]) for name, kind in columns.items()])
        with parquet.ParquetWriter(path, schema, compression="zstd") as writer:
            for batch in _batches(self.rows(select)):
                writer.write_table(_table(columns, batch))

    def close(self) -> None:
        """End the session, and with it every temporary table."""
        self.connection.rollback()
        self.connection.close()


_TYPES = {20: "BIGINT", 23: "INTEGER", 701: "DOUBLE PRECISION", 1082: "DATE"}  # PostgreSQL's numbers of its types


def _declared(columns: Columns) -> str:
    return ", ".join(f"{name} {kind}" for name, kind in columns.items())


def _batches(rows: Iterable[Sequence[Any]]) -> Iterator[list[Sequence[Any]]]:
    found = iter(rows)
    while batch := list(islice(found, BATCH)):
        yield batch


def _table(columns: Columns, rows: Sequence[Sequence[Any]]) -> pa.Table:
    by_column = zip(*rows, strict=True)
    arrays = [pa.array(cells, _ARROW[kind]) for cells, kind in zip(by_column, columns.values(), strict=True)]
    return pa.table(arrays, names=list(columns))
