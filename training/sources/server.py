"""The PostgreSQL server that holds the tables of a source, as the place where an import does its work."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from pyarrow import parquet

from training.refused import NotSupported
from training.sources.database import BATCH, Columns, arrow_table, batches, declared

_TYPES = {20: "BIGINT", 23: "INTEGER", 701: "DOUBLE PRECISION", 1082: "DATE"}  # PostgreSQL's numbers of its types


@contextmanager
def reachable() -> Iterator[None]:
    """What the server cannot do becomes NotSupported; its message is kept only where it can hold no cell of a table."""
    try:
        yield
    except psycopg.OperationalError as error:
        raise NotSupported(f"the server cannot be reached: {str(error).splitlines()[0]}") from error
    except psycopg.Error as error:
        raise NotSupported(f"the source cannot be read as a common data model: {type(error).__name__}") from error


class PostgreSql:
    """A session on the PostgreSQL server that holds the tables; the account needs to read them, and temporary tables."""

    def __init__(self, url: str):
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
        self.run(f"CREATE TEMPORARY TABLE {name} ({declared(columns)})")
        for batch in batches(rows):  # rows may come from a query of this very session, which waits while it copies
            with self.connection.cursor() as cursor, cursor.copy(f"COPY {name} FROM STDIN".encode()) as copy:
                for row in batch:
                    copy.write_row(row)
        self.run(f"ANALYZE {name}")

    def save(self, select: str, path: Path) -> None:
        with self.connection.cursor() as cursor:
            described = cursor.execute(f"SELECT * FROM ({select}) AS asked LIMIT 0".encode()).description or []
        columns = {one.name: _TYPES.get(one.type_code, "TEXT") for one in described}
        schema = arrow_table(columns, []).schema
        with parquet.ParquetWriter(path, schema, compression="zstd") as writer:
            for batch in batches(self.rows(select)):
                writer.write_table(arrow_table(columns, batch))

    def close(self) -> None:
        """End the session, and with it every temporary table."""
        self.connection.rollback()
        self.connection.close()
