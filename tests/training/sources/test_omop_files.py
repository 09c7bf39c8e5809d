"""An OMOP source and its cohort as files: what is no table is refused by its name, and nothing half-written looks whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from small_cdm import INDEX, a_cdm

from models.mapping import InvalidCohort
from training.refused import NotSupported
from training.sources.account import Account
from training.sources.concept_sets import concepts
from training.sources.database import readable
from training.sources.imported import Wanted
from training.sources.omop.imported import import_files

Importing = Callable[..., tuple[Account, Path]]


def test_a_table_that_is_no_csv_is_named_without_a_cell(tmp_path: Path) -> None:
    source = a_cdm(tmp_path / "cdm", death=[{"person_id": 1, "death_date": "2024-07-01"}])
    (source / "DEATH.csv").write_bytes((source / "DEATH.csv").read_bytes() + b"1;2024-07-01;x\n")
    with pytest.raises(NotSupported, match=r"DEATH\.csv.*: no CSV in UTF-8.* likely a row with more or fewer cells") as refused:
        import_files(source, Wanted(tmp_path / "out", "small"), concepts(), threads=1)
    assert "2024" not in str(refused.value)


def test_another_encoding_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "death.csv").write_bytes(b"person_id,death_date\n" + b"1,2024-07-01\n" * 30 + b"1,\xe9\n")
    read = f"SELECT * FROM read_csv('{tmp_path / 'death.csv'}', all_varchar = true, header = true)"
    with pytest.raises(NotSupported, match=r"death\.csv, line \d+: no CSV in UTF-8.* likely it is not UTF-8$"), readable():
        duckdb.sql(read).fetchall()


def test_who_is_interrupted_leaves_nothing_that_looks_like_a_cohort(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("training.sources.imported.write_cohort_file", stop)
    with pytest.raises(KeyboardInterrupt):
        import_files(a_cdm(tmp_path / "cdm"), Wanted(tmp_path / "out", "small"), concepts(), threads=1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cdm", "out"]
    assert list((tmp_path / "out").iterdir()) == []  # so that the same command can be given again


def test_a_cohort_is_never_overwritten(importing: Importing, tmp_path: Path) -> None:
    (tmp_path / "cohort-1").mkdir()
    (tmp_path / "cohort-1" / "mine").touch()
    with pytest.raises(FileExistsError, match="an import never overwrites a cohort"):
        importing()


def test_a_source_without_its_tables_is_refused(tmp_path: Path) -> None:
    source = a_cdm(tmp_path / "cdm")
    (source / "MEASUREMENT.csv").unlink()
    with pytest.raises(InvalidCohort, match="no table measurement"):
        import_files(source, Wanted(tmp_path / "out", "small"), concepts(), threads=1)


def test_the_index_date_is_in_the_file(importing: Importing) -> None:
    _, out = importing()
    assert "the day on which line 2 of systemic therapy began" in (out / "cohort.toml").read_text()
    assert pd.read_parquet(out / "patients.parquet").index_date.tolist() == [INDEX.isoformat()]
