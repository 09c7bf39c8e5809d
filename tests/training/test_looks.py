"""Every look at a test cohort is kept, and counted by cohort."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.ledger import LEDGER, InvalidLedger, read_ledger
from models.seal_key import InvalidKey, read_key
from training.gate.looks import look_if_counted, look_line, looks_at, record_look


def look(root: Path, cohort: str, said: list[str]) -> int:
    key = root.parent / "seal.key"
    return record_look(root / "releases", "m" * 64, cohort, "hospital", "A. Frey", "evaluate", seal_key=key, say=said.append)


def test_looks_are_counted_by_cohort(tmp_path: Path) -> None:
    said: list[str] = []
    root = tmp_path / "site"
    root.mkdir()
    assert [look(root, cohort, said) for cohort in ("a", "b", "a", "a")] == [1, 1, 2, 3]
    assert looks_at(root / "releases", "c", seal_key=tmp_path / "seal.key") == 0
    assert len(said) == 1  # a key was made once
    (first, *_) = read_ledger(root / "releases", read_key(tmp_path / "seal.key"))
    assert first.facts == {"model": "m" * 64, "cohort": "a", "cohort_name": "hospital", "by": "A. Frey", "what": "evaluate"}


def test_where_there_is_no_ledger_nobody_has_looked(tmp_path: Path) -> None:
    assert looks_at(tmp_path / "releases", "a", seal_key=tmp_path / "no.key") == 0


def test_a_look_is_counted_where_a_ledger_counts_and_said_not_to_be_elsewhere(tmp_path: Path) -> None:
    root = tmp_path / "site"
    root.mkdir()
    given = (root / "releases", "m" * 64, "a", "hospital", "A. Frey", "evaluate")
    assert look_if_counted(*given, seal_key=tmp_path / "seal.key") is None
    assert not (root / "releases").exists()
    assert "not counted: there is no ledger" in look_line(None, root / "releases")
    look(root, "a", [])
    assert look_if_counted(*given, seal_key=tmp_path / "seal.key") == 2
    assert look_line(2, root).startswith("Look 2 at this cohort")


def test_looks_cannot_be_taken_back(tmp_path: Path) -> None:
    root = tmp_path / "site"
    root.mkdir()
    for _ in range(2):
        look(root, "a", [])
    path = root / "releases" / LEDGER
    path.write_bytes(path.read_bytes().splitlines(keepends=True)[0])
    with pytest.raises(InvalidLedger, match="the last lines were removed"):
        looks_at(root / "releases", "a", seal_key=tmp_path / "seal.key")


def test_a_lost_key_is_not_replaced_by_a_new_one(tmp_path: Path) -> None:
    root = tmp_path / "site"
    root.mkdir()
    look(root, "a", [])
    (tmp_path / "seal.key").unlink()
    with pytest.raises(InvalidKey, match="give the key with which the ledger was sealed"):
        look(root, "a", [])
    assert not list(tmp_path.rglob("seal.key"))
