"""The analysis that must not be believed: "ever recovered" against never, counted from the index date, and how far it is off.

Whoever recovered in the third month cannot have died in the second: the time before a recovery is lived through by design, and is
credited to the recovered. With recoveries handed out by lot among those alive on the same days, so that they mean nothing at all,
the same analysis says how small a hazard ratio it makes out of nothing in these very patients.

References
----------
Suissa. Am J Epidemiol 2008;167:492-499. doi:10.1093/aje/kwm324 (immortal time)
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from training.rescue.covariates import Adjustment
from training.rescue.modelled import HazardRatio, hazard_ratio
from training.rescue.needed import Refused, short_of
from training.rescue.survived import Group, group
from training.rescue.timed import FloatArray, Timed

EVER, NEVER = '"ever" recovered (biased)', '"never" recovered (biased)'
LOTS = 25


@dataclass(frozen=True)
class Naive:
    """The biased analysis: hazard ratios of "ever", the two curves, and where its ratio comes from.

    `by_lot`: the mean ratio (geometric) when recoveries are handed out by lot. `immortal_days`: the mean number of days that each
    of the recovered was credited with before recovering.
    """

    unadjusted: HazardRatio | Refused
    adjusted: HazardRatio | Refused
    groups: tuple[Group, Group]
    by_lot: float | Refused
    immortal_days: float


def naive(of: Timed, horizon: float, adjustment: Adjustment, seed: int = 1, lots: int = LOTS) -> Naive | Refused:
    """The analysis, to be shown as biased; or a refusal with the number of patients or deaths that is short.

    `lots`: how often who recovers is drawn by lot, from `seed` on.
    """
    ever = of.happened
    named = {EVER: ever, NEVER: ~ever}
    refused = short_of(
        {name: int(rows.sum()) for name, rows in named.items()},
        {f"among those {name}": int(of.deaths[rows].sum()) for name, rows in named.items()},
    )
    if refused:
        return refused
    until, deaths = np.minimum(of.days, horizon), of.deaths & (of.days <= horizon)
    seen = of.entries < until  # who entered after the horizon is in no curve to it
    named = {name: rows & seen for name, rows in named.items()}
    if refused := short_of({f"{name}, before the horizon": int(rows.sum()) for name, rows in named.items()}, {}):
        return refused
    both = tuple(group(name, until[rows], deaths[rows], 0.0, of.entries[rows]) for name, rows in named.items())
    return Naive(
        unadjusted=_ever(of, None),
        adjusted=_ever(of, adjustment),
        groups=(both[0], both[1]),
        by_lot=by_lot(of, seed, lots),
        immortal_days=float(np.mean((of.on - of.entries)[ever])),
    )


def _ever(of: Timed, adjustment: Adjustment | None) -> HazardRatio | Refused:
    flags = of.happened.astype(np.float64)[:, None]
    return hazard_ratio(of.entries, of.days, of.deaths, flags, of.rows, adjustment)


def by_lot(of: Timed, seed: int, lots: int = LOTS) -> float | Refused:
    """The ratio that the naive analysis gives on average when who recovers is drawn by lot from those who might, that day."""
    rng, logs = np.random.default_rng(seed), list[float]()
    for _ in range(lots):
        found = _ever(replace(of, on=drawn_by_lot(of, rng)), None)
        if isinstance(found, Refused):
            return found
        logs.append(found.log)
    return math.exp(float(np.mean(logs)))


def drawn_by_lot(of: Timed, rng: np.random.Generator) -> FloatArray:
    """Days of recovery (n,): as many on each day as there were, of patients then followed who had not recovered before."""
    on = np.full(len(of), np.nan)
    for day in np.sort(of.on[of.happened]):
        might = np.flatnonzero((of.entries < day) & (of.days >= day) & np.isnan(on))
        if might.size:
            on[rng.choice(might)] = day
    return on
