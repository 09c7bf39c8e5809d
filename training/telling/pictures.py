"""The pictures of a training run: who lived how long, whether stated risks came true, and what moves the risk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from models.example import EXAMPLE, is_simulated
from models.population import prior_line
from training.cohort import Cohort
from training.fit import Fit
from training.telling.attribution import attribution
from training.telling.drawn_attribution import draw_features, draw_groups, draw_horizons, draw_one_patient, draw_swarm
from training.telling.drawn_survival import draw_calibration, draw_survival
from training.telling.sheet import saved
from training.validate import EVERYBODY, TREATED, Validation


def draw_pictures(cohort: Cohort, fit: Fit, validation: Validation, folder: Path) -> tuple[Path, ...]:
    """PNG files in `folder`; of a model of simulated patients each says so at its top.

    No picture shows a single real patient: a whole row is drawn of simulated cohorts alone.
    """
    folder.mkdir(parents=True, exist_ok=True)
    return tuple(saved(figure, folder, name) for name, figure in _drawn(cohort, fit, validation))


def _drawn(cohort: Cohort, fit: Fit, validation: Validation) -> Iterator[tuple[str, Figure]]:
    example = EXAMPLE if fit.model.simulated else ""
    yield "survival", draw_survival(cohort.follow_up, fit.standings, example=example)
    for whom in validation.evaluations:
        yield f"calibration-{whom.replace(' ', '-')}", _calibration(cohort, fit, whom, example)
    of = attribution(fit)
    yield "shap-swarm", draw_swarm(of, seed=1, example=example)
    yield "shap-features", draw_features(of, example=example)
    yield "shap-groups", draw_groups(of, example=example)
    yield "shap-horizons", draw_horizons(of, example=example)
    if is_simulated(cohort.source):
        yield "shap-one-patient", draw_one_patient(of, example=example)


def _calibration(cohort: Cohort, fit: Fit, whom: str, example: str) -> Figure:
    inside = {TREATED: [prior_line(patient) == "yes" for patient in cohort.patients], EVERYBODY: [True] * len(cohort)}
    rows = np.flatnonzero(inside[whom])
    log_odds = fit.cross.repeats[0].calibrated[fit.learner][rows]
    return draw_calibration(log_odds, fit.cross.horizons, cohort.select(rows).follow_up, whom=whom, example=example)
