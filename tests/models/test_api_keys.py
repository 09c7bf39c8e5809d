"""API keys: shown once, kept as digests, good until they expire or are taken back, and never made up by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.api_keys import DAYS, InvalidGrant, KeyRing, looks_like_key, make_key, read_keys, revoke_key
from models.identity import Identity, Role
from models.ledger import LEDGER, InvalidLedger
from models.seal import Key

SEALING = Key(b"a" * 32)
NOW = datetime.now(UTC)


def made(folder: Path, name: str = "A. Frey", days: int = DAYS) -> tuple[str, str]:
    key, kept = make_key(folder, SEALING, name, [Role.AUDITOR], "", days, "root")
    return key, kept.prefix


def test_a_key_opens_in_the_name_it_was_made_for_and_is_not_kept(tmp_path: Path) -> None:
    key, kept = make_key(tmp_path, SEALING, "Ward 3", [Role.CLINICIAN], "Ward 3", 30, "root")
    found = KeyRing.of(read_keys(tmp_path, SEALING)).find(key, NOW)
    assert found == kept
    assert kept.identity == Identity("Ward 3", frozenset({Role.CLINICIAN}), "Ward 3", f"key:{kept.prefix}")
    assert looks_like_key(key)
    secret = key.rpartition("_")[2]
    assert not any(secret.encode() in path.read_bytes() for path in tmp_path.iterdir())


def test_two_keys_are_never_the_same_and_open_only_themselves(tmp_path: Path) -> None:
    (first, one), (second, other) = made(tmp_path), made(tmp_path)
    ring = KeyRing.of(read_keys(tmp_path, SEALING))
    assert [found.prefix for key in (first, second) if (found := ring.find(key, NOW))] == [one, other]
    assert ring.find(first[:-1] + ("A" if first[-1] != "A" else "B"), NOW) is None
    assert ring.find(f"lr_{other}_{first.rpartition('_')[2]}", NOW) is None


def test_a_key_is_good_until_it_expires(tmp_path: Path) -> None:
    key, _ = made(tmp_path, days=30)
    (kept,) = read_keys(tmp_path, SEALING)
    expires = datetime.fromisoformat(kept.expires)
    assert abs(expires - datetime.fromisoformat(kept.made) - timedelta(days=30)) < timedelta(minutes=1)
    assert KeyRing.of([kept]).find(key, expires - timedelta(microseconds=1)) == kept
    assert KeyRing.of([kept]).find(key, expires) is None


def test_a_key_that_was_taken_back_opens_nothing_and_is_not_forgotten(tmp_path: Path) -> None:
    key, prefix = made(tmp_path)
    other, _ = made(tmp_path)
    gone = revoke_key(tmp_path, SEALING, prefix, "root", "left the hospital")
    ring = KeyRing.of(read_keys(tmp_path, SEALING))
    assert (ring.find(key, NOW), bool(gone.revoked)) == (None, True)
    assert ring.find(other, NOW) is not None
    with pytest.raises(InvalidGrant, match="was revoked at"):
        revoke_key(tmp_path, SEALING, prefix, "root", "again")
    with pytest.raises(InvalidGrant, match="lymphorisk keys list"):
        revoke_key(tmp_path, SEALING, "00000000", "root", "a typing error")


def test_a_key_is_taken_back_with_a_reason_that_can_be_read_and_never_told_whole(tmp_path: Path) -> None:
    key, prefix = made(tmp_path)
    for reason in ("", " ", "left\x1b[2J", "x" * 201):
        with pytest.raises(InvalidGrant, match="--reason = "):
            revoke_key(tmp_path, SEALING, prefix, "root", reason)
    with pytest.raises(InvalidGrant) as refused:
        revoke_key(tmp_path, SEALING, key, "root", "")
    assert [fault.field for fault in refused.value.faults] == ["PREFIX", "--reason"]
    assert key not in str(refused.value)
    assert key.rpartition("_")[2] not in str(refused.value)
    assert not read_keys(tmp_path, SEALING)[0].revoked


def test_no_two_keys_have_the_same_prefix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = iter(["00000001", "00000001", "00000001", "00000002"])
    monkeypatch.setattr("secrets.token_hex", lambda size: next(drawn))
    assert [made(tmp_path, name)[1] for name in ("A. Frey", "B. Okoro")] == ["00000001", "00000002"]


@pytest.mark.parametrize("operator", ["HOSPITAL\\afrey", "_apt", "a.frey@hospital.example", "1001"])
def test_whoever_makes_a_key_may_have_any_name_that_a_computer_gives(tmp_path: Path, operator: str) -> None:
    make_key(tmp_path, SEALING, "A. Frey", [Role.AUDITOR], "", 1, operator)
    assert read_keys(tmp_path, SEALING)[0].by == operator


def test_everything_that_is_wrong_with_a_grant_is_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(InvalidGrant) as refused:
        make_key(tmp_path, SEALING, "\x1b[2J", [Role.CLINICIAN], "", 1000, "root")
    assert [fault.field for fault in refused.value.faults] == ["NAME", "--unit", "--days"]
    with pytest.raises(InvalidGrant, match="--role = none"):
        make_key(tmp_path, SEALING, "A. Frey", [], "", 10, "root")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("change", ["edited", "removed", "cut off", "another key"])
def test_what_was_changed_by_hand_lets_nobody_in(tmp_path: Path, change: str) -> None:
    for name in ("A. Frey", "B. Okoro", "C. Lund"):
        made(tmp_path, name)
    path = tmp_path / LEDGER
    lines = path.read_bytes().splitlines(keepends=True)
    if change == "edited":
        lines[1] = lines[1].replace(b"auditor", b"clinician")
    elif change == "removed":
        del lines[1]
    elif change == "cut off":
        del lines[2]
    path.write_bytes(b"".join(lines))
    with pytest.raises(InvalidLedger):
        read_keys(tmp_path, Key(b"b" * 32) if change == "another key" else SEALING)


@given(st.text(max_size=80))
def test_nothing_but_a_key_looks_like_one(word: str) -> None:
    assert not looks_like_key(word)
    assert KeyRing.of([]).find(word.encode(errors="replace").decode(), NOW) is None
