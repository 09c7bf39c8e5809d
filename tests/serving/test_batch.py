"""A file of patients becomes a file of scores: the same numbers as one by one, and a bad row never stops the rest."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.artifact import Artifact
from models.cohort_file import InvalidCohort
from models.example import EXAMPLE
from serving import batch
from serving.answer import Answer
from serving.batch import Scored, score_file
from serving.score import score
from serving.score_files import columns
from serving.wire import read_request

COHORT = """
name = "wide"
table = "wide.csv"
patient = "pid"
missing = [-99]
[follow_up]
time = { column = "os_days", unit = "d" }
died = { column = "dead" }
[patient_fields]
age_years = "age"
sex = { column = "sex", map = { M = "male", F = "female" } }
tumour = "tumour"
[measurements]
alc = { column = "alc", unit = "/mm3" }
anc = { column = "anc", unit = "10*9/L" }
albumin = { column = "alb", unit = "g/dL" }
ca19_9 = { column = "ca", unit = "U/mL" }
ldh = { column = "ldh", unit = "U/L", uln = 250 }
[treatment_history]
prior_lines = "lines"
"""
COLUMNS = ("pid", "age", "sex", "tumour", "alc", "anc", "alb", "ca", "ldh", "lines")
ROW = ("p1", "61", "F", "pancreatic", "800", "4", "3.6", "<2.0", "300", "2")


def wide(folder: Path, *rows: tuple[str, ...]) -> Path:
    (folder / "wide.toml").write_text(COHORT)
    with (folder / "wide.csv").open("w", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *rows])
    return folder / "wide.toml"


def changed(**changes: str) -> tuple[str, ...]:
    return tuple(changes.get(name, value) for name, value in zip(COLUMNS, ROW, strict=True))


def request(row: tuple[str, ...]) -> dict[str, Any]:
    """The same patient as a request."""
    cell = dict(zip(COLUMNS, row, strict=True))
    counts = {"alc": ("alc", "cells/uL"), "anc": ("anc", "K/uL")}
    labs = counts | {"albumin": ("alb", "g/dL"), "ca19_9": ("ca", "U/mL"), "ldh": ("ldh", "U/L")}
    measured = [
        {
            "analyte": analyte,
            "value": cell[column] if cell[column].startswith("<") else float(cell[column]),
            "unit": unit,
            "date": "2026-01-01",
        }
        | ({"uln": 250} if analyte == "ldh" else {})
        for analyte, (column, unit) in labs.items()
        if cell[column]
    ]
    return {
        "id": cell["pid"],
        "as_of": "2026-01-01",
        "age_years": float(cell["age"]),
        "sex": {"F": "female", "M": "male", "": None}[cell["sex"]],
        "tumour": cell["tumour"],
        "measurements": measured,
        "history": {"prior_lines": float(cell["lines"])},
    }


def scored(artifact: Artifact, patients: Path, out: str = "scores.csv") -> tuple[Scored, list[dict[str, str]]]:
    report = score_file(artifact, patients, patients.parent / out, progress=False)
    with report.out.open(newline="") as file:
        return report, list(csv.DictReader(file))


def lines(folder: Path, *documents: object) -> Path:
    path = folder / "patients.ndjson"
    path.write_text("".join(json.dumps(one) + "\n" for one in documents))
    return path


rows = st.tuples(
    st.just("id"),
    st.integers(18, 90).map(str),
    st.sampled_from(["M", "F", ""]),
    st.sampled_from(["pancreatic", "NSCLC", "CRC", "sarcoma"]),
    st.integers(10, 4000).map(str),
    st.integers(6, 200).map(lambda tenths: str(tenths / 10)),
    st.integers(15, 50).map(lambda tenths: str(tenths / 10)),
    st.sampled_from(["", "<2.0", "0", "37.5", "120000"]),
    st.sampled_from(["", "180", "900"]),
    st.sampled_from("01237"),
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(drawn=st.lists(rows, min_size=1, max_size=5))
def test_a_file_a_line_and_a_request_are_the_same_numbers_to_the_bit(
    loaded: Artifact, tmp_path: Path, drawn: list[tuple[str, ...]]
) -> None:
    table = [(f"p{place}", *row[1:]) for place, row in enumerate(drawn)]
    _, from_table = scored(loaded, wide(tmp_path, *table))
    _, from_lines = scored(loaded, lines(tmp_path, *map(request, table)))
    for row, wide_row, line_row in zip(table, from_table, from_lines, strict=True):
        (answer,) = score(loaded, read_request(json.dumps(request(row)).encode()).patients)
        assert isinstance(answer, Answer)
        for horizon in answer.horizons:
            expected = {f"{name}_{horizon.days}d": getattr(horizon, name) for name in ("risk", "low", "high", "log_odds", "base")}
            expected |= {f"term_{horizon.days}d_{name}": term for name, term in horizon.terms.items()}
            expected |= {f"term_{horizon.days}d_time_bound": horizon.time_bound}
            assert {name: float(wide_row[name]) for name in expected} == expected
            assert {name: float(line_row[name]) for name in expected} == expected


def test_the_columns_are_id_standing_the_numbers_of_each_horizon_quality_and_warnings(loaded: Artifact, tmp_path: Path) -> None:
    _, (row,) = scored(loaded, wide(tmp_path, ROW))
    names = list(row)
    assert names[:5] == ["id", "standing", "risk_30d", "low_30d", "high_30d"]
    assert names[-2:] == ["quality", "warnings"]
    assert {"log_odds_90d", "base_90d", "term_90d_ln_alc", "term_90d_time_bound", "risk_365d"} < set(names)
    assert [row[name] for name in names if "_60d" in name] == [""] * 19
    assert "ln_alc: converted" in row["quality"]
    assert "CA19-9 undetectable" in row["warnings"]


def test_base_and_terms_of_a_row_add_up(loaded: Artifact, tmp_path: Path) -> None:
    _, (row,) = scored(loaded, wide(tmp_path, ROW))
    terms = sum(float(value) for name, value in row.items() if name.startswith("term_90d_"))
    assert float(row["base_90d"]) + terms == pytest.approx(float(row["log_odds_90d"]), abs=1e-9)


@pytest.mark.parametrize(
    ("bad", "standing"),
    [
        (changed(pid="p2", alc="1.2e6"), "refused: invalid: column alc = 1200000"),
        (changed(pid="p2", age="17"), "refused: not eligible: age_years = 17"),
        (changed(pid="p2", alb="-99"), "refused: insufficient data: albumin = nothing"),
        (changed(pid="", age="61"), "refused: invalid: column pid = nothing"),
        (changed(pid="p2", sex="X"), "refused: invalid: column sex = X"),
        (("p2", "61"), "refused: invalid: row 3, number of cells = 2: allowed is 10, as the header has"),
    ],
)
def test_a_bad_row_is_refused_with_its_faults_and_the_file_goes_on(
    loaded: Artifact, tmp_path: Path, bad: tuple[str, ...], standing: str
) -> None:
    report, found = scored(loaded, wide(tmp_path, ROW, bad, changed(pid="p3")))
    assert (report.scored, len(report.refused)) == (2, 1)
    assert [bool(row["risk_90d"]) for row in found] == [True, False, True]
    assert found[1]["standing"].startswith(standing)


def test_a_patient_who_stands_in_the_file_twice_is_refused_twice(loaded: Artifact, tmp_path: Path) -> None:
    report, found = scored(loaded, wide(tmp_path, ROW, changed(pid="p2"), changed(age="70")))
    assert [one.id for one in report.refused] == ["p1", "p1"]
    assert [row["standing"].startswith("refused: invalid: id = 2 rows") for row in found] == [True, False, True]


def test_lines_without_an_id_are_nobody_s_duplicates(loaded: Artifact, tmp_path: Path) -> None:
    one = {name: value for name, value in request(ROW).items() if name != "id"}
    assert scored(loaded, lines(tmp_path, one, one))[0].scored == 2


def test_a_broken_line_is_refused_and_the_file_goes_on(loaded: Artifact, tmp_path: Path) -> None:
    path = lines(tmp_path, request(ROW))
    path.write_bytes(b'{"id": "x", "id": "x"}\n\n' + b"[" * 5000 + b"\n\xff\n" + path.read_bytes())
    report, found = scored(loaded, path)
    assert (report.scored, len(report.refused), len(found)) == (1, 3, 4)


def test_blocks_do_not_change_a_number(loaded: Artifact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    patients = wide(tmp_path, *(changed(pid=f"p{age}", age=str(age), ca="" if age % 2 else "50") for age in range(30, 60)))
    _, whole = scored(loaded, patients)
    monkeypatch.setattr(batch, "BLOCK", 1)
    assert scored(loaded, patients)[1] == whole


def test_a_table_without_the_mapped_columns_is_refused_as_a_whole(loaded: Artifact, tmp_path: Path) -> None:
    patients = wide(tmp_path, ROW)
    (tmp_path / "wide.csv").write_text("pid,age\np1,61\n")
    with pytest.raises(InvalidCohort, match="column alc"):
        scored(loaded, patients)
    assert not (tmp_path / "scores.csv").exists()


def test_a_declared_exclusion_holds_for_scoring_unless_it_speaks_of_follow_up(loaded: Artifact, tmp_path: Path) -> None:
    patients = wide(tmp_path, changed(lines="7"), changed(pid="p2"))
    rules = (("lines", 'equals = 7, column = "lines"'), ("follow-up", 'missing = true, column = "os_days"'))
    text = "".join(f'[[exclude]]\nreason = "{reason}"\nwhere = {{ {where} }}\n' for reason, where in rules)
    patients.write_text(patients.read_text() + text)
    _, found = scored(loaded, patients)
    assert [row["standing"].startswith("refused: not eligible: row = lines") for row in found] == [True, False]


@pytest.mark.parametrize(("name", "match"), [("patients.csv", "write a cohort file"), ("patients.xml", "one patient a line")])
def test_another_kind_of_file_is_refused(loaded: Artifact, tmp_path: Path, name: str, match: str) -> None:
    with pytest.raises(InvalidCohort, match=match):
        score_file(loaded, tmp_path / name, tmp_path / "scores.csv", progress=False)


def test_nothing_half_written_is_left_when_scoring_fails(loaded: Artifact, tmp_path: Path) -> None:
    patients = wide(tmp_path, ROW)
    (tmp_path / "wide.csv").write_bytes((tmp_path / "wide.csv").read_bytes() + b'p2,61,F,"lung\xff",1,1,1,1,1,1\n')
    with pytest.raises(InvalidCohort, match=r"wide\.csv = a text that is not UTF-8"):
        scored(loaded, patients)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["wide.csv", "wide.toml"]


def test_tidy_tables_are_gathered_by_patient(loaded: Artifact, tmp_path: Path) -> None:
    (tmp_path / "tidy.toml").write_text(
        'patient = "pid"\n[tables]\npatients = "p.csv"\nmeasurements = "m.csv"\ntreatments = "t.csv"\n'
        '[patient_fields]\nage_years = "age"\nsex = "sex"\ntumour = "tumour"\n'
    )
    (tmp_path / "p.csv").write_text("pid,age,sex,tumour\np1,61,female,pancreatic\np2,50,male,nsclc\n")
    (tmp_path / "m.csv").write_text(
        "patient,day,analyte,value,unit\np1,0,alc,800,/mm3\np1,0,albumin,3.6,g/dL\np1,5,albumin,1.5,g/dL\np1,-9,ecog,1,{score}\n"
    )
    (tmp_path / "t.csv").write_text("patient,line,modality,agents,start,end,outcome\np1,1,chemotherapy,A,-200,-30,progression\n")
    report, found = scored(loaded, tmp_path / "tidy.toml")
    assert [bool(row["risk_90d"]) for row in found] == [True, False]
    assert [one.why for one in report.refused] == ["insufficient data"]
    assert "prior_lines" not in found[0]["quality"]


def _tidy(folder: Path, people: str, measurements: str) -> Path:
    (folder / "p.csv").write_text("pid,age,sex,tumour\n" + people)
    (folder / "m.csv").write_text("patient,day,analyte,value,unit\n" + measurements)
    (folder / "tidy.toml").write_text(
        'patient = "pid"\n[tables]\npatients = "p.csv"\nmeasurements = "m.csv"\n'
        '[patient_fields]\nage_years = "age"\nsex = "sex"\ntumour = "tumour"\n'
    )
    return folder / "tidy.toml"


def test_tidy_rows_of_somebody_else_are_counted_in_a_warning_that_names_nobody(loaded: Artifact, tmp_path: Path) -> None:
    blood = "{0},0,alc,800,/mm3\n{0},0,albumin,3.6,g/dL\n"
    report, _ = scored(loaded, _tidy(tmp_path, "p1,61,female,nsclc\n", blood.format("p1") + blood.format("P-001")))
    assert report.scored == 1
    assert report.warnings == ("m.csv: 2 rows were not used, of 1 patient not in p.csv",)
    ours, _ = scored(loaded, _tidy(tmp_path, "p1,61,female,nsclc\n", blood.format("p1")))
    assert ours.warnings == ()


def test_blanks_around_an_id_part_nobody_from_the_measurements(loaded: Artifact, tmp_path: Path) -> None:
    patients = _tidy(tmp_path, " p1,61,female,nsclc\n", "p1 ,0,alc,800,/mm3\n p1,0,albumin,3.6,g/dL\n")
    report, (row,) = scored(loaded, patients)
    assert (report.scored, report.warnings, row["id"]) == (1, (), "p1")


def test_a_tidy_table_with_rows_cut_short_is_refused_with_their_numbers(loaded: Artifact, tmp_path: Path) -> None:
    patients = _tidy(tmp_path, "p1,61,female,nsclc\n", "p1,0,alc,800,/mm3\np1,0,albumin\np1,0,ecog\n")
    with pytest.raises(InvalidCohort, match=r"m\.csv rows 3, 4, number of cells = 3: allowed is 5"):
        scored(loaded, patients)


def test_a_table_with_two_columns_of_one_name_is_not_scored(loaded: Artifact, tmp_path: Path) -> None:
    patients = wide(tmp_path, (*ROW, "9000"))
    head, row = (tmp_path / "wide.csv").read_text().splitlines()
    (tmp_path / "wide.csv").write_text(f"{head},alc\n{row}\n")
    with pytest.raises(InvalidCohort, match=r"wide\.csv = several columns alc: allowed is one column of each name"):
        scored(loaded, patients)


def test_a_tidy_table_without_its_columns_is_refused(loaded: Artifact, tmp_path: Path) -> None:
    (tmp_path / "tidy.toml").write_text(
        'patient = "pid"\n[tables]\npatients = "p.csv"\nmeasurements = "m.csv"\n'
        '[patient_fields]\nage_years = "age"\ntumour = "tumour"\n'
    )
    (tmp_path / "p.csv").write_text("pid,age,tumour\np1,61,nsclc\n")
    (tmp_path / "m.csv").write_text("patient,date,analyte,value,unit\np1,0,alc,800,/mm3\n")
    with pytest.raises(InvalidCohort, match="no column day"):
        scored(loaded, tmp_path / "tidy.toml")


def test_whole_answers_are_written_where_the_file_is_ndjson(loaded: Artifact, tmp_path: Path) -> None:
    patients = lines(tmp_path, request(ROW), request(changed(pid="p2", age="17")))
    report = score_file(loaded, patients, tmp_path / "answers.ndjson", progress=False)
    first, second = (json.loads(line) for line in report.out.read_text().splitlines())
    (answer,) = score(loaded, read_request(json.dumps(request(ROW)).encode()).patients)
    assert isinstance(answer, Answer)
    assert first == json.loads(json.dumps(answer.as_json()))
    assert second["refused"] == "not eligible"


def test_parquet_goes_in_and_comes_out(loaded: Artifact, tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow", reason="the training extra brings pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet", reason="the training extra brings pyarrow")
    patients = wide(tmp_path, ROW, changed(pid="p2", age="17"))
    _, from_csv = scored(loaded, patients)
    text = patients.read_text().replace("wide.csv", "wide.parquet")
    patients.write_text(text)
    table: dict[str, list[Any]] = {name: [value, value] for name, value in zip(COLUMNS, ROW, strict=True)}
    table |= {"pid": ["p1", "p2"], "age": [61.0, 17.0], "alb": [3.6, 3.6], "alc": [800, 800]}
    parquet.write_table(pyarrow.table(table), tmp_path / "wide.parquet")
    report = score_file(loaded, patients, tmp_path / "scores.parquet", progress=False)
    found = parquet.read_table(report.out).to_pylist()
    assert list(found[0]) == columns(loaded.model)
    assert found[0]["risk_90d"] == float(from_csv[0]["risk_90d"])
    assert found[1]["risk_90d"] is None


def test_scores_of_a_simulated_model_begin_by_saying_so(simulated: Artifact, tmp_path: Path) -> None:
    _, found = scored(simulated, wide(tmp_path, ROW, changed(pid="p2", age="17")))
    assert all(row["standing"].startswith(EXAMPLE) for row in found)
