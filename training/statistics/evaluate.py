"""How good a model's risks are on a cohort: discrimination, calibration and overall fit at every horizon that can be asked.

Every statistic is weighted for censoring and carries a 95 % interval from a bootstrap by patient, in which the censoring
model is estimated anew. A horizon that the follow-up cannot answer is refused with the number that is short.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from training.statistics.calibration import sigmoid
from training.statistics.censoring import Array, FollowUp
from training.statistics.discrimination import Concordance
from training.statistics.estimates import Estimate, NotEstimable, attempt, bootstrapped
from training.statistics.panel import STATISTICS, Scored, outcomes
from training.statistics.standing import Standing, numbered, standing

LONGEST_CONCORDANCE = 365.0
"""Days: Uno's C looks no further than this, however long the follow-up."""

Progress = Callable[[int], object]
Measured = dict[tuple[str, float], float | NotEstimable]


@dataclass(frozen=True)
class Calibration:
    """Intercept (ideal 0), slope (1), observed over expected deaths (1), and distance from the calibration curve (0).

    A distance cannot be negative, so the intervals of ICI, E50 and E90 lie high: read their upper end.
    """

    intercept: Estimate
    slope: Estimate
    observed_expected: Estimate
    ici: Estimate
    e50: Estimate
    e90: Estimate

    def as_json(self) -> dict[str, Any]:
        """The four that `evaluate --json` reports."""
        return {name: getattr(self, name).as_json() for name in ("intercept", "slope", "observed_expected", "ici")}


@dataclass(frozen=True)
class AtHorizon:
    """Everything measured at one horizon, and the standing that allowed it."""

    standing: Standing
    auc: Estimate
    ipa: Estimate
    calibration: Calibration

    def as_json(self) -> dict[str, Any]:
        """Counts and statistics in the shape of `evaluate --json`."""
        counts = {name: getattr(self.standing, name) for name in ("deaths", "survivors", "censored_before", "min_g")}
        return {**counts, "auc": self.auc.as_json(), "ipa": self.ipa.as_json(), "calibration": self.calibration.as_json()}


@dataclass(frozen=True)
class UnoC:
    """Uno's C of the log-odds at horizon `tau` (days), over the deaths until then."""

    estimate: Estimate
    tau: float

    def as_json(self) -> dict[str, Any]:
        """Value, low, high and tau."""
        return {**self.estimate.as_json(), "tau": self.tau}


@dataclass(frozen=True)
class Evaluation:
    """A model's risks judged on `n` patients: per horizon (days), and why the other horizons are refused."""

    n: int
    uno_c: UnoC | None
    horizons: Mapping[float, AtHorizon]
    refused: Mapping[float, Standing]

    def as_json(self) -> dict[str, Any]:
        """The shape of `evaluate --json`, without the cohort's name."""
        return {
            "n": self.n,
            "uno_c": None if self.uno_c is None else self.uno_c.as_json(),
            "horizons": {f"{day:g}": each.as_json() for day, each in self.horizons.items()},
            "refused": {f"{day:g}": f"{each.level}: {each.why}" for day, each in self.refused.items()},
        }


def evaluate(
    risks: Array,
    log_odds: Array,
    follow_up: FollowUp,
    horizons: Sequence[float],
    *,
    groups: ArrayLike | None = None,
    bootstrap: int = 200,
    seed: int,
    progress: Progress | None = None,
) -> Evaluation:
    """Judge the risks and log-odds (n, h) of n rows at h horizons (days) by what became of the patients.

    `groups` (n,) names the patient of each row where a patient has several; they are counted and drawn together. Uno's C is
    that of the log-odds at the last evaluable horizon up to 365 days, with tau that horizon; None where there is none.
    `progress` is called with 1 after each of the `bootstrap` resamples. Raises ValueError when the arrays do not fit.
    """
    if len(set(horizons)) < len(horizons):
        raise ValueError(f"horizons {horizons}: allowed is each day once")
    _check(risks, log_odds, (len(follow_up), len(horizons)))
    patients = numbered(groups, len(follow_up))
    standings = {float(day): standing(follow_up, float(day), groups=patients) for day in horizons}
    models = [Scored(day, risks[:, k], log_odds[:, k]) for k, day in enumerate(standings) if standings[day].evaluable]
    ordering = _ordering(models, follow_up)

    def measure(multiplicity: Array) -> Measured:
        found: Measured = {} if ordering is None else {("uno_c", ordering.tau): attempt(ordering.uno_c, multiplicity)}
        for of in outcomes(models, follow_up, multiplicity):
            found |= {(name, of.scored.horizon): attempt(statistic, of) for name, statistic in STATISTICS.items()}
        return found

    estimates = bootstrapped(measure, patients, bootstrap, seed, progress)
    return Evaluation(
        n=int(patients.max()) + 1,
        uno_c=None if ordering is None else UnoC(estimates["uno_c", ordering.tau], ordering.tau),
        horizons={model.horizon: _at_horizon(standings[model.horizon], estimates) for model in models},
        refused={day: each for day, each in standings.items() if not each.evaluable},
    )


def paired_difference(
    a_log_odds: Array,
    b_log_odds: Array,
    follow_up: FollowUp,
    horizon: float,
    *,
    statistic: Literal["auc", "ipa"] = "auc",
    groups: ArrayLike | None = None,
    bootstrap: int = 200,
    seed: int,
    progress: Progress | None = None,
) -> Estimate:
    """How much better (AUC or IPA, a minus b) log-odds a (n,) are than b (n,), on the same patients at one horizon (days).

    Both are judged in the same resamples. Raises NotEstimable with the reason when the horizon is not evaluable.
    """
    pair = np.stack([a_log_odds, b_log_odds], axis=1)
    _check(sigmoid(pair), pair, (len(follow_up), 2))
    patients = numbered(groups, len(follow_up))
    asked = standing(follow_up, horizon, groups=patients)
    if not asked.evaluable:
        raise NotEstimable(f"day {horizon:g} is {asked.level}: {asked.why}")
    models = [Scored(horizon, sigmoid(column), column) for column in pair.T.copy()]

    def measure(multiplicity: Array) -> dict[str, float | NotEstimable]:
        a, b = outcomes(models, follow_up, multiplicity)
        return {statistic: attempt(lambda: STATISTICS[statistic](a) - STATISTICS[statistic](b))}

    return bootstrapped(measure, patients, bootstrap, seed, progress)[statistic]


def _ordering(models: Sequence[Scored], follow_up: FollowUp) -> Concordance | None:
    candidates = [model for model in models if model.horizon <= LONGEST_CONCORDANCE]
    last = max(candidates, key=lambda model: model.horizon, default=None)
    return None if last is None else Concordance(last.log_odds, follow_up, last.horizon)


def _at_horizon(allowed: Standing, estimates: Mapping[tuple[str, float], Estimate]) -> AtHorizon:
    found = {name: estimates[name, allowed.horizon] for name in STATISTICS}
    auc, ipa = found.pop("auc"), found.pop("ipa")
    return AtHorizon(allowed, auc, ipa, Calibration(**found))


def _check(risks: Array, log_odds: Array, expected: tuple[int, int]) -> None:
    if risks.shape != expected or log_odds.shape != expected:
        raise ValueError(f"risks {risks.shape} and log-odds {log_odds.shape}: allowed is {expected}, patients by horizons")
    if (bad := ~np.isfinite(log_odds).all(axis=1)).any():
        raise ValueError(f"log-odds of {bad.sum()} row(s) are not finite; likely patients who could not be scored")
    if not np.allclose(risks, sigmoid(log_odds), rtol=0.0, atol=1e-6):
        raise ValueError("risks are not those of the log-odds; likely columns in another order, or only one was calibrated")
