"""How good a model's risks are on a cohort: discrimination, calibration, overall fit and use at every horizon that can be asked.

Every statistic is weighted for censoring and carries a 95 % interval from a bootstrap by patient, in which the censoring
model is estimated anew. A horizon that the follow-up cannot answer is refused with the number that is short.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from training.statistics.calibration import sigmoid
from training.statistics.censoring import Array, FollowUp
from training.statistics.decisions import Decisions
from training.statistics.discrimination import Concordance
from training.statistics.estimates import Estimate, NotEstimable, attempt, bootstrapped
from training.statistics.evaluation import AtHorizon, Calibration, CurvePoint, Evaluation, Naive, UnoC
from training.statistics.panel import STATISTICS, Outcome, Scored, outcomes, require_ranks
from training.statistics.standing import Standing, numbered, standing

LONGEST_CONCORDANCE = 365.0
"""Days: Uno's C looks no further than this, however long the follow-up."""

Progress = Callable[[int], object]
CURVE_POINTS = 20
"""Stated risks at which the calibration curve is told."""

Measured = dict[tuple[Hashable, float], float | NotEstimable]


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
    decisions = [Decisions(model, follow_up) for model in models]
    ordering = _ordering(models, follow_up)

    def measure(multiplicity: Array) -> Measured:
        found: Measured = {} if ordering is None else {("uno_c", ordering.tau): attempt(_uno_c, ordering, multiplicity)}
        for of, use in zip(outcomes(models, follow_up, multiplicity), decisions, strict=True):
            each = _scalars(of) | _curve(of) | use.measure(multiplicity) | {"observed": of.observed_risk}
            found |= {(name, of.scored.horizon): value for name, value in each.items()}
        return found

    estimates = bootstrapped(measure, patients, bootstrap, seed, progress)
    return Evaluation(
        n=int(patients.max()) + 1,
        uno_c=None if ordering is None else UnoC(estimates["uno_c", ordering.tau], ordering.tau),
        horizons={
            model.horizon: _at_horizon(standings[model.horizon], model, use, estimates)
            for model, use in zip(models, decisions, strict=True)
        },
        refused={day: each for day, each in standings.items() if not each.evaluable},
    )


def _uno_c(ordering: Concordance, multiplicity: Array) -> float:
    require_ranks(ordering.log_odds, multiplicity)
    return ordering.uno_c(multiplicity)


def _scalars(of: Outcome) -> dict[Hashable, float | NotEstimable]:
    return {name: attempt(statistic, of) for name, statistic in STATISTICS.items()}


def _curve(of: Outcome) -> dict[Hashable, float | NotEstimable]:
    """The calibration curve at the same stated risks in every sample."""
    grid = of.scored.grid(CURVE_POINTS)
    try:
        observed: Sequence[float | NotEstimable] = of.curve.at(grid).tolist()
    except NotEstimable as reason:
        observed = [reason] * grid.size
    return {("curve", k): value for k, value in enumerate(observed)}


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


def _at_horizon(
    allowed: Standing, model: Scored, use: Decisions, estimates: Mapping[tuple[Hashable, float], Estimate]
) -> AtHorizon:
    mine = {name: each for (name, day), each in estimates.items() if day == allowed.horizon}
    found = {name: mine[name] for name in STATISTICS}
    auc, brier, ipa = (found.pop(name) for name in ("auc", "brier", "ipa"))
    stated = sigmoid(model.grid(CURVE_POINTS)).tolist()
    line = Calibration(**found, curve=[CurvePoint(risk, mine["curve", k]) for k, risk in enumerate(stated)])
    decided = list(use.net_benefit(mine)), list(use.flagging(mine))
    return AtHorizon(allowed, auc, brier, ipa, line, *decided, _naive(allowed, mine["observed"]))


def _naive(counted: Standing, weighted: Estimate) -> Naive:
    known = counted.deaths + counted.survivors
    if weighted.value is None:
        raise NotEstimable(f"no Kaplan-Meier risk by day {counted.horizon:g}: {weighted.why}")
    return Naive(weighted.value, counted.deaths / known, counted.deaths / (known + counted.censored_before))


def _check(risks: Array, log_odds: Array, expected: tuple[int, int]) -> None:
    if risks.shape != expected or log_odds.shape != expected:
        raise ValueError(f"risks {risks.shape} and log-odds {log_odds.shape}: allowed is {expected}, patients by horizons")
    if (bad := ~np.isfinite(log_odds).all(axis=1)).any():
        raise ValueError(f"log-odds of {bad.sum()} row(s) are not finite; likely patients who could not be scored")
    if not np.allclose(risks, sigmoid(log_odds), rtol=0.0, atol=1e-6):
        raise ValueError("risks are not those of the log-odds; likely columns in another order, or only one was calibrated")
