"""All criteria between a trained model and patients, judged together: every one is told, not only the first that fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models import artifact
from models.artifact import Artifact
from training.comparing.simple_file import read_simple
from training.gate.declared import declared
from training.gate.held_out import HeldOut, held_out_verdicts, needed
from training.gate.parity import Certificate, certificate
from training.gate.paths import Scorer
from training.gate.performance import cross_validated, tested
from training.gate.sealed import sealed_verdicts
from training.gate.verdict import Verdict, table
from training.landmarks.refused import require_index_date
from training.progress import Advance, unwatched
from training.study.criteria import Criteria
from training.telling.evidence import TEST, read_evidence


@dataclass(frozen=True)
class Candidate:
    """A model that asks to be promoted: its verified artifact, the folder it lies in, and the evidence there."""

    folder: Path
    artifact: Artifact
    evidence: Mapping[str, Mapping[str, Any]]

    @staticmethod
    def read(folder: Path, digest: str | None = None) -> Candidate:
        """The candidate in an artifact folder, verified. Raises InvalidArtifact, and NotSupported for a model for landmarks."""
        found = artifact.load(folder, digest)
        require_index_date(found.model, "promoted")
        return Candidate(folder, found, read_evidence(folder))


@dataclass(frozen=True)
class Judged:
    """What the gate found: by which criteria, declared where, with which verdicts; and the parity certificate."""

    criteria: Criteria
    declared: str
    verdicts: tuple[Verdict, ...]
    parity: Certificate

    @property
    def fails(self) -> tuple[Verdict, ...]:
        """The criteria that do not hold."""
        return tuple(one for one in self.verdicts if not one.holds)

    def as_json(self) -> dict[str, Any]:
        """JSON-ready, as it is kept in the ledger."""
        return {
            "declared": self.declared,
            "bars": self.criteria.as_json(),
            "criteria": [one.as_json() for one in self.verdicts],
            "parity": self.parity.as_json(),
        }

    def text(self) -> str:
        """All criteria for a reader."""
        count = f"{len(self.verdicts) - len(self.fails)} of {len(self.verdicts)} criteria hold"
        return f"Bars: {self.declared}\n{table(self.verdicts)}\n{count}"


def judge_candidate(
    candidate: Candidate,
    champion: Artifact | None,
    given: HeldOut | None,
    scorers: Mapping[str, Scorer],
    advance: Advance = unwatched,
) -> Judged:
    """Every criterion: what the sealed artifact says, what the test cohort says, and whether every path says the same number."""
    criteria, where = declared(candidate.evidence)
    ours, folder = candidate.artifact, candidate.folder
    verdicts: Sequence[Verdict] = [
        *sealed_verdicts(folder, ours.model, candidate.evidence, criteria),
        *cross_validated(candidate.evidence, criteria),
        *tested(candidate.evidence, criteria),
        needed(ours, champion, given, criteria.require_test and TEST not in candidate.evidence),
        *([] if given is None else held_out_verdicts(ours, read_simple(folder), champion, given, criteria, advance)),
    ]
    advance("parity of every path", 0, 1)
    parity = certificate(folder, ours.digest, scorers)
    advance("parity of every path", 1, 1)
    return Judged(criteria, where, (*verdicts, parity.verdict()), parity)
