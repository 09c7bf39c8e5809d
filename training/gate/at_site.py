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

    Raises NotSupported where that says nothing of the site: no name, a diagnosis that fails, patients whom the model knew or who
    are simulated, or no horizon with an interval.
    """
    _require_evidence(artifact, evaluation, site, cohort_digest)
    known = {day: told for day, one in evaluation["horizons"].items() if None not in (told := _at_horizon(one)).values()}
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


def _require_evidence(artifact: Artifact, evaluation: Mapping[str, Any], site: str, cohort_digest: str) -> None:
    if not site.strip():
        raise NotSupported("--site names no hospital")
    nothing = f"Nothing was kept of {site}"
    known = (artifact.model.facts.get("cohort_digest"), artifact.provenance.get("cohort_digest"))
    if learned_from(evaluation["diagnosis"]) == "yes" or cohort_digest in known:
        raise NotSupported(f"{NO_EVIDENCE} {nothing}")
    if "example" in evaluation and not artifact.model.simulated:
        raise NotSupported(f"{evaluation['cohort']} is simulated: it says nothing of a hospital's patients. {nothing}")
    failed = [one["item"] for one in evaluation["diagnosis"]["findings"] if one["verdict"] == "Fail" and not one["accepted"]]
    if failed:
        raise NotSupported(f"the diagnosis of {evaluation['cohort']} fails: {', '.join(failed)}. {nothing}")


def _at_horizon(horizon: Mapping[str, Any]) -> dict[str, float | None]:
    """Observed over expected deaths with their interval, the slope, and how many had died."""
    calibration = horizon["calibration"]
    found = {name: calibration["observed_expected"][name] for name in ("value", "low", "high")}
    return found | {"slope": calibration["slope"]["value"], "deaths": horizon["deaths"]}
