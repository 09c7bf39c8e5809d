"""A model was evaluated where it is used: what the ledger keeps of it, for every answer given there to tell."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from models import ledger
from models.artifact import Artifact
from training.diagnosis.learned_from import NO_EVIDENCE, learned_from
from training.gate.store import key_of
from training.refused import NotSupported


def record_at_site(
    releases: Path,
    artifact: Artifact,
    evaluation: Mapping[str, Any],
    *,
    site: str,
    cohort_digest: str,
    by: str,
    seal_key: Path | None,
    say: Callable[[str], object],
) -> ledger.Entry:
    """Keep in the ledger that the model was evaluated on patients of `site`; `evaluation` is the JSON of `evaluate`.

    Raises NotSupported where that says nothing of the site: no name, patients the model knew, or no horizon with an interval.
    """
    if not site.strip():
        raise NotSupported("--site names no hospital")
    if learned_from(evaluation["diagnosis"]) == "yes":
        raise NotSupported(f"{NO_EVIDENCE} Nothing was kept of {site}")
    horizons = {day: _observed_expected(one) for day, one in evaluation["horizons"].items()}
    known = {day: one for day, one in horizons.items() if None not in one.values()}
    if not known:
        raise NotSupported(f"observed over expected deaths have no interval at any horizon: nothing was kept of {site}")
    facts = {
        "model": artifact.digest,
        "site": site.strip(),
        "cohort": cohort_digest,
        "cohort_name": evaluation["cohort"],
        "patients": evaluation["n"],
        "horizons": known,
        "by": by,
        "what": f"at {site.strip()} on",
    }
    return ledger.append(releases, ledger.AT_SITE, facts, key_of(releases, seal_key, say))


def _observed_expected(horizon: Mapping[str, Any]) -> dict[str, float | None]:
    found = horizon["calibration"]["observed_expected"]
    return {name: found[name] for name in ("value", "low", "high")}
