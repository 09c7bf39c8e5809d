"""The parity certificate: made-up patients scored on every path of the product, equal to the training path to the last bit.

The training path reads a cohort file and scores its design matrix; the other paths are in `training.gate.paths`.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from models.artifact import Artifact, load
from models.design import design_matrix
from training.cohort import read_cohort
from training.gate.parity_patients import MadeUp, made_up
from training.gate.paths import NotScored, Risks, Scorer
from training.gate.verdict import Verdict

PATIENTS, SEED, LEAST = 60, 20260131, 50


@dataclass(frozen=True)
class Certificate:
    """How many patients were scored, how many of them with inputs missing, in how many units, and what differs by path."""

    patients: int
    incomplete: int
    units: int
    differs: Mapping[str, str] = field(default_factory=dict)

    def verdict(self) -> Verdict:
        """Whether every path says the same of enough patients."""
        off = {path: how for path, how in self.differs.items() if how}
        equal = ", ".join(path for path in self.differs if path not in off)
        who = f"{self.patients} made-up patients, {self.incomplete} with inputs missing, {self.units} units"
        found = f"{who}; equal: {equal or 'none'}"
        why = "; ".join(f"{path}: {how}" for path, how in off.items())
        holds = not off and bool(self.differs) and self.patients >= LEAST and bool(self.incomplete)
        return Verdict("parity", holds, "every path", found, f"at least {LEAST} patients, equal to the bit on every path", why)

    def as_json(self) -> dict[str, Any]:
        """JSON-ready, for the ledger."""
        return {"patients": self.patients, "incomplete": self.incomplete, "units": self.units, "differs": dict(self.differs)}


def certificate(folder: Path, digest: str, scorers: Mapping[str, Scorer], count: int = PATIENTS) -> Certificate:
    """Score `count` made-up patients with the artifact of that digest by every path, and hold them against the training path."""
    artifact = load(folder, digest)
    with tempfile.TemporaryDirectory() as aside:
        asked = made_up(artifact.model, count, SEED, Path(aside))
        expected = by_training(artifact, asked)
        differs = {path: _difference(expected, scorer, folder, asked) for path, scorer in scorers.items()}
    units = {one["unit"] for patient in asked.patients for one in patient["measurements"]}
    labs = {feature.analyte for feature in artifact.model.design.of.values()} - {"", "nlr"}
    incomplete = sum(not labs <= {one["analyte"] for one in patient["measurements"]} for patient in asked.patients)
    return Certificate(len(expected), incomplete, len(units), differs)


def by_training(artifact: Artifact, asked: MadeUp) -> Risks:
    """As the model was trained: the cohort file is read and its design matrix scored."""
    cohort = read_cohort(asked.cohort_file, accept="made-up patients", required=artifact.model.required)
    scores = artifact.model.score(design_matrix(artifact.model.design, cohort.patients))
    days = list(map(str, artifact.model.days))
    rows = zip(cohort.patients, scores.risk.tolist(), strict=True)
    return {patient.id: dict(zip(days, risks, strict=True)) for patient, risks in rows}


def _difference(expected: Risks, scorer: Scorer, folder: Path, asked: MadeUp) -> str:
    """What differs from the training path, in words; nothing where every number is equal."""
    try:
        found = scorer(folder, asked)
    except (NotScored, OSError, subprocess.TimeoutExpired) as error:
        return f"did not answer: {error}"
    if set(found) != set(expected):
        return f"{len(found)} patients were scored, the training path has {len(expected)}"
    gaps = [
        abs(found[id].get(day, float("inf")) - risk)
        for id, risks in expected.items()
        for day, risk in risks.items()
        if found[id].get(day) != risk
    ]
    return f"{len(gaps)} risks differ, by up to {max(gaps):.1e}" if gaps else ""
