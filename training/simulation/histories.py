"""Simulated patients who are seen again and again, with the truth: what a recovery does to the hazard is what was asked for."""

from dataclasses import dataclass, replace

import numpy as np

from models.recovery import recovered_on
from training.simulation.history import FloatArray
from training.simulation.over_time import (
    FITNESS_RISK,
    LOW,
    WEEK,
    draw_deaths,
    draw_lymphocytes,
    draw_moving,
    lasting_hazard,
    weekly_hazard,
)
from training.simulation.simulate import SimulatedCohort, simulate
from training.simulation.truth import FRAILTY_SD, HORIZONS
from training.simulation.truth_over_time import TrueRisks
from training.simulation.visits import TreatedAfter, Visits, draw_treated, draw_visits

LANDMARKS = (0, 28, 56, 84, 112, 140, 168)
_PANEL, _ASKED = ("ldh", "crp"), 0.95
WITHIN = (30, 90, 180)  # days from a landmark within which the true risk is told


@dataclass(frozen=True)
class SimulatedHistories:
    """A simulated cohort followed over time: `cohort` as it was at the index date, what followed, and what a recovery did.

    `recovered` (n,): the day on which ALC counts as recovered by the draws (`models.recovery`), infinite where it never does.
    `fitness` (n,): what nobody measures, 0 where it was not asked for. `risk_at` maps each of LANDMARKS to the true risk (n, 3)
    of dying within 30, 90 and 180 days of it; NaN for those who had died.
    """

    cohort: SimulatedCohort
    visits: Visits
    treated: TreatedAfter
    recovered: FloatArray
    fitness: FloatArray
    hazard_ratio: float
    risk_at: dict[int, FloatArray]


def simulate_history(
    patients: int, seed: int, *, rescue_hazard_ratio: float = 1.0, unmeasured_fitness: bool = False, truth: bool = True
) -> SimulatedHistories:
    """Draw patients and what became of them; the same arguments give the same histories.

    The patients are those of `simulate` with the same seed as they stand on the index date, in whom LDH and CRP are asked for
    more often; their deaths are drawn anew.
    `rescue_hazard_ratio`: by what the hazard is multiplied from a recovery on. `unmeasured_fitness`: whether a normal that nobody
    measures makes recovery likelier and death less likely. `truth`: whether the true risks are worked out, which takes longest.
    Raises ValueError for an impossible number.
    """
    if not 0 < rescue_hazard_ratio < np.inf:
        raise ValueError(f"rescue_hazard_ratio = {rescue_hazard_ratio}: allowed is a number above 0; 1 is no effect")
    rng = np.random.default_rng([seed, 1])
    cohort = _measured_more(rng, simulate(patients, seed))
    still = lasting_hazard(cohort.patients)
    fitness = rng.standard_normal(patients) * unmeasured_fitness
    moving = draw_moving(rng, patients, int(cohort.censoring_days.max() // WEEK) + 2)
    lymphocytes, treated = draw_lymphocytes(rng, cohort.patients, fitness), draw_treated(rng, cohort.patients)
    visits = draw_visits(rng, cohort.patients, treated, lymphocytes, moving, dict(cohort.missing))
    recovered, own = _recoveries(cohort, visits), cohort.frailty + FITNESS_RISK * fitness
    deaths = draw_deaths(rng, weekly_hazard(still, moving.risk, recovered, rescue_hazard_ratio, own))
    unseen = float(np.hypot(FRAILTY_SD, FITNESS_RISK * unmeasured_fitness))
    risks = TrueRisks(still, moving, recovered, rescue_hazard_ratio, unseen)
    seen = _seen(cohort, deaths, risks, own, f"simulated-history-{patients}-{seed}") if truth else _died(cohort, deaths)
    risk_at = {day: np.where(deaths[:, None] > day, risks.on(day, WITHIN), np.nan) for day in LANDMARKS} if truth else {}
    return SimulatedHistories(seen, visits, treated, recovered, fitness, rescue_hazard_ratio, risk_at)


def _measured_more(rng: np.random.Generator, cohort: SimulatedCohort) -> SimulatedCohort:
    """LDH and CRP in nearly all patients in whom nobody asked for them: who is seen every few weeks is followed by a panel."""
    asked = rng.random((len(_PANEL), len(cohort.ids))) < _ASKED
    now = {name: cohort.missing[name] & ~on for name, on in zip(_PANEL, asked, strict=True)}
    return replace(cohort, missing={**cohort.missing, **now})


def _died(cohort: SimulatedCohort, death_days: FloatArray) -> SimulatedCohort:
    censored = cohort.censoring_days
    return replace(cohort, times=np.minimum(death_days, censored), deaths=death_days <= censored, death_days=death_days)


def _seen(cohort: SimulatedCohort, death_days: FloatArray, risks: TrueRisks, own: FloatArray, name: str) -> SimulatedCohort:
    """The cohort with its new deaths and the risks that go with them."""
    given_own, given_covariates = risks.on(0, HORIZONS, own), risks.on(0, HORIZONS)
    died = _died(cohort, death_days)
    return replace(died, name=name, risk_given_frailty=given_own, risk_given_covariates=given_covariates)


def _recoveries(cohort: SimulatedCohort, visits: Visits) -> FloatArray:
    """The day of recovery by the draws of those who were low on the index date; infinite for all others."""
    order = np.argsort(visits.day, axis=1)
    day, alc = np.take_along_axis(visits.day, order, 1), np.take_along_axis(visits.counts, order, 1)
    found = np.full(len(day), np.inf)
    for row in np.flatnonzero(cohort.patients.alc < LOW):
        there = np.isfinite(day[row])
        on = recovered_on(zip(day[row, there].tolist(), alc[row, there].tolist(), strict=True))
        found[row] = np.inf if on is None else on
    return found
