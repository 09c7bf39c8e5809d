"""The evidence of a run: JSON documents, small groups hidden, from which the card, the report and the gate are written.

Nothing that is told of a run is taken from anywhere else, so that whoever has the artifact can check all of it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from training.cohort import Cohort
from training.fit import Fit
from training.telling.cohort_facts import cohort_facts
from training.telling.learner_facts import learner_facts
from training.telling.masked_evaluation import masked_evaluation
from training.telling.pointers import Evidence
from training.telling.risk_facts import risk_facts

COHORT, LEARNER, RISKS, EVALUATION = "cohort.json", "learner.json", "risks.json", "evaluation.json"
DIAGNOSIS, COMPARATORS, STUDY = "diagnosis.json", "comparators.json", "study.json"
TEST = "test.json"
NOT_ASKED = {"not available": "it was not asked for"}
NAMES = (COHORT, DIAGNOSIS, STUDY, LEARNER, EVALUATION, COMPARATORS, TEST, RISKS)
"""The documents an artifact may hold beside its card, in the order in which they are told."""


def evidence_of(
    cohort: Cohort,
    fit: Fit,
    evaluation: Mapping[str, Any],
    further: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    curve: Mapping[str, Any] | None = None,
) -> dict[str, dict[str, Any]]:
    """Every document by file name: what the cohort, the learner and the risks say, the evaluation, and `further` documents.

    `evaluation` is `Validation.as_json()`, `further` the diagnosis, the comparators, the study and the test where there are any,
    `curve` the learning curve where it was asked for. All are as they will be read back from their files.
    """
    made: dict[str, Mapping[str, Any]] = {
        COHORT: cohort_facts(cohort, fit.standings),
        LEARNER: learner_facts(fit),
        EVALUATION: masked_evaluation(evaluation, len(cohort)),
        RISKS: risk_facts(cohort, fit, list(evaluation["evaluations"])) | {"learning_curve": curve or NOT_ASKED},
        **(further or {}),
    }
    return {name: json.loads(as_bytes(made[name])) for name in NAMES if name in made}


def as_bytes(document: Mapping[str, Any]) -> bytes:
    """A document as it stands in its file."""
    return (json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def evidence_files(evidence: Evidence) -> dict[str, bytes]:
    """The documents as files of the artifact."""
    return {name: as_bytes(document) for name, document in evidence.items()}


def read_evidence(folder: Path) -> dict[str, dict[str, Any]]:
    """The documents of an artifact folder; those that are not there are not in it."""
    there = (name for name in NAMES if (folder / name).is_file())
    return {name: json.loads((folder / name).read_text(encoding="utf-8")) for name in there}
