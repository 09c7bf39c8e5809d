"""The evaluation of a training run: every patient judged out of fold, the previously treated first, beside albumin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from models.design import FloatArray
from models.population import prior_line
from models.risk import sigmoid
from training.cohort import Cohort, followed
from training.fit import Fit
from training.fold_means import fold_means
from training.progress import Advance, unwatched
from training.statistics.censoring import Array, FollowUp
from training.statistics.estimates import Estimate, NotEstimable, attempt, bootstrapped
from training.statistics.evaluate import Evaluation, evaluate
from training.statistics.panel import STATISTICS, Scored, outcomes
from training.statistics.standing import standing

TREATED, EVERYBODY = "previously treated", "everybody"
LEAST_TREATED = 40  # fewer cannot hold the 20 deaths and 20 survivors a horizon needs

ByHorizon = Mapping[float, Estimate]


@dataclass(frozen=True)
class Validation:
    """What cross-validation says of the saved learner.

    `evaluations`: by population, previously treated first, with 95 % intervals; a patient's log-odds are the mean over repeats of
    those of learners and calibrations that never saw the patient.
    `fold_means`: the mean over folds and repeats of each statistic, by population and horizon.
    `over_albumin`: by population and horizon, the paired gain in AUC over albumin alone on the same patients, those in whom
    albumin was measured; `albumin_alone`: its own AUC in them.
    """

    evaluations: Mapping[str, Evaluation]
    fold_means: Mapping[str, Mapping[str, float]]
    over_albumin: Mapping[str, ByHorizon]
    albumin_alone: Mapping[str, ByHorizon] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        """All of it, JSON-ready."""
        return {
            "evaluations": {name: one.as_json() for name, one in self.evaluations.items()},
            "fold_means": {name: dict(means) for name, means in self.fold_means.items()},
            "over_albumin_alone": _by_horizon_json(self.over_albumin),
            "albumin_alone": _by_horizon_json(self.albumin_alone),
        }


def _by_horizon_json(found: Mapping[str, ByHorizon]) -> dict[str, object]:
    return {name: {f"{day:g}": one.as_json() for day, one in estimates.items()} for name, estimates in found.items()}


def validate(
    cohort: Cohort, fit: Fit, *, bootstrap: int = 200, seed: int, progress: Advance = unwatched
) -> Validation:
    """Judge the saved learner's cross-fitted, calibrated risks on everybody and on the previously treated."""
    populations = _populations(cohort)
    log_odds = np.mean([one.calibrated[fit.learner] for one in fit.cross.repeats], axis=0)
    albumin = np.array([-one.value if (one := patient.current("albumin")) else np.nan for patient in cohort.patients])
    evaluations, means = dict[str, Evaluation](), dict[str, Mapping[str, float]]()
    alone, gains = dict[str, ByHorizon](), dict[str, ByHorizon]()
    for place, (name, among) in enumerate(populations.items()):
        progress(f"bootstrap, {name}", place, len(populations))
        ours, part = log_odds[among], followed(cohort.follow_up, among)
        evaluations[name] = evaluate(sigmoid(ours), ours, part, fit.cross.horizons, bootstrap=bootstrap, seed=seed)
        days = tuple(evaluations[name].horizons)
        means[name] = fold_means(fit.cross, fit.learner, cohort.follow_up, among, days)
        columns = {day: ours[:, fit.cross.horizons.index(day)] for day in days}
        alone[name], gains[name] = against_albumin(columns, albumin[among], part, bootstrap, seed)
    progress("bootstrap", len(populations), len(populations))
    return Validation(evaluations, means, gains, alone)


def _populations(cohort: Cohort) -> dict[str, np.ndarray[tuple[int], np.dtype[np.bool_]]]:
    """Who is judged together, as flags (n,): the previously treated where some were and some were not, and everybody."""
    treated = np.array([prior_line(patient) == "yes" for patient in cohort.patients])
    apart = {TREATED: treated} if LEAST_TREATED <= treated.sum() < len(cohort) else {}
    return apart | {EVERYBODY: np.ones(len(cohort), np.bool_)}


def against_albumin(
    log_odds: Mapping[float, FloatArray], albumin: FloatArray, follow_up: FollowUp, bootstrap: int, seed: int
) -> tuple[dict[float, Estimate], dict[float, Estimate]]:
    """The AUC of albumin alone, and how much better log-odds (n,) at each horizon are, in those in whom albumin was measured.

    `albumin` (n,) is its negative, NaN where not measured. Both are judged in the same resamples. Empty where too few have it.
    """
    there = np.flatnonzero(~np.isnan(albumin))
    if len(there) < LEAST_TREATED:
        return {}, {}
    part, alone, gains = followed(follow_up, there), {}, {}
    for day, ours in log_odds.items():
        alone[day], gains[day] = _pair(day, ours[there], albumin[there], part, bootstrap, seed)
    return alone, gains


def _pair(day: float, ours: Array, theirs: Array, follow_up: FollowUp, bootstrap: int, seed: int) -> Sequence[Estimate]:
    """The AUC of theirs (n,), and the paired gain of ours (n,) over it."""
    asked = standing(follow_up, day)
    if not asked.evaluable:
        return [Estimate(None, None, None, f"day {day:g} is {asked.level}: {asked.why}")] * 2
    models = [Scored(day, sigmoid(column), column) for column in (ours, theirs)]

    def measure(multiplicity: Array) -> dict[str, float | NotEstimable]:
        a, b = outcomes(models, follow_up, multiplicity)
        auc = STATISTICS["auc"]
        return {"alone": attempt(auc, b), "gain": attempt(lambda: auc(a) - auc(b))}

    found = bootstrapped(measure, np.arange(len(follow_up)), bootstrap, seed)
    return found["alone"], found["gain"]
