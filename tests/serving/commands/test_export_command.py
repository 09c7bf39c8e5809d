"""`audit export`: readable copies by the ending of their name, and sealed ones that plain Python can check."""

from __future__ import annotations

import base64
import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from serving.receipts.keys import read_keys
from serving.receipts.sealed import VERIFIER

Kept = Any  # of tests/serving/commands/conftest.py


def test_lines_are_whole_receipts(kept: Kept, tmp_path: Path) -> None:
    told = kept.told("export", "--out", out := tmp_path / "receipts.jsonl")
    assert told == {"receipts": 4, "out": str(out)}
    lines = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert [line["sequence"] for line in lines] == [2, 3, 4, 5]
    assert [line["content"]["answer"] for line in lines] == kept.answers


def test_a_table_is_flat_and_says_what_it_does_with_ages(kept: Kept, tmp_path: Path) -> None:
    code, stdout, stderr = kept.run("export", "--out", out := tmp_path / "receipts.csv")
    assert (code, stdout) == (0, "")
    assert "4 receipts, decrypted; ages of 90 and more are written as 90" in stderr
    with out.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["risk_90d"]) for row in rows] == [answer["risks"]["90"]["risk"] for answer in kept.answers]
    assert len({row["patient"] for row in rows}) == 3  # one of them has no pseudonym
    assert "p-1" not in out.read_text()


def test_parquet_and_pages_by_their_names(kept: Kept, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    kept.told("export", "--out", tmp_path / "receipts.parquet")
    assert parquet.read_table(tmp_path / "receipts.parquet").column("sequence").to_pylist() == [2, 3, 4, 5]
    kept.told("export", "--out", tmp_path / "receipts.html")
    assert (tmp_path / "receipts.html").read_text(encoding="utf-8").count("<article>") == 4


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (("--receipt", "3"), [3]),
        (("--receipt", "5", "--receipt", "2"), [2, 5]),
        (("--patient", "p-1"), [2, 3]),
        (("--since", "9999-01-01"), []),
        (("--until", "9999-01-01"), [2, 3, 4, 5]),
    ],
)
def test_only_those_asked_for_are_copied(kept: Kept, tmp_path: Path, asked: tuple[str, ...], found: list[int]) -> None:
    kept.told("export", "--out", tmp_path / "some.jsonl", *asked)
    assert [json.loads(line)["sequence"] for line in (tmp_path / "some.jsonl").read_text().splitlines()] == found


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--out", "receipts.xlsx"),
        ("--out", "receipts"),
        ("--out", "r.csv", "--sealed", "folder"),
        ("--sealed", "folder", "--receipt", "2"),
        ("--sealed", "folder", "--since", "2026-01-01"),
    ],
)
def test_what_cannot_be_copied_so_is_a_wrong_use(kept: Kept, tmp_path: Path, words: tuple[str, ...]) -> None:
    at = [tmp_path / word if before in ("--out", "--sealed") else word for before, word in zip(("", *words), words, strict=False)]
    assert kept.run("export", *at)[0] == 2
    assert not (tmp_path / "folder").exists()


def verified(folder: Path, public_key: str) -> subprocess.CompletedProcess[str]:
    """As README.txt there says: with nothing of ours but the file that lies there."""
    command = [sys.executable, "-I", "verifier.py", ".", "--public-key", public_key]
    return subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)


def test_sealed_records_are_checked_by_the_program_that_lies_beside_them(kept: Kept, tmp_path: Path) -> None:
    out = tmp_path / "sealed"
    assert kept.told("export", "--sealed", out) == {"records": 5, "out": str(out)}
    public_key = read_keys(kept.key).public_key
    assert (out / "public_key.txt").read_text() == public_key + "\n"
    assert (out / "verifier.py").read_bytes() == VERIFIER.read_bytes()
    assert (out / "heads.jsonl").read_bytes() == (kept.folder / "heads.jsonl").read_bytes()
    assert "python3 verifier.py . --public-key KEY" in (out / "README.txt").read_text()
    done = verified(out, public_key)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("5 records, 5 heads")


def test_sealed_records_tell_of_no_patient_and_need_no_key(kept: Kept, tmp_path: Path) -> None:
    kept.key.unlink()
    kept.told("export", "--sealed", out := tmp_path / "sealed")
    records = [json.loads(line) for line in (out / "records.jsonl").read_text().splitlines()]
    payloads = [base64.b64decode(one["payload"]) for one in records]
    everything = b"".join([*(path.read_bytes() for path in out.iterdir()), *payloads])
    assert b"opened" in everything  # what happened to the store may be read
    assert b'"p-1"' not in everything  # with its quotes: three signs alone may stand in what is encrypted, by chance
    assert b"pancreatic" not in everything


def test_a_sealed_record_that_was_altered_is_found(kept: Kept, tmp_path: Path) -> None:
    kept.told("export", "--sealed", out := tmp_path / "sealed")
    lines = (out / "records.jsonl").read_text().splitlines(keepends=True)
    (out / "records.jsonl").write_text("".join(line.replace('"kind":"score"', '"kind":"opened"') for line in lines))
    done = verified(out, read_keys(kept.key).public_key)
    assert done.returncode == 1
    assert "record 2 was altered" in done.stderr


def test_sealed_records_overwrite_nothing(kept: Kept, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    code, _, stderr = kept.run("export", "--sealed", tmp_path)
    assert code == 1
    assert "is not empty" in stderr
