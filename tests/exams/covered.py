"""How often a 95 % interval holds the truth: one fixed formula judged on many simulated cohorts and on all patients behind them.

The formula was never fitted and is somewhat wrong, as a model from elsewhere would be. Its true figures come from a
million patients of whom nobody is lost, each counted as dead by the true risk and as alive by the rest, so that chance has no
part in them; the cohorts lose more than a quarter of their patients before the day of the horizon.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import chain
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from marks import Mark
from threadpoolctl import threadpool_limits

from models.design import FloatArray
from training.progress import Advance
from training.simulation.history import DAYS_PER_MONTH
from training.simulation.simulate import SimulatedCohort, simulate
from training.simulation.truth import HORIZONS
from training.statistics.calibration import sigmoid
from training.statistics.censoring import FollowUp
from training.statistics.estimates import Estimate
from training.statistics.evaluate import evaluate
from training.statistics.evaluation import AtHorizon
from training.statistics.panel import STATISTICS, Outcome, Scored

DAY = 180.0
COHORTS, PATIENTS, RESAMPLES = 1_000, 500, 200
POPULATION = 1_000_000
SEEDS = (11, 12)  # of the population and of the cohorts, stated before anything was run
LEAST, MOST = 0.91, 0.98
BARRED = ("auc", "observed_expected")
ACCRUAL = 18 * DAYS_PER_MONTH  # days; follow-up closes on the day after
AT_ONCE = 10  # cohorts a process judges before it tells of them
RESULTS = Path(__file__).parent / "results" / "coverage.json"

Found = Mapping[str, Estimate]


def sit(
    folder: Path,
    advance: Advance,
    cohorts: int = COHORTS,
    population: int = POPULATION,
    resamples: int = RESAMPLES,
    processes: int = 2,
    results: Path = RESULTS,
) -> list[Mark]:
    """Judge the formula on every cohort, and write down how often each interval held the truth."""
    truth = true_figures(simulate(population, SEEDS[0]))
    drawn = simulate(cohorts * PATIENTS, SEEDS[1], accrual_days=ACCRUAL, closing_day=ACCRUAL + 1)
    lost = float((~drawn.deaths & (drawn.times < DAY)).mean())
    found = []
    for one in _judged(drawn, resamples, processes):
        found.append(one)
        advance("cohorts judged", len(found), cohorts)
    told = {name: _summary(value, [one[name] for one in found]) for name, value in truth.items()}
    settings = {"cohorts": cohorts, "patients": PATIENTS, "resamples": resamples, "population": population, "day": DAY}
    written = {**settings, "lost_before": round(lost, 3), "seeds": SEEDS, "intervals": told}
    results.parent.mkdir(exist_ok=True)
    results.write_text(json.dumps(written, indent=1) + "\n")
    return [_mark(name, each) for name, each in told.items()]


def stated(cohort: SimulatedCohort) -> FloatArray:
    """The formula's log-odds of dying by day 180 (n,), from four things known of every simulated patient."""
    p = cohort.patients
    inflamed, fed = np.log(p.anc / p.alc) - np.log(5), p.albumin - 3.7
    log_odds: FloatArray = -0.7 + 0.5 * inflamed - 0.9 * fed + 0.3 * (p.ecog - 1) + 0.15 * (p.treatments.prior_lines - 2)
    return log_odds


def true_figures(population: SimulatedCohort) -> dict[str, float]:
    """Every statistic of the formula in a population of known risks: a patient is dead by that share, and alive by the rest."""
    risk, log_odds = population.risk_given_covariates[:, HORIZONS.index(int(DAY))], np.tile(stated(population), 2)
    dead, share = np.repeat([True, False], len(risk)), np.concatenate([risk, 1.0 - risk])
    whole = Outcome(Scored(DAY, sigmoid(log_odds), log_odds), share, dead, share, float(risk.mean()))
    return {name: statistic(whole) for name, statistic in STATISTICS.items()}


def _judged(drawn: SimulatedCohort, resamples: int, processes: int) -> Iterator[Found]:
    log_odds, ways = stated(drawn), np.arange(len(drawn.times)).reshape(-1, AT_ONCE, PATIENTS)
    parts = [[(log_odds[one], drawn.times[one], drawn.deaths[one]) for one in rows] for rows in ways]
    judge = partial(_judge_some, resamples=resamples)
    if processes == 1:
        yield from chain.from_iterable(map(judge, parts))
        return
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        yield from chain.from_iterable(pool.map(judge, parts))


def _judge_some(parts: list[tuple[FloatArray, FloatArray, FloatArray]], resamples: int) -> list[Found]:
    with threadpool_limits(1):
        return [_judge(*part, resamples) for part in parts]


def _judge(log_odds: FloatArray, times: FloatArray, deaths: FloatArray, resamples: int) -> Found:
    column = log_odds[:, None]
    found = evaluate(sigmoid(column), column, FollowUp(times, deaths), (DAY,), bootstrap=resamples, seed=SEEDS[0])
    return _estimates(found.horizons[DAY])


def _estimates(found: AtHorizon) -> Found:
    mine = {name: getattr(found, name) for name in ("auc", "brier", "ipa")}
    return mine | {name: getattr(found.calibration, name) for name in STATISTICS if name not in mine}


def _summary(truth: float, found: list[Estimate]) -> dict[str, float]:
    """How often the interval held the truth, or lay wholly below or above it; its mean width, and the mean of the value."""
    low, high = (np.array([getattr(one, end) for one in found], np.float64) for end in ("low", "high"))
    value = np.array([one.value for one in found], np.float64)
    figures = {
        "truth": truth,
        "mean": np.nanmean(value),
        "covered": ((low <= truth) & (truth <= high)).mean(),
        "below": (high < truth).mean(),
        "above": (low > truth).mean(),
        "width": np.nanmean(high - low),
        "without": np.isnan(low).mean(),
    }
    return {name: round(float(figure), 4) for name, figure in figures.items()}


def _mark(name: str, told: Mapping[str, float]) -> Mark:
    bar = {"least": LEAST, "most": MOST} if name in BARRED else {}
    note = f"truth {told['truth']:.3f}, mean {told['mean']:.3f}; below {told['below']:.3f}, above {told['above']:.3f}"
    return Mark(f"{name.replace('_', ' ')} by day {DAY:g}: intervals that hold the truth", told["covered"], note=note, **bar)
