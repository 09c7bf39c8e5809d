"""Who asks is found out by what they show, and what proves nothing lets nobody in and repeats nothing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from starlette.requests import HTTPConnection

from models.api_keys import make_key, revoke_key
from models.identity import Identity, Role
from models.ledger import HEAD, LEDGER
from models.seal import Key
from serving.access import api_keys
from serving.access.api_keys import ApiKeys
from serving.access.door import Unproved
from serving.access.proofs import Proofs

SEALING = Key(b"a" * 32)
FREY = Identity("A. Frey", frozenset({Role.AUDITOR}), "", "https://id.example")


class Token:
    """Believes one token."""

    async def identity(self, token: str) -> Identity:
        if token != "a-token":
            raise Unproved("the token is forged")
        return FREY


class Browser:
    """Knows one browser."""

    def identity(self, asking: HTTPConnection) -> Identity | None:
        return FREY if "cookie" in asking.headers else None


def asking(*authorization: str, method: str = "GET", **headers: str) -> HTTPConnection:
    told = [(b"authorization", one.encode("latin-1")) for one in authorization]
    told += [(name.encode(), value.encode()) for name, value in headers.items()]
    return HTTPConnection({"type": "http", "method": method, "path": "/", "headers": told})


def identity(proofs: Proofs, *authorization: str, **headers: str) -> Identity | None:
    return asyncio.run(proofs.identity(asking(*authorization, **headers)))


@pytest.fixture
def key(tmp_path: Path) -> str:
    return make_key(tmp_path, SEALING, "Ward 3", [Role.CLINICIAN], "Ward 3", 30, "root")[0]


@pytest.fixture
def proofs(key: str, tmp_path: Path) -> Proofs:
    return Proofs(ApiKeys(tmp_path, SEALING), Token(), Browser())


def test_keys_tokens_and_browsers_are_known(proofs: Proofs, key: str) -> None:
    found = identity(proofs, f"Bearer {key}")
    assert found is not None
    assert (found.name, found.unit, found.roles) == ("Ward 3", "Ward 3", frozenset({Role.CLINICIAN}))
    assert identity(proofs, f"bearer {key}") == found
    assert identity(proofs, "Bearer a-token") == FREY
    assert identity(proofs, cookie="s") == FREY
    assert identity(proofs) is None


def test_what_is_shown_in_the_header_counts_and_not_the_browser(proofs: Proofs) -> None:
    with pytest.raises(Unproved, match="the token is forged"):
        identity(proofs, "Bearer another", cookie="s")


@pytest.mark.parametrize(
    "shown",
    [[""], ["Bearer"], ["Bearer "], ["Basic YTpi"], ["Bearer " + "x" * 9000], ["Bearer \xe9"], 2 * ["Bearer a-token"]],
    ids=["nothing", "no word", "an empty word", "another scheme", "too long", "not ASCII", "two"],
)
def test_a_header_that_cannot_be_read_is_refused(proofs: Proofs, shown: Sequence[str]) -> None:
    with pytest.raises(Unproved, match="the Authorization header cannot be read"):
        identity(proofs, *shown)


def test_unknown_revoked_and_expired_keys_are_answered_alike(
    proofs: Proofs, key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = set()
    with pytest.raises(Unproved) as unknown:
        identity(proofs, "Bearer lr_00000000_" + "A" * 43)
    said.add(str(unknown.value))
    revoke_key(tmp_path, SEALING, key.split("_")[1], "root", "lost")
    monkeypatch.setattr(api_keys, "SECONDS", -1.0)
    with pytest.raises(Unproved) as revoked:
        identity(proofs, f"Bearer {key}")
    said.add(str(revoked.value))
    assert said == {api_keys.UNKNOWN}


def test_a_new_key_is_known_while_the_service_runs(proofs: Proofs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_keys, "SECONDS", -1.0)
    new, _ = make_key(tmp_path, SEALING, "B. Okoro", [Role.ADMINISTRATOR], "", 30, "root")
    found = identity(proofs, f"Bearer {new}")
    assert found is not None
    assert found.name == "B. Okoro"


def test_keys_that_were_changed_by_hand_let_nobody_in(
    proofs: Proofs, key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_keys, "SECONDS", -1.0)
    path = tmp_path / LEDGER
    path.write_bytes(path.read_bytes().replace(b'"clinician"', b'"auditor"'))
    with pytest.raises(Unproved):
        identity(proofs, f"Bearer {key}")


def test_keys_put_back_to_an_older_copy_let_nobody_in_until_they_are_whole_again(
    proofs: Proofs, key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_keys, "SECONDS", -1.0)
    other, _ = make_key(tmp_path, SEALING, "B. Okoro", [Role.ADMINISTRATOR], "", 30, "root")
    older = copied(tmp_path)
    revoke_key(tmp_path, SEALING, key.split("_")[1], "root", "lost")
    assert identity(proofs, f"Bearer {other}") is not None  # what was taken back is known
    newer = copied(tmp_path)
    put_back(tmp_path, older)
    for one in (key, other):
        with pytest.raises(Unproved, match=api_keys.UNKNOWN):
            identity(proofs, f"Bearer {one}")
    put_back(tmp_path, newer)
    assert identity(proofs, f"Bearer {other}") is not None


def copied(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in (LEDGER, HEAD)}


def put_back(folder: Path, copy: dict[str, bytes]) -> None:
    for name, content in copy.items():
        (folder / name).write_bytes(content)


def test_keys_that_cannot_be_read_for_a_moment_are_good_again_at_the_next_look(
    proofs: Proofs, key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_keys, "SECONDS", -1.0)
    make_key(tmp_path, SEALING, "B. Okoro", [Role.ADMINISTRATOR], "", 30, "root")  # so that there is something to read anew

    def too_many_files(folder: Path, sealing: Key) -> None:
        raise OSError(24, "Too many open files")

    with monkeypatch.context() as patch:
        patch.setattr(api_keys, "read_keys", too_many_files)
        for _ in range(2):
            with pytest.raises(Unproved, match=api_keys.UNKNOWN):
                identity(proofs, f"Bearer {key}")
    assert identity(proofs, f"Bearer {key}") is not None


def test_a_key_that_is_taken_back_is_good_for_a_second_at_most(proofs: Proofs, key: str, tmp_path: Path) -> None:
    assert identity(proofs, f"Bearer {key}") is not None
    revoke_key(tmp_path, SEALING, key.split("_")[1], "root", "lost")
    time.sleep(1.05)
    with pytest.raises(Unproved, match=api_keys.UNKNOWN):
        identity(proofs, f"Bearer {key}")


def test_between_two_looks_nothing_is_read_from_the_disk(proofs: Proofs, key: str, tmp_path: Path) -> None:
    (tmp_path / LEDGER).unlink()
    assert identity(proofs, f"Bearer {key}") is not None


def test_only_a_browser_that_wants_a_page_is_sent_to_sign_in(proofs: Proofs) -> None:
    page = proofs.turned_back(asking(accept="text/html,*/*"), "who?")
    assert page is not None
    assert (page.status_code, page.headers["location"]) == (303, "/sign-in")
    assert proofs.turned_back(asking(accept="application/json"), "who?") is None
    assert proofs.turned_back(asking(method="POST", accept="text/html"), "who?") is None
    assert proofs.turned_back(asking("Bearer x", accept="text/html"), "who?") is None
    assert Proofs(proofs.keys).turned_back(asking(accept="text/html"), "who?") is None
