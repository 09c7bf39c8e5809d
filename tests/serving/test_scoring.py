"""One patient scored by whatever way he came: the same answer to the byte as over HTTP, recorded before it is given."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from models.artifact import Artifact
from models.example import EXAMPLE
from serving.access.desk import Desk
from serving.app import create_app
from serving.company import Together
from serving.current import Current
from serving.gathering import Gathering
from serving.metrics import Metrics
from serving.receipts.payload import Receipts
from serving.receipts.record import NoReceipt
from serving.scoring import AT_ONCE, NotScored, Scored, Scoring
from serving.strict_json import InvalidRequest

CALLER = {"by": "form"}


def patient(**changes: Any) -> dict[str, Any]:
    labs = {"alc": (800, "cells/uL"), "anc": (4.0, "10*9/L"), "albumin": (3.6, "g/dL")}
    measured = [{"analyte": name, "value": value, "unit": unit, "date": "2026-11-20"} for name, (value, unit) in labs.items()]
    return {"id": "p-1", "as_of": "2026-11-21", "age_years": 61, "tumour": "pancreatic", "measurements": measured} | changes


def one(artifact: Artifact, receipts: Receipts, document: object, padding: int = 0) -> Scored:
    def refusal(place: int, refused: object) -> Mapping[str, object]:
        return {}

    async def scored() -> Scored:
        current = Current(artifact)
        scoring = Scoring(receipts, Together(current, "", refusal), Gathering(receipts), Metrics())
        return await scoring.one(json.dumps(document).encode() + b" " * padding, CALLER)

    return asyncio.run(scored())


@pytest.mark.parametrize("padding", [0, AT_ONCE])
def test_the_answer_is_the_one_that_http_gives_to_the_byte(loaded: Artifact, receipts: Any, padding: int) -> None:
    found = one(loaded, receipts, patient(), padding)
    assert found.document["receipt"]["sequence"] == found.receipt.sequence == 1
    transport = httpx.ASGITransport(create_app(loaded, receipts, access=Desk()))

    async def asked() -> bytes:
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as asking:
            return (await asking.post("/v1/scores", json=patient())).content

    assert found.answer.partition(b',"receipt":')[0] == asyncio.run(asked()).partition(b',"receipt":')[0]


def test_who_gets_no_risk_leaves_no_receipt_and_every_reason(loaded: Artifact, receipts: Any) -> None:
    with pytest.raises(NotScored, match="not eligible") as refused:
        one(loaded, receipts, patient(age_years=12))
    assert [fault.field for fault in refused.value.refused.faults] == ["age_years"]
    with pytest.raises(NotScored, match="insufficient data"):
        one(loaded, receipts, patient(measurements=[]))
    assert receipts.drafts == []


@pytest.mark.parametrize("document", [{"patients": [patient(), patient(id="p-2")]}, {"patients": []}])
def test_several_patients_are_not_one(loaded: Artifact, receipts: Any, document: object) -> None:
    with pytest.raises(InvalidRequest, match="patient"):
        one(loaded, receipts, document)
    assert receipts.drafts == []


def test_what_cannot_be_recorded_is_not_given(loaded: Artifact, receipts: Any) -> None:
    receipts.fault = "the disk is full"
    with pytest.raises(NoReceipt, match="the disk is full"):
        one(loaded, receipts, patient())


def test_the_words_of_a_model_of_simulated_patients_come_first(simulated: Artifact, receipts: Any) -> None:
    assert next(iter(one(simulated, receipts, patient()).document.items())) == ("example", EXAMPLE)
