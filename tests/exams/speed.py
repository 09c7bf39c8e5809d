"""How long a judgement takes: a thousand patients with everything that is asked of them, and the ranking of a million."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from marks import Mark
from threadpoolctl import threadpool_limits

from models.design import FloatArray
from training.progress import Advance
from training.statistics.calibration import sigmoid
from training.statistics.censoring import FollowUp, weights
from training.statistics.discrimination import auc, uno_c
from training.statistics.evaluate import evaluate

HORIZONS = (30.0, 60.0, 90.0, 180.0, 365.0)
PATIENTS, RESAMPLES, MANY = 1_000, 500, 1_000_000
WHOLE, RANKED = 60.0, 5.0  # seconds at most
SEED = 6


def sit(
    folder: Path, advance: Advance, patients: int = PATIENTS, resamples: int = RESAMPLES, many: int = MANY
) -> list[Mark]:
    """Processor seconds, on one of them; everybody dies or is lost on a day of their own, which is the slower case."""
    log_odds, follow_up = drawn(patients)
    spent = _seconds(lambda: evaluate(sigmoid(log_odds), log_odds, follow_up, HORIZONS, bootstrap=resamples, seed=SEED))
    advance("timed", 1, 3)
    ranked, cohort = drawn(many)
    column = ranked[:, 3]
    found = weights(cohort, [180.0])
    seconds = [_seconds(lambda: auc(column, found.dead[:, 0], found.weight[:, 0]))]
    advance("timed", 2, 3)
    seconds.append(_seconds(lambda: uno_c(column, cohort, 365.0)))
    advance("timed", 3, 3)
    whole = f"evaluating {patients:,} patients with {resamples} resamples, processor seconds"
    return [
        Mark(whole, spent, most=WHOLE, note=f"{len(HORIZONS)} horizons, every statistic"),
        Mark(f"AUC of {many:,} patients, processor seconds", seconds[0], most=RANKED),
        Mark(f"Uno's C of {many:,} patients, processor seconds", seconds[1], most=RANKED),
    ]


def drawn(n: int) -> tuple[FloatArray, FollowUp]:
    """True log-odds (n, 5) of patients who die at a constant rate each, and their follow-up of at most 900 days."""
    random = np.random.default_rng(SEED)
    hazard = np.exp(0.8 * random.normal(size=n)) / 300
    life, lost = random.exponential(1 / hazard), random.uniform(100, 900, n)
    return np.log(np.expm1(np.outer(hazard, HORIZONS))), FollowUp(np.minimum(life, lost), life <= lost)


def _seconds(of: Callable[[], object]) -> float:
    began = time.process_time()
    with threadpool_limits(1):
        of()
    return time.process_time() - began
