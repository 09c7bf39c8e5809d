"""Simulated patients whose true risk of dying is known, so that a model can be held against the truth.

Two true risks come with every patient: given everything including frailty, which nobody measures, and given complete
covariates and site with frailty integrated out. The second is the oracle: no model of these covariates can rank better,
and its 180-day AUC is about .79. What a fitted model cannot see is kept modest: hospitals (standard deviation of the
log hazard .15), frailty (.30), and values that were not measured, more often so in some hospitals, in frail patients
and where the burden is low.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from training.simulation.history import DAYS_PER_MONTH, BoolArray, EarlierDraws, FloatArray, draw_earlier
from training.simulation.patients import Covariates, draw_patients
from training.simulation.truth import FRAILTY_SD, HORIZONS, counts_at_rest, hazard
from training.simulation.world import SITES

_LOSS_PER_DAY = 0.012 / DAYS_PER_MONTH
_BLEMISHED = 200


@dataclass(frozen=True)
class SimulatedCohort:
    """A simulated cohort: as it was (``patients``, ``death_days``, ``frailty``), as it was seen, and its true risks.

    Arrays run along the n patients. ``missing`` maps a name of Covariates (or "times") to the patients in whom it was
    not measured; ``earlier`` are blood draws before the index date and ``drawn`` the day of the draw at it (-7 to 0);
    ``times`` are days of follow-up, ``deaths`` whether they ended in death, ``death_days`` the day of death had nobody
    been lost; ``entered`` is the day of accrual on which each was entered, ``lost`` whether being lost came before the
    closing of follow-up, ``censoring_days`` the day of censoring had nobody died. Both risks have shape (n, 6), one column for
    each of HORIZONS.
    """

    name: str
    ids: tuple[str, ...]
    patients: Covariates
    missing: Mapping[str, BoolArray]
    earlier: EarlierDraws
    drawn: FloatArray
    times: FloatArray
    deaths: BoolArray
    death_days: FloatArray
    entered: FloatArray
    lost: BoolArray
    censoring_days: FloatArray
    frailty: FloatArray
    risk_given_frailty: FloatArray
    risk_given_covariates: FloatArray


def simulate(
    patients: int,
    seed: int,
    *,
    accrual_days: float = 36 * DAYS_PER_MONTH,
    closing_day: float = 42 * DAYS_PER_MONTH,
    blemishes: bool = False,
) -> SimulatedCohort:
    """Draw a cohort; the same arguments give the same cohort, and every seed draws new patients of the same hospitals.

    Parameters
    ----------
    patients, seed
        Number of patients, at least 1, and a seed, at least 0.
    accrual_days, closing_day
        Patients enter evenly over ``accrual_days``; follow-up ends ``closing_day`` days after the first entered.
    blemishes
        Whether one patient in 200 each is under 18, has no ALC, has no follow-up: rows that a reader must exclude.

    Raises
    ------
    ValueError
        For an impossible number of patients, seed or calendar.
    """
    _require(patients, seed, accrual_days, closing_day)
    rng = np.random.default_rng(seed)
    covariates, burden = draw_patients(rng, patients)
    frailty = FRAILTY_SD * rng.standard_normal(patients)
    young, uncounted, unfollowed = _blemished(rng, patients if blemishes else 0, patients)
    covariates = replace(covariates, age=np.where(young, covariates.age % 6 + 12, covariates.age))
    truth = hazard(covariates)
    death_days = np.maximum(np.ceil(truth.draw(rng, frailty)), 1)
    entered, lost_days = _draw_censoring(rng, frailty, accrual_days)
    closed = closing_day - entered
    censoring_days = np.ceil(np.minimum(closed, lost_days))
    missing = _draw_missing(rng, covariates, burden, frailty)
    return SimulatedCohort(
        name=f"simulated-{patients}-{seed}",
        ids=tuple(f"S{seed}-{number:06d}" for number in range(1, patients + 1)),
        patients=covariates,
        missing=missing | {"alc": uncounted, "times": unfollowed},
        earlier=draw_earlier(rng, *counts_at_rest(covariates), covariates.ca19_9, covariates.secretor),
        drawn=-rng.integers(0, 8, patients).astype(float),
        times=np.minimum(death_days, censoring_days),
        deaths=death_days <= censoring_days,
        death_days=death_days,
        entered=entered,
        lost=lost_days < closed,
        censoring_days=censoring_days,
        frailty=frailty,
        risk_given_frailty=np.stack([truth.risk(day, frailty) for day in HORIZONS], axis=1),
        risk_given_covariates=np.stack([truth.risk_whatever_frailty(day) for day in HORIZONS], axis=1),
    )


def _require(patients: int, seed: int, accrual_days: float, closing_day: float) -> None:
    if patients < 1:
        raise ValueError(f"patients = {patients}: allowed is 1 or more")
    if seed < 0:
        raise ValueError(f"seed = {seed}: allowed is 0 or more")
    if not 0 <= accrual_days < closing_day:
        raise ValueError(
            f"accrual_days = {accrual_days:g}, closing_day = {closing_day:g}: allowed is 0 <= accrual_days < closing_day; "
            "likely months where days are meant, or the two swapped"
        )


def _blemished(rng: np.random.Generator, among: int, patients: int) -> list[BoolArray]:
    """Three disjoint groups of one patient in 200 (at least one) of the first ``among``; empty groups where it is 0."""
    order = rng.permutation(among)
    each = -(-among // _BLEMISHED)
    return [np.isin(np.arange(patients), order[group * each : (group + 1) * each]) for group in range(3)]


def _draw_censoring(rng: np.random.Generator, frailty: FloatArray, accrual_days: float) -> tuple[FloatArray, FloatArray]:
    """Day of accrual on which each patient enters, and day of being lost, which befalls the frail a little more often."""
    entered = rng.uniform(0, accrual_days, len(frailty))
    return entered, rng.exponential(1 / _LOSS_PER_DAY, len(frailty)) * np.exp(-0.4 * frailty)


def _draw_missing(rng: np.random.Generator, p: Covariates, burden: FloatArray, frailty: FloatArray) -> dict[str, BoolArray]:
    """What was not measured: the hospital's habit, shifted on the log-odds scale by frailty, and for tumour markers by burden."""
    def habit(field: str) -> FloatArray:
        shares: FloatArray = np.array([getattr(site, field) for site in SITES])[p.site]
        return shares

    def absent(share: FloatArray, shift: FloatArray | float = 0.0) -> BoolArray:
        odds = share / (1 - share) * np.exp(0.3 * frailty / FRAILTY_SD + shift)
        return rng.random(len(p)) < odds / (1 + odds)

    marker = absent(habit("no_ca19_9"), 0.8 * ~p.secretor - 0.5 * burden)
    missing = {"ca19_9": marker | np.isnan(p.ca19_9)}
    missing["ldh"], missing["crp"] = absent(habit("no_ldh"), -0.2 * burden), absent(habit("no_crp"))
    for name in ("wbc", "albumin", "hemoglobin", "platelets", "bilirubin", "creatinine", "sodium", "bmi", "ecog"):
        missing[name] = absent(habit("no_other"))
    for name in ("liver_metastases", "metastatic_sites"):
        missing[name] = absent(habit("no_other"), -0.3 * burden)
    for name in ("steroids", "gcsf", "infection"):
        missing[name] = absent(habit("not_asked"))
    return missing
