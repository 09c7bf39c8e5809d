"""`audit replay`: exit codes and words, the same scores from the receipts, and those of another model."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models import artifact
from models.risk import Calibration, RiskModel

Kept = Any  # of tests/serving/commands/conftest.py


@pytest.fixture
def graver(tmp_path: Path, model: RiskModel, make_model: Callable[..., RiskModel]) -> Path:
    """A model that says a log-odds of 1 more at every horizon, in a folder of its own."""
    known = model.calibration
    folder = tmp_path / "graver"
    artifact.save(make_model(calibration=Calibration(known.intercept + 1.0, known.slope)), folder, files={}, provenance={})
    return folder


def test_receipts_are_replayed_to_the_bit(kept: Kept) -> None:
    assert kept.told("replay") == {"receipts": 4, "verdicts": {"equal to the bit": 4}, "notable": []}
    code, stdout, _ = kept.run("replay")
    assert (code, stdout) == (0, "4 receipts replayed: 4 equal to the bit\n")


@pytest.mark.parametrize(
    ("asked", "times"),
    [
        (["3"], 1),
        (["3", "2", "3"], 2),
        (["1"], 0),  # an event: nothing was scored
        (["--patient", "p-1"], 2),
        (["--patient", "nobody"], 0),
        (["--since", "2020-01-01"], 4),
        (["--until", "2020-01-01"], 0),
        (["--since", "2020-01-01", "--until", "9999-12-31"], 4),
    ],
)
def test_the_receipts_asked_for_are_replayed(kept: Kept, asked: list[str], times: int) -> None:
    assert kept.told("replay", *asked)["receipts"] == times


def test_a_receipt_is_found_by_the_beginning_of_its_digest(kept: Kept) -> None:
    (digest,) = {one["digest"] for one in kept.told("show", "3")["receipts"]}
    assert kept.told("replay", digest[:8])["receipts"] == 1
    assert kept.told("show", digest)["receipts"][0]["sequence"] == 3


@pytest.mark.parametrize("id", ["99", "9" * 30, "ffffffff", "abc", "p-1"])
def test_what_names_no_receipt_is_refused(kept: Kept, id: str) -> None:
    code, stdout, stderr = kept.run("replay", id)
    assert (code, stdout) == (1, "")
    assert f"no receipt {id}: allowed is a sequence number" in stderr


def test_a_model_that_is_gone_is_said_and_found_elsewhere(kept: Kept) -> None:
    shutil.rmtree(kept.folder / "models")
    code, stdout, _ = kept.run("replay")
    assert code == 1
    assert "receipt 2: not replayable; model missing: no model" in stdout
    assert "--model FOLDER" in stdout
    assert stdout.endswith("4 receipts replayed: 4 not replayable\n")
    assert kept.told("replay", "--model", kept.model)["verdicts"] == {"equal to the bit": 4}


def test_erased_receipts_are_said_to_be_and_are_no_fault(kept: Kept) -> None:
    kept.run("erase", "--patient", "p-1", "--by", "ann", "--reason", "on request")
    told = kept.told("replay")
    assert told["verdicts"] == {"equal to the bit": 2, "erased": 2}
    assert [one["sequence"] for one in told["notable"]] == [2, 3]
    code, stdout, _ = kept.run("replay")
    assert code == 0
    assert "receipt 2: erased; the content of record 2 was erased\n" in stdout


@pytest.mark.parametrize(
    "change",
    [
        "payload = CAST(substr(payload, 2) || substr(payload, 1, 1) AS BLOB)",
        "time = '2026-01-01T00:00:00.000000Z'",
        "seal = digest",
    ],
)
def test_a_receipt_that_was_altered_is_not_replayed(kept: Kept, change: str) -> None:
    """The triggers are the writer's guard; whoever reaches the file can drop them."""
    with closing(sqlite3.connect(kept.folder / "receipts.db", isolation_level=None)) as database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f"DROP TRIGGER {name}")
        database.execute(f"UPDATE records SET {change} WHERE sequence = 3")
    code, stdout, _ = kept.run("replay")
    assert code == 1
    assert "receipt 3: not replayable; it is not as it was written" in stdout
    assert stdout.endswith("4 receipts replayed: 3 equal to the bit, 1 not replayable\n")


def test_another_model_shows_who_would_change_band_by_receipt_alone(kept: Kept, graver: Path) -> None:
    told = kept.told("replay", "--with", graver, "--day", "90", "--bands", ".2,.4,.6")
    then = [answer["risks"]["90"]["risk"] for answer in kept.answers]
    now = [1 / (1 + np.exp(-(np.log(risk / (1 - risk)) + 1))) for risk in then]
    bands = [[sum(cut <= risk for cut in (0.2, 0.4, 0.6)) for risk in risks] for risks in (then, now)]
    moved = [place for place in range(4) if bands[0][place] != bands[1][place]]
    assert moved
    assert [one["sequence"] for one in told["moved"]] == [2 + place for place in moved]
    assert told["mean_change"] == pytest.approx(np.mean(np.subtract(now, then)), abs=1e-12)
    assert told["compared"] == np.sum(told["table"]) == 4
    assert told["model_digest"] == artifact.load(graver).digest
    code, stdout, _ = kept.run("replay", "--with", graver, "--bands", ".2,.4,.6")
    assert code == 0
    assert f"4 receipts compared, {len(moved)} change band" in stdout
    assert "p-1" not in stdout


def test_a_horizon_that_the_other_model_has_not_is_refused(kept: Kept, graver: Path) -> None:
    code, _, stderr = kept.run("replay", "--with", graver, "--day", "45")
    assert code == 1
    assert "45 days: allowed are the horizons that hand-made serves: 30, 90, 180, 365" in stderr


@pytest.mark.parametrize("bands", ["", "a", "0,.5", ".5,1", ".5,.4", ".5,.5", ".5;.6", "nan"])
def test_bands_that_are_none_are_a_wrong_use(kept: Kept, bands: str) -> None:
    code, _, stderr = kept.run("replay", "--with", kept.model, "--bands", bands)
    assert code == 2
    assert "rising numbers between 0 and 1" in " ".join(stderr.split())


def test_without_receipts_or_their_key_there_is_nothing_to_replay(kept: Kept, tmp_path: Path) -> None:
    nowhere = replace(kept, folder=tmp_path / "elsewhere")
    code, _, stderr = nowhere.run("replay")
    assert code == 1
    assert "there are no receipts in" in stderr
    kept.key.unlink()
    code, _, stderr = kept.run("replay")
    assert code == 1
    assert "no receipts key at" in stderr


def test_another_key_opens_nothing(kept: Kept) -> None:
    kept.key.write_text("0" * 64 + "\n")
    code, stdout, _ = kept.run("replay")
    assert code == 1
    assert "4 not replayable" in stdout
