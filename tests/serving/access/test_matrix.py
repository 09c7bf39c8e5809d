"""Every route, every role, everything that can be shown, good and bad: one table, written here anew, beside the service's own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.requests import HTTPConnection

from lymphorisk import EXAMPLE_PATIENT
from models.api_keys import make_key, revoke_key
from models.identity import Identity, Role
from models.seal import Key
from serving.access.permissions import ROUTES
from serving.pages.assets import url_of

from .conftest import SEALING, House, Issuer

C, D, A, M = Role.CLINICIAN, Role.DATA_SCIENTIST, Role.AUDITOR, Role.ADMINISTRATOR
KNOWN = frozenset(Role)
NO_ROLE: frozenset[Role | None] = frozenset({*Role, None})  # not even one is needed
OPEN = "nobody needs to say who they are"
Headers = Mapping[str, str]


@dataclass(frozen=True)
class Row:
    """Who may ask for a route, what it answers them, and what is sent with it; `form`: from a page of ours, and by no program."""

    may: frozenset[Role] | frozenset[Role | None] | str
    answers: int | None = 200  # None: it depends on what came before
    query: str = ""
    json: Mapping[str, Any] | None = None
    form: Mapping[str, str] | None = None


# a clinician scores and sees what is of the own unit; an auditor reads everything and alters nothing; an administrator has the
# receipts verified and watches; a data scientist sees many patients and never one
TABLE: Mapping[tuple[str, str], Row] = {
    ("GET", "/livez"): Row(OPEN),
    ("GET", "/readyz"): Row(OPEN),
    ("GET", "/static/{name}"): Row(OPEN),
    ("GET", "/sign-in"): Row(OPEN),
    ("GET", "/sign-in/once"): Row(OPEN),
    ("POST", "/sign-in/once"): Row(OPEN, None, form={"word": "of no link"}),
    ("GET", "/sign-in/start"): Row(OPEN, 303),
    ("GET", "/sign-in/callback"): Row(OPEN, None),
    ("GET", "/"): Row(KNOWN),
    ("GET", "/openapi.json"): Row(KNOWN),
    ("GET", "/v1/me"): Row(KNOWN),
    ("GET", "/v1/model"): Row(KNOWN),
    ("GET", "/metrics"): Row(frozenset({M})),
    ("POST", "/v1/scores"): Row(frozenset({C}), json=EXAMPLE_PATIENT),
    ("GET", "/v1/receipts/{sequence}"): Row(frozenset({C, A})),
    ("GET", "/fhir/metadata"): Row(OPEN),
    ("POST", "/fhir/$early-mortality"): Row(frozenset({C}), 422, json={"resourceType": "Bundle"}),
    ("GET", "/cds-services"): Row(OPEN),
    ("POST", "/cds-services/early-mortality"): Row(frozenset({C}), 400, json={"hook": "patient-view"}),
    ("POST", "/cds-services/early-mortality/feedback"): Row(frozenset({C}), 400, json={"feedback": []}),
    ("GET", "/patient"): Row(frozenset({C})),
    ("POST", "/patient"): Row(frozenset({C}), 422, form={"act": "ask"}),
    ("GET", "/patient/{sequence}"): Row(frozenset({C, A})),
    ("GET", "/audit"): Row(frozenset({A})),
    ("GET", "/audit/mine"): Row(frozenset({C, A})),
    ("POST", "/audit/patient"): Row(frozenset({A}), form={"pseudonym": "p-1"}),
    ("GET", "/audit/receipts"): Row(frozenset({C, A}), 303, "?number=2"),
    ("GET", "/audit/receipts/{sequence}"): Row(frozenset({C, A})),
    ("GET", "/audit/receipts/{sequence}/print"): Row(frozenset({A})),
    ("GET", "/audit/receipts/{sequence}/json"): Row(frozenset({A})),
    ("POST", "/audit/receipts/{sequence}/replay"): Row(frozenset({A}), form={}),
    ("GET", "/audit/verification"): Row(frozenset({A, M})),
    ("POST", "/audit/verification"): Row(frozenset({A, M}), 303, form={}),
    ("GET", "/audit/verification/progress"): Row(frozenset({A, M})),
    ("GET", "/audit/attributions"): Row(frozenset({D, A, M}), query="?by=tumour"),
    ("GET", "/audit/attributions.csv"): Row(frozenset({D, A, M}), query="?by=tumour"),
    ("GET", "/audit/response"): Row(frozenset({D, A, M}), query="?horizon=90"),
    ("GET", "/audit/export"): Row(frozenset({A})),
    ("POST", "/audit/export"): Row(frozenset({A}), form={"format": "csv"}),
    ("POST", "/sign-out"): Row(NO_ROLE, 303, form={}),  # the last: whoever has signed off is not known any more
}


@dataclass(frozen=True)
class Showing:
    """Makes what somebody shows, good or bad: each method gives the headers of one in that role, or in none."""

    house: House
    issuer: Issuer
    token_of: Callable[..., str]
    elsewhere: Path  # the keys of another house
    patch: pytest.MonkeyPatch

    def key(self, role: Role) -> Headers:
        return _bearer(self.house.key(role))

    def expired_key(self, role: Role) -> Headers:
        with self.patch.context() as patch:
            patch.setattr("models.api_keys.timedelta", lambda days: timedelta(seconds=-1))
            return _bearer(self.house.key(role))

    def revoked_key(self, role: Role) -> Headers:
        key = self.house.key(role)
        revoke_key(self.house.folder, SEALING, key.split("_")[1], "root", "lost")
        return _bearer(key)

    def key_of_another_house(self, role: Role) -> Headers:
        return _bearer(make_key(self.elsewhere, Key(b"b" * 32), "A. Frey", [role], "Ward 3", 30, "root")[0])

    def token(self, role: Role | None) -> Headers:
        return _bearer(self.token_of(role))

    def expired_token(self, role: Role) -> Headers:
        return _bearer(self.token_of(role, iat=timedelta(hours=-2), exp=timedelta(hours=-1)))

    def token_for_another_service(self, role: Role) -> Headers:
        return _bearer(self.token_of(role, aud="another service"))

    def token_of_another_provider(self, role: Role) -> Headers:
        return _bearer(self.token_of(role, iss="https://another.example"))

    def forged_token(self, role: Role) -> Headers:
        return _bearer(self.issuer.token(self.issuer.honest([f"group of {role}s"]), key=self.issuer.stranger))

    def session(self, role: Role | None) -> Headers:
        who = Identity("a.frey", frozenset() if role is None else frozenset({role}), "Ward 3", self.issuer.url)
        return {"cookie": self.house.sessions.begin(who).partition(";")[0]}

    def session_signed_off(self, role: Role) -> Headers:
        shown = self.session(role)
        self.house.sessions.end(_asking(shown))
        return shown

    def session_left_alone(self, role: Role) -> Headers:
        shown = self.session(role)
        self.house.clock.ahead += 15 * 60 + 1
        return shown

    def session_of_another_house(self, role: Role) -> Headers:
        return {"cookie": f"__Host-lymphorisk={'A' * 43}"}

    def nothing(self, role: Role) -> Headers:
        return {}


GOOD = (Showing.key, Showing.token, Showing.session)
BAD = (
    Showing.expired_key,
    Showing.revoked_key,
    Showing.key_of_another_house,
    Showing.expired_token,
    Showing.token_for_another_service,
    Showing.token_of_another_provider,
    Showing.forged_token,
    Showing.session_signed_off,
    Showing.session_left_alone,
    Showing.session_of_another_house,
    Showing.nothing,
)


@pytest.fixture
def showing(
    house: House, issuer: Issuer, token_of: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Showing:
    return Showing(house, issuer, token_of, tmp_path / "elsewhere", monkeypatch)


def _bearer(word: str) -> Headers:
    return {"authorization": f"Bearer {word}"}


def _asking(shown: Headers) -> HTTPConnection:
    return HTTPConnection({"type": "http", "headers": [(b"cookie", shown.get("cookie", "").encode())]})


def answers(house: House, shown: Headers, sequence: int) -> dict[tuple[str, str], httpx.Response]:
    """What every route answers to whoever shows that, with forms as a page of ours sends them."""
    csrf = house.sessions.csrf(_asking(shown))

    async def asked(client: httpx.AsyncClient, method: str, path: str, row: Row) -> httpx.Response:
        url = path.format(sequence=sequence, name=url_of("pages.css").rpartition("/")[2]) + row.query
        page = {"sec-fetch-site": "same-origin", **shown}
        if row.form is None:  # a script of a page of ours says in a header what a form holds
            return await client.request(method, url, json=row.json, headers=page | {"x-csrf-token": csrf})
        return await client.request(method, url, data={**row.form, "csrf": csrf}, headers=page)

    async def all_of_them() -> dict[tuple[str, str], httpx.Response]:
        transport = httpx.ASGITransport(house.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="https://risk.example") as client:
            return {(method, path): await asked(client, method, path, row) for (method, path), row in TABLE.items()}

    return asyncio.run(all_of_them())


def told(row: Row, answer: httpx.Response) -> str:
    """What became of a request, in the words of `wanted`."""
    if answer.status_code == 401:
        return "who are you?" if answer.headers["www-authenticate"].startswith("Bearer") else "401 without a challenge"
    if answer.status_code == 403 and "may not: " in answer.text:
        return "not your role"
    if answer.status_code == 403 and "its CSRF token is missing" in answer.text:
        return "not from a page"
    free = row.answers is None and answer.status_code in (200, 403, 429)
    return "answered" if free or answer.status_code == row.answers else f"{answer.status_code}"


def wanted(row: Row, role: Role | None, *, known: bool, browser: bool) -> str:
    """What has to become of it, by the table alone."""
    if row.may == OPEN:
        return "answered"
    if not known:
        return "who are you?"
    if role not in row.may:
        return "not your role"
    return "answered" if browser or row.form is None else "not from a page"


def test_every_route_of_the_service_has_its_row_and_every_row_its_route(house: House) -> None:
    routes = {(method, route.path) for route in house.app.routes for method in route.methods}
    assert routes == set(TABLE)
    assert set(ROUTES) == set(TABLE)


@pytest.mark.parametrize("shown", [*GOOD, *BAD], ids=lambda shown: shown.__name__.replace("_", " "))
def test_every_route_answers_every_role_as_the_table_says_and_nobody_else(house: House, showing: Showing, shown: Any) -> None:
    scored = house.ask("POST", "/v1/scores", json=EXAMPLE_PATIENT, headers=_bearer(house.key(C)))
    sequence = scored.json()["receipt"]["sequence"]
    good, browser = shown in GOOD, shown is Showing.session
    roles = [*Role, *([None] if shown in (Showing.token, Showing.session) else [])]
    headers = {role: shown(showing, role) for role in roles}
    for role in roles:
        found = answers(house, headers[role], sequence)
        became = {route: told(TABLE[route], answer) for route, answer in found.items()}
        assert became == {route: wanted(row, role, known=good, browser=browser) for route, row in TABLE.items()}, role
        secret = "".join(headers[role].values()).removeprefix("Bearer ").rpartition("=")[2]
        assert not secret or not any(secret in answer.text for answer in found.values())
