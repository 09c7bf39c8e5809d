"""The key that seals the ledger: a small file kept apart from what it seals, readable by its owner alone."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Callable
from pathlib import Path

from models.durable import PRIVATE, replace
from models.seal import BrokenSeal, Key

ENVIRONMENT = "LYMPHORISK_SEAL_KEY"  # the path of the key file, never the key itself
_BYTES = 32
_WRITTEN = re.compile(r"[0-9a-f]{64}\s*")


class InvalidKey(BrokenSeal):
    """There is no key file where one is needed, or it holds no key."""


def key_path(given: Path | None = None) -> Path:
    """The key file: the one given, else the one LYMPHORISK_SEAL_KEY names, else the one in the user's configuration folder."""
    if given is not None:
        return given
    if named := os.environ.get(ENVIRONMENT, ""):
        return Path(named)
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "lymphorisk" / "seal.key"


def read_key(given: Path | None = None) -> Key:
    """The key of `key_path(given)`; InvalidKey where there is none."""
    path = key_path(given)
    if not path.is_file():
        raise InvalidKey(f"no seal key at {path}: give the key with which the ledger was sealed (--seal-key, or {ENVIRONMENT})")
    written = path.read_text(encoding="ascii", errors="replace")
    if not _WRITTEN.fullmatch(written):
        raise InvalidKey(f"{path} holds no seal key: allowed are 64 hex digits, which stand for {_BYTES} bytes")
    return Key(bytes.fromhex(written.strip()))


def read_or_make_key(given: Path | None, say: Callable[[str], object]) -> Key:
    """The key of `key_path(given)`; where there is no file, a new key is made there and `say` hears that a copy must be kept."""
    path = key_path(given)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        replace(path, secrets.token_hex(_BYTES).encode() + b"\n", PRIVATE)
        say(f"a new seal key is in {path}: keep a copy in a safe place, apart from the ledger. Without it nobody can check it")
    if doubt := readable_by_others(path):
        say(doubt)
    return read_key(path)


def readable_by_others(path: Path) -> str:
    """A sentence where others than the owner may read the key file, for they could then forge the ledger; else nothing."""
    if os.name != "posix" or not path.stat().st_mode & 0o077:
        return ""
    return f"{path} can be read by others than its owner, who could then seal as you do: chmod 600 {path}"
