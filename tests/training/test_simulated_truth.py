"""The truth of the simulated cohort: risks that are exact, effects that fade, directions that a clinician expects."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter

from training.simulation.patients import Covariates
from training.simulation.simulate import SimulatedCohort, simulate
from training.simulation.truth import FRAILTY_SD, HORIZONS, WEIGHTS, Hazard, hazard


@pytest.fixture(scope="module")
def cohort() -> SimulatedCohort:
    return simulate(60_000, seed=21)


def test_both_true_risks_agree_with_the_deaths_that_follow_at_every_horizon(cohort: SimulatedCohort) -> None:
    died = cohort.death_days[:, None] <= np.array(HORIZONS)
    assert cohort.risk_given_covariates.mean(axis=0) == pytest.approx(died.mean(axis=0), abs=0.006)
    assert cohort.risk_given_frailty.mean(axis=0) == pytest.approx(died.mean(axis=0), abs=0.006)


@pytest.mark.parametrize("horizon", [90, 365])
def test_the_oracle_is_calibrated_in_every_tenth_of_risk(cohort: SimulatedCohort, horizon: int) -> None:
    risk = cohort.risk_given_covariates[:, HORIZONS.index(horizon)]
    tenth = np.argsort(np.argsort(risk)) // (len(risk) // 10)
    for number in range(10):
        among = tenth == number
        assert (cohort.death_days[among] <= horizon).mean() == pytest.approx(risk[among].mean(), abs=0.025)


def test_deaths_are_drawn_from_the_cumulative_hazard_beyond_the_last_horizon_too(cohort: SimulatedCohort) -> None:
    truth = hazard(cohort.patients)
    for day in (10, 91, 366, 700, 1500):
        assert (cohort.death_days <= day).mean() == pytest.approx(truth.risk_whatever_frailty(day).mean(), abs=0.007)


def test_the_oracle_is_the_risk_given_frailty_with_frailty_integrated_out(cohort: SimulatedCohort) -> None:
    frailty = FRAILTY_SD * np.random.default_rng(1).standard_normal(200_000)
    truth = hazard(cohort.patients)
    for patient in range(5):
        one = Hazard(truth.lasting[[patient]].repeat(len(frailty)), truth.fading[[patient]].repeat(len(frailty)))
        for place, day in enumerate(HORIZONS):
            integrated = one.risk(day, frailty).mean()
            assert cohort.risk_given_covariates[patient, place] == pytest.approx(integrated, abs=0.001)


def test_risk_rises_with_the_horizon(cohort: SimulatedCohort) -> None:
    assert np.all(np.diff(cohort.risk_given_covariates, axis=1) >= 0)
    assert np.all(np.diff(cohort.risk_given_frailty, axis=1) >= 0)


def test_a_risk_by_hand() -> None:
    # Weibull, shape 1.15, scale 9.2 months: (90/280.0)^1.15 = .27108, (180/280.0)^1.15 = .60157; weight 1, from day 90 on .75
    one = Hazard(lasting=np.array([0.0]), fading=np.array([np.log(2)]))
    cumulative = 2 * 0.27108 + 2**0.75 * (0.60157 - 0.27108)
    assert one.cumulative(180)[0] == pytest.approx(cumulative, abs=2e-5)
    assert one.risk(180, np.array([0.0]))[0] == pytest.approx(1 - np.exp(-cumulative), abs=2e-5)


# lifelines 0.30 calls DataFrame.var by position; ends with the lifelines that knows pandas 4
@pytest.mark.filterwarnings("ignore:Starting with pandas version 4.0")
@pytest.mark.parametrize(("start", "end", "weight"), [(0, 90, WEIGHTS[0]), (90, 180, WEIGHTS[1]), (365, 1000, WEIGHTS[3])])
def test_a_cox_model_finds_early_effects_two_to_three_times_the_late_ones(
    cohort: SimulatedCohort, start: float, end: float, weight: float
) -> None:
    truth = hazard(cohort.patients)
    at_risk = np.flatnonzero(cohort.death_days > start)[:6_000]
    days = cohort.death_days[at_risk]
    frame = pd.DataFrame(
        {
            "days": np.minimum(days, end) - start,
            "died": days <= end,
            "fading": truth.fading[at_risk],
            "rest": (truth.lasting + cohort.frailty)[at_risk],
        }
    )
    fitted = CoxPHFitter().fit(frame, "days", "died").params_
    assert fitted["fading"] == pytest.approx(weight, abs=0.07)
    assert fitted["rest"] == pytest.approx(1.0, abs=0.12)


def more(name: str, by: float) -> Callable[[Covariates], Covariates]:
    def worse(p: Covariates) -> Covariates:
        return replace(p, **{name: getattr(p, name) + by})

    worse.__name__ = f"{name} {by:+g}"
    return worse


def fewer_lymphocytes(p: Covariates) -> Covariates:
    return replace(p, alc=p.alc * 0.7)


def more_neutrophils(p: Covariates) -> Covariates:
    return replace(p, anc=p.anc * 1.5)


def more_ca19_9(p: Covariates) -> Covariates:
    return replace(p, ca19_9=np.where(p.ca19_9 > 2, p.ca19_9 * 3, p.ca19_9))


@pytest.mark.parametrize(
    "worse",
    [
        fewer_lymphocytes,
        more_neutrophils,
        more_ca19_9,
        more("albumin", -0.4),
        more("hemoglobin", -1.0),
        more("ldh", 100.0),
        more("crp", 20.0),
        more("ecog", 1.0),
        more("age", 5.0),
        more("metastatic_sites", 1.0),
    ],
)
def test_risk_never_falls_when_a_patient_is_worse(cohort: SimulatedCohort, worse: Callable[[Covariates], Covariates]) -> None:
    before, after = hazard(cohort.patients), hazard(worse(cohort.patients))
    for horizon in HORIZONS:
        assert np.all(after.risk_whatever_frailty(horizon) >= before.risk_whatever_frailty(horizon))
    assert after.risk_whatever_frailty(180).mean() > before.risk_whatever_frailty(180).mean() + 0.002


def test_an_undetectable_ca19_9_is_a_stratum_of_its_own_and_not_a_low_burden(cohort: SimulatedCohort) -> None:
    p = cohort.patients
    undetectable, low = (hazard(replace(p, ca19_9=np.full(len(p), level))).fading for level in (1.0, 20.0))
    clear = p.bilirubin < 40
    assert np.all(undetectable[clear] > low[clear])


def test_what_gcsf_did_to_the_neutrophils_says_nothing_about_the_disease(cohort: SimulatedCohort) -> None:
    without = replace(cohort.patients, gcsf=np.zeros(len(cohort.patients), dtype=bool))
    given = replace(without, gcsf=~without.gcsf, anc=2.5 * without.anc)
    assert hazard(given).fading == pytest.approx(hazard(without).fading)
