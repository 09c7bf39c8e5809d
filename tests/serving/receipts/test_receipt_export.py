"""Receipts copied out: nothing left out of the lines, every number in the table to the bit, nobody named by an age."""

from __future__ import annotations

import csv
import json
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from models.artifact import Artifact
from models.patient import Patient
from serving.answer import Answer
from serving.receipts.export import TEXTS, TOP_AGE, flat_row, write_lines, write_table
from serving.receipts.finding import ERASED, Receipt
from serving.receipts.payload import code_version, draft_of, dumped, unpack
from serving.receipts.record import Record
from serving.score import score
from serving.wire import read_patient


def receipt(artifact: Artifact, sequence: int, site: str = "north", age: float = 61.5) -> Receipt:
    labs = {"alc": (0.8, "10*9/L"), "anc": (4.1, "10*9/L"), "albumin": (34.0, "g/L")}
    rows = [{"analyte": name, "value": value, "unit": unit, "date": "2026-02-26"} for name, (value, unit) in labs.items()]
    person: dict[str, Any] = {"id": "p-1", "as_of": "2026-03-02", "age_years": age, "sex": "female", "tumour": "pancreatic"}
    given = person | {"measurements": rows}
    patient = read_patient(given)
    (answer,) = score(artifact, [patient], site)
    assert isinstance(patient, Patient)
    assert isinstance(answer, Answer)
    draft = draft_of(dumped(given), patient, dumped(answer.as_json()), {}, artifact, site, code_version())
    time = "2026-11-23T02:47:54.123456Z"
    return Receipt(Record(sequence, time, "score", "ab" * 16, "k", b"", 0, "e" * 64, "f" * 64, "a" * 64), unpack(draft.content))


@pytest.fixture
def three(loaded: Artifact) -> list[Receipt]:
    first, second = receipt(loaded, 1), receipt(loaded, 2, '=HYPERLINK("http://x")', 93.5)
    return [first, second, Receipt(Record(3, "t", "score", "", "k", b"", 0, "", "", ""), None, ERASED, "its key is gone")]


def test_a_line_holds_the_whole_receipt(three: list[Receipt], tmp_path: Path) -> None:
    write_lines(three, out := tmp_path / "receipts.jsonl")
    lines = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert [line["content"] for line in lines[:2]] == [three[0].document, three[1].document]
    assert lines[1]["content"]["patient"]["age_years"] == 93.5
    first = {name: value for name, value in lines[0].items() if name not in ("content", "time", "kind", "head")}
    assert first == {
        "sequence": 1,
        "subject": "ab" * 16,
        "key": "k",
        "previous": "e" * 64,
        "digest": "f" * 64,
        "seal": "a" * 64,
        "state": "kept",
    }
    assert (lines[2]["state"], lines[2]["told"]) == ("erased", "its key is gone")
    assert "content" not in lines[2]


def test_the_table_holds_every_number_of_the_answer_to_the_bit(three: list[Receipt], tmp_path: Path) -> None:
    write_table(three, out := tmp_path / "receipts.csv")
    with out.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    answer = (three[0].document or {})["answer"]
    for days, horizon in answer["explanation"]["horizons"].items():
        assert float(rows[0][f"risk_{days}d"]) == answer["risks"][days]["risk"]
        assert float(rows[0][f"log_odds_{days}d"]) == horizon["log_odds"]
        assert float(rows[0][f"base_{days}d"]) == horizon["base"]
        assert {name: float(rows[0][f"term_{days}d_{name}"]) for name in horizon["terms"]} == horizon["terms"]
    assert rows[0]["model_digest"] == answer["model"]["digest"]
    assert rows[0]["warnings"] == "; ".join(answer["warnings"])
    assert (rows[2]["sequence"], rows[2]["state"], rows[2]["risk_90d"]) == ("3", "erased", "")


def test_high_ages_are_top_coded_in_the_table_alone(three: list[Receipt]) -> None:
    assert [flat_row(one).get("age_years") for one in three] == [61.5, TOP_AGE, None]


def test_no_cell_is_a_formula_to_a_spreadsheet(three: list[Receipt], tmp_path: Path) -> None:
    write_table(three, out := tmp_path / "receipts.csv")
    with out.open(newline="", encoding="utf-8") as file:
        assert list(csv.DictReader(file))[1]["site"] == '\'=HYPERLINK("http://x")'


def test_parquet_holds_the_same_and_pandas_is_never_loaded(three: list[Receipt], tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    write_table(three, out := tmp_path / "receipts.parquet")
    table = parquet.read_table(out)
    row = flat_row(three[1])
    assert {name: table.column(name)[1].as_py() for name in row} == row  # a text that looks like a formula is only a text here
    assert {str(table.schema.field(name).type) for name in TEXTS} == {"string"}
    assert str(table.schema.field("sequence").type) == "int64"
    assert table.column("risk_90d")[2].as_py() is None
    assert sorted(path.name for path in tmp_path.iterdir()) == ["receipts.parquet"]


def test_writing_parquet_loads_no_pandas(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    code = (
        "import sys; from pathlib import Path; from serving.receipts.export import write_table;"
        f"write_table([], Path({str(tmp_path / 'none.parquet')!r})); sys.exit('pandas' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_file_of_receipts_is_for_its_owner_alone_and_whole_or_not_there(three: list[Receipt], tmp_path: Path) -> None:
    write_lines(three, out := tmp_path / "receipts.jsonl")
    assert stat.S_IMODE(out.stat().st_mode) == 0o600

    def failing() -> Any:
        yield three[0]
        raise OSError("the disk is gone")

    for other in (tmp_path / "other.jsonl", tmp_path / "other.csv"):
        with pytest.raises(OSError, match="the disk is gone"):
            (write_lines if other.suffix == ".jsonl" else write_table)(failing(), other)
    assert [path.name for path in tmp_path.iterdir()] == ["receipts.jsonl"]
