"""API keys: who may ask in whose name, until when; shown once, kept as a digest, taken back at any time.

A key is 256 random bits, so its SHA-256 gives nothing away and needs no salt. Who got one and who lost it stands in a ledger
(`models.ledger`) of the access folder: a line edited, removed or cut off is found out, and nothing is ever forgotten.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from models.fault import Fault
from models.identity import Identity, Role
from models.ledger import KEY_MADE, KEY_REVOKED, Entry, append, read_ledger
from models.seal import Key

DAYS, LONGEST = 365, 731  # that a key is good for: unless said otherwise, and at most
_LONGEST_WORDS = 200
_KEY = re.compile(r"lr_([0-9a-f]{8})_[A-Za-z0-9_-]{43}")
_NAME = re.compile(r"[^\W_][\w .,'-]{0,79}")


class InvalidGrant(ValueError):
    """A key that cannot be made, or taken back, as it was asked for; `faults` names everything that is wrong."""

    def __init__(self, *faults: Fault):
        super().__init__("; ".join(map(str, faults)))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it is kept: whom it stands for, and from when to when."""

    prefix: str  # 8 hex digits by which it is spoken of
    digest: str  # SHA-256 of the whole key
    name: str
    roles: frozenset[Role]
    unit: str
    made: str  # UTC, as `expires` and `revoked`
    by: str
    expires: str
    revoked: str = ""  # nothing where it was not

    def good(self, now: datetime) -> bool:
        """Whether it opens anything at that time (UTC)."""
        return not self.revoked and now < datetime.fromisoformat(self.expires)

    @property
    def identity(self) -> Identity:
        """Whom it stands for."""
        return Identity(self.name, self.roles, self.unit, f"key:{self.prefix}")


def make_key(folder: Path, sealing: Key, name: str, roles: Iterable[Role], unit: str, days: int, by: str) -> tuple[str, ApiKey]:
    """A new key for somebody, in the ledger of `folder`: the key itself, which is kept nowhere, and what is kept of it.

    Raises InvalidGrant with everything that is wrong with what was asked for, InvalidLedger where the ledger does not verify.
    """
    wanted = frozenset(roles)
    if faults := [*_faults(name, wanted, unit, days, by)]:
        raise InvalidGrant(*faults)
    prefix, now = _new_prefix(read_keys(folder, sealing)), datetime.now(UTC)
    key = f"lr_{prefix}_{secrets.token_urlsafe(32)}"
    expires = (now + timedelta(days=days)).isoformat(timespec="seconds")
    facts = {"prefix": prefix, "digest": _digest(key), "name": name, "roles": sorted(wanted), "unit": unit}
    return key, _made(append(folder, KEY_MADE, facts | {"by": by, "expires": expires}, sealing))


def revoke_key(folder: Path, sealing: Key, prefix: str, by: str, reason: str) -> ApiKey:
    """Take a key back, for good; InvalidGrant where there is none, it was taken back before, or nobody says why."""
    found = {one.prefix: one for one in read_keys(folder, sealing)}.get(prefix)
    if faults := [*_revoking_faults(found, prefix, by, reason)]:
        raise InvalidGrant(*faults)
    append(folder, KEY_REVOKED, {"prefix": prefix, "by": by, "reason": reason}, sealing)
    return {one.prefix: one for one in read_keys(folder, sealing)}[prefix]


def read_keys(folder: Path, sealing: Key) -> tuple[ApiKey, ...]:
    """Every key that was ever made, verified; none where there is no ledger. InvalidLedger says what is wrong with it."""
    found: dict[str, ApiKey] = {}
    for entry in read_ledger(folder, sealing):
        if entry.kind == KEY_MADE:
            found[str(entry.facts["prefix"])] = _made(entry)
        elif entry.kind == KEY_REVOKED:
            prefix = str(entry.facts["prefix"])
            found[prefix] = replace(found[prefix], revoked=entry.time)
    return tuple(found.values())


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The keys by their digests: finding one takes the same time whether it is there or not."""

    by_digest: Mapping[str, ApiKey]

    @classmethod
    def of(cls, keys: Iterable[ApiKey]) -> KeyRing:
        """The ring of those keys."""
        return cls({one.digest: one for one in keys})

    def find(self, key: str, now: datetime) -> ApiKey | None:
        """The kept key that `key` is, if it is good at that time (UTC)."""
        # a digest is looked up, and nobody can find a key by how far its digest agrees with one that is kept
        found = self.by_digest.get(_digest(key))
        return found if found is not None and found.good(now) else None


def looks_like_key(word: str) -> bool:
    """Whether it is written as our keys are."""
    return _KEY.fullmatch(word) is not None


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def _made(entry: Entry) -> ApiKey:
    told: Mapping[str, Any] = entry.facts
    texts = {name: str(told[name]) for name in ("prefix", "digest", "name", "unit", "by", "expires")}
    return ApiKey(**texts, roles=frozenset(map(Role, told["roles"])), made=entry.time)


def _new_prefix(keys: Iterable[ApiKey]) -> str:
    """Eight hex digits that no key has yet: of two keys with the same ones, only one could be taken back."""
    taken = {one.prefix for one in keys}
    while (found := secrets.token_hex(4)) in taken:
        pass
    return found


def _faults(name: str, roles: frozenset[Role], unit: str, days: int, by: str) -> Iterable[Fault]:
    plain = "1 to 80 letters, digits, spaces and . , ' -"
    for field, given in (("NAME", name), ("--unit", unit or "x")):
        if not _NAME.fullmatch(given):
            yield Fault(field, repr(given[:80]), plain)
    yield from _unprintable("by", by)
    if not roles:
        yield Fault("--role", "none", f"one or more of {', '.join(Role)}")
    if Role.CLINICIAN in roles and not unit:
        yield Fault("--unit", "nothing", "the unit of a clinician: its receipts are what they may see")
    if not 0 < days <= LONGEST:
        yield Fault("--days", str(days), f"1 to {LONGEST}")


def _revoking_faults(found: ApiKey | None, prefix: str, by: str, reason: str) -> Iterable[Fault]:
    if found is None:  # what was given may be a whole key, which no screen should show
        yield Fault("PREFIX", repr(prefix[:8]), "the eight digits of a key: lymphorisk keys list shows them")
    elif found.revoked:
        yield Fault("PREFIX", prefix, f"a key that is still good: this one was revoked at {found.revoked}")
    yield from _unprintable("by", by)
    yield from _unprintable("--reason", reason)


def _unprintable(field: str, given: str) -> Iterable[Fault]:
    """Words that would say nothing, or do something to the screen of whoever reads the ledger."""
    if not given.strip() or not given.isprintable() or len(given) > _LONGEST_WORDS:
        yield Fault(field, repr(given[:80]), f"1 to {_LONGEST_WORDS} printable characters")
