"""`audit show`: one receipt whole, on the screen, as JSON and on paper, and whether it is as it was written."""

from __future__ import annotations

import json
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from models.artifact import Artifact
from models.example import EXAMPLE
from models.seal import canonical
from serving.receipts.keys import read_keys, verify
from serving.receipts.record import Signed
from serving.standing import DISCLAIMER

Kept = Any  # of tests/serving/commands/conftest.py
NOTHING_FITS = {"digest", "seal", "record after", "signed head"}


def alter(kept: Kept, change: str) -> None:
    """What somebody does who can write the file."""
    with closing(sqlite3.connect(kept.folder / "receipts.db", isolation_level=None)) as database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f"DROP TRIGGER {name}")
        database.execute(change)


def checked(kept: Kept, id: str) -> dict[str, bool | None]:
    _, stdout, _ = kept.run("show", id, "--json")
    (one,) = json.loads(stdout)["receipts"]
    return {check["what"]: check["holds"] for check in one["checks"]}


def test_a_receipt_is_shown_whole(kept: Kept) -> None:
    code, stdout, stderr = kept.run("show", "3")
    assert (code, stderr) == (0, "")
    words = " ".join(stdout.split())
    assert words.startswith("Receipt 3, 20")
    assert DISCLAIMER in words
    assert "age_years 62" in words
    assert all(said in words for said in kept.answers[1]["standing"])
    assert f"model digest {kept.artifact.digest}" in words
    assert EXAMPLE not in stdout
    risk = kept.answers[1]["risks"]["90"]["risk"]
    assert f"90 days {100 * risk:.1f} %" in words
    assert "DOES NOT HOLD" not in stdout


def test_as_json_it_has_every_digit_and_the_statement_that_the_caller_was_given(kept: Kept) -> None:
    (one,) = kept.told("show", "3")["receipts"]
    assert one["content"]["answer"] == kept.answers[1]
    verify(read_keys(kept.key).public_key, Signed(**one["signed"]), "receipt 3")
    assert one["signed"]["digest"] == one["digest"]


def test_every_link_of_an_honest_receipt_holds(kept: Kept) -> None:
    assert checked(kept, "3") == dict.fromkeys(("digest", "seal", "record before", "record after", "signed head"), True)
    assert checked(kept, "1")["record before"] is True
    assert checked(kept, "5")["record after"] is None


@pytest.mark.parametrize(
    ("change", "fails"),
    [
        ("UPDATE records SET time = '2026-01-01T00:00:00.000000Z' WHERE sequence = 3", {"digest"}),
        ("UPDATE records SET seal = substr(seal, 3) || substr(seal, 1, 2) WHERE sequence = 3", {"seal"}),
        (
            "UPDATE records SET previous = substr(previous, 3) || substr(previous, 1, 2) WHERE sequence = 3",
            {"digest", "record before"},
        ),
        ("UPDATE records SET digest = substr(digest, 3) || substr(digest, 1, 2) WHERE sequence = 3", NOTHING_FITS),
        ("UPDATE records SET digest = substr(digest, 3) || substr(digest, 1, 2) WHERE sequence = 2", {"record before"}),
        ("DELETE FROM records WHERE sequence = 2", {"record before"}),
    ],
)
def test_what_does_not_hold_is_said_and_is_a_failure(kept: Kept, change: str, fails: set[str]) -> None:
    alter(kept, change)
    assert {what for what, holds in checked(kept, "3").items() if holds is False} == fails
    code, stdout, _ = kept.run("show", "3")
    assert code == 1
    assert "DOES NOT HOLD" in stdout
    assert not any(line.startswith("signature ") for line in stdout.splitlines())  # what was altered is never signed
    assert "signed" not in json.loads(kept.run("show", "3", "--json")[1])["receipts"][0]


def test_a_head_of_another_key_does_not_hold(kept: Kept) -> None:
    heads = kept.folder / "heads.jsonl"
    forged = [json.loads(line) | {"signature": "0" * 128} for line in heads.read_text().splitlines()]
    heads.write_bytes(b"".join(canonical(line) + b"\n" for line in forged))
    assert checked(kept, "3")["signed head"] is False


def test_a_receipt_without_a_head_is_not_yet_covered(kept: Kept) -> None:
    (kept.folder / "heads.jsonl").write_text("")
    assert checked(kept, "3")["signed head"] is None


def test_a_head_file_that_is_gone_or_broken_does_not_hold(kept: Kept) -> None:
    heads = kept.folder / "heads.jsonl"
    heads.write_text("nothing of the kind\n")
    assert checked(kept, "3")["signed head"] is False
    heads.unlink()
    assert checked(kept, "3")["signed head"] is False


def test_all_receipts_of_a_patient_are_found_by_pseudonym(kept: Kept) -> None:
    assert [one["sequence"] for one in kept.told("show", "--patient", "p-1")["receipts"]] == [2, 3]
    code, _, stderr = kept.run("show", "--patient", "nobody")
    assert (code, stderr) == (1, "no receipt of a score for that pseudonym\n")
    assert kept.run("show")[0] == 2


def test_an_event_is_shown_too(kept: Kept) -> None:
    code, stdout, _ = kept.run("show", "1")
    assert code == 0
    assert stdout.startswith("Event 'opened' 1, 20")
    assert f"model  {kept.artifact.digest}" in stdout


def test_an_erased_receipt_says_by_whom_and_why(kept: Kept) -> None:
    assert kept.run("erase", "--receipt", "4", "--by", "ann", "--reason", "on request")[0] == 0
    code, stdout, _ = kept.run("show", "4")
    assert code == 0
    assert "erased by ann (record 6, 20" in stdout
    assert "the reason given: on request" in " ".join(stdout.split())
    assert kept.told("show", "4")["receipts"][0]["state"] == "erased"


def test_the_page_is_written_for_its_owner_alone(kept: Kept, tmp_path: Path) -> None:
    code, stdout, stderr = kept.run("show", "3", "--html", out := tmp_path / "receipt.html")
    assert (code, stdout) == (0, "")
    assert "decrypted" in stderr
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert "<h1>Receipt 3, 20" in out.read_text(encoding="utf-8")


def test_a_receipt_of_simulated_patients_says_so_before_all_else(
    keep: Callable[..., Kept], simulated_folder: Path, simulated: Artifact
) -> None:
    from_simulated = keep([_somebody()], simulated_folder, simulated)
    _, stdout, _ = from_simulated.run("show", "2")
    assert stdout.startswith(f"{EXAMPLE}\n")


def _somebody() -> dict[str, Any]:
    labs = [("alc", 0.8, "10*9/L"), ("albumin", 34.0, "g/L")]
    rows = [{"analyte": name, "value": value, "unit": unit, "date": "2026-02-26"} for name, value, unit in labs]
    return {"as_of": "2026-03-02", "age_years": 61, "sex": "male", "tumour": "nsclc", "measurements": rows}
