"""The exam of the large common data model, on a small one; and the same source in other forms gives the same cohort."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import duckdb
import omop
import pandas as pd
import postgres
import psycopg
import pytest
from made_cdm import make

from training.refused import NotSupported
from training.sources.concept_sets import concepts
from training.sources.imported import Wanted
from training.sources.omop.imported import import_files, import_server
from training.sources.server import PostgreSql

PERSONS = 200
TABLES = ("patients", "measurements", "treatments", "doses")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("made") / "cdm", PERSONS)


@pytest.fixture(scope="module")
def cohort(source: Path) -> Path:
    out = source.parent / "cohort"
    import_files(source, Wanted(out, "made"), concepts(), threads=1, memory="500MB")
    return out


@pytest.fixture(scope="module")
def server(debian: Callable[[str, str | None], str]) -> Iterator[postgres.Server]:
    with postgres.server(debian("postgresql", postgres.programs()), "-c fsync=off") as found:
        yield found


def same(one: Path, other: Path) -> bool:
    return all(pd.read_parquet(one / f"{name}.parquet").equals(pd.read_parquet(other / f"{name}.parquet")) for name in TABLES)


def test_a_small_one_holds_every_bar(tmp_path: Path) -> None:
    marks = omop.sit(tmp_path, persons=PERSONS)
    assert [mark.what for mark in marks if mark.falls_short] == []


def test_csv_gives_the_same_cohort(cohort: Path, tmp_path: Path) -> None:
    make(tmp_path / "cdm", PERSONS, "csv")
    import_files(tmp_path / "cdm", Wanted(tmp_path / "out", "made"), concepts(), threads=1, memory="500MB")
    assert same(cohort, tmp_path / "out")


def test_a_duckdb_file_gives_the_same_cohort(source: Path, cohort: Path, tmp_path: Path) -> None:
    with closing(duckdb.connect(str(tmp_path / "cdm.duckdb"))) as connection:
        connection.execute("CREATE SCHEMA main_cdm")
        for path in source.iterdir():
            connection.execute(f"CREATE TABLE main_cdm.{path.stem} AS SELECT * FROM read_parquet('{path}')")
    import_files(tmp_path / "cdm.duckdb", Wanted(tmp_path / "out", "made"), concepts(), threads=1, memory="500MB")
    assert same(cohort, tmp_path / "out")


def test_postgresql_gives_the_same_cohort(source: Path, cohort: Path, server: postgres.Server, tmp_path: Path) -> None:
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("CREATE SCHEMA cdm")
        for path in source.iterdir():
            _load(connection, path)
    import_server(server.url(), "cdm", Wanted(tmp_path / "out", "made"), concepts())
    assert same(cohort, tmp_path / "out")


def _load(connection: psycopg.Connection[tuple[object, ...]], path: Path) -> None:
    """A table of Parquet in PostgreSQL, in the types that it has."""
    kinds = {"BIGINT": "bigint", "INTEGER": "integer", "DATE": "date", "TIMESTAMP": "timestamp", "VARCHAR": "text"}
    described = duckdb.sql(f"DESCRIBE SELECT * FROM read_parquet('{path}')").fetchall()
    columns = ", ".join(f"{name} {kinds.get(kind, 'double precision')}" for name, kind, *_ in described)
    connection.execute(f"CREATE TABLE cdm.{path.stem} ({columns})".encode())
    with connection.cursor() as cursor, cursor.copy(f"COPY cdm.{path.stem} FROM STDIN".encode()) as copy:
        for row in duckdb.sql(f"SELECT * FROM read_parquet('{path}')").fetchall():
            copy.write_row(row)


def test_the_tables_on_a_server_are_only_read(server: postgres.Server) -> None:
    with closing(PostgreSql(server.url())) as work:
        work.fill("mine", {"n": "INTEGER"}, [(1,)])
    with psycopg.connect(server.url()) as connection:
        assert connection.execute("SELECT count(*) FROM pg_class WHERE relname = 'mine'").fetchone() == (0,)


def test_a_server_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotSupported, match="the server cannot be reached"):
        import_server(f"postgresql://nobody@/none?host={tmp_path}", "cdm", Wanted(tmp_path / "out", "made"), concepts())


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "cdm.duckdb").write_bytes(b"no database")
    with pytest.raises(NotSupported, match="the source cannot be read"):
        import_files(tmp_path / "cdm.duckdb", Wanted(tmp_path / "out", "made"), concepts(), threads=1)
