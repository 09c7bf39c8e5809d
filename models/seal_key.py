"""A key that seals: a small file kept apart from what it seals, readable by its owner alone.

There are three, for three people: the one of the ledger, held by whoever brings models to patients, the one of the receipts,
held by whoever runs the service, and the one of the API keys, held by whoever lets people in. None can forge what another writes.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from models.durable import PRIVATE, create, make_folder
from models.seal import BrokenSeal, Key

_BYTES = 32
_WRITTEN = re.compile(r"[0-9a-f]{64}\s*")


@dataclass(frozen=True)
class KeyFile:
    """Where a key is looked for, and the words in which it is spoken of."""

    name: str
    environment: str  # names the path of the key file, never the key itself
    option: str
    called: str
    sealed: str  # what is sealed with it, in words
    lost: str  # what nobody can do without it


LEDGER = KeyFile("seal.key", "LYMPHORISK_SEAL_KEY", "--seal-key", "seal key", "the ledger", "check it")
RECEIPTS = KeyFile(
    "receipts.key", "LYMPHORISK_RECEIPTS_KEY", "--receipts-key", "receipts key", "the receipts", "check them, nor read them"
)
ACCESS = KeyFile("access.key", "LYMPHORISK_ACCESS_KEY", "--access-key", "access key", "the API keys", "be let in by one")


class InvalidKey(BrokenSeal):
    """There is no key file where one is needed, or it holds no key."""


def key_path(given: Path | None = None, of: KeyFile = LEDGER) -> Path:
    """The key file: the one given, else the one that the environment names, else the one in the user's configuration folder."""
    if given is not None:
        return given
    if named := os.environ.get(of.environment, ""):
        return Path(named)
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "lymphorisk" / of.name


def read_key(given: Path | None = None, of: KeyFile = LEDGER) -> Key:
    """The key of `key_path(given, of)`; InvalidKey where there is none."""
    path = key_path(given, of)
    if not path.is_file():
        way = f"give the key with which {of.sealed} {'was' if of is LEDGER else 'were'} sealed ({of.option}, or {of.environment})"
        raise InvalidKey(f"no {of.called} at {path}: {way}")
    written = path.read_text(encoding="ascii", errors="replace")
    if not _WRITTEN.fullmatch(written):
        raise InvalidKey(f"{path} holds no {of.called}: allowed are 64 hex digits, which stand for {_BYTES} bytes")
    return Key(bytes.fromhex(written.strip()))


def read_or_make_key(given: Path | None, say: Callable[[str], object], of: KeyFile = LEDGER) -> Key:
    """The same key; where there is no file, a new one is made there and `say` hears that a copy must be kept."""
    path = key_path(given, of)
    if not path.exists():
        make_folder(path.parent, 0o700)
        if create(path, secrets.token_hex(_BYTES).encode() + b"\n", PRIVATE):  # of several that begin at once, one makes it
            say(
                f"a new {of.called} is in {path}: keep a copy in a safe place, apart from {of.sealed}. "
                f"Without it nobody can {of.lost}"
            )
    if doubt := readable_by_others(path, of):
        say(doubt)
    return read_key(path, of)


def readable_by_others(path: Path, of: KeyFile = LEDGER) -> str:
    """A sentence where others than the owner may read the key file, for they could then forge what it seals; else nothing."""
    if os.name != "posix" or not path.stat().st_mode & 0o077:
        return ""
    return f"{path} can be read by others than its owner, who could then seal {of.sealed} as you do: chmod 600 {path}"
