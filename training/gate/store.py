"""Where releases are kept and who is asked about them: the folder, the key of its ledger, and MLflow's registry."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from models import ledger, release
from models.artifact import Artifact, load
from models.durable import locked
from models.ledger import Entry
from models.release import InvalidRelease
from models.seal import BrokenSeal, Key
from models.seal_key import key_path, read_key, read_or_make_key, readable_by_others
from training.tracking.champion import Registry

_LOCK = "promoting.lock"


@dataclass(frozen=True)
class Store:
    """The folder of releases, the key of its ledger, and the registered model whose alias follows the champion."""

    root: Path
    key: Key = field(repr=False)
    registry: Registry

    def alone(self) -> Any:
        """The right to promote or to roll back, which one person has at a time. Raises Busy where somebody else has it."""
        self.root.mkdir(parents=True, exist_ok=True)
        return locked(self.root / _LOCK, wait=False)

    def entries(self) -> tuple[Entry, ...]:
        """The verified ledger, which neither the pointer nor MLflow's tag may know more of. Raises BrokenSeal."""
        entries = ledger.read_ledger(self.root, self.key)
        for where, words in self._witnesses().items():
            release.require_reaching(entries, words, where)
        return entries

    def champion(self, entries: tuple[Entry, ...]) -> Artifact | None:
        """The champion's artifact, verified; None where nothing was ever promoted."""
        entry = release.champion_of(entries)
        if entry is None:
            return None
        digest = str(entry.facts["model"])
        return load(self.root / digest, digest)

    def settled(self, entry: Entry) -> str:
        """Whatever does not follow the ledger's champion, in words; nothing where pointer and alias do."""
        digest = str(entry.facts["model"])
        off = [] if self._pointer_is_at(entry) else ["the pointer"]
        if self.registry.there and self.registry.champion() not in (digest, *([] if self.registry.versions(digest) else [""])):
            off.append("MLflow's alias")
        return " and ".join(off)

    def settle(self, entry: Entry) -> str:
        """Let MLflow's alias and then the pointer follow the ledger; what became of the alias, in words."""
        told = self._move_alias(entry)
        release.point(self.root, entry, self.key)
        return told

    def _move_alias(self, entry: Entry) -> str:
        words, digest = release.pointer_to(entry, self.key).decode().rstrip("\n"), str(entry.facts["model"])
        versions, name = self.registry.versions(digest), self.registry.name
        if versions:
            version = str(entry.facts["version"]) if entry.facts["version"] in versions else versions[0]
            self.registry.move(version, words)
            return f"the alias champion of {name} names version {version}"
        if self.registry.champion():
            self.registry.remove(words)
            return f"the alias champion of {name} was taken away: no version of it is this model"
        return f"no registered version of {name} is this model: no alias was moved"

    def _pointer_is_at(self, entry: Entry) -> bool:
        try:
            pointer = release.read_pointer(self.root, self.key)
        except InvalidRelease:
            return False
        return pointer is not None and pointer["entry"] == entry.digest

    def _witnesses(self) -> Mapping[str, dict[str, Any]]:
        """What points at the ledger from outside and bears its seal; what does not is set right by the next promotion."""
        found = {}
        with suppress(InvalidRelease):
            found[f"{self.root / release.CHAMPION}"] = release.read_pointer(self.root, self.key)
        if words := self.registry.words():
            with suppress(BrokenSeal):
                found[f"the tag of {self.registry.name} in MLflow"] = release.read_words(words, self.key)
        return {where: pointer for where, pointer in found.items() if pointer is not None}


def key_of(root: Path, given: Path | None, say: Callable[[str], object]) -> Key:
    """The key of the ledger in `root`; a new one is made only where there is no ledger yet."""
    if not ledger.exists(root):
        return read_or_make_key(given, say)
    key = read_key(given)
    if doubt := readable_by_others(key_path(given)):
        say(doubt)
    return key


def opened(root: Path, seal_key: Path | None, registry: Registry, say: Callable[[str], object]) -> Store:
    """The store in `root`; `say` hears of a new key, or of one that others can read. Raises BrokenSeal."""
    return Store(root, key_of(root, seal_key, say), registry)


def champion_there(root: Path, seal_key: Path | None, registry: Registry) -> Artifact | None:
    """The champion in `root`, verified, where there is one; nothing is made."""
    if not ledger.exists(root):
        return None
    store = Store(root, read_key(seal_key), registry)
    return store.champion(store.entries())
