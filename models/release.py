"""The releases: the models that were brought to patients, one of them the champion, and nothing scored that was moved by hand.

    releases/ledger.jsonl, head.json    who promoted what (models.ledger)
    releases/champion.json              the pointer: the ledger's last promotion or rollback, sealed
    releases/<digest>/                  the artifacts, byte for byte as they were promoted
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from models import durable
from models.artifact import Artifact, InvalidArtifact, Promotion, load
from models.ledger import LEDGER, PROMOTED, ROLLED_BACK, Entry, exists, read_ledger
from models.seal import BrokenSeal, Key, sealed, unsealed

CHAMPION = "champion.json"
_POINTER = "champion"
_DIGEST = re.compile(r"[0-9a-f]{64}")
_WAY_OUT = "lymphorisk promote with the same VERSION, or lymphorisk rollback, sets it right; lymphorisk history tells more"


class InvalidRelease(BrokenSeal):
    """A release that is not the one the ledger names, or not as it was promoted; the message says which, and what can be done."""


def store_of(path: Path) -> Path | None:
    """The folder of releases that `path` is or lies in; None where it is an ordinary artifact folder."""
    if _is_store(path):
        return path
    return path.parent if _is_store(path.parent) or _DIGEST.fullmatch(path.name) else None


def _is_store(folder: Path) -> bool:
    return exists(folder) or (folder / CHAMPION).exists()


def resolve(path: Path, key: Key, digest: str | None = None) -> Artifact:
    """The champion of the releases at `path`; or the release in the folder `path`, an earlier one only where `digest` pins it.

    Verifies the ledger, that the pointer is where its last promotion or rollback put it, and every byte of the artifact.
    Raises InvalidLedger or InvalidRelease (BrokenSeal both), which say what was moved or changed.
    """
    path = path.resolve()
    root = store_of(path)
    if root is None:
        raise InvalidRelease(f"{path} is no folder of releases: no {LEDGER}, no {CHAMPION}")
    entries = read_ledger(root, key)
    champion = require_champion(root, entries, key)
    asked = str(champion.facts["model"]) if path == root else path.name
    if asked != champion.facts["model"] and asked != digest:
        raise InvalidRelease(f"{path} is not the champion, which is {champion.facts['model']}; --digest {asked} takes it even so")
    if digest is not None and asked != digest:
        raise InvalidRelease(f"the champion of {root} is {asked}: the pinned digest is {digest}")
    released = [entry for entry in entries if entry.kind in (PROMOTED, ROLLED_BACK) and entry.facts["model"] == asked]
    if not released:
        raise InvalidRelease(f"{path} was never promoted: the ledger does not name it")
    try:
        return replace(load(root / asked, asked), promotion=_promotion(released[-1], released[-1] == champion))
    except InvalidArtifact as error:
        raise InvalidRelease(f"the release is not as it was promoted: {error}") from error


def champion_of(entries: Sequence[Entry]) -> Entry | None:
    """The last promotion or rollback; None where nothing was ever promoted."""
    return next((entry for entry in reversed(entries) if entry.kind in (PROMOTED, ROLLED_BACK)), None)


def require_champion(root: Path, entries: Sequence[Entry], key: Key) -> Entry:
    """The entry that made the champion, which the pointer must name. InvalidRelease says how the two differ."""
    pointer = read_pointer(root, key)
    if pointer is not None:
        require_reaching(entries, pointer, f"{root / CHAMPION}")
    champion = champion_of(entries)
    if champion is None:
        raise InvalidRelease(f"nothing was ever promoted in {root}: lymphorisk promote is the way")
    if pointer is None:
        raise InvalidRelease(f"{root / CHAMPION} is missing: removed, or the last promotion was not finished. {_WAY_OUT}")
    if pointer["entry"] != champion.digest:
        where = f"stands at entry {pointer['sequence']} ({pointer['model']}), and the ledger's last is {champion.sequence}"
        raise InvalidRelease(
            f"{root / CHAMPION} {where} ({champion.facts['model']}): put back by hand, or the last promotion was not finished. "
            f"{_WAY_OUT}"
        )
    return champion


def read_pointer(root: Path, key: Key) -> dict[str, Any] | None:
    """What the pointer says (model, sequence, entry), its seal checked; None where there is none."""
    path = root / CHAMPION
    if not path.exists():
        return None
    try:
        return unsealed(_POINTER, path.read_bytes(), key)
    except BrokenSeal as error:
        raise InvalidRelease(f"{path} {error}: the pointer was moved by hand. {_WAY_OUT}") from error


def require_reaching(entries: Sequence[Entry], pointer: dict[str, Any], where: str) -> None:
    """InvalidRelease where something sealed points past the end of the ledger, or at another entry than the one there.

    So a ledger that was put back to an older copy together with its head is found out.
    """
    place = pointer["sequence"]
    if place > len(entries):
        raise InvalidRelease(f"{where} knows of entry {place}, and the ledger ends at {len(entries)}: an older copy was put back")
    if entries[place - 1].digest != pointer["entry"]:
        raise InvalidRelease(f"{where} names another entry {place} than the ledger holds: one of them is from elsewhere")


def pointer_to(entry: Entry, key: Key) -> bytes:
    """The sealed words that name `entry` as the one that made the champion: for the pointer and for MLflow's tag."""
    return sealed(_POINTER, {"model": entry.facts["model"], "sequence": entry.sequence, "entry": entry.digest}, key)


def read_words(words: str, key: Key) -> dict[str, Any]:
    """What a tag that holds the words of `pointer_to` says; BrokenSeal where it does not bear its seal."""
    return unsealed(_POINTER, words.encode() + b"\n", key)


def point(root: Path, entry: Entry, key: Key) -> None:
    """Move the pointer to `entry`: all at once, and on the disk before it returns."""
    durable.replace(root / CHAMPION, pointer_to(entry, key))


def keep(root: Path, folder: Path, digest: str) -> Path:
    """Copy the artifact in `folder` to the releases; InvalidRelease where what is there already is not as it was promoted."""
    load(folder, digest)
    try:
        return copied(root, folder, digest)
    except InvalidArtifact as error:
        way_out = f"Move {root / digest} away, then promote again"
        raise InvalidRelease(f"the release is not as it was promoted: {error}. {way_out}") from error


def copied(root: Path, folder: Path, digest: str) -> Path:
    """`root`/<digest>: a copy of the artifact, byte for byte, verified before and after; where it is already, verified."""
    load(folder, digest)
    kept = root / digest
    if not kept.exists():
        aside = root / f".{digest}.part"
        shutil.rmtree(aside, ignore_errors=True)
        shutil.copytree(folder, aside)
        for path in aside.iterdir():
            durable.sync(path)
        durable.sync(aside)
        load(aside, digest)
        aside.rename(kept)
        durable.sync(root)
    load(kept, digest)
    return kept


def _promotion(entry: Entry, champion: bool) -> Promotion:
    facts = entry.facts
    told = {name: str(facts[name]) for name in ("version", "by", "approved_by")}
    return Promotion(**told, time=entry.time, sequence=entry.sequence, champion=champion, proved="proved" in facts)
