"""The commands that score with receipts: what is recorded, what is kept beside it, and that nothing is shown where that fails."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from models import artifact
from models.artifact import Artifact
from serving import cli, http_server
from serving.batch import BLOCK
from serving.receipts.keys import read_keys, verify
from serving.receipts.payload import code_version, unpack
from serving.receipts.record import OPENED, SCORE, Draft, NoReceipt, Signed
from serving.receipts.store import Store
from serving.receipts.writer import Writer


def line(id: str = "p1", age: float = 61) -> str:
    albumin = {"analyte": "albumin", "value": 3.6, "unit": "g/dL", "date": "2026-01-01"}
    alc = {"analyte": "alc", "value": 800, "unit": "/mm3", "date": "2026-01-01"}
    return json.dumps({"id": id, "as_of": "2026-01-02", "age_years": age, "tumour": "nsclc", "measurements": [albumin, alc]})


@pytest.fixture
def patients(tmp_path: Path) -> Path:
    path = tmp_path / "patients.ndjson"
    path.write_text("".join(one + "\n" for one in (line("a"), line("b", age=17), line("c"), '{"id": ')))
    return path


@pytest.fixture
def kept(tmp_path: Path) -> tuple[object, ...]:
    return ("--receipts", tmp_path / "receipts", "--receipts-key", tmp_path / "receipts.key")


def run(*arguments: object) -> tuple[int, str]:
    app = typer.Typer()
    cli.mount(app)
    found = CliRunner().invoke(app, [str(one) for one in arguments])
    return found.exit_code, found.stderr


def documents(folder: Path) -> list[dict[str, object]]:
    """What the receipts of the scores hold."""
    store, keys = Store.open(folder / "receipts"), read_keys(folder / "receipts.key")
    return [unpack(store.content(record, keys)) for record in store.records() if record.kind == SCORE]


def test_every_scored_row_of_a_table_names_its_receipt(model_folder: Path, patients: Path, kept: tuple[object, ...]) -> None:
    out = patients.with_name("scores.csv")
    code, stderr = run("score", model_folder, patients, "--out", out, *kept)
    assert (code, "2 scored, 2 refused" in stderr, "no receipts are kept" in stderr) == (1, True, False)
    with out.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["receipt"] for row in rows] == ["2", "", "3", ""]  # the first record tells who opened the receipts
    found = documents(patients.parent)
    assert [document["given"] for document in found] == [json.loads(line("a")), json.loads(line("c"))]
    for row, document in zip((rows[0], rows[2]), found, strict=True):
        answer = document["answer"]
        assert isinstance(answer, dict)
        assert {day: one["risk"] for day, one in answer["risks"].items()} == {
            day: float(row[f"risk_{day}d"]) for day in answer["risks"]
        }
    caller = found[0]["caller"]
    assert isinstance(caller, dict)
    assert caller["by"] == "file"


def test_without_receipts_a_table_has_no_column_of_them(model_folder: Path, patients: Path) -> None:
    out = patients.with_name("scores.csv")
    run("score", model_folder, patients, "--out", out)
    assert "receipt" not in out.read_text().splitlines()[0].split(",")


def test_whole_answers_bear_their_receipts(model_folder: Path, patients: Path, kept: tuple[object, ...]) -> None:
    out = patients.with_name("answers.ndjson")
    run("score", model_folder, patients, "--out", out, *kept)
    first, second, third, _ = map(json.loads, out.read_text().splitlines())
    assert "receipt" not in second
    for sequence, one in ((2, first), (3, third)):
        receipt = one.pop("receipt")
        verify(receipt.pop("public_key"), Signed(**receipt), "the receipt")
        assert receipt["sequence"] == sequence
    assert [document["answer"] for document in documents(patients.parent)] == [first, third]


def test_receipts_stand_in_parquet_as_whole_numbers(model_folder: Path, patients: Path, kept: tuple[object, ...]) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="the training extra brings pyarrow")
    out = patients.with_name("scores.parquet")
    run("score", model_folder, patients, "--out", out, *kept)
    assert parquet.read_table(out).to_pydict()["receipt"] == [2, None, 3, None]


def test_a_row_of_a_table_is_recorded_as_its_cells(model_folder: Path, tmp_path: Path, kept: tuple[object, ...]) -> None:
    (tmp_path / "c.toml").write_text(
        'patient = "id"\n[tables]\npatients = "p.csv"\nmeasurements = "m.csv"\n'
        '[patient_fields]\nage_years = "age"\nsex = "sex"\ntumour = "tumour"\n'
    )
    (tmp_path / "p.csv").write_text("id,age,sex,tumour\na,61,female,nsclc\n")
    (tmp_path / "m.csv").write_text("patient,day,analyte,value,unit\na,0,alc,800,/mm3\na,0,albumin,3.6,g/dL\n")
    code, stderr = run("score", model_folder, tmp_path / "c.toml", "--out", tmp_path / "s.csv", *kept)
    assert code == 0, stderr
    (document,) = documents(tmp_path)
    assert document["form"] == "row"
    assert document["given"] == {
        "row": {"id": "a", "age": "61", "sex": "female", "tumour": "nsclc"},
        "measurements": [
            {"patient": "a", "day": "0", "analyte": "alc", "value": "800", "unit": "/mm3"},
            {"patient": "a", "day": "0", "analyte": "albumin", "value": "3.6", "unit": "g/dL"},
        ],
    }


@pytest.mark.parametrize("name", ["s.csv", "s.ndjson", "s.parquet"])
def test_a_file_whose_scores_cannot_be_recorded_is_not_written(
    model_folder: Path, patients: Path, kept: tuple[object, ...], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pyarrow", reason="the training extra brings pyarrow")
    patients.write_text("".join(line(f"p{place}") + "\n" for place in range(BLOCK + 1)))
    whole = Writer.record

    def second_fails(self: Writer, drafts: Sequence[Draft], *patience: float) -> list[Signed]:
        if drafts[0].kind == SCORE and len(drafts) < BLOCK:
            raise NoReceipt("the disk is full")
        return whole(self, drafts, *patience)

    monkeypatch.setattr(Writer, "record", second_fails)
    out = patients.with_name(name)
    code, stderr = run("score", model_folder, patients, "--out", out, *kept)
    assert code == 1
    assert f"{out} was not written: no receipt could be made durable (the disk is full)" in stderr
    assert [path.name for path in out.parent.iterdir() if "s." in path.name and "patients" not in path.name] == ["receipts.key"]


def served(
    monkeypatch: pytest.MonkeyPatch, model: Path, kept: tuple[object, ...], *options: object
) -> tuple[int, str]:
    monkeypatch.setattr(http_server, "serve", lambda *_: None)
    return run("serve", "--dev", "--model", model, "--port", 0, *kept, *options)


def test_who_opens_the_receipts_is_recorded_and_the_model_is_kept(
    monkeypatch: pytest.MonkeyPatch, model_folder: Path, loaded: Artifact, tmp_path: Path, kept: tuple[object, ...]
) -> None:
    code, stderr = served(monkeypatch, model_folder, kept, "--site", "St. Elsewhere")
    assert code == 0, stderr
    assert "keep a copy" in stderr  # of the key, which is new
    assert "answers at http://127.0.0.1:" in stderr
    (record,) = Store.open(tmp_path / "receipts").records()
    assert (record.kind, record.subject, record.key) == (OPENED, "", "")
    model = {"name": "hand-made", "digest": loaded.digest}
    assert json.loads(record.payload) == {"code": code_version(), "model": model, "site": "St. Elsewhere"}
    assert artifact.load(tmp_path / "receipts" / "models" / loaded.digest).digest == loaded.digest


def test_beside_receipts_that_exist_no_new_key_is_made(
    monkeypatch: pytest.MonkeyPatch, model_folder: Path, tmp_path: Path, kept: tuple[object, ...]
) -> None:
    assert served(monkeypatch, model_folder, kept)[0] == 0
    (tmp_path / "receipts.key").rename(tmp_path / "elsewhere.key")
    code, stderr = served(monkeypatch, model_folder, kept)
    assert (code, "no receipts key at" in stderr) == (1, True)
    assert not (tmp_path / "receipts.key").exists()


def test_receipts_that_were_altered_are_not_written_to(
    monkeypatch: pytest.MonkeyPatch, model_folder: Path, tmp_path: Path, kept: tuple[object, ...]
) -> None:
    assert served(monkeypatch, model_folder, kept)[0] == 0
    heads = tmp_path / "receipts" / "heads.jsonl"
    heads.write_bytes(heads.read_bytes().replace(b'"sequence":1', b'"sequence":2'))
    code, stderr = served(monkeypatch, model_folder, kept)
    assert (code, "no receipts can be written" in stderr) == (1, True)


def test_a_port_that_is_taken_is_said(
    monkeypatch: pytest.MonkeyPatch, model_folder: Path, kept: tuple[object, ...]
) -> None:
    with http_server.listening("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        code, stderr = served(monkeypatch, model_folder, kept, "--port", port)
    assert (code, f"--port {port}: Address already in use" in stderr) == (1, True)
