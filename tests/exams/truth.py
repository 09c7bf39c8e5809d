"""A model of simulated patients held against the truth: new patients of the same hospitals, whose true risks are known.

The oracle is the true risk given complete covariates and hospital. A model sees neither the hospital nor what was not measured,
so it stays below; how far is the exam.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from marks import Mark, found

from models.design import FloatArray, design_matrix
from training.cohort import Cohort, read_cohort
from training.fit import Advance, Settings
from training.run import train
from training.simulation.files import write
from training.simulation.simulate import SimulatedCohort, simulate
from training.simulation.truth import HORIZONS
from training.statistics.evaluate import evaluate
from training.statistics.evaluation import Evaluation

DEFAULT = Settings()
DEVELOPED, JUDGED = 20_000, 8_000  # patients
BELOW, ERROR, LEAST, MOST = -0.010, 0.055, 0.97, 1.03  # of the AUC, of the risk, observed over expected
SEEDS = (1, 2)  # of those developed on and of those judged, stated before anything was run


def sit(
    folder: Path, advance: Advance, developed: int = DEVELOPED, judged: int = JUDGED, settings: Settings = DEFAULT
) -> list[Mark]:
    """Train on `developed` patients, judge on `judged` others."""
    cohort = write(simulate(developed, SEEDS[0]), folder / "developed")
    model = train(cohort, folder / "model", settings, bootstrap=0, tracking=None, advance=advance).fit.model
    truth = simulate(judged, SEEDS[1])
    new = read_cohort(write(truth, folder / "judged"))
    oracle = true_risks(truth, new, model.days)
    scores = model.score(design_matrix(model.design, new.patients))
    ours = evaluate(scores.risk, scores.log_odds, new.follow_up, model.days, bootstrap=0, seed=0)
    best = evaluate(oracle, np.log(oracle) - np.log1p(-oracle), new.follow_up, model.days, bootstrap=0, seed=0)
    error = float(np.abs(scores.risk - oracle).mean(axis=0)[model.days.index(180)])
    off = Mark("mean absolute error of the 180-day risk", error, most=ERROR)
    return [*_against_oracle(ours, best), off, *_calibration(ours, best)]


def true_risks(truth: SimulatedCohort, cohort: Cohort, days: tuple[int, ...]) -> FloatArray:
    """The oracle's risks (n, n_days) of the patients in `cohort`, in their order."""
    rows = {patient: row for row, patient in enumerate(truth.ids)}
    risks: FloatArray = truth.risk_given_covariates[[rows[patient.id] for patient in cohort.patients]]
    return risks[:, [HORIZONS.index(day) for day in days]]


def _against_oracle(ours: Evaluation, best: Evaluation) -> list[Mark]:
    marks = []
    for day, one in ours.horizons.items():
        reached, possible = found(one.auc), found(best.horizons[day].auc)
        bar = {"least": BELOW} if day == 180 else {}
        note = f"{reached:.4f} of {possible:.4f}"
        marks.append(Mark(f"AUC by day {day:g} minus the oracle's", reached - possible, note=note, **bar))
    return marks


def _calibration(ours: Evaluation, best: Evaluation) -> list[Mark]:
    marks = []
    for day, one in ours.horizons.items():
        ratio, true = (found(each.calibration.observed_expected) for each in (one, best.horizons[day]))
        bar = {"least": LEAST, "most": MOST} if day in (180, 365) else {}
        marks.append(Mark(f"observed over expected deaths by day {day:g}", ratio, note=f"the oracle's own: {true:.3f}", **bar))
    return marks
