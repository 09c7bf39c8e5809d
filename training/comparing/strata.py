"""The model in each group of patients apart: does it rank there as elsewhere, and do as many die as it says?

At one horizon, the primary one. A group of fewer than twenty deaths or survivors has no AUC; one of fewer than ten has no O:E
either, because from it the small number could be told. No count of fewer than ten leaves, nor one from which it could be
subtracted: not from the other groups, and not from the same group of everybody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.design import FloatArray
from models.risk import sigmoid
from training.cohort import Cohort
from training.comparing.groupings import SITE, Grouping, groupings
from training.learners.saved_model import PRIMARY
from training.small_cells import SMALLEST, masked_parts, masked_sentence, masked_within
from training.statistics.censoring import FollowUp
from training.statistics.estimates import Estimate, NotEstimable, attempt, bootstrapped
from training.statistics.panel import STATISTICS, Scored, outcomes
from training.statistics.standing import EVALUABLE_PATIENTS, Standing, numbered, standing


@dataclass(frozen=True)
class Stratum:
    """One group: patients, those known to have died by `day`, the AUC and O:E there, or why there is none."""

    by: str
    level: str
    day: float
    n: int
    deaths: int
    auc: Estimate
    observed_expected: Estimate


def primary_of(days: Sequence[float]) -> float | None:
    """The primary horizon where it is among `days`, else the next later one, else the last earlier one; None of none."""
    return min(days, key=lambda day: (day < PRIMARY, abs(day - PRIMARY)), default=None)


def strata(
    cohort: Cohort, log_odds: FloatArray, day: float, features: Sequence[str], *, bootstrap: int, seed: int
) -> tuple[Stratum, ...]:
    """Every group of the cohort, judged by its log-odds (n,) at `day`; a grouping that tells nobody apart is left out."""
    found = []
    for grouping in groupings(features, cohort.patients):
        members = _members(grouping, cohort)
        if max(map(len, members.values()), default=len(cohort)) < len(cohort):
            found += _apart(cohort, log_odds, day, grouping.by, members, bootstrap, seed)
    return tuple(found)


def site_strata(cohort: Cohort, log_odds: FloatArray, day: float, bootstrap: int, seed: int) -> tuple[Stratum, ...]:
    """Every site apart."""
    return tuple(_apart(cohort, log_odds, day, SITE.by, _members(SITE, cohort), bootstrap, seed))


def _apart(
    cohort: Cohort,
    log_odds: FloatArray,
    day: float,
    by: str,
    members: Mapping[str, NDArray[np.intp]],
    bootstrap: int,
    seed: int,
) -> list[Stratum]:
    return [
        replace(_judged(cohort.select(rows), log_odds[rows], day, bootstrap, seed), by=by, level=name)
        for name, rows in members.items()
    ]


def _members(grouping: Grouping, cohort: Cohort) -> Mapping[str, NDArray[np.intp]]:
    """The rows of each group, in the order in which they are told."""
    levels = [grouping.level(patient) for patient in cohort.patients]
    there = sorted({level for level in levels if level is not None}, key=lambda level: (level not in grouping.levels, level))
    ordered = [level for level in grouping.levels if level in there] + [level for level in there if level not in grouping.levels]
    return {level: np.flatnonzero([one == level for one in levels]) for level in ordered}


def _judged(part: Cohort, log_odds: FloatArray, day: float, bootstrap: int, seed: int) -> Stratum:
    patients = numbered([patient.id for patient in part.patients], len(part))
    asked = standing(part.follow_up, day, groups=patients)
    estimates = _estimates(log_odds, part.follow_up, asked, patients, bootstrap, seed)
    return Stratum("", "", day, int(patients.max()) + 1, asked.deaths, estimates["auc"], estimates["observed_expected"])


def _estimates(
    log_odds: FloatArray, follow_up: FollowUp, asked: Standing, patients: NDArray[np.intp], bootstrap: int, seed: int
) -> dict[str, Estimate]:
    reasons = {"auc": _short(asked, EVALUABLE_PATIENTS), "observed_expected": _short(asked, SMALLEST)}
    found = {name: Estimate(None, None, None, f"not evaluable: {why}") for name, why in reasons.items() if why}
    names = [name for name in ("auc", "observed_expected") if name not in found]
    if not names:
        return found
    models = [Scored(asked.horizon, sigmoid(log_odds), np.ascontiguousarray(log_odds))]

    def measure(multiplicity: FloatArray) -> dict[str, float | NotEstimable]:
        (of,) = outcomes(models, follow_up, multiplicity)
        return {name: attempt(STATISTICS[name], of) for name in names}

    return found | bootstrapped(measure, patients, bootstrap, seed)


def _short(asked: Standing, least: int) -> str:
    """Why fewer than `least` deaths or survivors determine nothing; without the count, which may have to stay hidden."""
    if asked.level == "not identifiable":
        return masked_sentence(asked.why)
    counts = ((asked.deaths, f"deaths by day {asked.horizon:g}"), (asked.survivors, "patients known to be alive then"))
    return " and ".join(f"fewer than {least} {what}" for count, what in counts if count < least)


def strata_json(found: Sequence[Stratum], patients: int, whole: Sequence[Stratum] = ()) -> list[dict[str, Any]]:
    """The groups of so many patients, JSON-ready, small counts hidden; `whole`: those of everybody, of whom these are some."""
    everybody = {(one.by, one.level): one for one in whole}
    told = []
    for _, group in groupby(found, key=lambda one: one.by):
        members = list(group)
        sizes, deaths = (masked_parts([getattr(one, name) for one in members]) for name in ("n", "deaths"))
        for one, n, died in zip(members, sizes, deaths, strict=True):
            peer = everybody.get((one.by, one.level), one)
            told.append(
                {
                    "by": one.by,
                    "level": one.level,
                    "day": int(one.day),
                    "n": _within(_within(n, one.n, patients), one.n, peer.n),
                    "deaths": _within(died, one.deaths, peer.deaths),
                    "auc": one.auc.as_json(),
                    "observed_expected": one.observed_expected.as_json(),
                }
            )
    return told


def _within(shown: int | str, count: int, whole: int) -> int | str:
    return shown if isinstance(shown, str) else masked_within(count, whole)
