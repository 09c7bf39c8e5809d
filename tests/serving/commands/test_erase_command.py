"""`audit erase`: what a patient's receipts say is gone for ever, their places stay, and who erased is recorded."""

from __future__ import annotations

import json
from typing import Any

import pytest

from serving.receipts.keys import read_keys
from serving.receipts.writer import open_writer

Kept = Any  # of tests/serving/commands/conftest.py
ANN = ("--by", "ann", "--reason", "on request")


def states(kept: Kept) -> dict[int, str]:
    code, stdout, _ = kept.run("show", "2", "3", "4", "5", "--json")
    assert code == 0
    return {one["sequence"]: one["state"] for one in json.loads(stdout)["receipts"]}


def test_all_of_a_patient_is_erased_and_nobody_else(kept: Kept) -> None:
    assert kept.told("erase", "--patient", "p-1", *ANN) == {"erased": [2, 3], "event": 6}
    assert states(kept) == {2: "erased", 3: "erased", 4: "kept", 5: "kept"}
    (event,) = kept.told("show", "6")["receipts"]
    assert (event["kind"], event["content"]["by"], event["content"]["reason"]) == ("erased", "ann", "on request")
    assert "p-1" not in json.dumps(event)


def test_a_receipt_takes_those_of_its_patient_with_it_and_one_of_nobody_goes_alone(kept: Kept) -> None:
    assert kept.told("erase", "--receipt", "5", *ANN)["erased"] == [5]
    code, _, stderr = kept.run("erase", "--receipt", "3", *ANN)
    assert code == 0
    assert stderr.startswith("2 receipts can be read by nobody any more; record 7 tells of it. Backups")
    assert states(kept) == {2: "erased", 3: "erased", 4: "kept", 5: "erased"}


def test_a_second_time_there_is_nothing_to_erase(kept: Kept) -> None:
    kept.run("erase", "--patient", "p-1", *ANN)
    for asked in (("--patient", "p-1"), ("--receipt", "2"), ("--patient", "nobody"), ("--receipt", "1")):
        code, _, stderr = kept.run("erase", *asked, *ANN)
        assert (code, stderr) == (1, "nothing to erase: nothing is kept under that name, or it was erased before\n")


def test_who_comes_again_after_an_erasure_has_new_receipts_that_an_old_number_does_not_erase(kept: Kept) -> None:
    kept.run("erase", "--patient", "p-1", *ANN)
    kept.record([_again()])
    assert kept.run("erase", "--receipt", "2", *ANN)[0] == 1
    assert kept.told("show", "8")["receipts"][0]["state"] == "kept"
    assert kept.told("erase", "--patient", "p-1", *ANN)["erased"] == [8]


def test_a_service_that_runs_must_be_stopped_first(kept: Kept) -> None:
    with open_writer(kept.folder, read_keys(kept.key)):
        code, _, stderr = kept.run("erase", "--patient", "p-1", *ANN)
    assert code == 1
    assert stderr.startswith("nothing was erased: another process writes the receipts")
    assert stderr.endswith("A service that is running must be stopped first\n")
    assert states(kept)[2] == "kept"


@pytest.mark.parametrize(
    "words",
    [
        ANN,
        ("--patient", "p-1", "--receipt", "2", *ANN),
        ("--patient", "p-1", "--by", " ", "--reason", "on request"),
        ("--patient", "p-1", "--by", "ann", "--reason", ""),
        ("--patient", "p-1", "--by", "ann"),
    ],
)
def test_it_must_be_said_of_whom_by_whom_and_why(kept: Kept, words: tuple[str, ...]) -> None:
    assert kept.run("erase", *words)[0] == 2
    assert states(kept)[2] == "kept"


def _again() -> dict[str, Any]:
    labs = [("alc", 0.8, "10*9/L"), ("albumin", 34.0, "g/L")]
    rows = [{"analyte": name, "value": value, "unit": unit, "date": "2026-02-26"} for name, value, unit in labs]
    return {"id": "p-1", "as_of": "2026-03-02", "age_years": 61, "sex": "male", "tumour": "nsclc", "measurements": rows}
