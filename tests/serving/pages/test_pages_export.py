"""Receipts taken away through a page: whole, counted and noted before the first byte leaves; nothing is left behind."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet
import pytest

from models.identity import Role
from serving.pages import export

from .conftest import ERASED, SCORES, WHOLE, House

AUDITOR, PATH = Role.AUDITOR, "/audit/export"
TODAY = datetime.now(UTC).date()


def taken(house: House, form: str, since: object = "", until: object = "") -> bytes:
    answer = house.ask(AUDITOR, PATH, {"format": form, "since": str(since), "until": str(until)})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-disposition"].startswith("attachment; filename=")
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert answer.headers["cache-control"] == "no-store"
    return answer.content


def test_json_lines_hold_every_receipt_whole(house: House) -> None:
    found = [json.loads(line) for line in taken(house, "jsonl").splitlines()]
    assert [one["sequence"] for one in found] == list(range(2, SCORES + 2))
    assert found[0]["content"] == house.document(WHOLE)
    assert next(one for one in found if one["sequence"] == ERASED)["state"] == "erased"
    assert house.notes == [("exported", {"format": "jsonl", "records": SCORES})]


def test_the_table_has_the_numbers_of_the_receipts(house: House) -> None:
    rows = list(csv.DictReader(io.StringIO(taken(house, "csv").decode())))
    assert len(rows) == SCORES
    assert float(rows[0]["risk_90d"]) == house.document(WHOLE)["answer"]["risks"]["90"]["risk"]
    parquet = pyarrow.parquet.read_table(io.BytesIO(taken(house, "parquet"))).to_pylist()
    assert [one["risk_90d"] for one in parquet] == [float(row["risk_90d"]) if row["risk_90d"] else None for row in rows]


def test_sealed_records_are_all_of_them_and_check_themselves(house: House, tmp_path: Path) -> None:
    whole = taken(house, "sealed", since=TODAY + timedelta(1))
    with zipfile.ZipFile(io.BytesIO(whole)) as packed:
        packed.extractall(tmp_path / "away")
    folder = tmp_path / "away" / "sealed"
    checked = subprocess.run([sys.executable, "verifier.py", "."], cwd=folder, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout
    assert house.notes == [("exported", {"format": "sealed", "records": SCORES + 2})]
    assert not [path.name for path in folder.iterdir() if path.is_file() and b'"p-2"' in path.read_bytes()]


def test_a_period_is_what_is_taken_and_noted(house: House) -> None:
    assert taken(house, "jsonl", since=TODAY + timedelta(1)) == b""
    assert len(taken(house, "jsonl", until=TODAY).splitlines()) == SCORES
    assert house.notes == [
        ("exported", {"since": (TODAY + timedelta(1)).isoformat(), "format": "jsonl", "records": 0}),
        ("exported", {"until": TODAY.isoformat(), "format": "jsonl", "records": SCORES}),
    ]


@pytest.mark.parametrize(
    "form",
    [{"format": "pickle"}, {}, {"format": "csv", "since": "soon"}, {"format": "csv", "until": "2026-02-30"}],
)
def test_what_cannot_be_asked_for_is_said(house: House, form: dict[str, str]) -> None:
    answer = house.ask(AUDITOR, PATH, form)
    assert (answer.status_code, 'role="alert"' in answer.text, house.notes) == (400, True, [])


def test_more_than_a_request_may_take_is_refused_with_the_way_out(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "MOST", SCORES - 1)
    monkeypatch.setattr(export, "MOST_SEALED", SCORES + 1)
    for form in export.formats():
        answer = house.ask(AUDITOR, PATH, {"format": form})
        assert (answer.status_code, "lymphorisk audit export" in answer.text, house.notes) == (413, True, [])
    assert not [one for one in house.archive.folder.iterdir() if one.name.startswith(".export")]


def test_nothing_is_left_beside_the_receipts(house: House) -> None:
    before = {one.name for one in house.archive.folder.iterdir()}
    for form in export.formats():
        taken(house, form)
    assert {one.name for one in house.archive.folder.iterdir()} == before


def test_nothing_leaves_where_it_cannot_be_noted(house: House) -> None:
    house.writer.close()
    answer = house.ask(AUDITOR, PATH, {"format": "jsonl"})
    assert (answer.status_code, "log_odds" in answer.text) == (503, False)


def test_without_pyarrow_no_parquet_is_offered(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Parquet" in house.ask(AUDITOR, PATH).text
    monkeypatch.setattr(export, "find_spec", lambda name: None)
    assert "Parquet" not in house.ask(AUDITOR, PATH).text
    assert house.ask(AUDITOR, PATH, {"format": "parquet"}).status_code == 400


@pytest.mark.parametrize("role", [Role.CLINICIAN, Role.DATA_SCIENTIST, Role.ADMINISTRATOR])
def test_export_is_for_auditors(house: House, role: Role) -> None:
    assert house.ask(role, PATH).status_code == 403
    assert house.ask(role, PATH, {"format": "sealed"}).status_code == 403
