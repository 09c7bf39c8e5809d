"""The evaluation of a training run: every patient judged out of fold, the previously treated first, beside simpler answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from models.design import BoolArray, FloatArray
from models.population import prior_line
from models.risk import sigmoid
from training.cohort import Cohort
from training.comparing.beaten import beaten_sentence
from training.comparing.compared import Comparison, compare
from training.comparing.rivals import Rivals, rivals_of
from training.comparing.simple_file import simple_document
from training.comparing.simple_models import ALBUMIN
from training.comparing.splits import SITES, TEMPORAL, Split, leave_one_site_out, temporal
from training.comparing.strata import Stratum, primary_of, strata, strata_json
from training.fit import Fit
from training.fold_means import fold_means
from training.progress import Advance, Steps, unwatched
from training.statistics.estimates import Estimate
from training.statistics.evaluate import evaluate
from training.statistics.evaluation import Evaluation

TREATED, EVERYBODY = "previously treated", "everybody"
LEAST_TREATED = 40  # fewer cannot hold the 20 deaths and 20 survivors a horizon needs

ByHorizon = Mapping[float, Estimate]


@dataclass(frozen=True)
class Validation:
    """What cross-validation says of the saved learner.

    `evaluations`: by population, previously treated first, with 95 % intervals; a patient's log-odds are the mean over repeats of
    those of learners and calibrations that never saw the patient. `comparisons` and `strata`: the same patients beside each
    comparator, and group by group. `splits`: later patients by earlier ones, and each site by the others.
    `fold_means`: the mean over folds and repeats of each statistic, by population and horizon.
    `over_albumin`: by population and horizon, the paired gain in AUC over albumin alone on the same patients, those in whom
    albumin was measured; `albumin_alone`: its own AUC in them. `simple_models`: those of the comparators that can be applied to
    other patients, as they stand in `comparators.json`.
    """

    evaluations: Mapping[str, Evaluation]
    fold_means: Mapping[str, Mapping[str, float]]
    over_albumin: Mapping[str, ByHorizon]
    albumin_alone: Mapping[str, ByHorizon] = field(default_factory=dict)
    comparisons: Mapping[str, tuple[Comparison, ...]] = field(default_factory=dict)
    strata: Mapping[str, tuple[Stratum, ...]] = field(default_factory=dict)
    splits: Mapping[str, Split] = field(default_factory=dict)
    scheme: Mapping[str, object] = field(default_factory=dict)
    simple_models: Mapping[str, object] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """All of it, JSON-ready."""
        return {
            "scheme": dict(self.scheme),
            "evaluations": {name: self._population_json(name) for name in self.evaluations},
            "splits": {name: one.as_json() for name, one in self.splits.items()},
            "fold_means": {name: dict(means) for name, means in self.fold_means.items()},
            "over_albumin_alone": _by_horizon_json(self.over_albumin),
            "albumin_alone": _by_horizon_json(self.albumin_alone),
        }

    def _population_json(self, name: str) -> dict[str, Any]:
        whole = () if name == EVERYBODY else self.strata.get(EVERYBODY, ())
        beside = self.comparisons.get(name, ())
        day = primary_of(tuple(self.evaluations[name].horizons))
        return self.evaluations[name].as_json() | {
            "beats_them": "" if day is None else beaten_sentence(beside, day),
            "comparators": [one.as_json() for one in beside],
            "strata": strata_json(self.strata.get(name, ()), self.evaluations[name].n, whole),
        }


def _by_horizon_json(found: Mapping[str, ByHorizon]) -> dict[str, object]:
    return {name: {f"{day:g}": one.as_json() for day, one in estimates.items()} for name, estimates in found.items()}


@dataclass(frozen=True)
class _Population:
    """What is found in one population."""

    evaluation: Evaluation
    fold_means: Mapping[str, float]
    comparisons: tuple[Comparison, ...]
    strata: tuple[Stratum, ...]

    def albumin(self, part: str) -> ByHorizon:
        """The AUC of albumin alone ("auc"), or what is gained over it ("auc_gain"), by horizon."""
        found = (one.horizons for one in self.comparisons if one.name == ALBUMIN)
        return {day: getattr(at, part) for horizons in found for day, at in horizons.items()}


def validate(
    cohort: Cohort,
    fit: Fit,
    *,
    bootstrap: int = 200,
    seed: int,
    families: bool = False,
    splits: bool = True,
    progress: Advance = unwatched,
) -> Validation:
    """Judge the saved learner's cross-fitted, calibrated risks on everybody and on the previously treated.

    `families`: other families of models are cross-fitted too and stand beside it; each costs as much as the model. `splits`: the
    learner is fitted anew for the temporal split and for the sites, where the cohort has dates or sites.
    """
    log_odds = np.mean([one.calibrated[fit.learner] for one in fit.cross.repeats], axis=0)
    rivals = rivals_of(fit, log_odds, families=families, seed=seed, progress=progress)
    found = {
        name: _judged(cohort, fit, log_odds, rivals, among, bootstrap, seed, Steps(progress, f"bootstrap, {name}", bootstrap))
        for name, among in _populations(cohort).items()
    }
    makers = {TEMPORAL: temporal, SITES: leave_one_site_out} if splits else {}
    return Validation(
        evaluations={name: one.evaluation for name, one in found.items()},
        fold_means={name: one.fold_means for name, one in found.items()},
        over_albumin={name: one.albumin("auc_gain") for name, one in found.items()},
        albumin_alone={name: one.albumin("auc") for name, one in found.items()},
        comparisons={name: one.comparisons for name, one in found.items()},
        strata={name: one.strata for name, one in found.items()},
        splits={name: make(fit, bootstrap=bootstrap, seed=seed, progress=progress) for name, make in makers.items()},
        scheme=_scheme(fit, bootstrap),
        simple_models=simple_document(rivals.simple, rivals.absent),
    )


def _scheme(fit: Fit, bootstrap: int) -> dict[str, object]:
    settings = fit.plan.settings
    counts = {"folds": settings.folds, "repeats": settings.repeats, "seed": settings.seed, "resamples": bootstrap}
    return {"kind": "repeated cross-validation grouped by patient", **counts}


def _populations(cohort: Cohort) -> dict[str, BoolArray]:
    """Who is judged together, as flags (n,): the previously treated where some were and some were not, and everybody."""
    treated = np.array([prior_line(patient) == "yes" for patient in cohort.patients])
    apart = {TREATED: treated} if LEAST_TREATED <= treated.sum() < len(cohort) else {}
    return apart | {EVERYBODY: np.ones(len(cohort), np.bool_)}


def _judged(
    cohort: Cohort, fit: Fit, log_odds: FloatArray, rivals: Rivals, among: BoolArray, bootstrap: int, seed: int, progress: Steps
) -> _Population:
    part, ours, asked = cohort.select(among), log_odds[among], fit.cross.horizons
    ids = [patient.id for patient in part.patients]
    drawn = {"bootstrap": bootstrap, "seed": seed}
    evaluation = evaluate(sigmoid(ours), ours, part.follow_up, asked, groups=ids, progress=progress, **drawn)
    days = tuple(evaluation.horizons)
    means = fold_means(fit.cross, fit.learner, cohort.follow_up, among, days)
    columns = ours[:, [asked.index(day) for day in days]]
    said = [one.within(among) for one in rivals.said]
    comparisons = compare(ours, part.follow_up, asked, said, groups=ids, **drawn)
    day = primary_of(days)
    apart = () if day is None else strata(part, columns[:, days.index(day)], day, fit.model.design.features, **drawn)
    return _Population(evaluation, means, comparisons, apart)
