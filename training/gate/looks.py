"""How often a cohort was looked at to judge models: a test cohort wears out, and every look at it is kept in the ledger."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from models import ledger
from models.seal_key import read_key
from training.gate.store import key_of


def record_look(
    releases: Path,
    model_digest: str,
    cohort_digest: str,
    cohort_name: str,
    by: str,
    what: str,
    *,
    seal_key: Path | None = None,
    say: Callable[[str], object] = lambda sentence: print(sentence, file=sys.stderr),
) -> int:
    """Keep that a model was judged on a cohort; returns how often that cohort has been looked at, this look included.

    `by` is a claim, `what` names the command. Raises BrokenSeal where the ledger in `releases` does not verify.
    """
    facts = look_facts(model_digest, cohort_digest, cohort_name, by, what)
    ledger.append(releases, ledger.LOOK, facts, key_of(releases, seal_key, say))
    return looks_at(releases, cohort_digest, seal_key=seal_key)


def looks_at(releases: Path, cohort_digest: str, *, seal_key: Path | None = None) -> int:
    """How often the cohort of this digest was looked at, as far as the ledger in `releases` knows; 0 where there is none."""
    if not ledger.exists(releases):
        return 0
    return seen(ledger.read_ledger(releases, read_key(seal_key)), cohort_digest)


def look_if_counted(
    releases: Path, model_digest: str, cohort_digest: str, cohort_name: str, by: str, what: str, *, seal_key: Path | None = None
) -> int | None:
    """As `record_look` where there is a ledger; None where nobody has begun to count, which whoever reports must say."""
    if not ledger.exists(releases):
        return None
    return record_look(releases, model_digest, cohort_digest, cohort_name, by, what, seal_key=seal_key)


def look_line(look: int | None, releases: Path) -> str:
    """The same for a reader."""
    if look is None:
        return f"This look at the cohort is not counted: there is no ledger in {releases}"
    return f"Look {look} at this cohort: who looks often, and keeps what did well, has chosen by it"


def look_facts(model_digest: str, cohort_digest: str, cohort_name: str, by: str, what: str) -> dict[str, object]:
    """What the ledger keeps of a look."""
    return {"model": model_digest, "cohort": cohort_digest, "cohort_name": cohort_name, "by": by, "what": what}


def seen(entries: Sequence[ledger.Entry], cohort_digest: str) -> int:
    """How many of the entries are looks at the cohort of this digest."""
    return sum(entry.kind == ledger.LOOK and entry.facts["cohort"] == cohort_digest for entry in entries)
