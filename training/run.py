"""The trip of a data scientist: a cohort goes in, an evaluated, explained and tracked model comes out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from threadpoolctl import threadpool_limits

from models import artifact
from training.cohort import Cohort, read_cohort
from training.fit import Fit, Settings, fit
from training.progress import Advance, unwatched
from training.provenance import provenance_of
from training.telling.card import card_files
from training.telling.evidence import COMPARATORS, evidence_files, evidence_of
from training.telling.page import write_report
from training.telling.pictures import draw_pictures
from training.tracking.track import Tracked, Tracking, track
from training.validate import Validation, validate


@dataclass(frozen=True)
class TrainedRun:
    """Everything a training run made: what MLflow keeps, what the card tells, what the artifact holds."""

    cohort: Cohort
    settings: Settings
    fit: Fit
    validation: Validation
    folder: Path
    digest: str
    pictures: tuple[Path, ...]
    report: Path  # one HTML page, beside the artifact
    tracked: Tracked | None


def train(
    cohort_file: Path,
    out: Path,
    settings: Settings,
    *,
    data: Path | None = None,
    accept: str = "",
    bootstrap: int = 200,
    tracking: Tracking | None,
    advance: Advance = unwatched,
    say: Callable[[Cohort], object] = lambda cohort: None,
) -> TrainedRun:
    """Read, fit, validate, draw, save, track. `say` hears of the cohort before anything is fitted."""
    if out.exists() and any(out.iterdir()):
        raise FileExistsError(f"{out} is not empty: an artifact is written once and never altered")
    cohort = read_cohort(cohort_file, data=data, accept=accept, progress=True)
    say(cohort)
    # the matrices are small: more BLAS threads than one only wait for each other (18 s against 2 s for 500 patients)
    with threadpool_limits(1, user_api="blas"):
        fitted = fit(cohort, settings, advance)
        validation = validate(cohort, fitted, bootstrap=bootstrap, seed=settings.seed, progress=advance)
    evidence = evidence_of(cohort, fitted, validation.as_json(), {COMPARATORS: validation.simple_models})
    pictures = draw_pictures(cohort, fitted, evidence, out.with_name(out.name + "-pictures"))
    files = evidence_files(evidence) | card_files(evidence) | ({} if fitted.booster is None else {"booster.ubj": fitted.booster})
    provenance = provenance_of(cohort, settings)
    digest = artifact.save(fitted.model, out, files=files, provenance=provenance)
    report = write_report(out, evidence, pictures, digest, provenance)
    tracked = None
    if tracking is not None:
        advance("tracking in MLflow", 0, 1)
        tracked = track(tracking, cohort, settings, fitted, validation, out, digest, pictures)
        advance("tracking in MLflow", 1, 1)
    return TrainedRun(cohort, settings, fitted, validation, out, digest, pictures, report, tracked)
