"""Tables of the OMOP common data model (5.3, 5.4) wherever they lie: a zip or folder of CSV or Parquet, DuckDB, PostgreSQL.

Every table becomes a view `cdm_...` with the columns that are read, in their types; a column that a source does not have is
null, a table that it does not have is empty, and both are told. What cannot be read as its type is null, and what the rules make
of a null is counted.

References
----------
OHDSI, OMOP Common Data Model v5.4 (2021): https://ohdsi.github.io/CommonDataModel/cdm54.html
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from models.fault import Fault
from models.mapping import InvalidCohort
from training.sources.database import DuckDb, Work

_ID, _DAY, _WORDS, _TIME, _NUMBER = "BIGINT", "DATE", "TEXT", "TIMESTAMP", "DOUBLE PRECISION"
TABLES: Mapping[str, Mapping[str, str]] = {
    "person": {"person_id": _ID, "gender_concept_id": _ID, "year_of_birth": _ID, "month_of_birth": _ID, "day_of_birth": _ID,
               "care_site_id": _ID},
    "death": {"person_id": _ID, "death_date": _DAY},
    "observation_period": {"person_id": _ID, "observation_period_start_date": _DAY, "observation_period_end_date": _DAY},
    "measurement": {"person_id": _ID, "measurement_concept_id": _ID, "measurement_date": _DAY, "measurement_datetime": _TIME,
                    "operator_concept_id": _ID, "value_as_number": _NUMBER, "value_as_concept_id": _ID, "unit_concept_id": _ID,
                    "range_high": _NUMBER, "measurement_source_value": _WORDS, "measurement_source_concept_id": _ID,
                    "unit_source_value": _WORDS, "value_source_value": _WORDS},
    "observation": {"person_id": _ID, "observation_concept_id": _ID, "observation_date": _DAY, "observation_datetime": _TIME,
                    "value_as_number": _NUMBER, "value_as_string": _WORDS, "value_as_concept_id": _ID, "unit_concept_id": _ID,
                    "observation_source_value": _WORDS, "observation_source_concept_id": _ID, "unit_source_value": _WORDS},
    "condition_occurrence": {"person_id": _ID, "condition_concept_id": _ID, "condition_start_date": _DAY,
                             "condition_source_value": _WORDS, "condition_source_concept_id": _ID},
    "drug_exposure": {"person_id": _ID, "drug_concept_id": _ID, "drug_exposure_start_date": _DAY,
                      "drug_exposure_end_date": _DAY, "days_supply": _ID, "drug_source_value": _WORDS,
                      "drug_source_concept_id": _ID},
    "procedure_occurrence": {"person_id": _ID, "procedure_concept_id": _ID, "procedure_date": _DAY, "procedure_end_date": _DAY,
                             "procedure_source_value": _WORDS, "procedure_source_concept_id": _ID},
    "episode": {"person_id": _ID, "episode_concept_id": _ID},
    "cdm_source": {"cdm_source_name": _WORDS, "cdm_release_date": _DAY, "source_release_date": _DAY, "cdm_version": _WORDS},
    "concept": {"concept_id": _ID, "concept_name": _WORDS, "vocabulary_id": _WORDS, "concept_class_id": _WORDS,
                "concept_code": _WORDS},
    "concept_relationship": {"concept_id_1": _ID, "concept_id_2": _ID, "relationship_id": _WORDS, "invalid_reason": _WORDS},
    "concept_ancestor": {"ancestor_concept_id": _ID, "descendant_concept_id": _ID},
}
NEEDED = ("person", "measurement", "observation_period")
_ALLOWED = "a zip or folder of CSV or Parquet files, a DuckDB file, or postgresql://... : an OMOP CDM 5.4"
_SCHEMA = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


def open_files(work: DuckDb, source: Path, folder: Path) -> list[str]:
    """Make the views of a source on disk; a zip is unpacked into `folder`. What is not there is returned, to be told."""
    if source.is_file() and source.suffix.lower() in (".duckdb", ".db"):
        return _attached(work, source)
    if source.is_file() and zipfile.is_zipfile(source):
        source = _unpacked(source, folder / "unpacked")
    if not source.is_dir():
        raise InvalidCohort([Fault(str(source), "no such source", _ALLOWED)])
    there = {name: found for name in TABLES if (found := _files_of(source, name))}
    _require(there, str(source))
    return [said for name in TABLES for said in _view(work, name, there.get(name, ""))]


def open_server(work: Work, schema: str) -> list[str]:
    """Make the views of a schema on a PostgreSQL server."""
    if not _SCHEMA.fullmatch(schema):
        raise InvalidCohort([Fault("--schema", schema, "the name of a schema: letters, digits and _")])
    told = f"SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = '{schema}'"
    columns: dict[str, set[str]] = {}
    for table, column in work.rows(told):
        columns.setdefault(table, set()).add(column)
    _require(columns, f"schema {schema}")
    said = []
    for name, types in TABLES.items():
        read = f"{schema}.{name}" if name in columns else ""
        work.run(f"CREATE TEMPORARY VIEW cdm_{name} AS {_select(types, columns.get(name, set()), read, 'CAST')}")
        said += _missing(name, types, columns.get(name, set()))
    return said


def _require(there: Iterable[str], where: str) -> None:
    faults = [Fault(where, f"no table {name}", _ALLOWED) for name in NEEDED if name not in there]
    if faults:
        raise InvalidCohort(faults)


def _unpacked(archive: Path, folder: Path) -> Path:
    """The tables of a zip, which a program on a Mac may have made; nothing is written outside `folder`."""
    folder.mkdir(parents=True)
    with zipfile.ZipFile(archive) as opened:
        for member in opened.infolist():
            name = PurePosixPath(member.filename).name
            if name.split(".")[0].lower() in TABLES and "__MACOSX" not in member.filename:
                with opened.open(member) as packed, (folder / name).open("wb") as file:
                    while block := packed.read(1 << 20):
                        file.write(block)
    return folder


def _files_of(folder: Path, name: str) -> str:
    """How DuckDB reads the table: one file of any case, or a folder of Parquet files."""
    for path in sorted(folder.iterdir()):
        if path.name.split(".")[0].lower() != name:
            continue
        quoted = str(path).replace("'", "''")
        if path.is_dir() and any(path.glob("*.parquet")):
            return f"read_parquet('{quoted}/*.parquet')"
        if path.suffix.lower() == ".parquet":
            return f"read_parquet('{quoted}')"
        if path.name.lower().endswith((".csv", ".csv.gz")):
            return f"read_csv('{quoted}', all_varchar = true, header = true)"
    return ""


def _attached(work: DuckDb, source: Path) -> list[str]:
    quoted = str(source).replace("'", "''")
    work.run(f"ATTACH '{quoted}' AS source (READ_ONLY)")
    found = work.rows("SELECT lower(table_name), schema_name, table_name FROM duckdb_tables() WHERE database_name = 'source'")
    there = {name: f'source."{schema}"."{table}"' for name, schema, table in found}
    _require(there, source.name)
    return [said for name in TABLES for said in _view(work, name, there.get(name, ""))]


def _view(work: DuckDb, name: str, read: str) -> list[str]:
    types = TABLES[name]
    columns = {str(row[0]).lower() for row in work.rows(f"DESCRIBE SELECT * FROM {read}")} if read else set()
    work.run(f"CREATE VIEW cdm_{name} AS {_select(types, columns, read, 'TRY_CAST')}")
    return _missing(name, types, columns)


def _select(types: Mapping[str, str], columns: set[str], read: str, cast: str) -> str:
    cells = (f"{cast}({name} AS {kind}) AS {name}" if name in columns else f"CAST(NULL AS {kind}) AS {name}"
             for name, kind in types.items())
    return f"SELECT {', '.join(cells)} " + (f"FROM {read}" if read else "WHERE 1 = 0")


def _missing(name: str, types: Mapping[str, str], columns: set[str]) -> list[str]:
    if not columns:
        return [f"no table {name}"]
    return [f"no column {name}.{column}" for column in types if column not in columns]
