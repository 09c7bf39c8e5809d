"""Every route, every role, every state of what is shown: one table, written here anew, beside the one the service goes by."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from lymphorisk import EXAMPLE_PATIENT
from models.api_keys import make_key, revoke_key
from models.artifact import Artifact
from models.identity import Role
from models.seal import Key
from serving.access import api_keys
from serving.access.api_keys import ApiKeys
from serving.access.code_flow import CodeFlow
from serving.access.one_time import Links
from serving.access.permissions import ROUTES
from serving.access.proofs import Proofs
from serving.access.session_store import SessionStore
from serving.access.sessions import Sessions
from serving.access.tokens import Tokens
from serving.app import create_app
from serving.keeping import Keeping, opened_receipts
from serving.pages.signing import Ways
from serving.problems import PROBLEM
from serving.receipts.archive import Archive
from serving.receipts.keys import read_keys

C, D, A, M = Role.CLINICIAN, Role.DATA_SCIENTIST, Role.AUDITOR, Role.ADMINISTRATOR
EVERYBODY, KNOWN = "everybody", {C, D, A, M}
SEALING = Key(b"a" * 32)
# a clinician scores and sees what is of the own unit; an auditor reads everything and alters nothing; an administrator has the
# receipts verified and watches; a data scientist sees many patients and never one
TABLE: Mapping[tuple[str, str], object] = {
    ("GET", "/livez"): EVERYBODY,
    ("GET", "/readyz"): EVERYBODY,
    ("GET", "/static/{name}"): EVERYBODY,
    ("GET", "/sign-in"): EVERYBODY,
    ("GET", "/sign-in/once"): EVERYBODY,
    ("POST", "/sign-in/once"): EVERYBODY,
    ("GET", "/sign-in/start"): EVERYBODY,
    ("GET", "/sign-in/callback"): EVERYBODY,
    ("POST", "/sign-out"): KNOWN,
    ("GET", "/"): KNOWN,
    ("GET", "/openapi.json"): KNOWN,
    ("GET", "/v1/me"): KNOWN,
    ("GET", "/v1/model"): KNOWN,
    ("GET", "/metrics"): {M},
    ("POST", "/v1/scores"): {C},
    ("GET", "/v1/receipts/{sequence}"): {C, A},
    ("GET", "/audit"): {A},
    ("POST", "/audit/patient"): {A},
    ("GET", "/audit/mine"): {C, A},
    ("GET", "/audit/receipts"): {C, A},
    ("GET", "/audit/receipts/{sequence}"): {C, A},
    ("GET", "/audit/receipts/{sequence}/print"): {A},
    ("GET", "/audit/receipts/{sequence}/json"): {A},
    ("POST", "/audit/receipts/{sequence}/replay"): {A},
    ("GET", "/audit/verification"): {A, M},
    ("POST", "/audit/verification"): {A, M},
    ("GET", "/audit/verification/progress"): {A, M},
    ("GET", "/audit/export"): {A},
    ("POST", "/audit/export"): {A},
    ("GET", "/audit/attributions"): {D, A, M},
    ("GET", "/audit/attributions.csv"): {D, A, M},
}


class InAMonth(datetime):
    """A clock that is 31 days ahead."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
        return datetime.now(tz) + timedelta(days=31)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "access"


@pytest.fixture
def app(
    loaded: Artifact, model_folder: Path, tmp_path: Path, folder: Path, tokens: Tokens, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Starlette]:
    """The whole service, with keys, an identity provider, pages and receipts."""
    monkeypatch.setattr(api_keys, "SECONDS", -1.0)  # what is made or taken back is known at once
    keeping = Keeping(tmp_path / "receipts", tmp_path / "receipts.key")
    store = SessionStore(folder)
    with opened_receipts(keeping, loaded, model_folder, "", lambda said: None) as writer:
        archive, sessions = Archive.open(keeping.folder, read_keys(keeping.key)), Sessions(store)
        access = Proofs(ApiKeys(folder, SEALING), tokens, sessions)
        ways = Ways(Links(store), provider=CodeFlow(tokens.oidc, tokens.provider, tokens))
        yield create_app(loaded, writer, access=access, archive=archive, sessions=sessions, ways=ways)
    store.close()


def a_key(folder: Path, role: Role, days: int = 30) -> tuple[str, str]:
    key, kept = make_key(folder, SEALING, f"a {role}", [role], "Ward 3", days, "root")
    return f"Bearer {key}", kept.prefix


def asked(app: Starlette, requests: Mapping[tuple[str, str], str]) -> dict[tuple[str, str], httpx.Response]:
    """What each route answers to whoever shows that."""

    async def all_of_them() -> dict[tuple[str, str], httpx.Response]:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return {row: await _asked(client, *row, shown) for row, shown in requests.items()}

    return asyncio.run(all_of_them())


async def _asked(client: httpx.AsyncClient, method: str, path: str, shown: str) -> httpx.Response:
    headers = {"authorization": shown} if shown else {}
    body: dict[str, Any] = {"json": EXAMPLE_PATIENT} if path == "/v1/scores" else {"data": {"a": "1"}} if method == "POST" else {}
    return await client.request(method, path.format(sequence=1, name="pages.css"), headers=headers, **body)


def verdict(answer: httpx.Response) -> str:
    """Whether the door let the request through, and if not, why."""
    if answer.status_code == 401:
        assert answer.headers["www-authenticate"].startswith("Bearer")
        return "unknown"
    problem = json.loads(answer.content) if answer.headers.get("content-type") == PROBLEM else {"title": ""}
    return "denied" if answer.status_code == 403 and "may not" in problem["title"] else "let in"


def expected(row: tuple[str, str], role: Role) -> str:
    may = TABLE[row]
    return "let in" if may == EVERYBODY or (isinstance(may, set) and role in may) else "denied"


def test_every_route_has_its_row_in_both_tables_and_every_row_its_route(app: Starlette) -> None:
    routes = {(method, route.path) for route in app.routes for method in route.methods}  # type: ignore[attr-defined]
    assert routes == set(ROUTES) == set(TABLE)


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("kind", ["key", "token"])
def test_with_a_good_proof_every_role_may_what_the_table_says(
    app: Starlette, folder: Path, token_of: Callable[..., str], kind: str, role: Role
) -> None:
    shown = a_key(folder, role)[0] if kind == "key" else f"Bearer {token_of(role)}"
    found = asked(app, dict.fromkeys(TABLE, shown))
    assert {row: verdict(answer) for row, answer in found.items()} == {row: expected(row, role) for row in TABLE}


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("state", ["expired", "taken back", "of nobody", "expired token", "wrong audience", "forged", "none"])
def test_without_a_good_proof_every_route_but_the_open_ones_is_closed(
    app: Starlette, folder: Path, issuer: Any, token_of: Callable[..., str], state: str, role: Role, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = _bad(state, role, folder, issuer, token_of, monkeypatch)
    found = asked(app, dict.fromkeys(TABLE, shown))
    wanted = {row: "let in" if may == EVERYBODY else "unknown" for row, may in TABLE.items()}
    assert {row: verdict(answer) for row, answer in found.items()} == wanted
    assert not any(shown.removeprefix("Bearer ") in answer.text for answer in found.values() if shown)


def _bad(
    state: str, role: Role, folder: Path, issuer: Any, token_of: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> str:
    if state == "of nobody":
        return "Bearer lr_00000000_" + "A" * 43
    if state in ("expired", "taken back"):
        shown, prefix = a_key(folder, role)
        if state == "taken back":
            revoke_key(folder, SEALING, prefix, "root", "lost")
        else:
            monkeypatch.setattr(api_keys, "datetime", InAMonth)
        return shown
    changes: dict[str, dict[str, object]] = {
        "expired token": {"iat": timedelta(hours=-2), "exp": timedelta(hours=-1)},
        "wrong audience": {"aud": "another service"},
    }
    if state == "forged":
        return f"Bearer {issuer.token(issuer.honest([]), key=issuer.stranger)}"
    return f"Bearer {token_of(role, **changes[state])}" if state in changes else ""
