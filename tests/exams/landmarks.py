"""A model for landmarks held against the truth: simulated histories, whose true risks on every landmark are known.

The oracle knows the true state of burden and inflammation on the day; the model knows what was drawn, by hospitals that do not
measure everything. Both are judged on the same patients, the model by folds that never saw them, beside the score of the index
date used again.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from marks import Mark, found

from training.fit import Advance, Settings
from training.landmarks.trip import LandmarkRun, train_landmarks
from training.simulation.histories import LANDMARKS, simulate_history
from training.simulation.history_files import LANDMARKS_TRUTH, write_history
from training.statistics.censoring import FollowUp
from training.statistics.evaluate import evaluate
from training.study.landmarks import Landmarks
from training.study.study import Study

PATIENTS, SEED = 20_000, 22  # sizes of the simulated world were set looking at seed 21, features of the model at 31
HORIZONS = (30.0, 90.0, 180.0)
SETTINGS = Settings(horizons=HORIZONS, refits=2, tree_refits=1)
JUDGED_ON = 56  # days after the index date
GAIN, BELOW, SLOPES = 0.03, -0.015, (0.9, 1.1)


def sit(
    folder: Path, advance: Advance, patients: int = PATIENTS, settings: Settings = SETTINGS, days: tuple[int, ...] = LANDMARKS
) -> list[Mark]:
    """Train one model on all landmarks of `patients` histories, and judge it at each by folds that never saw them."""
    cohort = write_history(simulate_history(patients, SEED), folder / "histories", seed=SEED, tables="parquet")
    study = Study("landmarks", "", horizons=settings.horizons, landmarks=Landmarks(days=tuple(map(float, days))))
    run = train_landmarks(cohort, folder / "model", settings, study, bootstrap=0, advance=advance)
    return [*_gains(run), *_against_oracle(run, folder / "histories" / LANDMARKS_TRUTH), *_slopes(run)]


def _gains(run: LandmarkRun) -> list[Mark]:
    """By how much the model is better than the score of the index date used again."""
    marks = []
    for one in run.judged:
        ours, again = (found(each.horizons[180.0].auc) for each in (one.model, one.again))
        bar = {"least": GAIN} if one.day == JUDGED_ON else {}
        what = f"day {one.day:g}: AUC by 180 days minus that of the index date's score"
        marks.append(Mark(what, ours - again, note=f"{ours:.4f} and {again:.4f}", **bar))
    return marks


def _against_oracle(run: LandmarkRun, truth: Path) -> list[Mark]:
    true = pd.read_csv(truth).set_index(["patient", "landmark"])["risk_180d"]
    marks = []
    for one in run.judged:
        ours, possible = found(one.model.horizons[180.0].auc), oracle(run, true, one.day)
        bar = {"least": BELOW} if one.day == JUDGED_ON else {}
        what = f"day {one.day:g}: AUC by 180 days minus the oracle's"
        marks.append(Mark(what, ours - possible, note=f"{ours:.4f} of {possible:.4f}", **bar))
    return marks


def oracle(run: LandmarkRun, true: pd.Series, day: float) -> float:
    """The AUC of the true 180-day risks of those who have a row at a landmark."""
    rows = np.flatnonzero(run.rows.day == day)
    cohort = run.rows.cohort
    risk = true.loc[[(cohort.patients[row].id, int(day)) for row in rows]].to_numpy()
    log_odds = np.log(risk) - np.log1p(-risk)
    follow_up = FollowUp(cohort.follow_up.times[rows], cohort.follow_up.deaths[rows])
    judged = evaluate(risk[:, None], log_odds[:, None], follow_up, (180.0,), bootstrap=0, seed=0)
    return found(judged.horizons[180.0].auc)


def _slopes(run: LandmarkRun) -> list[Mark]:
    least, most = SLOPES
    return [
        Mark(f"day {one.day:g}: calibration slope by {horizon:g} days", found(at.calibration.slope), least=least, most=most)
        for one in run.judged
        for horizon, at in one.model.horizons.items()
    ]
