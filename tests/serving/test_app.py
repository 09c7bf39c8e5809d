"""The service over HTTP: the same answers as in process, and errors that name every field and repeat no value."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from models.artifact import Artifact
from models.example import EXAMPLE
from models.risk import NotAdditive
from serving import body, recorded
from serving.access.desk import Desk
from serving.answer import Answer
from serving.app import create_app
from serving.problems import PROBLEM
from serving.receipts.payload import Receipts
from serving.score import score
from serving.wire import read_line

CANARY = 73190.25


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
        "history": {"prior_lines": 2},
    } | changes


def with_albumin(**changes: Any) -> dict[str, Any]:
    whole = patient()
    whole["measurements"][2] |= changes
    return whole


def call(app: Starlette, method: str, path: str, **options: Any) -> httpx.Response:
    async def once() -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.request(method, path, **options)

    return asyncio.run(once())


@pytest.fixture
def app(loaded: Artifact, receipts: Receipts) -> Starlette:
    return create_app(loaded, receipts, site="St. Elsewhere", access=Desk())


def post(app: Starlette, document: object) -> httpx.Response:
    return call(app, "POST", "/v1/scores", json=document)


def test_an_answer_over_http_is_the_answer_in_process(app: Starlette, loaded: Artifact) -> None:
    found = post(app, patient())
    (answer,) = score(loaded, [read_line(json.dumps(patient()).encode(), datetime.now(UTC).date())], site="St. Elsewhere")
    assert isinstance(answer, Answer)
    assert found.status_code == 200
    said = found.json()
    del said["receipt"]
    assert said == json.loads(json.dumps(answer.as_json()))
    assert found.headers["cache-control"] == "no-store"
    assert "calibration: not checked at this site (St. Elsewhere)" in found.json()["standing"]


def test_base_and_terms_over_http_add_up_to_the_risk(app: Starlette) -> None:
    body = post(app, patient()).json()
    for days, one in body["explanation"]["horizons"].items():
        assert one["base"] + sum(one["terms"].values()) + one["time_bound"] == pytest.approx(one["log_odds"], abs=1e-9)
        points = sum(group["percentage_points"] for group in one["groups"])
        assert points / 100 == pytest.approx(body["risks"][days]["risk"] - body["risks"][days]["reference"], abs=1e-9)


def test_several_patients_are_answered_in_order_and_a_bad_one_alone_is_refused(app: Starlette) -> None:
    found = post(app, {"patients": [patient(id="a"), patient(id="b", age_years=17), patient(id="c", tumour="moon")]})
    first, second, third = found.json()["scores"]
    assert (first["id"], second["refused"], third["refused"]) == ("a", "not eligible", "invalid")
    assert [one["errors"][0]["pointer"] for one in (second, third)] == ["/patients/1/age_years", "/patients/2/tumour"]


@pytest.mark.parametrize(
    ("document", "status", "pointers"),
    [
        (with_albumin(value=CANARY), 422, ["/measurements/2/value"]),
        (with_albumin(unit="furlong 73190"), 422, ["/measurements/2/unit"]),
        (with_albumin(date="2026-04-30"), 422, ["/measurements/2/date"]),
        (patient(measurements=[]), 422, ["/measurements", "/measurements"]),
        (patient(age_years=16.73190), 422, ["/age_years"]),
        (patient(tumour="lymphoma 73190"), 422, ["/tumour"]),
        (patient(extra={"x": [73190]}, sex="73190"), 422, ["/extra", "/sex"]),
        ([1], 422, [""]),
        ({"patients": []}, 400, ["/patients"]),
    ],
)
def test_errors_name_every_field_and_repeat_no_value(app: Starlette, document: object, status: int, pointers: list[str]) -> None:
    found = post(app, document)
    assert (found.status_code, found.headers["content-type"]) == (status, PROBLEM)
    assert sorted(error["pointer"] for error in found.json()["errors"]) == pointers
    assert "73190" not in found.text


def test_an_index_date_that_has_not_come_is_refused_and_that_of_any_time_zone_taken(app: Starlette) -> None:
    today = datetime.now(UTC).date()
    for days, status in ((0, 200), (1, 200), (3, 422)):  # it may be tomorrow already where the request was written
        as_of = (today + timedelta(days=days)).isoformat()
        measured = [one | {"date": as_of} for one in patient()["measurements"]]
        found = post(app, patient(as_of=as_of, measurements=measured))
        assert found.status_code == status
    assert [one["pointer"] for one in found.json()["errors"]] == ["/as_of"]


def test_a_body_that_is_no_strict_json_is_a_bad_request(app: Starlette) -> None:
    content = json.dumps(patient()).replace('"age_years": 61', '"age_years": 61, "age_years": 73190')
    found = call(app, "POST", "/v1/scores", content=content, headers={"content-type": "application/json"})
    assert (found.status_code, found.json()["errors"][0]["pointer"]) == (400, "/age_years")
    assert "73190" not in found.text


async def pieces() -> AsyncIterator[bytes]:
    for _ in range(1100):
        yield b" " * 1024


JSON = {"content-type": "application/json"}


@pytest.mark.parametrize(
    ("method", "path", "options", "status"),
    [
        ("GET", "/v1/nothing", {}, 404),
        ("GET", "/v1/scores", {}, 405),
        ("POST", "/livez", {}, 405),
        ("POST", "/v1/scores", {"content": b"{}"}, 415),
        ("POST", "/v1/scores", {"content": b"{}", "headers": {"content-type": "text/plain"}}, 415),
        ("POST", "/v1/scores", {"content": b"{}", "headers": {"content-type": "application/json; charset=latin-1"}}, 415),
        ("POST", "/v1/scores", {"content": b"{}", "headers": JSON | {"content-encoding": "gzip"}}, 415),
        ("POST", "/v1/scores", {"content": b" " * (2**20 + 1), "headers": JSON}, 413),
        ("POST", "/v1/scores", {"content": pieces(), "headers": JSON}, 413),
        ("POST", "/v1/scores", {"content": b"\xff", "headers": JSON}, 400),
        ("POST", "/v1/scores", {"content": b"[" * 50_000, "headers": JSON}, 400),
    ],
)
def test_every_error_is_a_problem_document(app: Starlette, method: str, path: str, options: dict[str, Any], status: int) -> None:
    found = call(app, method, path, **options)
    assert (found.status_code, found.headers["content-type"]) == (status, PROBLEM)
    assert found.json()["status"] == status


def test_a_body_that_never_arrives_is_not_waited_for(app: Starlette, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "BODY_SECONDS", 0.05)

    async def stalled() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.sleep(5)

    assert call(app, "POST", "/v1/scores", content=stalled(), headers=JSON).status_code == 408


def test_an_explanation_that_does_not_add_up_is_never_shown(app: Starlette, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise NotAdditive("off by 1e-3")

    monkeypatch.setattr(recorded, "score", broken)
    found = post(app, patient())
    assert (found.status_code, found.headers["content-type"]) == (500, PROBLEM)
    assert "1e-3" not in found.text


def test_the_model_says_what_it_is(app: Starlette, loaded: Artifact) -> None:
    body = call(app, "GET", "/v1/model").json()
    assert (body["name"], body["digest"], body["trained_on"]) == ("hand-made", loaded.digest, "hand-made cohort")
    assert [feature["name"] for feature in body["features"] if feature["required"]] == ["ln_alc", "albumin"]
    assert body["refused_horizons"] == {"60": "not asked for"}


def test_the_process_says_that_it_is_alive(app: Starlette) -> None:
    assert call(app, "GET", "/livez").json() == {"status": "alive"}


def test_everything_a_simulated_model_says_begins_by_saying_so(
    simulated: Artifact, receipts: Receipts, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = create_app(simulated, receipts, access=Desk())
    said = [post(app, patient()), post(app, {"patients": [patient()]}), call(app, "GET", "/v1/model")]
    said += [post(app, patient(age_years=17)), post(app, patient(measurements=[])), post(app, patient(tumour="moon"))]
    said += [post(app, {"patients": []}), call(app, "POST", "/v1/scores", content=b"{}"), call(app, "GET", "/v1/nothing")]
    monkeypatch.setattr(recorded, "score", lambda *_: 1 / 0)
    said.append(post(app, patient()))
    assert [one.status_code for one in said] == [200, 200, 200, 422, 422, 422, 400, 415, 404, 500]
    for found in said:
        assert next(iter(found.json().items())) == ("example", EXAMPLE)
