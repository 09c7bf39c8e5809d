"""The honest evaluation of a training run: every patient judged out of fold, the previously treated first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from models.design import FloatArray
from models.population import prior_line
from models.risk import sigmoid
from training.censoring import FollowUp
from training.cohort import Cohort
from training.crossfit import Repeat
from training.estimates import Estimate, NotEstimable
from training.evaluate import Evaluation, evaluate, paired_difference
from training.fit import Fit

TREATED, EVERYBODY = "previously treated", "everybody"
LEAST_TREATED = 40  # fewer cannot hold the 20 deaths and 20 survivors a horizon needs


@dataclass(frozen=True)
class Validation:
    """What cross-validation says of the saved learner.

    `evaluations`: by population, previously treated first, with 95 % intervals; a patient's log-odds are the mean over repeats of
    those of learners and calibrations that never saw the patient.
    `fold_means`: the mean over folds and repeats of each statistic, by population and horizon.
    `over_albumin`: by population and horizon, the paired gain in AUC over albumin alone on the same patients.
    """

    evaluations: Mapping[str, Evaluation]
    fold_means: Mapping[str, Mapping[str, float]]
    over_albumin: Mapping[str, Mapping[float, Estimate]]

    def as_json(self) -> dict[str, object]:
        """All of it, JSON-ready."""
        return {
            "evaluations": {name: one.as_json() for name, one in self.evaluations.items()},
            "fold_means": {name: dict(means) for name, means in self.fold_means.items()},
            "over_albumin_alone": {
                name: {f"{day:g}": gain.as_json() for day, gain in gains.items()} for name, gains in self.over_albumin.items()
            },
        }


def validate(
    cohort: Cohort, fit: Fit, *, bootstrap: int = 200, seed: int, progress: Callable[[str, int, int], object] = lambda *a: None
) -> Validation:
    """Judge the saved learner's cross-fitted, calibrated risks on everybody and on the previously treated."""
    treated = np.array([prior_line(patient) == "yes" for patient in cohort.patients])
    everybody = np.ones(len(cohort), np.bool_)
    populations = {TREATED: treated} if LEAST_TREATED <= treated.sum() < len(cohort) else {}
    populations |= {EVERYBODY: everybody}
    albumin = np.array([-m.value if (m := patient.current("albumin")) else np.nan for patient in cohort.patients])
    evaluations, means, gains = {}, {}, {}
    for place, (name, rows) in enumerate(populations.items()):
        progress(f"bootstrap, {name}", place, len(populations))
        judged = cohort.select(np.flatnonzero(rows)).follow_up
        log_odds = np.mean([one.calibrated[fit.learner] for one in fit.cross.repeats], axis=0)[rows]
        evaluations[name] = evaluate(sigmoid(log_odds), log_odds, judged, fit.cross.horizons, bootstrap=bootstrap, seed=seed)
        means[name] = _fold_means(fit.cross.repeats, fit.learner, cohort.follow_up, rows, fit.cross.horizons)
        gains[name] = _over_albumin(log_odds, albumin[rows], judged, tuple(evaluations[name].horizons), fit.cross.horizons, bootstrap, seed)
    progress("bootstrap", len(populations), len(populations))
    return Validation(evaluations, means, gains)


def _fold_means(
    repeats: Sequence[Repeat], learner: str, follow_up: FollowUp, rows: np.ndarray[tuple[int], np.dtype[np.bool_]], days: Sequence[float]
) -> dict[str, float]:
    """Means over folds of AUC, IPA, slope and Uno's C; folds in which a statistic cannot be had are left out of its mean."""
    found: dict[str, list[float]] = {}
    for repeat in repeats:
        for fold in np.unique(repeat.fold):
            inside = np.flatnonzero((repeat.fold == fold) & rows)
            log_odds = repeat.calibrated[learner][inside]
            entries = None if follow_up.entries is None else follow_up.entries[inside]
            part = FollowUp(follow_up.times[inside], follow_up.deaths[inside], entries)
            judged = evaluate(sigmoid(log_odds), log_odds, part, days, bootstrap=0, seed=0)
            for name, value in _statistics(judged).items():
                found.setdefault(name, []).append(value)
    return {name: float(np.mean(values)) for name, values in found.items()}


def _statistics(judged: Evaluation) -> dict[str, float]:
    values: dict[str, float | None] = {} if judged.uno_c is None else {"uno_c": judged.uno_c.estimate.value}
    for day, one in judged.horizons.items():
        values |= {f"auc_{day:g}d": one.auc.value, f"ipa_{day:g}d": one.ipa.value, f"slope_{day:g}d": one.calibration.slope.value}
    return {name: value for name, value in values.items() if value is not None}


def _over_albumin(
    log_odds: FloatArray,
    albumin: FloatArray,
    follow_up: FollowUp,
    evaluable: Sequence[float],
    days: Sequence[float],
    bootstrap: int,
    seed: int,
) -> dict[float, Estimate]:
    """The paired gain in AUC over albumin alone, among those in whom albumin was measured; empty where too few were."""
    there = np.flatnonzero(~np.isnan(albumin))
    if len(there) < LEAST_TREATED:
        return {}
    entries = None if follow_up.entries is None else follow_up.entries[there]
    part, gains = FollowUp(follow_up.times[there], follow_up.deaths[there], entries), {}
    for day in evaluable:
        ours = log_odds[there, list(days).index(day)]
        try:
            gains[day] = paired_difference(ours, albumin[there], part, day, statistic="auc", bootstrap=bootstrap, seed=seed)
        except NotEstimable as error:
            gains[day] = Estimate(None, None, None, str(error))
    return gains
