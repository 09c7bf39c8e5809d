"""What the sealed artifact itself says of its promotion: what it learned from, its horizon, its diagnosis, its card."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from models.risk import RiskModel
from training.gate.verdict import Verdict
from training.study.criteria import Criteria
from training.telling.card import check_card
from training.telling.evidence import DIAGNOSIS

Evidence = Mapping[str, Mapping[str, Any]]
WHERE = "the artifact"


def sealed_verdicts(folder: Path, model: RiskModel, evidence: Evidence, criteria: Criteria) -> Iterator[Verdict]:
    """The criteria that can be read from the artifact folder, which has been verified."""
    yield not_simulated(model)
    yield promotable(model, criteria)
    yield no_fail(evidence)
    yield card_stands(check_card(folder))


def not_simulated(model: RiskModel) -> Verdict:
    """A model of simulated patients reaches no real one, nor does any child of it."""
    return Verdict("not simulated", not model.simulated, WHERE, f"learned from: {model.trained_on}", "real patients")


def promotable(model: RiskModel, criteria: Criteria) -> Verdict:
    """The primary horizon must have had deaths and survivors enough to be learned."""
    day = criteria.primary_day
    at = next((one for one in model.horizons if one.days == day), None)
    found = "not served" if at is None else at.level
    why = model.refused.get(f"{day:g}", "not a horizon of the model") if at is None else at.why
    return Verdict(f"standing of day {day:g}", found == "promotable", WHERE, found, "promotable", why)


def no_fail(evidence: Evidence) -> Verdict:
    """No finding of the diagnosis may be a Fail, accepted or not; what is Unknown is told."""
    if DIAGNOSIS not in evidence:
        return Verdict("diagnosis", False, WHERE, "nothing", "no Fail", f"there is no {DIAGNOSIS}: train with this version")
    return diagnosis(evidence[DIAGNOSIS]["findings"], WHERE)


def diagnosis(findings: Sequence[Mapping[str, Any]], where: str) -> Verdict:
    """The verdict on a diagnosis as it is filed."""
    failed = [str(one["item"]) for one in findings if one["verdict"] == "Fail"]
    unknown = sum(one["verdict"] == "Unknown" for one in findings)
    found = f"{len(failed)} Fail, {unknown} Unknown of {len(findings)} findings"
    return Verdict("diagnosis", bool(findings) and not failed, where, found, "no Fail", ", ".join(failed))


def card_stands(wrong: Sequence[str]) -> Verdict:
    """Every number of the card must be what its source says."""
    found = f"{len(wrong)} numbers or items that do not stand" if wrong else "every number as its source has it"
    return Verdict("card", not wrong, WHERE, found, "nothing wrong", "; ".join(wrong))
