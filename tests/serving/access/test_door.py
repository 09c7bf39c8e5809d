"""Nobody passes the door whose identity was not proved, and what is turned back costs and tells as little as can be."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from models.identity import Identity, Role
from serving.access.door import Door, Unproved, route, who
from serving.access.noting import Notes
from serving.problems import Problems

WARD = Identity("a.frey", frozenset({Role.CLINICIAN}), "Ward 3", "key:00000001")


@dataclass
class Known:
    """An access that knows whoever it is told to, or raises; `asked` counts how often it was asked."""

    who: Identity | None = WARD
    error: str = ""
    page: Response | None = None
    asked: int = 0

    async def identity(self, asking: HTTPConnection) -> Identity | None:
        self.asked += 1
        if self.error:
            raise Unproved(self.error)
        return self.who

    def turned_back(self, asking: HTTPConnection, title: str) -> Response | None:
        return self.page


@dataclass
class Said:
    """What was sent back, and whether the body was asked for."""

    sent: list[MutableMapping[str, Any]] = field(default_factory=list)
    read: bool = False

    async def receive(self) -> MutableMapping[str, Any]:
        self.read = True
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(self, message: MutableMapping[str, Any]) -> None:
        self.sent.append(message)

    @property
    def status(self) -> int:
        found: int = self.sent[0]["status"]
        return found

    @property
    def headers(self) -> dict[str, str]:
        return {name.decode(): value.decode() for name, value in self.sent[0]["headers"]}

    @property
    def title(self) -> str:
        found: str = json.loads(self.sent[1]["body"])["title"]
        return found


async def named(request: Request) -> Response:
    await request.body()
    return PlainTextResponse(who(request).name if "identity" in request.scope.get("state", {}) else "nobody")


@pytest.fixture
def access() -> Known:
    return Known()


@pytest.fixture
def door(access: Known, receipts: Any) -> Door:
    return Door(access, Notes(receipts), Problems({}))


def ask(door: Door, path: str = "/v1/scores", method: str = "POST") -> Said:
    """What the route behind the door answers."""
    said = Said()
    (guarded,) = door.before([route(method, path, named)])
    scope = {"type": "http", "method": method, "path": path, "headers": [], "query_string": b""}

    async def asked() -> None:
        await guarded.app(scope, said.receive, said.send)

    asyncio.run(asked())
    return said


def test_whoever_may_is_let_in_and_known_to_the_route(door: Door, receipts: Any) -> None:
    said = ask(door)
    assert (said.status, said.sent[1]["body"], receipts.drafts) == (200, b"a.frey", [])


def test_a_route_without_a_row_in_the_table_is_not_served(door: Door) -> None:
    for new in (route("GET", "/v1/everything", named), route("DELETE", "/v1/receipts/{sequence}", named)):
        with pytest.raises(KeyError):
            door.before([new])


def test_a_route_of_two_methods_has_no_row(door: Door) -> None:
    with pytest.raises(ValueError, match="unpack"):
        door.before([Route("/v1/me", named, methods=["GET", "POST"])])


def test_what_is_open_asks_nobody_who_they_are(door: Door, access: Known) -> None:
    access.error = "the key is forged"
    said = ask(door, "/livez", "GET")
    assert (said.status, said.sent[1]["body"], access.asked) == (200, b"nobody", 0)


@pytest.mark.parametrize(
    ("change", "title"),
    [({"who": None}, "who asks is not known: an API key"), ({"error": "the token has expired"}, "the token has expired")],
)
def test_who_is_not_known_is_told_how_to_prove_it_before_a_body_is_read_and_without_a_record(
    door: Door, receipts: Any, change: dict[str, Any], title: str
) -> None:
    said = ask(replace(door, access=Known(**change)))
    assert (said.status, said.title[: len(title)], said.read) == (401, title, False)
    assert said.headers["www-authenticate"] == 'Bearer realm="lymphorisk"'
    assert receipts.drafts == []  # or anybody could fill the disk


def test_a_browser_that_is_not_known_is_answered_as_its_access_says(door: Door) -> None:
    said = ask(replace(door, access=Known(None, page=PlainTextResponse("sign in", 303))))
    assert (said.status, said.read) == (303, False)


@pytest.mark.parametrize("roles", [frozenset(), frozenset(Role) - {Role.CLINICIAN}], ids=["no role", "every other role"])
def test_who_may_not_is_told_so_before_a_body_is_read_and_a_record_says_who_tried_what(
    door: Door, access: Known, receipts: Any, roles: frozenset[Role]
) -> None:
    access.who = replace(WARD, roles=roles)
    said = ask(door)
    assert (said.status, said.read) == (403, False)
    assert said.title.endswith("may not: score a patient")
    (draft,) = receipts.drafts
    assert json.loads(draft.content) == {"did": "was denied", "what": {"action": "SCORE"}, "who": access.who.as_json()}


def test_who_asks_too_often_waits_before_anything_is_noted_or_read(door: Door, access: Known, receipts: Any) -> None:
    access.who = replace(WARD, roles=frozenset())
    waits: Callable[[Identity], float] = lambda identity: 2.2 if identity == access.who else 0.0  # noqa: E731
    said = ask(replace(door, waiting=waits))
    assert (said.status, said.headers["retry-after"], said.read, receipts.drafts) == (429, "3", False, [])
    assert said.headers["ratelimit"] == '"identity";r=0;t=3'


def test_a_denial_that_cannot_be_recorded_is_still_a_denial(door: Door, access: Known, receipts: Any) -> None:
    access.who, receipts.fault = replace(WARD, roles=frozenset()), "the disk is full"
    assert ask(door).status == 403
