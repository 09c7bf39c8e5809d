"""Those alive and followed at a landmark, by whether their lymphocytes had recovered by then: what became of them after it.

Nobody is counted as recovered before it was known, and nobody who did not live to the landmark is counted at all: both groups
start alive on the same day. The price is said beside it: who recovers later stands with those who had not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.rescue.covariates import Adjustment
from training.rescue.modelled import HazardRatio, hazard_ratio
from training.rescue.needed import Refused, short_of
from training.rescue.survived import Group, Mean, group, log_rank_p, mean_difference
from training.rescue.timed import Flags, Timed

RECOVERED, NOT_RECOVERED = "recovered by the landmark", "not recovered by the landmark"


@dataclass(frozen=True)
class Landmarked:
    """What is seen from a landmark: `before`, how many had died or been lost by then, and how many recovered only `later`.

    `groups` those recovered by then and those not; `log_rank` the probability of a difference as large by chance (p);
    `adjusted` and `unadjusted` the hazard ratio of the recovered; `means` the restricted means to the `horizon` (days from the
    index date) and their difference in days.
    """

    day: float
    horizon: float
    alive: int
    died_before: int
    lost_before: int
    not_yet_entered: int
    later: int
    groups: tuple[Group, Group]
    log_rank: float
    unadjusted: HazardRatio | Refused
    adjusted: HazardRatio | Refused
    means: Mean | Refused


def landmarked(of: Timed, day: float, horizon: float, adjustment: Adjustment) -> Landmarked | Refused:
    """The groups of a landmark, followed to the `horizon`; or a refusal with the number of patients or deaths that is short.

    References
    ----------
    Anderson, Cain, Gelber. J Clin Oncol 1983;1:710-719. doi:10.1200/JCO.1983.1.11.710 (the landmark method)
    """
    at = of.part(_alive(of, day))
    until = np.minimum(at.days, horizon)
    deaths = at.deaths & (at.days <= horizon)
    recovered = at.by(day)
    named = {RECOVERED: recovered, NOT_RECOVERED: ~recovered}
    refused = short_of(
        {name: int(rows.sum()) for name, rows in named.items()},
        {f"after day {day:g} among those {name}": int(deaths[rows].sum()) for name, rows in named.items()},
    )
    if refused:
        return refused
    start = np.full(len(at), day)
    both = tuple(group(name, until[rows], deaths[rows], day) for name, rows in named.items())
    flags = recovered.astype(np.float64)[:, None]
    return Landmarked(
        day=day,
        horizon=horizon,
        alive=len(at),
        died_before=int((of.deaths & (of.days <= day)).sum()),
        lost_before=int((~of.deaths & (of.days <= day)).sum()),
        not_yet_entered=int(((of.entries > day) & (of.days > day)).sum()),
        later=int((at.happened & ~recovered).sum()),
        groups=(both[0], both[1]),
        log_rank=log_rank_p(until, deaths, recovered, day),
        unadjusted=hazard_ratio(start, until, deaths, flags, at.rows, None),
        adjusted=hazard_ratio(start, until, deaths, flags, at.rows, adjustment),
        means=mean_difference(both[0], both[1], horizon - day),
    )


def _alive(of: Timed, day: float) -> Flags:
    """Who had entered by the landmark and is followed beyond it."""
    return np.asarray((of.entries <= day) & (of.days > day))
