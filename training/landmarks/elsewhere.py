"""A model for landmarks on patients it never saw: judged at each of its landmarks, beside its own score of the index date."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from models.artifact import Artifact
from models.design import FloatArray, design_matrix
from models.example import EXAMPLE, is_simulated
from models.patient import Patient
from models.risk import RiskModel
from training.histories import Histories, read_histories
from training.landmarks.judged import judge_landmarks
from training.landmarks.rows import landmark_rows
from training.progress import Advance, Steps, unwatched
from training.study.landmarks import Landmarks
from training.telling.evidence import STUDY


def declared_in(folder: Path) -> Landmarks:
    """The landmarks that the study of a saved model declared."""
    found = json.loads((folder / STUDY).read_text(encoding="utf-8"))["landmarks"]
    return Landmarks(**found | {"days": tuple(found["days"])})


def judge_elsewhere(
    artifact: Artifact,
    asked: Landmarks,
    cohort_file: Path,
    *,
    data: Path | None = None,
    accept: str = "",
    bootstrap: int = 200,
    seed: int = 1,
    advance: Advance = unwatched,
) -> dict[str, Any]:
    """Everything that is found, JSON-ready. The risks are the model's as it is: nothing is fitted to this cohort.

    The score of the index date used again is what the same model said on the index date. Raises what `read_histories` and
    `landmark_rows` raise: a landmark that nobody of this cohort reaches is refused.
    """
    model = artifact.model
    histories = _as_required(read_histories(cohort_file, data=data, accept=accept, progress=True), model)
    with threadpool_limits(1, user_api="blas"):
        rows = landmark_rows(histories, asked, advance)
        ours = _log_odds(model, rows.cohort.patients)
        again = _log_odds(model, [one.as_of(0, asked.carried) for one in histories])
        progress = Steps(advance, "judged at each landmark", len(rows.at))
        judged = judge_landmarks(rows, ours, again, model.days, bootstrap=bootstrap, seed=seed, progress=progress)
    cohort = histories.cohort
    return ({"example": EXAMPLE} if model.simulated or is_simulated(cohort.source) else {}) | {
        "cohort": cohort.name,
        "cohort_digest": cohort.digest,
        "model": model.name,
        "digest": artifact.digest,
        "learned_from_this_cohort": artifact.provenance.get("cohort_digest") == cohort.digest,
        "patients": len(histories),
        "rows": len(rows.cohort),
        "refused": dict(model.refused),
        "declared": asked.as_json(),
        "rows_after_the_end_of_follow_up": dict(histories.beyond),
        "at": [one.as_json() for one in rows.at],
        "judged": [one.as_json() for one in judged],
    }


def _as_required(histories: Histories, model: RiskModel) -> Histories:
    """At each landmark those have a row who have what the model requires."""
    return replace(histories, cohort=replace(histories.cohort, required=model.required))


def _log_odds(model: RiskModel, patients: Sequence[Patient]) -> FloatArray:
    return model.score(design_matrix(model.design, patients)).log_odds
