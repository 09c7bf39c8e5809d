"""Patients of similar stated risk, and what became of them: the points of a calibration picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.risk import Z95
from training.small_cells import SMALLEST
from training.statistics.censoring import Array, FollowUp, known_by, survival

Rows = NDArray[np.intp]
MOST_GROUPS = 10
LEAST_PATIENTS = 20  # in a group: fewer show patients instead of risks


@dataclass(frozen=True)
class RiskGroup:
    """`patients` of a mean `stated` risk, of whom the Kaplan-Meier share `observed` died, with its 95 % interval.

    The interval is None where nobody or everybody died.
    """

    patients: int
    stated: float
    observed: float
    interval: tuple[float, float] | None


def risk_groups(risk: Array, follow_up: FollowUp, day: float) -> list[RiskGroup]:
    """Up to ten groups of equal size in the order of the stated risk (n,) of death by `day`; equal risks stay in their order."""
    count = max(1, min(MOST_GROUPS, len(risk) // LEAST_PATIENTS))
    groups = np.array_split(np.argsort(risk, kind="stable"), count)
    return [_group(risk[rows], _rows(follow_up, rows), day) for rows in groups]


def told_groups(risk: Array, follow_up: FollowUp, day: float) -> list[RiskGroup]:
    """The same groups, neighbours put together until at least ten of each died by `day` and ten are known to be alive on it.

    A share of fewer than ten deaths would count them out. None where all of them together have too few.
    """
    count, known = max(1, min(MOST_GROUPS, len(risk) // LEAST_PATIENTS)), known_by(follow_up, day)
    kept, rows = list[Rows](), np.empty(0, np.intp)
    for further in np.array_split(np.argsort(risk, kind="stable"), count):
        rows = np.concatenate([rows, further])
        if min(known.dead[rows].sum(), known.alive[rows].sum()) >= SMALLEST:
            kept, rows = [*kept, rows], np.empty(0, np.intp)
    if kept and rows.size:
        kept[-1] = np.concatenate([kept[-1], rows])
    return [_group(risk[each], _rows(follow_up, each), day) for each in kept]


def _rows(follow_up: FollowUp, rows: Rows) -> FollowUp:
    entries = None if follow_up.entries is None else follow_up.entries[rows]
    return FollowUp(follow_up.times[rows], follow_up.deaths[rows], entries)


def _group(risk: Array, follow_up: FollowUp, day: float) -> RiskGroup:
    alive = float(survival(follow_up).at(day))
    return RiskGroup(len(risk), float(risk.mean()), 1 - alive, survival_interval(follow_up, day))


def survival_interval(follow_up: FollowUp, day: float) -> tuple[float, float] | None:
    """The 95 % interval of the Kaplan-Meier risk by `day`: Greenwood's variance on the log(-log) scale.

    References
    ----------
    Kalbfleisch, Prentice. The Statistical Analysis of Failure Time Data. 2nd ed. Wiley 2002, section 1.4.
    """
    alive = float(survival(follow_up).at(day))
    if not 0 < alive < 1:
        return None
    days = np.unique(follow_up.times[follow_up.deaths & (follow_up.times <= day)])
    entered = np.zeros(len(follow_up)) - 1 if follow_up.entries is None else follow_up.entries
    at_risk = np.array([((follow_up.times >= one) & (entered < one)).sum() for one in days], np.float64)
    dying = np.array([(follow_up.deaths & (follow_up.times == one)).sum() for one in days], np.float64)
    spread = np.sqrt(np.sum(dying / (at_risk * (at_risk - dying)))) / abs(np.log(alive))
    low, high = alive ** np.exp(np.array([-Z95, Z95]) * spread)
    return 1 - float(low), 1 - float(high)
