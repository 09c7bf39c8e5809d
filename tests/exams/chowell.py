"""Real patients: the project's own `train` cross-validated on the cohort of the LORIS publication, previously treated first."""

from __future__ import annotations

import math
import os
from pathlib import Path

import numpy as np
from marks import Mark

from models.risk import sigmoid
from training.cohort import Cohort
from training.fit import Advance, Settings
from training.judgement import interval
from training.run import TrainedRun, train
from training.statistics.evaluate import evaluate
from training.validate import EVERYBODY, TREATED

COHORT = Path(__file__).parents[1] / "cohorts" / "chowell_train.toml"
TABLES = os.environ.get("LYMPHORISK_COHORTS")  # the folder of the real cohorts' tables
SEED, BOOTSTRAP = 1, 200
SETTINGS = Settings(repeats=2, seed=SEED)
TREATED_BARS = {90: 0.80, 180: 0.765, 365: 0.69}
AUC_BARS = {90: 0.822, 180: 0.783, 365: 0.733}
IPA_BARS = {90: 0.235, 180: 0.215, 365: 0.155}


def sit(folder: Path, advance: Advance, settings: Settings = SETTINGS, bootstrap: int = BOOTSTRAP) -> list[Mark]:
    """Cross-validate; nothing where the tables are not at hand."""
    if TABLES is None:
        return []
    run = train(COHORT, folder / "model", settings, data=Path(TABLES), bootstrap=bootstrap, tracking=None, advance=advance)
    return [*_treated(run, bootstrap), *_everybody(run)]


def _treated(run: TrainedRun, bootstrap: int) -> list[Mark]:
    judged, means = run.validation.evaluations[TREATED], run.validation.fold_means[TREATED]
    alone = _albumin_alone(run.cohort.select(_treated_rows(run)), bootstrap)
    marks = []
    for day, least in TREATED_BARS.items():
        note = f"mean of folds; pooled {interval(judged.horizons[day].auc.as_json())}, albumin alone {alone[day]}"
        marks.append(Mark(f"previously treated ({judged.n}): AUC by day {day}", means[f"auc_{day}d"], least=least, note=note))
    gain = run.validation.over_albumin[TREATED][180.0]
    what = "previously treated: gain over albumin alone, AUC by day 180, lower limit"
    lower = math.nan if gain.low is None else gain.low
    return [*marks, Mark(what, lower, least=0.0, note=f"paired; gain {interval(gain.as_json())}")]


def _treated_rows(run: TrainedRun) -> np.ndarray:
    return np.array([patient.history.prior_systemic_therapy == 1 for patient in run.cohort.patients])


def _albumin_alone(cohort: Cohort, bootstrap: int) -> dict[float, str]:
    """AUC of albumin alone with its interval, among those in whom it was measured."""
    albumin = np.array([-found.value if (found := patient.current("albumin")) else np.nan for patient in cohort.patients])
    there = ~np.isnan(albumin)
    days, followed = list(TREATED_BARS), cohort.select(there).follow_up
    log_odds = np.repeat((albumin[there] - albumin[there].mean())[:, None], len(days), axis=1)
    judged = evaluate(sigmoid(log_odds), log_odds, followed, days, bootstrap=bootstrap, seed=SEED)
    return {day: interval(one.auc.as_json()) for day, one in judged.horizons.items()}


def _everybody(run: TrainedRun) -> list[Mark]:
    means, who = run.validation.fold_means[EVERYBODY], f"everybody ({len(run.cohort)})"
    marks = [Mark(f"{who}: AUC by day {day}", means[f"auc_{day}d"], least=least) for day, least in AUC_BARS.items()]
    marks.append(Mark(f"{who}: Uno's C to day 365", means["uno_c"], least=0.712))
    marks += [Mark(f"{who}: IPA by day {day}", means[f"ipa_{day}d"], least=least) for day, least in IPA_BARS.items()]
    slopes = [Mark(f"{who}: calibration slope by day {day}", means[f"slope_{day}d"], least=0.85, most=1.20) for day in AUC_BARS]
    return [*marks, *slopes]
