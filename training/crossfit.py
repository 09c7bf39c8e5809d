"""Every patient judged by learners that never saw them: repeated patient-grouped cross-validation, calibration cross-fitted too."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.design import Design, DesignMatrix, FloatArray
from models.risk import Calibration
from training.censoring import FollowUp
from training.fit_trees import TreeSettings
from training.learn import learn, stacked
from training.recalibrate import calibrated, fit_calibration
from training.splits import grouped_folds


@dataclass(frozen=True)
class Repeat:
    """One repeat: the fold of every patient (n,), and each learner's out-of-fold log-odds (n, h), raw and calibrated.

    The calibration of a fold was fitted on the out-of-fold log-odds of the other folds.
    """

    fold: NDArray[np.intp]
    raw: Mapping[str, FloatArray]
    calibrated: Mapping[str, FloatArray]


@dataclass(frozen=True)
class CrossFit:
    """All repeats, the horizons (days), and the calibration of each learner on all its out-of-fold log-odds."""

    horizons: tuple[float, ...]
    repeats: tuple[Repeat, ...]
    calibration: Mapping[str, Calibration]


def cross_fit(
    design: Design,
    matrix: DesignMatrix,
    follow_up: FollowUp,
    patients: Sequence[str],
    *,
    grid: Sequence[float],
    served: Sequence[float],
    trees: TreeSettings | None,
    folds: int,
    repeats: int,
    seed: int,
    progress: Callable[[int], object] = lambda n: None,
) -> CrossFit:
    """Out-of-fold log-odds of every learner at the `served` horizons; `progress` is called with 1 after each fold."""
    made = []
    for repeat in range(repeats):
        fold = grouped_folds(patients, follow_up.deaths, folds, seed + repeat)
        raw: dict[str, FloatArray] = {}
        for k in range(folds):
            inside, outside = np.flatnonzero(fold != k), np.flatnonzero(fold == k)
            learned = learn(
                design, _rows(matrix, inside), _followed(follow_up, inside), grid=grid, served=served, trees=trees, seed=seed + repeat
            )
            for name, values in learned.log_odds(_rows(matrix, outside), np.asarray(served)).items():
                raw.setdefault(name, np.zeros((len(fold), len(served))))[outside] = values
            progress(1)
        made.append(Repeat(fold, raw, {name: _cross_calibrated(values, fold, follow_up, served) for name, values in raw.items()}))
    pooled = {name: _pooled_calibration([one.raw[name] for one in made], follow_up, served) for name in made[0].raw}
    return CrossFit(tuple(served), tuple(made), pooled)


def _rows(matrix: DesignMatrix, rows: NDArray[np.intp]) -> DesignMatrix:
    return DesignMatrix(matrix.x[rows], matrix.to_estimate[rows])


def _followed(follow_up: FollowUp, rows: NDArray[np.intp]) -> FollowUp:
    entries = None if follow_up.entries is None else follow_up.entries[rows]
    return FollowUp(follow_up.times[rows], follow_up.deaths[rows], entries)


def _cross_calibrated(raw: FloatArray, fold: NDArray[np.intp], follow_up: FollowUp, served: Sequence[float]) -> FloatArray:
    made = np.zeros_like(raw)
    for k in np.unique(fold):
        others = np.flatnonzero(fold != k)
        calibration = fit_calibration(raw[others], stacked(_followed(follow_up, others), served))
        made[fold == k] = calibrated(raw[fold == k], calibration)
    return made


def _pooled_calibration(raw: Sequence[FloatArray], follow_up: FollowUp, served: Sequence[float]) -> Calibration:
    """One map for all repeats: a patient counts once, by the mean of the out-of-fold log-odds."""
    return fit_calibration(np.mean(raw, axis=0), stacked(follow_up, served))
