"""A model for one hospital: its parent's learners and reasons, every risk moved by the same map of log-odds.

Whom the model calls sicker stays the same, and so do the reasons: terms by feature are the parent's, times the slope where there
is one. The intervals grow by what the hospital's few patients leave open about the shift.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from statistics import NormalDist

import numpy as np

from models.design import FloatArray
from models.ranks import Ranks
from models.risk import RECALIBRATION, Calibration, Refits, RiskModel
from training.recalibration.shift import Recalibration

ROUNDING = 1e-12  # log-odds; what rounding may do to two patients who are alike
_SEED = 1  # of the order in which refits get their share of the shift's uncertainty


class OrderChanged(ArithmeticError):
    """A recalibration that would rank patients otherwise is never saved."""


def child_of(parent: RiskModel, learned: Recalibration, site: str, facts: Mapping[str, object]) -> RiskModel:
    """`parent` with `learned` after its calibration, named for `site`; `facts` are kept with the site."""
    calibration = Calibration(learned.apply(parent.calibration.intercept), learned.slope * parent.calibration.slope)
    return replace(
        parent,
        name=f"{parent.name} recalibrated for {site}",
        calibration=calibration,
        refits=_unsure(parent.refits, learned.shift_sd, calibration.slope),
        facts={**parent.facts, RECALIBRATION: {"site": site, **facts}},
        ranks=None if parent.ranks is None else Ranks(learned.apply(parent.ranks.log_odds)),
    )


def _unsure(refits: Refits, shift_sd: float, slope: FloatArray) -> Refits:
    """The refits, each with a shift of its own about the one that was learned: normal quantiles, which no luck draws."""
    count = len(refits.base)
    quantiles = np.array([NormalDist().inv_cdf((place + 0.5) / count) for place in range(count)])
    shares = np.random.default_rng(_SEED).permutation(quantiles / np.sqrt(np.mean(quantiles**2)))
    # the base of a refit is multiplied by slope and inflation before it is shown
    moved = shift_sd * shares[:, None] / (slope * refits.inflation_risk)
    return replace(refits, base=refits.base + moved)


def require_same_order(before: FloatArray, after: FloatArray) -> None:
    """OrderChanged unless log-odds (n, h) rank the patients at every horizon as they did before, ties included."""
    for old, new in zip(before.T, after.T, strict=True):
        order = np.argsort(old, kind="stable")
        steps = np.diff(new[order])
        same = np.diff(old[order]) == 0
        if (steps < -ROUNDING).any() or (np.abs(steps[same]) > ROUNDING).any():
            raise OrderChanged("the recalibrated model ranks patients otherwise than its parent: it is not saved")
