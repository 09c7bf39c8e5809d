"""The trip of a study with landmarks: histories go in, one model for all landmarks comes out, judged at each of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from models import artifact
from models.design import FloatArray
from models.example import EXAMPLE
from training.cohort import Cohort
from training.fit import Fit, Settings, cross_fitted, fit
from training.histories import Histories, read_histories
from training.landmarks.judged import Judged, judge_landmarks, unseen
from training.landmarks.rows import LandmarkRows, landmark_rows
from training.learners.plan import plan_of
from training.progress import Advance, Steps, unwatched
from training.provenance import provenance_of
from training.refused import NotSupported
from training.study.landmarks import Landmarks
from training.study.study import Study
from training.telling.evidence import STUDY, as_bytes

LANDMARKS = "landmarks.json"  # beside the model: who was seen when, and how good it is at each landmark


@dataclass(frozen=True)
class LandmarkRun:
    """A model for landmarks, and everything that was found of it."""

    histories: Histories = field(repr=False)
    rows: LandmarkRows = field(repr=False)
    fit: Fit
    judged: tuple[Judged, ...]
    study: Study
    settings: Settings
    folder: Path
    digest: str

    @property
    def asked(self) -> Landmarks:
        """What the study declared."""
        return declared(self.study)


def declared(study: Study) -> Landmarks:
    """The landmarks of the study; NotSupported for a study without."""
    if study.landmarks is None:
        raise NotSupported(f"{study.name}: no [landmarks] table")
    return study.landmarks


def train_landmarks(
    cohort_file: Path,
    out: Path,
    settings: Settings,
    study: Study,
    *,
    data: Path | None = None,
    accept: str = "",
    bootstrap: int = 200,
    advance: Advance = unwatched,
    say: Callable[[Cohort], object] = lambda cohort: None,
) -> LandmarkRun:
    """Read the histories, fit one model on all landmarks, judge it at each beside the score of the index date, and save it.

    `say` hears of the cohort of the index date before anything is fitted. Raises what `read_histories` and `fit` raise, and
    FileExistsError where `out` holds something.
    """
    if out.exists() and any(out.iterdir()):
        raise FileExistsError(f"{out} is not empty: an artifact is written once and never altered")
    histories = read_histories(cohort_file, data=data, accept=accept, progress=True)
    say(histories.cohort)
    with threadpool_limits(1, user_api="blas"):
        rows = landmark_rows(histories, declared(study), advance)
        fitted = fit(rows.cohort, settings, advance)
        again = _on_the_index_date(histories.cohort, fitted, settings, advance)
        ours, days = unseen(fitted.cross, fitted.learner), fitted.cross.horizons
        progress = Steps(advance, "judged at each landmark", len(rows.at))
        judged = judge_landmarks(rows, ours, again, days, bootstrap=bootstrap, seed=settings.seed, progress=progress)
    files = {LANDMARKS: as_bytes(landmark_facts(histories, rows, judged, fitted, study)), STUDY: as_bytes(study.as_json())}
    files |= {} if fitted.booster is None else {"booster.ubj": fitted.booster}
    digest = artifact.save(fitted.model, out, files=files, provenance=provenance_of(rows.cohort, settings))
    return LandmarkRun(histories, rows, fitted, judged, study, settings, out, digest)


def _on_the_index_date(cohort: Cohort, fitted: Fit, settings: Settings, advance: Advance) -> FloatArray:
    """Out-of-fold log-odds (n_patients, h) of the same kind of model fitted on the index date alone, at the same horizons."""
    plan = replace(plan_of(cohort, replace(settings, features=None)), served=fitted.cross.horizons)
    cross = cross_fitted(plan, advance, "the score of the index date")
    return unseen(cross, fitted.learner if fitted.learner in cross.calibration else "linear")


def landmark_facts(
    histories: Histories, rows: LandmarkRows, judged: tuple[Judged, ...], fitted: Fit, study: Study
) -> Mapping[str, Any]:
    """Everything that is told of the run, JSON-ready; the words of a model of simulated patients come first."""
    return ({"example": EXAMPLE} if fitted.model.simulated else {}) | {
        "cohort": histories.cohort.name,
        "patients": len(histories),
        "rows": len(rows.cohort),
        "learner": fitted.learner,
        "features": list(fitted.model.design.features),
        "left_out": dict(fitted.choice.left_out),
        "refused": dict(fitted.model.refused),
        "declared": declared(study).as_json(),
        "rows_after_the_end_of_follow_up": dict(histories.beyond),
        "at": [one.as_json() for one in rows.at],
        "judged": [one.as_json() for one in judged],
    }
