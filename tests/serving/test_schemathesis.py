"""The fuzzer of the exam, small: it finds nothing, reaches scores honestly, and finds a service that does not keep its word."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fuzzing
import pytest
from fuzzing import MODEL, SCORES, Fuzzed, described, fuzz, one_key, sit
from marks import table
from schemathesis.engine import from_schema
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from models.artifact import load
from serving.app import create_app
from serving.receipts.payload import Receipts

Change = Callable[[dict[str, Any]], object]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Fuzzed:
    """What the whole round of the exam finds; its marks are looked at where it is sat."""
    kept: list[Fuzzed] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fuzzing, "fuzz", lambda *given: kept.append(fuzz(*given)) or kept[0])  # type: ignore[func-returns-value]
        marks = sit(tmp_path_factory.mktemp("fuzzed"), lambda *_: None, seconds=0.0)
    print(table(marks))
    assert [mark.what for mark in marks if mark.falls_short] == []
    return kept[0]


def test_a_stranger_with_a_fuzzer_finds_nothing_and_reaches_scores(found: Fuzzed) -> None:
    assert found.findings == []
    assert found.cases >= fuzzing.CASES
    assert found.share(found.answers()[200]) >= fuzzing.REACHED


def test_the_fuzzer_tries_examples_what_is_enumerated_and_what_is_drawn(found: Fuzzed) -> None:
    assert set(found.kinds) == {"examples", "coverage", "fuzzing"}
    assert found.kinds["fuzzing"] >= fuzzing.EXAMPLES
    assert set(found.answers()) == {200, 400, 401, 405, 415, 422}
    open_to_keys = {SCORES, "GET /v1/receipts/{sequence}", "GET /v1/model", "GET /v1/me"}
    assert {label for label, _ in found.statuses} == {*open_to_keys, "GET /livez", "GET /readyz"}
    assert {label for label, status in found.statuses if status == 401} == open_to_keys


class Altered:
    """The service, but for what `change` does to the JSON of its answers with that status."""

    def __init__(self, app: Starlette, status: int, change: Change):
        self.app, self.status, self.change = app, status, change

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] == "/openapi.json":
            await self.app(scope, receive, send)
            return
        begun: Message = {}

        async def sent(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = message
            elif begun["status"] != self.status:
                await send(begun)
                await send(message)
            else:
                await self._altered(begun, message["body"])(scope, receive, send)

        await self.app(scope, receive, sent)

    def _altered(self, begun: Message, body: bytes) -> Response:
        document = json.loads(body)
        status = self.change(document) or begun["status"]
        headers = {name.decode(): value.decode() for name, value in begun["headers"] if name != b"content-length"}
        return Response(json.dumps(document), status, headers)


def broken(answer: dict[str, Any]) -> None:
    answer.pop("receipt", None)
    for one in answer.get("scores", []):
        one.pop("receipt", None)


@pytest.mark.parametrize(
    ("path", "phase", "status", "change", "title"),
    [
        ("/v1/scores", "examples", 200, broken, "Response violates schema"),
        ("/v1/scores", "examples", 200, lambda answer: answer.update(confidence=0.99), "Response violates schema"),
        ("/v1/scores", "fuzzing", 422, lambda problem: 418, "Undocumented status code"),
        ("/v1/scores", "fuzzing", 422, lambda problem: 500, "Server error"),
        ("/livez", "coverage", 405, lambda problem: 200, "Unsupported method"),
    ],
)
def test_a_service_that_does_not_keep_its_word_is_found(
    receipts: Receipts, tmp_path: Path, path: str, phase: str, status: int, change: Change, title: str
) -> None:
    access, key = one_key(tmp_path / "access")
    altered = Altered(create_app(load(MODEL), receipts, access=access), status, change)
    asked = described(altered, key, fuzzing.SEED, examples=30).include(path=path)
    asked.config.phases.update(phases=[phase])
    found = Fuzzed()
    for event in from_schema(asked).execute():
        found.add(event)
    assert any(title in finding for finding in found.findings), sorted({finding[:90] for finding in found.findings})
