"""An identity provider of our own, which keeps to the rules unless it is told to lie, and a service that believes it."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import http.server
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote, urlencode, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from starlette.applications import Starlette

from models.api_keys import make_key
from models.artifact import Artifact
from models.identity import Role
from models.seal import Key
from serving.access import api_keys
from serving.access.api_keys import ApiKeys
from serving.access.code_flow import CodeFlow
from serving.access.one_time import Links
from serving.access.proofs import Proofs
from serving.access.provider import Provider
from serving.access.session_store import SessionStore
from serving.access.sessions import Sessions
from serving.access.settings import Oidc
from serving.access.tokens import Tokens
from serving.app import create_app
from serving.keeping import Keeping, opened_receipts
from serving.operating import Operation
from serving.pages.signing import Ways
from serving.receipts.archive import Archive
from serving.receipts.keys import read_keys
from serving.receipts.record import ACCESS
from serving.receipts.writer import Writer

AUDIENCE, CLIENT, SECRET = "lymphorisk", "lymphorisk-pages", "s%cret:with signs"
GROUPS = {role: f"group of {role}s" for role in Role}
Answer = tuple[int, dict[str, str], bytes]  # status, headers, body
Lie = Callable[[str], Answer]  # of the body that came


@dataclass
class Issuer:
    """The provider: whom it signs in, with which keys, and `lies` in place of its answers, by path."""

    rsa: RSAKey
    ec: ECKey
    stranger: RSAKey
    url: str = ""
    groups: list[str] = field(default_factory=lambda: [GROUPS[Role.AUDITOR]])
    claims: dict[str, Any] = field(default_factory=dict)  # of the next ID tokens, instead of the honest ones
    lies: dict[str, Lie] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    published: list[dict[str, Any]] = field(default_factory=list)  # keys
    metadata: dict[str, Any] = field(default_factory=dict)  # instead of the honest ones

    def honest(self, groups: list[str], audience: str = AUDIENCE) -> dict[str, Any]:
        """The claims of a token as they should be."""
        now = int(time.time())
        who = {"sub": "a.frey", "groups": groups, "department": "Ward 3"}
        return {"iss": self.url, "aud": audience, "iat": now, "exp": now + 300, **who}

    def token(self, claims: Mapping[str, Any], head: Mapping[str, Any] | None = None, key: Any = None) -> str:
        """Those claims, signed; by default with RS256 and the key that is published. None: left out; timedelta: from now."""
        told = {"alg": "RS256", "kid": "rsa-1", **(head or {})}
        told = {name: value for name, value in told.items() if value is not None}
        kept = {name: _moment(value) for name, value in claims.items() if value is not None}
        return jwt.encode(told, kept, key or (self.ec if told["alg"] == "ES256" else self.rsa), algorithms=[told["alg"]])

    def answer(self, method: str, path: str, query: str, body: str, headers: Mapping[str, str]) -> Answer:
        """What is answered to a request."""
        self.asked.append(path)
        if path in self.lies:
            return self.lies[path](body)
        if path == "/.well-known/openid-configuration":
            return self._json(self._discovery())
        if path == "/jwks":
            return self._json({"keys": self.published})
        if path == "/authorize":
            return self._authorize(dict(parse_qsl(query)))
        return self._redeem(body, headers.get("Authorization", "")) if (method, path) == ("POST", "/token") else (404, {}, b"")

    def _discovery(self) -> dict[str, Any]:
        ends = {"authorization_endpoint": "/authorize", "token_endpoint": "/token", "jwks_uri": "/jwks"}
        named = {name: self.url + path for name, path in ends.items()}
        return {"issuer": self.url, **named, "authorization_response_iss_parameter_supported": True} | self.metadata

    def _authorize(self, asked: dict[str, str]) -> Answer:
        """Whoever comes is signed in at once, and sent back."""
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        back = urlencode({"code": code, "state": asked["state"], "iss": self.url})
        return 302, {"Location": f"{asked['redirect_uri']}?{back}"}, b""

    def _redeem(self, body: str, authorization: str) -> Answer:
        form = {name: values[0] for name, values in parse_qs(body, strict_parsing=True).items()}
        asked = self.codes.pop(form["code"], None)
        word = base64.b64decode(authorization.removeprefix("Basic ")).decode()
        client, _, secret = (unquote(part) for part in word.partition(":"))
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        proven = asked is not None and asked["code_challenge_method"] == "S256" and asked["code_challenge"] == challenge
        if asked is None or not proven or (client, secret) != (CLIENT, SECRET) or form["redirect_uri"] != asked["redirect_uri"]:
            return 400, {}, b'{"error": "invalid_grant"}'
        claims = self.honest(self.groups, CLIENT) | {"nonce": asked["nonce"]} | self.claims
        return self._json({"access_token": "x", "token_type": "Bearer", "id_token": self.token(claims)})

    def _json(self, document: object) -> Answer:
        return 200, {"Content-Type": "application/json"}, json.dumps(document).encode()


def _moment(value: Any) -> Any:
    return int(time.time()) + round(value.total_seconds()) if isinstance(value, timedelta) else value


class _Handler(http.server.BaseHTTPRequestHandler):
    issuer: Issuer

    def _any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
        parts = urlsplit(self.path)
        status, headers, content = self.issuer.answer(self.command, parts.path, parts.query, body, dict(self.headers))
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = _any  # noqa: N815 (named by http.server)

    def log_message(self, *told: object) -> None:
        pass


class _Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Whoever asked may have gone away; nobody is told."""


@pytest.fixture(scope="session")
def signing_keys() -> tuple[RSAKey, ECKey, RSAKey]:
    """An RSA key, one on P-256, and an RSA key that nobody publishes."""
    return RSAKey.generate_key(2048), ECKey.generate_key("P-256"), RSAKey.generate_key(2048)


@pytest.fixture
def issuer(signing_keys: tuple[RSAKey, ECKey, RSAKey]) -> Iterator[Issuer]:
    """A provider that answers until the test has ended."""
    found = Issuer(*signing_keys)
    named = ((found.rsa, "RS256", "rsa-1"), (found.ec, "ES256", "ec-1"))
    for key, algorithm, kid in named:
        found.published.append({**key.as_dict(private=False), "kid": kid, "alg": algorithm, "use": "sig"})
    server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"issuer": found}))
    found.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield found
    server.shutdown()
    server.server_close()


@pytest.fixture
def oidc(issuer: Issuer) -> Oidc:
    """What access.toml would say of it."""
    return Oidc(
        issuer=issuer.url,
        audience=AUDIENCE,
        roles_claim="groups",
        roles={group: role for role, group in GROUPS.items()},
        unit_claim="department",
        client_id=CLIENT,
        client_secret=SECRET,
        service="https://risk.example",
    )


@pytest.fixture
def provider(issuer: Issuer) -> Provider:
    return Provider(issuer.url)


@pytest.fixture
def tokens(oidc: Oidc, provider: Provider) -> Tokens:
    """Checks the tokens of the provider."""
    return Tokens(oidc, provider)


@pytest.fixture
def token_of(issuer: Issuer) -> Callable[..., str]:
    """Makes a token of somebody in a role (None: in none), with claims changed: `token_of(Role.AUDITOR, exp=0)`."""

    def made(role: Role | None, /, **changes: object) -> str:
        return issuer.token(issuer.honest([GROUPS[role]] if role else []) | changes)

    return made


@dataclass
class Clock:
    """The time of the sessions, which may be moved on."""

    ahead: float = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


@dataclass(frozen=True)
class House:
    """A service with receipts, that knows keys, tokens and browsers; `clock` is that of its sessions."""

    app: Starlette
    archive: Archive
    sessions: Sessions
    links: Links
    clock: Clock
    folder: Path
    first: int  # the number of the last receipt of an earlier test

    def key(self, role: Role, unit: str = "Ward 3") -> str:
        """An API key of that role."""
        return make_key(self.folder, SEALING, f"{role} of {unit}", [role], unit, 30, "root")[0]

    def ask(self, method: str, path: str, **sent: Any) -> httpx.Response:
        """What is answered, redirects and all as they are."""

        async def once() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="https://risk.example") as client:
                return await client.request(method, path, **sent)

        return asyncio.run(once())

    def noted(self, many: int = 1) -> list[tuple[str, dict[str, Any], dict[str, Any] | None]]:
        """What was noted in this test, once it is so `many`: what was done, with what, and by whom."""
        end = time.monotonic() + 5
        while True:
            records = [one for one in self.archive.store.records(self.first) if one.kind == ACCESS]
            if len(records) >= many or time.monotonic() > end:
                found = [json.loads(one.payload) for one in records]
                return [(one["did"], one["what"], one["who"]) for one in found]
            time.sleep(0.01)


SEALING = Key(b"a" * 32)
Kept = tuple[Writer, Archive]


@pytest.fixture(scope="module")
def kept(simulated: Artifact, simulated_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    """Receipts for the tests of a module: notes pile up in them."""
    folder = tmp_path_factory.mktemp("kept")
    keeping = Keeping(folder / "receipts", folder / "receipts.key")
    with opened_receipts(keeping, simulated, simulated_folder, "St. Elsewhere", lambda said: None) as writer:
        yield writer, Archive.open(keeping.folder, read_keys(keeping.key))


@pytest.fixture
def open_house(
    simulated: Artifact, kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., House]]:
    """Opens a service of a model of simulated patients that believes the identity provider; one in a test."""
    monkeypatch.setattr(api_keys, "SECONDS", -1.0)  # what is made or taken back is known at once
    (tmp_path / "access").mkdir()
    with closing(SessionStore(tmp_path / "access")) as store:

        def opened(oidc: Oidc, operation: Operation | None = None) -> House:
            clock, (writer, archive) = Clock(), kept
            tokens = Tokens(oidc, Provider(oidc.issuer))
            sessions, links = Sessions(store, clock), Links(store, clock)
            ways = Ways(links, CodeFlow(oidc, tokens.provider, tokens))
            access = Proofs(ApiKeys(tmp_path / "access", SEALING), tokens, sessions)
            kept_by = {"access": access, "archive": archive, "sessions": sessions, "ways": ways}
            app = create_app(simulated, writer, "St. Elsewhere", operation=operation, **kept_by)
            return House(app, archive, sessions, links, clock, tmp_path / "access", _last(archive))

        yield opened


def _last(archive: Archive) -> int:
    found = archive.store.last()
    return found.sequence if found else 0


@pytest.fixture
def house(open_house: Callable[..., House], oidc: Oidc) -> House:
    """That service under https://risk.example."""
    return open_house(oidc)
