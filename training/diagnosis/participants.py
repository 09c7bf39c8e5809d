"""Who is in the cohort: patients the model is meant for, followed from the index date on, each of them once."""

from __future__ import annotations

from collections import Counter

import numpy as np
from scipy.stats import binom

from training.cohort import Cohort
from training.diagnosis.finding import Finding
from training.diagnosis.lookalikes import lookalikes
from training.diagnosis.rows import rows_at
from training.statistics.standing import entered_late, standing

HALF = 0.5
EARLY, LATER = 30.0, 90.0  # days between which the rate of death is compared
FEWEST_DEATHS = 20  # by the later of them: fewer say nothing of the rate
UNLIKELY = 0.01


def participants(cohort: Cohort, primary: float) -> list[Finding]:
    """Whether they had been treated before, were all there from the index date on, and are one row each."""
    return [prior_therapy(cohort), delayed_entry(cohort, primary), early_deaths(cohort), index_dates(cohort), twice(cohort)]


def prior_therapy(cohort: Cohort) -> Finding:
    """The model is for relapsed or refractory disease: most of the patients must have been treated before."""
    treated = np.array([-1.0 if (said := one.history.prior_systemic_therapy) is None else said for one in cohort.patients])
    known, n = treated >= 0, len(cohort)
    item, question = "prior therapy", "Have the patients had systemic therapy before, as those the model is meant for?"
    if known.sum() < HALF * n:
        why = f"known for {known.sum()} of {n} patients"
        return Finding(item, "participants", question, "Unknown", int(known.sum()), why, unit="patients")
    share = float(treated[known].mean())
    why = f"{share:.0%} of the {known.sum()} patients in whom it is known had been treated before"
    if share >= HALF:
        return Finding(item, "participants", question, "Pass", share, why, unit="share")
    why += ": mostly a first-line cohort, and the model is meant for relapsed or refractory disease"
    return Finding(item, "participants", question, "Fail", share, why, rows_at(cohort, treated == 0), unit="share")


def delayed_entry(cohort: Cohort, primary: float) -> Finding:
    """Whoever comes under observation late could not have died before: such patients count only from their entry."""
    item, question = "delayed entry", "Is every patient under observation from the index date on?"
    entries = cohort.follow_up.entries
    if entries is None:
        why = "no patient came under observation after the index date, as far as the table says"
        return Finding(item, "participants", question, "Pass", 0, why, unit="patients")
    late, typical = entries > 0, float(np.median(entries))
    why = f"{late.sum()} of {len(cohort)} patients entered after the index date, half of them all by day {typical:g}"
    there = standing(cohort.follow_up, primary)
    if typical < primary and there.level == "not identifiable" and (few := entered_late(cohort.follow_up, primary)):
        why += f"; {few}: who died before is hardly seen, and the risk by day {primary:g} cannot be identified"
        return Finding(item, "participants", question, "Fail", there.min_g, why, rows_at(cohort, late), unit="probability")
    if typical < primary:
        why += "; each counts only from entry on"
        return Finding(item, "participants", question, "Pass", typical, why, unit="days")
    why += f": the risk by day {primary:g} cannot be known from patients who had already survived it"
    return Finding(item, "participants", question, "Fail", typical, why, rows_at(cohort, late), unit="days")


def early_deaths(cohort: Cohort) -> Finding:
    """Where hardly anybody dies in the first month and many do in the next two, those who died early never entered.

    The rate of death to day 30 is held against that to day 90: in advanced cancer it is not half of it, unless patients had to
    live long enough to be sequenced, referred or included. A binomial test, one-sided, at 1 %.
    """
    item, question = "early deaths", "Could patients who died soon after the index date enter the cohort?"
    follow_up = cohort.follow_up
    entries = np.zeros(len(cohort)) if follow_up.entries is None else follow_up.entries

    def between(start: float, end: float) -> tuple[int, float]:
        died = int((follow_up.deaths & (follow_up.times > start) & (follow_up.times <= end)).sum())
        return died, float(np.clip(np.minimum(follow_up.times, end) - np.maximum(entries, start), 0, None).sum())

    (first, days_first), (second, days_second) = between(-1.0, EARLY), between(EARLY, LATER)
    total = first + second
    if total < FEWEST_DEATHS or min(days_first, days_second) == 0:
        why = f"{total} deaths by day {LATER:g}: too few to tell"
        return Finding(item, "participants", question, "Unknown", total, why, unit="deaths")
    expected = total * days_first / (days_first + days_second)
    why = f"{first} deaths by day {EARLY:g}; {expected:.0f} were to be expected from the {total} deaths by day {LATER:g}"
    half_rate = HALF * days_first / (HALF * days_first + days_second)
    if binom.cdf(first, total, half_rate) >= UNLIKELY:
        return Finding(item, "participants", question, "Pass", first, why, unit="deaths")
    why += ": likely patients had to live to be included, and the early horizons say too little risk"
    return Finding(item, "participants", question, "Fail", first, why, unit="deaths")


def index_dates(cohort: Cohort) -> Finding:
    """One row a patient, or rows of one patient are grouped: several index dates are no several patients."""
    item, question = "index dates", "Has every patient one index date?"
    times = Counter(patient.id for patient in cohort.patients)
    several = np.array([times[patient.id] > 1 for patient in cohort.patients])
    if not several.any():
        why = f"one for each of the {len(cohort)} patients"
        return Finding(item, "participants", question, "Pass", 1, why, unit="index dates of a patient")
    who = f"{several.sum()} rows of {sum(n > 1 for n in times.values())} patients"
    why = f"{who}: rows of one patient are no independent witnesses"
    most, rows = max(times.values()), rows_at(cohort, several)
    return Finding(item, "participants", question, "Fail", most, why, rows, unit="index dates of a patient")


def twice(cohort: Cohort) -> Finding:
    """The same patient under two names would stand on both sides of a split."""
    return lookalikes(cohort, cohort).finding("look-alikes", "Is nobody in the cohort twice, under another name?")
