"""A service as it is started: by a link where it is tried out, by keys and an identity provider where it is not."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer

from models.api_keys import make_key
from models.identity import Role
from models.seal_key import ACCESS, read_or_make_key
from serving.access.session_store import NAME
from serving.admitting import admitting, trying_out

from .conftest import AUDIENCE, CLIENT, GROUPS, Issuer

OURS = {"Content-Type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin"}


def access_toml(folder: Path, issuer: str) -> Path:
    """An access folder that believes that provider."""
    text = f"""\
[oidc]
issuer = "{issuer}"
audience = "{AUDIENCE}"
roles_claim = "groups"
client_id = "{CLIENT}"
service = "http://127.0.0.1:8000"
[oidc.roles]
"{GROUPS[Role.AUDITOR]}" = "auditor"
"""
    (folder / "access").mkdir(exist_ok=True)
    (folder / "access" / "access.toml").write_text(text, encoding="utf-8")
    return folder / "access"


def test_a_service_that_is_tried_out_prints_a_link_that_signs_in_once(serving: Callable[..., Any]) -> None:
    service = serving("--dev")
    found = re.search(rb"sign in once, within five minutes, at (http://127.0.0.1:\d+)/sign-in/once#([\w-]{43})\n", service.said)
    assert found is not None
    assert found[1].decode() == f"http://127.0.0.1:{service.port}"
    word = b"word=" + found[2]
    status, told, _ = service.ask("POST", "/sign-in/once", word, OURS)
    assert status == 200
    session = {"cookie": told["set-cookie"].partition(";")[0], "accept": "text/html"}
    assert service.ask("GET", "/audit", headers=session)[0] == 200
    assert service.ask("POST", "/sign-in/once", word, OURS)[0] == 403
    assert service.ask("GET", "/audit", headers={"accept": "text/html"})[0] == 303
    assert service.ask("GET", "/v1/me")[0] == 200
    lines = service.said.partition(found[0])[2]
    assert found[2] not in lines
    assert told["set-cookie"].partition("=")[2][:43].encode() not in lines


def test_a_service_believes_the_provider_that_its_access_folder_names_without_any_key(
    serving: Callable[..., Any], issuer: Issuer, tmp_path: Path
) -> None:
    service = serving("--access", access_toml(tmp_path, issuer.url), "--access-key", tmp_path / "none.key", dev=False)
    token = {"authorization": f"Bearer {issuer.token(issuer.honest([GROUPS[Role.AUDITOR]]))}"}
    assert service.ask("GET", "/v1/me", headers=token)[0] == 200
    assert service.ask("GET", "/v1/me", headers={"authorization": "Bearer a.b.c"})[0] == 401
    status, told, _ = service.ask("GET", "/sign-in/start")
    assert (status, told["location"].partition("?")[0]) == (303, f"{issuer.url}/authorize")
    assert service.ask("GET", "/sign-in/once")[0] == 404


def refused(folder: Path, key: Path, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(typer.Exit), admitting(folder, key):
        pass
    return capsys.readouterr().err


def test_where_nobody_could_be_let_in_nothing_begins_and_it_is_said_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, key = tmp_path / "access", tmp_path / "access.key"
    assert "lymphorisk keys add" in refused(folder, key, capsys)
    folder.mkdir()
    (folder / "access.toml").write_text('[oidc]\nissuer = "http://id.example"\n[other]\n', encoding="utf-8")
    said = refused(folder, key, capsys)
    assert all(name in said for name in ("nobody could be let in", "oidc.issuer", "oidc.audience", "oidc.roles", "other"))
    access_toml(tmp_path, "https://id.example")
    with admitting(folder, key) as admitted:
        assert admitted.ways.provider is not None
        assert admitted.ways.links is None


def test_keys_that_do_not_verify_let_nobody_in_even_beside_a_provider(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, key = access_toml(tmp_path, "https://id.example"), tmp_path / "access.key"
    make_key(folder, read_or_make_key(key, lambda said: None, ACCESS), "Ward 3", [Role.CLINICIAN], "Ward 3", 30, "root")
    with admitting(folder, key):
        pass
    ledger = folder / "ledger.jsonl"
    ledger.write_bytes(ledger.read_bytes().replace(b"Ward 3", b"Ward 7"))
    assert "nobody could be let in" in refused(folder, key, capsys)


def test_who_signed_in_for_trying_out_is_signed_in_nowhere_else(tmp_path: Path) -> None:
    with trying_out(tmp_path / "receipts") as admitted:
        assert admitted.ways.links is not None
    assert (tmp_path / "receipts" / NAME).exists()
    assert not (tmp_path / "access").exists()
