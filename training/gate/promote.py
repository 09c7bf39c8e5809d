"""A model reaches patients, or an earlier one comes back: two people, a reason, all criteria, and an entry nobody rewrites.

The order survives a kill at any point: the artifact is kept, the ledger gets its entry, MLflow's alias moves, the pointer moves
last. Until then scoring refuses, and the same command again finishes what was begun.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from models import release
from models.artifact import load
from models.ledger import LOOK, PROMOTED, ROLLED_BACK, Entry, append
from training.gate.gate import Candidate, Judged, judge_candidate
from training.gate.held_out import HeldOut
from training.gate.looks import look_facts, seen
from training.gate.paths import Scorer
from training.gate.store import Store
from training.progress import Advance, unwatched
from training.refused import NotSupported

CLAIMS = "the names are what the person at the keyboard said"
PROVED = "each showed an API key of their own"
_SHORTEST = 8  # hex digits of a digest that name a release


class NotPromoted(NotSupported):
    """At least one criterion does not hold; `judged` has all of them."""

    def __init__(self, judged: Judged):
        self.judged = judged
        names = "; ".join(f"{one.criterion} ({one.where})" for one in judged.fails)
        super().__init__(f"not promoted: {names}")


@dataclass(frozen=True)
class Claim:
    """Who says to do it, who is said to approve, and why. Raises NotSupported unless they are two people with a reason."""

    by: str
    approved_by: str
    reason: str
    proved: Mapping[str, Mapping[str, object]] = field(default_factory=dict)  # the identities that were shown (gate.proved)

    def __post_init__(self) -> None:
        faults = [f"--{name.replace('_', '-')} {wrong}" for name, said in self.said.items() if (wrong := _unfit(said))]
        if not faults and _folded(self.by) == _folded(self.approved_by):
            faults.append(f"--by and --approved-by are both {self.by}: whoever promotes does not approve")
        if faults:
            raise NotSupported("; ".join(faults))

    @property
    def said(self) -> dict[str, str]:
        """The names and the reason."""
        return {"by": self.by, "approved_by": self.approved_by, "reason": self.reason}

    def facts(self) -> dict[str, object]:
        """As the ledger keeps it."""
        told: dict[str, object] = {**self.said, "claims": PROVED if self.proved else CLAIMS}
        return told | ({"proved": dict(self.proved)} if self.proved else {})


@dataclass(frozen=True)
class Done:
    """What was done: the ledger's entry, what became of MLflow's alias, and whether only the rest was finished of it."""

    entry: Entry
    alias: str
    finished: bool = False
    judged: Judged | None = None

    def as_json(self) -> dict[str, Any]:
        """JSON-ready: the entry with every fact."""
        return {"entry": asdict(self.entry), "alias": self.alias, "finished": self.finished}

    def text(self) -> str:
        """For a reader, all criteria first."""
        facts = self.entry.facts
        begun = "finished what was begun: " if self.finished else ""
        who = f"by {facts['by']}, approved by {facts['approved_by']} ({facts['claims']})"
        what = f"{begun}{self.entry.kind} {facts['model']}, {who}: {facts['reason']}; entry {self.entry.sequence} of the ledger"
        return "\n".join([*([] if self.judged is None else [self.judged.text()]), what, self.alias])


def promote(
    candidate: Candidate,
    version: str,
    claim: Claim,
    store: Store,
    given: HeldOut | None,
    scorers: Mapping[str, Scorer],
    advance: Advance = unwatched,
) -> Done:
    """Promote the candidate, in MLflow known as `version`, if every criterion holds.

    Raises NotPromoted with all criteria, BrokenSeal where the releases are not as they were left, Busy where somebody else is
    promoting. Where the candidate is the ledger's champion already, what is missing is finished, and NotSupported if nothing is.
    """
    digest = candidate.artifact.digest
    with store.alone():
        entries = store.entries()
        before = release.champion_of(entries)
        if before is not None and before.facts["model"] == digest:
            return _finish(store, before)
        judged = judge_candidate(candidate, store.champion(entries), given, scorers, advance)
        looked = None
        if given is not None:
            facts = look_facts(digest, given.test.digest, given.test.name, claim.by, "promote")
            looked = {"name": given.test.name, "digest": given.test.digest, "look": _append_look(store, facts)}
        if judged.fails:
            raise NotPromoted(judged)
        release.keep(store.root, candidate.folder, digest)
        evidence = {name: hashlib.sha256((candidate.folder / name).read_bytes()).hexdigest() for name in candidate.evidence}
        told = {"name": candidate.artifact.model.name, "test": looked, "evidence": evidence, **judged.as_json()}
        entry = append(store.root, PROMOTED, _facts(digest, version, claim, before) | told, store.key)
        return Done(entry, _settled(store, entry), judged=judged)


def _append_look(store: Store, facts: Mapping[str, object]) -> int:
    """Keep the look at a test cohort that a promotion is; how many there have been."""
    append(store.root, LOOK, facts, store.key)
    return seen(store.entries(), str(facts["cohort"]))


def rollback(claim: Claim, store: Store, to: str | None = None) -> Done:
    """Bring an earlier release back: the one of digest `to`, or the one that the champion replaced.

    A rollback that was begun and not finished is finished. Raises NotSupported where there is nothing to go back to.
    """
    with store.alone():
        entries = store.entries()
        before = release.champion_of(entries)
        if before is None:
            raise NotSupported(f"nothing was ever promoted in {store.root}")
        if before.kind == ROLLED_BACK and store.settled(before):
            return _finish(store, before)
        target = _target(entries, before, to)
        load(store.root / str(target.facts["model"]), str(target.facts["model"]))
        facts = _facts(str(target.facts["model"]), str(target.facts["version"]), claim, before)
        entry = append(store.root, ROLLED_BACK, facts | {"name": target.facts["name"]}, store.key)
        return Done(entry, _settled(store, entry))


def _facts(digest: str, version: str, claim: Claim, before: Entry | None) -> dict[str, object]:
    previous = None if before is None else before.facts["model"]
    return {"model": digest, "version": version, "previous": previous, **claim.facts()}


def _finish(store: Store, entry: Entry) -> Done:
    """Alias and pointer follow the entry that was written; what was promoted is not judged again."""
    off = store.settled(entry)
    if not off:
        raise NotSupported(f"{entry.facts['model']} is the champion already (entry {entry.sequence}), and everything follows it")
    return Done(entry, _settled(store, entry), finished=True)


def _settled(store: Store, entry: Entry) -> str:
    told = store.settle(entry)
    release.resolve(store.root, store.key, str(entry.facts["model"]))  # as whoever scores will
    return told


def _target(entries: tuple[Entry, ...], before: Entry, to: str | None) -> Entry:
    """The promotion to go back to."""
    promotions = {str(entry.facts["model"]): entry for entry in entries if entry.kind == PROMOTED}
    now = str(before.facts["model"])
    if to is None:
        previous = promotions[now].facts["previous"]
        if previous is None:
            raise NotSupported(f"{now} was the first to be promoted: there is nothing before it; --to names another release")
        return promotions[str(previous)]
    found = [entry for digest, entry in promotions.items() if digest.startswith(to) and len(to) >= _SHORTEST]
    if len(found) != 1:
        raise NotSupported(f"--to {to}: allowed is the digest of a release: {', '.join(sorted(promotions))}")
    if found[0].facts["model"] == now:
        raise NotSupported(f"{now} is the champion")
    return found[0]


def _unfit(said: str) -> str:
    """Why words cannot be kept: there are none, or they would do something to the screen of whoever reads the ledger."""
    return "is empty" if not _folded(said) else "" if said.isprintable() else "holds a control character: allowed is plain text"


def _folded(name: str) -> str:
    """A name as two writings of it are compared: case, blanks and compatible letters do not tell people apart."""
    return "".join(unicodedata.normalize("NFKC", name).casefold().split())
