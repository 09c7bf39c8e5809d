"""What was done with a card is kept beside the receipt of its answer, without free text, and taken from nobody else."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from serving.cds.card import card_id, sequence_in
from serving.pages.noted import about
from serving.receipts.record import ACCESS, SCORE

from .conftest import (
    CLINIC,
    CLINIC_KEY,
    PATH,
    SERVICE,
    House,
    hook,
    token,
)


def feedback(card: str, **changes: Any) -> dict[str, Any]:
    return {"feedback": [{"card": card, "outcome": "accepted", "outcomeTimestamp": "2026-11-23T10:00:00Z"} | changes]}


def test_feedback_stands_beside_the_receipt_without_its_comment(house: House) -> None:
    card = house.card(hook())
    number = house.records(SCORE)[-1].sequence
    why = {"reason": {"code": "acute", "system": "urn:lymphorisk:override-reason"}, "userComment": "Mrs Hollis has sepsis"}
    answer = house.post(f"{PATH}/feedback", feedback(card["uuid"], outcome="overridden", overrideReason=why))
    assert answer.status_code == 200
    note = json.loads(house.records(ACCESS)[-1].payload)
    assert note["did"] == "gave feedback"
    at = "2026-11-23T10:00:00"
    assert note["what"] == {"receipt": number, "outcome": "overridden", "reason": "acute", "at": at, "comment": "not kept"}
    assert b"Hollis" not in house.records(ACCESS)[-1].payload


def test_feedback_on_a_card_that_was_never_given_is_not_taken(house: House) -> None:
    record = house.records(SCORE)[-1]
    for forged in (card_id(record.sequence, "0" * 64), card_id(10**9, record.digest), card_id(1, record.digest)):
        assert house.post(f"{PATH}/feedback", feedback(forged)).status_code == 404


def test_feedback_is_taken_from_no_other_system_than_the_one_that_the_card_was_given_to(house: House) -> None:
    card, path = house.card(hook())["uuid"], f"{PATH}/feedback"
    number = house.records(SCORE)[-1].sequence
    stranger = token(CLINIC_KEY, iss=CLINIC, aud=SERVICE + path)
    assert house.post(path, feedback(card), stranger).status_code == 404
    assert about(house.archive.store, number) == []
    assert house.post(path, feedback(card)).status_code == 200
    (told,) = about(house.archive.store, number)  # what the page of the receipt tells
    assert "ehr (clinician) gave feedback" in told.told
    assert "outcome accepted" in told.told


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"feedback": []},
        {"feedback": [{}]},
        {"feedback": [3]},
        feedback("not-a-uuid"),
        feedback(str(uuid.uuid4())),
        feedback(card_id(1, "0" * 64), outcome="shrugged"),
        feedback(card_id(1, "0" * 64), outcomeTimestamp="late"),
    ],
)
def test_feedback_that_cannot_be_read_is_refused(house: House, document: dict[str, Any]) -> None:
    assert house.post(f"{PATH}/feedback", document).status_code == 400


@pytest.mark.parametrize("sequence", [1, 255, 2**40])
def test_a_card_s_identifier_holds_the_number_of_its_receipt(sequence: int) -> None:
    found = card_id(sequence, "f" * 64)
    assert (sequence_in(found), uuid.UUID(found).version) == (sequence, 8)
    assert sequence_in(found.upper()) is None
