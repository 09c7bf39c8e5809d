"""Is the model good enough at the primary horizon? Discrimination, calibration, gains over simple models, and every stratum."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from training.gate.verdict import Cell, Verdict, above, at_least, missing, shown, within
from training.statistics.estimates import LEAST_RESAMPLES
from training.study.criteria import Criteria
from training.telling.evidence import EVALUATION, TEST
from training.validate import EVERYBODY, TREATED

Found = Mapping[str, Any]
CHAMPION = "champion"
CALIBRATION = {"intercept": "intercept", "slope": "slope", "observed_expected": "observed over expected"}


def cross_validated(evidence: Mapping[str, Found], criteria: Criteria) -> list[Verdict]:
    """What the artifact's own cross-validation says."""
    evaluations = evidence.get(EVALUATION, {}).get("evaluations", {})
    if EVERYBODY not in evaluations:
        return [missing("evaluation", "cross-validated", f"the artifact holds no {EVALUATION} with evaluations")]
    drawn = evidence[EVALUATION].get("scheme", {}).get("resamples", 0)
    return [resamples("cross-validated", drawn), *_of_population(evaluations, "cross-validated", criteria)]


def resamples(where: str, drawn: int) -> Verdict:
    """Whether the intervals rest on enough resamples to be a ground for anything."""
    return Verdict("resamples", drawn >= LEAST_RESAMPLES, where, f"{drawn}", f"{LEAST_RESAMPLES} or more")


def tested(evidence: Mapping[str, Found], criteria: Criteria) -> list[Verdict]:
    """What was found on the test cohorts that the study kept for the end; nothing where it kept none."""
    cohorts = evidence.get(TEST, {}).get("cohorts", ())
    return [
        verdict
        for one in cohorts
        for verdict in _of_population(one["evaluations"], f"kept for the end, {one['cohort']}", criteria)
    ]


def on_test(found: Found, criteria: Criteria) -> list[Verdict]:
    """What a judgement on a test cohort says (`evaluate --json`)."""
    apart = {TREATED: found[TREATED]} if TREATED in found else {}
    return list(_of_population({**apart, EVERYBODY: found}, f"on {found['cohort']}", criteria))


def _of_population(evaluations: Mapping[str, Found], where: str, criteria: Criteria) -> Iterator[Verdict]:
    """On the previously treated, for whom the model is meant, where they were judged apart; else on everybody."""
    name = TREATED if TREATED in evaluations else EVERYBODY
    return judged(evaluations[name], f"{where}, {name}", criteria)


def judged(found: Found, where: str, criteria: Criteria) -> Iterator[Verdict]:
    """Every criterion of performance on one evaluation, at the primary horizon."""
    day = f"{criteria.primary_day:g}"
    at = found["horizons"].get(day)
    if at is None:
        why = found["refused"].get(day, "not a horizon of the model")
        yield missing("evaluation", where, f"day {day} was not evaluated: {why}")
        return
    yield at_least("AUC", where, at["auc"], criteria.least_auc)
    yield at_least("IPA", where, at["ipa"], criteria.least_ipa)
    for name, label in CALIBRATION.items():
        yield within(f"calibration: {label}", where, at["calibration"][name], getattr(criteria, name))
    yield from _gains(found, where, day, criteria)
    yield _strata(found, where, criteria)


def _gains(found: Found, where: str, day: str, criteria: Criteria) -> Iterator[Verdict]:
    comparators = {one["name"]: one for one in found.get("comparators", ())}
    for name, bar in criteria.least_auc_gain_over.items():
        if name == CHAMPION:
            continue  # judged on the test cohort alone (training.gate.held_out)
        one = comparators.get(name)
        label = f"AUC gained over {one['label'] if one else name}"
        if one is None or day not in one["horizons"]:
            yield missing(label, where, (one and one["why"]) or f"{name} was not compared at day {day}")
        else:
            yield above(label, where, one["horizons"][day]["difference"]["auc"], bar)


def _strata(found: Found, where: str, criteria: Criteria) -> Verdict:
    """One verdict on all strata that are large enough; the message names every one that is off.

    Off is a stratum outside the band whose interval leaves out 1: of forty groups with twenty deaths each, several lie outside
    the band by chance, whatever the model.
    """
    asked = [one for one in found.get("strata", ()) if _large(one, criteria)]
    off = [f"{_name(one)} {shown(one['observed_expected'])}" for one in asked if _off(one["observed_expected"], criteria)]
    told = f"{len(asked) - len(off)} of {len(asked)} strata" if asked else "no stratum large enough"
    low, high = criteria.strata_observed_expected
    least = f"{criteria.strata_least_patients} patients and {criteria.strata_least_deaths} deaths"
    allowed = f"observed over expected {low:g} to {high:g}, or an interval that holds 1, in each of at least {least}"
    return Verdict("strata", not off, where, told, allowed, "off: " + "; ".join(off) if off else "")


def _off(cell: Cell, criteria: Criteria) -> bool:
    value, (low, high) = cell["value"], criteria.strata_observed_expected
    if value is None or cell["low"] is None or cell["high"] is None:
        return True  # large enough to be judged, and nothing can be said: not to be passed over
    return not low <= value <= high and not cell["low"] <= 1.0 <= cell["high"]


def _name(stratum: Found) -> str:
    return f"{stratum['by']} {stratum['level']}"


def _large(stratum: Found, criteria: Criteria) -> bool:
    return _count(stratum["n"]) >= criteria.strata_least_patients and _count(stratum["deaths"]) >= criteria.strata_least_deaths


def _count(told: int | str) -> int:
    """A count as it is told: "about 140" is 140, and a hidden one counts as none."""
    return int(str(told).removeprefix("about ")) if str(told).removeprefix("about ").isdecimal() else 0
