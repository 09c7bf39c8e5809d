"""What the cohort can be asked: horizons that its follow-up answers, and as many patients as the model has parameters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from training.cohort import Cohort
from training.diagnosis.finding import Finding, Verdict
from training.diagnosis.rows import rows_at
from training.small_cells import masked_parts, masked_sentence
from training.statistics.censoring import known_by, survival
from training.statistics.sample_size import SampleSize, sample_size
from training.statistics.standing import Standing, standing

_ANSWERS = "Does the follow-up answer for this horizon?"
_ENOUGH = "Are there as many patients as the parameters need, after Riley?"
_UNIT = "patients needed"
_COUNTED = " of the design, each counted as one parameter (splines and terms of time are penalised and not counted)"
_BY_DEFAULT = "15 % of the largest possible (Riley's rule before any model)"
_DISAGREE = ". The two rules disagree: the verdict is by the R2 found here, which no other patients have confirmed"


def horizons(cohort: Cohort, days: Sequence[float], primary: float) -> Iterator[Finding]:
    """The standing of each horizon: the primary one fails unless a model may be promoted by it.

    Any other fails where it cannot be identified at all: it should not have been asked. Where only deaths or survivors are too
    few it is unknown, and the model will not serve it.
    """
    for day in sorted({primary, *days}):
        one = standing(cohort.follow_up, day, groups=[patient.id for patient in cohort.patients])
        short = f" ({one.why})" if one.why else ""
        counts = (one.deaths, one.survivors, one.censored_before)
        why, outside = f"{_told(one.level, counts)}{short}", f"{_told(one.level, masked_parts(counts))}{masked_sentence(short)}"
        verdict = _verdict(one, day == primary)
        rows = rows_at(cohort, known_by(cohort.follow_up, day).censored) if verdict == "Fail" else ()
        found = Finding(_item(day, primary), "analysis", _ANSWERS, verdict, one.min_g, why, rows, unit="probability")
        yield replace(found, outside=outside)


def _told(level: str, counts: Sequence[int | str]) -> str:
    return "{}: {} deaths, {} patients known alive, {} patients lost before".format(level, *counts)


def _item(day: float, primary: float) -> str:
    return f"horizon {day:g} d" + (", primary" if day == primary else "")


def _verdict(one: Standing, primary: bool) -> Verdict:
    if primary:
        return "Pass" if one.level == "promotable" else "Fail"
    if one.level == "not identifiable":
        return "Fail"
    return "Pass" if one.evaluable else "Unknown"


def enough(cohort: Cohort, primary: float, parameters: int | None, r2: float | None) -> Finding:
    """Riley's sample size at the primary horizon: patients known by it, by effective size, against those that are needed.

    `r2` is what cross-validation found (Riley 2020 allows an R2 that is known); both it and the rule that needs none are told.
    """
    item, one = "sample size", standing(cohort.follow_up, primary)
    if parameters is None:
        return Finding(item, "analysis", _ENOUGH, "Unknown", None, "it is not known how many parameters are to be fitted")
    if not one.evaluable:
        return Finding(item, "analysis", _ENOUGH, "Unknown", None, f"day {primary:g} is {one.level}")
    if r2 is not None and r2 <= 0:
        why = f"cross-validation found a model that explains nothing (R2 {r2:.3f}): no number of patients is enough"
        return Finding(item, "analysis", _ENOUGH, "Fail", r2, why, unit="R2")
    there, risk = one.effective_deaths + one.effective_survivors, float(1 - survival(cohort.follow_up).at(primary))
    before, needs = sample_size(parameters, risk), sample_size(parameters, risk, r2)
    why = f"{there:.0f} patients known by day {primary:g} (effective size) for {parameters} columns{_COUNTED}: {_needed(needs)}"
    if r2 is None:
        why += f", {_BY_DEFAULT}"
    else:
        why += f", as cross-validation found in this very cohort; {_needed(before)}, {_BY_DEFAULT}"
        if (there >= needs.needed) != (there >= before.needed):
            why += _DISAGREE
    return Finding(item, "analysis", _ENOUGH, "Pass" if there >= needs.needed else "Fail", needs.needed, why, unit=_UNIT)


def _needed(size: SampleSize) -> str:
    """The number of patients, by which of Riley's criteria, and the R2 it rests on."""
    criteria = f"shrinkage {size.for_shrinkage}, optimism {size.for_optimism}, overall risk {size.for_risk}"
    return f"{size.needed} needed ({criteria}) where an R2 of {size.r2:.3f} is expected"


def own_patients(cohort: Cohort, developed_on: str) -> Finding:
    """A model judged on the cohort it learned from is judged too well."""
    question = "Is the model judged on a cohort it did not learn from?"
    if cohort.digest == developed_on:
        why = f"{cohort.name} is the cohort the model was developed on: its figures there are no evidence"
        return Finding("own cohort", "analysis", question, "Fail", len(cohort), why, unit="patients")
    why = "the cohort is another than the one the model was developed on"
    return Finding("own cohort", "analysis", question, "Pass", 0, why, unit="patients")
