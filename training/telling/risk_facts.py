"""`risks.json`: how the stated risks were spread and what became of patients of similar risk; every number out of fold.

Counts of fewer than ten patients are hidden, and no share is told of fewer than ten deaths: curves stand on a grid of days, from
the tenth death on and while at least ten patients are followed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from models.design import BoolArray, FloatArray
from models.population import prior_line
from models.risk import sigmoid
from training.cohort import Cohort, followed
from training.fit import PRIMARY, Fit
from training.small_cells import SMALLEST, masked_parts, small
from training.statistics.censoring import FollowUp, known_by, survival
from training.telling.risk_groups import survival_interval, told_groups
from training.validate import EVERYBODY, TREATED

BINS = 10  # of the histogram of risks
QUARTERS = ("lowest quarter", "second quarter", "third quarter", "highest quarter")
_LEAST = 40  # patients: fewer are not divided into quarters
_STEP, _LAST = 30.0, 360.0  # days between the points of a survival curve, and the last of them
_DIGITS = 4


def risk_facts(cohort: Cohort, fit: Fit, populations: Sequence[str]) -> dict[str, object]:
    """The document, JSON-ready: by population and horizon the histogram and the risk groups, and survival by quarter of risk."""
    log_odds = np.mean([one.calibrated[fit.learner] for one in fit.cross.repeats], axis=0)
    risk, days = sigmoid(log_odds), fit.cross.horizons
    primary = int(np.argmin([abs(day - PRIMARY) for day in days]))
    told: dict[str, object] = {}
    for name in populations:
        rows = np.flatnonzero(_among(cohort, name))
        part, ours = followed(cohort.follow_up, rows), risk[rows]
        told[name] = {
            "n": len(rows),
            "horizons": {f"{day:g}": _horizon(ours[:, place], part, day) for place, day in enumerate(days)},
            "survival": {"day": days[primary], "quarters": _quarters(ours[:, primary], part)},
        }
    return {"populations": told}


def _among(cohort: Cohort, population: str) -> BoolArray:
    if population == TREATED:
        return np.array([prior_line(patient) == "yes" for patient in cohort.patients])
    if population == EVERYBODY:
        return np.ones(len(cohort), np.bool_)
    raise ValueError(f"population {population}: allowed are {TREATED} and {EVERYBODY}")


def _horizon(risk: FloatArray, follow_up: FollowUp, day: float) -> dict[str, object]:
    known, bins = known_by(follow_up, day), np.minimum((risk * BINS).astype(np.intp), BINS - 1)
    became: Mapping[str, BoolArray] = {"died": known.dead, "alive": known.alive, "censored_before": known.censored}
    counted = {name: masked_parts(np.bincount(bins[flag], minlength=BINS).tolist()) for name, flag in became.items()}
    return {"histogram": {"edges": [k / BINS for k in range(BINS + 1)], **counted}, "groups": _groups(risk, follow_up, day)}


def _groups(risk: FloatArray, follow_up: FollowUp, day: float) -> list[dict[str, object]]:
    """Patients of similar stated risk, neighbours put together until at least ten of each group died and ten are known alive."""
    return [
        {
            "patients": one.patients,
            "stated": round(one.stated, _DIGITS),
            "observed": round(one.observed, _DIGITS),
            "low": None if one.interval is None else round(one.interval[0], _DIGITS),
            "high": None if one.interval is None else round(one.interval[1], _DIGITS),
        }
        for one in told_groups(risk, follow_up, day)
    ]


def _quarters(risk: FloatArray, follow_up: FollowUp) -> list[dict[str, object]]:
    """Survival by quarter of the stated risk; none where the quarters would be small."""
    if len(risk) < _LEAST:
        return []
    parts = np.array_split(np.argsort(risk, kind="stable"), len(QUARTERS))
    return [_quarter(name, risk[rows], followed(follow_up, rows)) for name, rows in zip(QUARTERS, parts, strict=True)]


def _quarter(name: str, risk: FloatArray, follow_up: FollowUp) -> dict[str, object]:
    last = min(float(np.sort(follow_up.times)[-SMALLEST]), _LAST)
    grid = np.arange(0.0, last + 1e-9, _STEP)
    days = grid[[not small(known_by(follow_up, day).dead.sum()) for day in grid]]
    alive = survival(follow_up).at(days)
    bands = [survival_interval(follow_up, day) for day in days]
    return {
        "name": name,
        "patients": len(risk),
        "stated": round(float(risk.mean()), _DIGITS),
        "days": days.tolist(),
        "alive": np.round(alive, _DIGITS).tolist(),
        "low": [None if band is None else round(1 - band[1], _DIGITS) for band in bands],
        "high": [None if band is None else round(1 - band[0], _DIGITS) for band in bands],
    }
