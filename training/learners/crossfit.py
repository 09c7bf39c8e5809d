"""Every patient judged by learners that never saw them: repeated cross-validation by patient, calibration cross-fitted too."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.design import DesignMatrix, FloatArray
from models.risk import Calibration
from training.cohort import followed
from training.learners.learn import stacked
from training.learners.recalibrate import calibrated, fit_calibration
from training.statistics.censoring import FollowUp
from training.statistics.splits import grouped_folds

Hear = Callable[[NDArray[np.intp], Mapping[str, FloatArray]], object]  # rows, and log-odds (rows, h) of each learner


@dataclass(frozen=True)
class Repeat:
    """One repeat: the fold of every patient (n,), and each learner's out-of-fold log-odds (n, h), raw and calibrated.

    The calibration of a fold was fitted on the out-of-fold log-odds of the other folds: its four numbers never saw the fold, the
    learners behind them did.
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


class Fitted(Protocol):
    """Learners that have been fitted, and what each of them says of others: uncalibrated log-odds (n, h) by name."""

    def log_odds(self, matrix: DesignMatrix, days: FloatArray, /) -> Mapping[str, FloatArray]: ...


class Fitter(Protocol):
    """Fits learners on these patients alone."""

    def __call__(self, matrix: DesignMatrix, follow_up: FollowUp, /, *, seed: int) -> Fitted: ...


def cross_fit(
    fit: Fitter,
    matrix: DesignMatrix,
    follow_up: FollowUp,
    patients: Sequence[str],
    served: Sequence[float],
    *,
    folds: int,
    repeats: int,
    seed: int,
    progress: Callable[[int], object] = lambda n: None,
) -> CrossFit:
    """Out-of-fold log-odds of every learner that `fit` fits, at the `served` horizons (days).

    `patients` (n,) names the patient of each row; all rows of a patient are on one side of a split. `progress` is called with 1
    after each fold.
    """
    dealt = [grouped_folds(patients, follow_up.deaths, folds, seed + repeat) for repeat in range(repeats)]
    return cross_fit_in(dealt, fit, matrix, follow_up, served, seed=seed, progress=progress)


def cross_fit_in(
    folds: Sequence[NDArray[np.intp]],
    fit: Fitter,
    matrix: DesignMatrix,
    follow_up: FollowUp,
    served: Sequence[float],
    *,
    seed: int,
    progress: Callable[[int], object] = lambda n: None,
    hear: Hear = lambda rows, said: None,
) -> CrossFit:
    """The same in folds that were dealt already: for each repeat, the fold of every patient (n,).

    `hear` is told, fold by fold, what the learners said of which rows; what it raises ends the cross-validation.
    """
    made = []
    for repeat, fold in enumerate(folds):
        raw = out_of_fold(fit, matrix, follow_up, fold, served, seed=seed + repeat, progress=progress, hear=hear)
        made.append(Repeat(fold, raw, {name: _cross_calibrated(values, fold, follow_up, served) for name, values in raw.items()}))
    pooled = {name: _pooled_calibration([one.raw[name] for one in made], follow_up, served) for name in made[0].raw}
    return CrossFit(tuple(served), tuple(made), pooled)


def out_of_fold(
    fit: Fitter,
    matrix: DesignMatrix,
    follow_up: FollowUp,
    fold: NDArray[np.intp],
    served: Sequence[float],
    *,
    seed: int,
    progress: Callable[[int], object] = lambda n: None,
    hear: Hear = lambda rows, said: None,
) -> dict[str, FloatArray]:
    """Uncalibrated log-odds (n, h) of each learner, of every patient by learners fitted on the other folds alone."""
    raw: dict[str, FloatArray] = {}
    for k in np.unique(fold):
        inside, outside = np.flatnonzero(fold != k), np.flatnonzero(fold == k)
        learned = fit(rows_of(matrix, inside), followed(follow_up, inside), seed=seed)
        said = learned.log_odds(rows_of(matrix, outside), np.asarray(served, np.float64))
        for name, values in said.items():
            raw.setdefault(name, np.zeros((len(fold), len(served))))[outside] = values
        hear(outside, said)
        progress(1)
    return raw


def rows_of(matrix: DesignMatrix, rows: NDArray[np.intp]) -> DesignMatrix:
    """The design rows of some patients."""
    return DesignMatrix(matrix.x[rows], matrix.to_estimate[rows])


def _cross_calibrated(raw: FloatArray, fold: NDArray[np.intp], follow_up: FollowUp, served: Sequence[float]) -> FloatArray:
    made = np.zeros_like(raw)
    for k in np.unique(fold):
        others = np.flatnonzero(fold != k)
        calibration = fit_calibration(raw[others], stacked(followed(follow_up, others), served))
        made[fold == k] = calibrated(raw[fold == k], calibration)
    return made


def _pooled_calibration(raw: Sequence[FloatArray], follow_up: FollowUp, served: Sequence[float]) -> Calibration:
    """One map for all repeats: a patient counts once, by the mean of the out-of-fold log-odds."""
    return fit_calibration(np.mean(raw, axis=0), stacked(follow_up, served))
