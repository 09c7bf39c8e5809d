"""What was promoted, by whom and why, from the first day on, and whether everything is as it was left."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from models import ledger, release
from models.artifact import InvalidArtifact, load
from models.ledger import PROMOTED, ROLLED_BACK, Entry, InvalidLedger
from models.seal import BrokenSeal
from training.gate.store import Store

_HEAD = ["entry", "when (UTC)", "what", "model", "version", "by", "approved by", "about"]


@dataclass(frozen=True)
class History:
    """Every entry of the ledger (of a broken one, those before the break), who is champion, and what does not verify."""

    entries: tuple[Entry, ...]
    champion: str
    faults: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """JSON-ready, every fact of every entry."""
        return {
            "verifies": not self.faults,
            "faults": list(self.faults),
            "champion": self.champion or None,
            "entries": [asdict(entry) for entry in self.entries],
        }

    def text(self) -> str:
        """A line an entry, and the verdict."""
        rows = [_HEAD, *map(_row, self.entries)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
        verdict = "Everything verifies." if not self.faults else "Does not verify:\n  " + "\n  ".join(self.faults)
        return "\n".join([*lines, ""]) + f"Champion: {self.champion or 'none'}\n{verdict}"


def history(store: Store) -> History:
    """The ledger of `store`, with everything verified that hangs on it: pointer, releases, MLflow's alias and tag."""
    try:
        entries = ledger.read_ledger(store.root, store.key)
    except InvalidLedger as error:
        return History(error.verified, "", (str(error),))
    entry = release.champion_of(entries)
    champion = "" if entry is None else str(entry.facts["model"])
    return History(entries, champion, tuple(_faults(store, entries, entry)))


def _faults(store: Store, entries: tuple[Entry, ...], champion: Entry | None) -> Iterator[str]:
    if champion is not None or (store.root / release.CHAMPION).exists():
        try:
            release.require_champion(store.root, entries, store.key)
        except BrokenSeal as error:
            yield str(error)
    for digest in sorted({str(one.facts["model"]) for one in entries if one.kind in (PROMOTED, ROLLED_BACK)}):
        try:
            load(store.root / digest, digest)
        except InvalidArtifact as error:
            yield f"the release is not as it was promoted: {error}"
    if store.registry.there:
        yield from _registry(store, entries, champion)


def _registry(store: Store, entries: tuple[Entry, ...], champion: Entry | None) -> Iterator[str]:
    """What MLflow says otherwise than the ledger."""
    name, named = store.registry.name, store.registry.champion()
    if champion is not None and (store.registry.versions(str(champion.facts["model"])) or named):
        if named != champion.facts["model"]:
            yield f"the alias champion of {name} in MLflow names {named or 'nothing'}: moved by hand"
    elif champion is None and named:
        yield f"the alias champion of {name} in MLflow names {named}, and nothing was promoted: moved by hand"
    if words := store.registry.words():
        try:
            release.require_reaching(entries, release.read_words(words, store.key), f"the tag of {name} in MLflow")
        except BrokenSeal as error:
            yield f"the tag of {name} in MLflow: {error}"


def _row(entry: Entry) -> list[str]:
    facts = entry.facts
    about = facts.get("reason") or facts.get("what") or ""
    if "cohort_name" in facts:
        about = f"{about} {facts['cohort_name']}".strip()
    told = [str(facts.get("version") or ""), _person(facts, "by"), _person(facts, "approved_by")]
    return [str(entry.sequence), entry.time[:19], entry.kind, str(facts.get("model", ""))[:12], *told, str(about)]


def _person(facts: Mapping[str, Any], name: str) -> str:
    """The name, and by what it was proved; without that, as in every ledger from before there were keys, it is a claim."""
    if not facts.get(name):
        return ""
    proved = facts.get("proved", {}).get(name)
    return f"{facts[name]} ({proved['by'] if proved else 'claimed'})"
