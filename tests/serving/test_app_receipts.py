"""No score without a receipt: what the service records, in which order, and what it says where nothing can be recorded."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import Any, Protocol

import httpx
import pytest
from starlette.applications import Starlette

from models.artifact import Artifact
from models.patient import Patient
from models.patient_document import patient_document
from serving import gathering, recorded
from serving.access.desk import DESK, Desk
from serving.app import create_app
from serving.problems import PROBLEM
from serving.receipts.keys import verify
from serving.receipts.payload import Receipts, code_version, plain, unpack
from serving.receipts.record import SCORE, Draft, Signed
from serving.wire import read_line


class Remembered(Receipts, Protocol):
    """What the fixture `receipts` is."""

    drafts: list[Draft]
    groups: list[int]
    fault: str
    slow: bool
    waiting: list[Any]

    def release(self) -> None: ...


def patient(**changes: Any) -> dict[str, Any]:
    labs = {"alc": (800, "cells/uL"), "anc": (4.0, "10*9/L"), "albumin": (3.6, "g/dL")}
    return {
        "id": "p-1",
        "as_of": "2026-03-31",
        "age_years": 61,
        "tumour": "pancreatic",
        "measurements": [
            {"analyte": analyte, "value": value, "unit": unit, "date": "2026-03-20"} for analyte, (value, unit) in labs.items()
        ],
    } | changes


@pytest.fixture
def app(loaded: Artifact, receipts: Remembered) -> Starlette:
    return create_app(loaded, receipts, site="St. Elsewhere", access=Desk())


def client(app: Starlette, address: str = "127.0.0.1") -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=(address, 4711))
    return httpx.AsyncClient(transport=transport, base_url="http://test")


def post(app: Starlette, document: object, address: str = "127.0.0.1", **headers: str) -> httpx.Response:
    async def once() -> httpx.Response:
        async with client(app, address) as asking:
            return await asking.post("/v1/scores", json=document, headers=headers)

    return asyncio.run(once())


def get(app: Starlette, path: str) -> httpx.Response:
    async def once() -> httpx.Response:
        async with client(app) as asking:
            return await asking.get(path)

    return asyncio.run(once())


def test_a_score_bears_its_receipt_last_and_signed(app: Starlette) -> None:
    said = post(app, patient()).json()
    assert list(said)[-1] == "receipt"
    receipt = said["receipt"]
    public_key = receipt.pop("public_key")
    assert receipt["sequence"] == 1
    verify(public_key, Signed(**receipt), "the receipt")


def test_what_is_recorded_is_what_came_how_it_was_understood_and_what_was_answered(
    app: Starlette, receipts: Remembered, loaded: Artifact
) -> None:
    given = json.dumps(patient(), indent=1)

    async def ask() -> httpx.Response:
        async with client(app) as asking:
            return await asking.post("/v1/scores", content=given, headers={"content-type": "application/json"})

    said = asyncio.run(ask()).json()
    del said["receipt"]
    (draft,) = receipts.drafts
    assert (draft.kind, draft.id) == (SCORE, "p-1")
    found = unpack(draft.content)
    understood = read_line(given.encode(), datetime.now(UTC).date())
    assert isinstance(understood, Patient)
    assert found == {
        "format": 1,
        "form": "request",
        "given": patient(),
        "patient": plain(patient_document(understood)),
        "answer": said,
        "caller": {"by": "HTTP", "from": "loopback", "request": None, "who": dict(DESK.as_json())},
        "code": code_version(),
        "model": {"name": "hand-made", "digest": loaded.digest},
        "site": "St. Elsewhere",
    }


def test_several_patients_are_one_group_and_the_refused_leave_no_receipt(app: Starlette, receipts: Remembered) -> None:
    asked = [patient(id="a"), patient(id="b", age_years=17), patient(id="c"), patient(id="d", tumour="moon")]
    found = post(app, {"patients": asked})
    first, second, third, fourth = found.json()["scores"]
    assert receipts.groups == [2]
    assert [draft.id for draft in receipts.drafts] == ["a", "c"]
    assert [one["receipt"]["sequence"] for one in (first, third)] == [1, 2]
    assert "receipt" not in second | fourth
    assert [unpack(draft.content)["given"] for draft in receipts.drafts] == [patient(id="a"), patient(id="c")]


CHILD = patient(age_years=17)


@pytest.mark.parametrize("document", [CHILD, patient(tumour="moon"), patient(measurements=[]), {"patients": [CHILD]}, []])
def test_who_is_not_scored_leaves_no_receipt(app: Starlette, receipts: Remembered, document: object) -> None:
    assert post(app, document).status_code in (200, 422)
    assert receipts.groups == []


@pytest.mark.parametrize("several", [False, True])
def test_what_cannot_be_recorded_is_not_said(app: Starlette, receipts: Remembered, several: bool) -> None:
    document = {"patients": [patient(), patient(id="q")]} if several else patient()
    shown = post(app, document).json()
    receipts.fault = "the disk is full"
    found = post(app, document)
    assert (found.status_code, found.headers["content-type"]) == (503, PROBLEM)
    assert found.headers["retry-after"].isdecimal()
    assert found.json()["title"] == "no score: it could not be recorded (the disk is full)"
    risks = (shown["scores"][0] if several else shown)["risks"].values()
    assert not any(repr(one["risk"]) in found.text for one in risks)
    receipts.fault = ""
    assert post(app, document).status_code == 200


def test_a_receipt_that_takes_too_long_is_withdrawn_and_nothing_is_said(
    app: Starlette, receipts: Remembered, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathering, "PATIENCE", 0.05)
    receipts.slow = True
    found = post(app, patient())
    assert (found.status_code, found.headers["content-type"]) == (503, PROBLEM)
    assert "risks" not in found.text
    receipts.release()
    assert receipts.groups == []


def test_nothing_is_said_before_the_receipt_is_durable(app: Starlette, receipts: Remembered) -> None:
    receipts.slow = True

    async def ask() -> httpx.Response:
        async with client(app) as asking:
            answer = asyncio.create_task(asking.post("/v1/scores", json=patient()))
            while not receipts.waiting:
                await asyncio.sleep(0.001)
            alive = await asking.get("/livez")  # the loop waits for nobody
            assert (alive.status_code, answer.done()) == (200, False)
            receipts.release()
            return await answer

    assert asyncio.run(ask()).json()["receipt"]["sequence"] == 1


def together(app: Starlette, *documents: object) -> list[httpx.Response]:
    async def ask() -> list[httpx.Response]:
        async with client(app) as asking:
            return await asyncio.gather(*(asking.post("/v1/scores", json=document) for document in documents))

    return asyncio.run(ask())


def test_requests_that_are_ready_together_are_recorded_together_and_each_gets_its_own(
    app: Starlette, receipts: Remembered
) -> None:
    several = {"patients": [patient(id="x"), patient(id="y", age_years=17), patient(id="z")]}
    alone, refused, many, last = together(app, patient(id="a"), patient(age_years=17), several, patient(id="b"))
    assert receipts.groups == [4]
    of = {draft.id: place for place, draft in enumerate(receipts.drafts, start=1)}
    assert refused.status_code == 422
    found = [alone.json(), last.json(), many.json()["scores"][0], many.json()["scores"][2]]
    assert {one["id"]: one["receipt"]["sequence"] for one in found} == of


def test_where_nothing_can_be_recorded_each_of_them_is_told(app: Starlette, receipts: Remembered) -> None:
    receipts.fault = "the disk is full"
    assert [found.status_code for found in together(app, patient(), patient(), patient(age_years=17))] == [503, 503, 422]


def test_what_nobody_foresaw_in_recording_is_an_error_and_no_answer(
    app: Starlette, receipts: Remembered, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("73190")

    monkeypatch.setattr(receipts, "submit", broken)
    for found in together(app, patient(), patient()):
        assert (found.status_code, found.headers["content-type"]) == (500, PROBLEM)
        assert "73190" not in found.text


def test_an_answer_that_fails_leaves_no_receipt(app: Starlette, receipts: Remembered, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorded, "score", lambda *_: 1 / 0)
    assert post(app, patient()).status_code == 500
    assert receipts.groups == []


def test_the_service_is_ready_where_a_receipt_can_be_written(app: Starlette, receipts: Remembered) -> None:
    assert (get(app, "/readyz").status_code, get(app, "/readyz").json()) == (200, {"status": "ready"})
    receipts.fault = "the head file is gone"
    found = get(app, "/readyz")
    assert (found.status_code, found.headers["content-type"]) == (503, PROBLEM)
    assert found.json()["title"] == "not ready: the head file is gone"
    assert get(app, "/livez").status_code == 200


@pytest.mark.parametrize(
    ("address", "named", "kept"),
    [
        ("127.0.0.1", "req-7.A", {"from": "loopback", "request": "req-7.A"}),
        ("::1", "x" * 64, {"from": "loopback", "request": "x" * 64}),
        ("192.168.1.7", "x" * 65, {"from": "elsewhere", "request": None}),
        ("testing", "Jane Doe", {"from": "unknown", "request": None}),
        ("127.0.0.1", "jane@example.org", {"from": "loopback", "request": None}),
        ("127.0.0.1", "", {"from": "loopback", "request": None}),
    ],
)
def test_of_the_caller_no_more_is_kept_than_who_and_the_place_and_a_plain_name_of_the_request(
    app: Starlette, receipts: Remembered, address: str, named: str, kept: dict[str, object]
) -> None:
    post(app, patient(), address, **{"X-Request-ID": named, "User-Agent": "planted/7.3", "X-Forwarded-For": "10.9.8.7"})
    found = unpack(receipts.drafts[0].content)
    assert found["caller"] == {"by": "HTTP", **kept, "who": dict(DESK.as_json())}
    assert not any(word in json.dumps(found) for word in ("planted", "10.9.8.7", "192.168"))
