"""Simulated patients as the analysis of recovery knows them, without the way through files: to hold it against a known truth."""

from __future__ import annotations

import math

import numpy as np

from training.rescue.person import Person
from training.simulation.histories import SimulatedHistories
from training.simulation.world import TUMOURS

UNDETECTABLE = 2.0  # U/mL


def people_of(simulated: SimulatedHistories, cut_off: float) -> list[Person]:
    """Those whose count lay below the cut-off (10*9/L) on the index date; what was not measured is not known here either."""
    low = np.flatnonzero(simulated.cohort.patients.alc < cut_off)
    return [_person(simulated, int(row)) for row in low]


def _person(simulated: SimulatedHistories, row: int) -> Person:
    cohort, p = simulated.cohort, simulated.cohort.patients
    days, died = float(cohort.times[row]), bool(cohort.deaths[row])
    lines = float(p.treatments.prior_lines[row])
    known = {name: not bool(cohort.missing[name][row]) for name in ("ca19_9", "albumin") if name in cohort.missing}
    marker = float(p.ca19_9[row]) if known.get("ca19_9", True) else math.nan
    undetectable, applies = marker <= UNDETECTABLE, not math.isnan(p.ca19_9[row])
    return Person(
        days=days,
        died=died,
        alc=float(p.alc[row]),
        counts=_counts(simulated, row, days - died),
        covariates={
            "age": float(p.age[row]),
            "ln_alc": math.log(p.alc[row]),
            "ln_nlr": math.log(p.anc[row] / p.alc[row]),
            "ca19_9_log10": math.nan if math.isnan(marker) or undetectable else math.log10(marker),
            "ca19_9_undetectable": math.nan if math.isnan(marker) else float(undetectable),
            "prior_lines": lines,
            "albumin": 10.0 * float(p.albumin[row]) if known.get("albumin", True) else math.nan,
        },
        not_applicable=frozenset(_silent(applies, undetectable)),
        tumour=TUMOURS[int(p.tumour[row])].name,
        ca19_9_at_index=None if math.isnan(marker) or undetectable else marker,
        ca19_9_undetectable=None if math.isnan(marker) else undetectable,
        line=int(lines) + 1,
        steroids=bool(p.steroids[row]),
    )


def _silent(applies: bool, undetectable: bool) -> set[str]:
    """What may not be asked: how high a CA19-9 is that cannot be detected, and of other tumours anything of it."""
    return (set() if applies else {"ca19_9_log10", "ca19_9_undetectable"}) | ({"ca19_9_log10"} if undetectable else set())


def _counts(simulated: SimulatedHistories, row: int, last: float) -> tuple[tuple[float, float], ...]:
    """The draws of ALC up to the `last` day, oldest first; nobody is drawn on the day of death."""
    drawn = zip(simulated.visits.day[row].tolist(), simulated.visits.counts[row].tolist(), strict=True)
    return tuple(sorted((day, alc) for day, alc in drawn if math.isfinite(day) and 0 < day <= last))
