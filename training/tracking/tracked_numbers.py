"""What MLflow is told of a training run in numbers and words: settings, statistics by horizon, the cohort by its digest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

from training.cohort import Cohort
from training.comparing.compared import Comparison
from training.fit import Fit, Settings
from training.statistics.estimates import Estimate
from training.statistics.evaluation import AtHorizon, Evaluation
from training.validate import EVERYBODY, Validation


class Number(NamedTuple):
    """A metric: its name, its value, and its step, which is a horizon in days (0: none)."""

    name: str
    value: float
    step: int


def parameters(cohort: Cohort, settings: Settings, fit: Fit) -> dict[str, str]:
    """What was decided, and what it was decided on."""
    chosen = {name: _word(value) for name, value in _flat(asdict(settings))}
    return chosen | {
        "cohort": cohort.name,
        "cohort_source": cohort.source,
        "cohort_digest": cohort.digest,
        "patients": str(len(cohort)),
        "deaths": str(int(cohort.follow_up.deaths.sum())),
        "saved_learner": fit.learner,
        "model_features": ", ".join(fit.model.design.features),
        "served_horizons": ", ".join(map(str, fit.model.days)),
        "refused_horizons": ", ".join(fit.model.refused) or "none",
    }


def _flat(chosen: Mapping[str, Any], section: str = "") -> Iterator[tuple[str, object]]:
    """The settings by name, those of a learner as `linear.penalty`; what suits the number of patients is not there."""
    for name, value in chosen.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{name}.")
        elif not (name == "trees" and value is None):
            yield section + name, value


def _word(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(f"{one:g}" if isinstance(one, float) else str(one) for one in value)
    return "all that the cohort supports" if value is None else str(value)


def numbers(fit: Fit, validation: Validation) -> list[Number]:
    """Every statistic of the run with the ends of its interval; what could not be estimated is left out.

    Those of everybody have no prefix; those of the previously treated have one. `by_horizon/` repeats the main ones under one
    name with the horizon as step, so that MLflow draws them over time.
    """
    told = [Number(f"learner_ipa/{name}", value, 0) for name, value in fit.learner_ipa.items()]
    for whom, found in validation.evaluations.items():
        prefix = "" if whom == EVERYBODY else whom.replace(" ", "_") + "/"
        told += [Number(prefix + one.name, one.value, one.step) for one in _evaluation(found)]
        told += [Number(f"{prefix}fold_mean/{name}", value, 0) for name, value in validation.fold_means[whom].items()]
        for day, gain in validation.over_albumin[whom].items():
            told += _interval(f"{prefix}auc_over_albumin_{day:g}d", gain, int(day))
        told += [Number(prefix + one.name, one.value, one.step) for one in _gains(validation.comparisons.get(whom, ()))]
    return told


def _gains(comparisons: Sequence[Comparison]) -> Iterator[Number]:
    """What is gained in AUC and IPA over each simple model."""
    for one in comparisons:
        for day, at in one.horizons.items() if one.kind == "simple" else ():
            yield from _interval(f"auc_over_{one.name}_{day:g}d", at.auc_gain, int(day))
            yield from _interval(f"ipa_over_{one.name}_{day:g}d", at.ipa_gain, int(day))


def _evaluation(found: Evaluation) -> Iterator[Number]:
    if found.uno_c is not None:
        yield from _interval("uno_c", found.uno_c.estimate, int(found.uno_c.tau))
    for day, one in found.horizons.items():
        for name, statistic in _statistics(one).items():
            yield from _interval(f"{name}_{day:g}d", statistic, int(day))
            if statistic.value is not None:
                yield Number(f"by_horizon/{name}", statistic.value, int(day))


def _statistics(one: AtHorizon) -> dict[str, Estimate]:
    line = one.calibration
    told = {"auc": one.auc, "brier": one.brier, "ipa": one.ipa}
    told |= {"calibration_intercept": line.intercept, "calibration_slope": line.slope}
    return told | {"observed_expected": line.observed_expected, "ici": line.ici, "e50": line.e50, "e90": line.e90}


def _interval(name: str, statistic: Estimate, step: int) -> list[Number]:
    ends = {name: statistic.value, f"{name}_low": statistic.low, f"{name}_high": statistic.high}
    return [Number(key, value, step) for key, value in ends.items() if value is not None]
