"""How far the model would move had other patients of the same kind been sampled: bootstrap refits, kept for the intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import xgboost as xgb
from numpy.typing import NDArray

from models.design import Design, FloatArray
from models.risk import Refits
from training.censoring import FollowUp, weights
from training.fit_linear import LinearFit, Stacked, fit_linear
from training.fit_trees import TreeSettings, fit_trees
from training.leaf_tables import compile_leaf_tables

SAMPLE = 300  # development patients in whom the spread of trees and of the linear learner are compared
ROUNDS = 60  # of the optimiser, from the full fit


def refit(
    design: Design,
    x: FloatArray,
    follow_up: FollowUp,
    full: LinearFit,
    *,
    grid: Sequence[float],
    served: Sequence[float],
    tree_share: float,
    trees: TreeSettings,
    count: int,
    tree_count: int,
    seed: int,
    progress: Callable[[int], object] = lambda n: None,
) -> Refits:
    """`count` refits of the linear learner on bootstrap samples of patients, the censoring model refitted in each.

    With trees in the saved learner, `tree_count` of the samples are refitted with trees too, and the ratio of the spreads (by
    clinical group, and of the log-odds) is the inflation that carries the linear spread over.

    References
    ----------
    Efron B, Ann Stat 1979;7:1-26, doi:10.1214/aos/1176344552.
    """
    rng, fits, boosters = np.random.default_rng(seed), [], []
    for index in range(count):
        drawn = np.bincount(rng.integers(0, len(x), len(x)), minlength=len(x)).astype(np.float64)
        rows = _resampled(follow_up, grid, drawn)
        fits.append(
            fit_linear(
                design, full.model.ramps, x, rows, np.asarray(served), multiplicity=drawn, start=full.parameters, rounds=ROUNDS
            )
        )
        if tree_share > 0 and index < tree_count:
            boosters.append(fit_trees(design, x, rows, trees, seed + index, drawn))
        progress(1)
    inflation, whole = _inflation(design, x, fits[: len(boosters)], boosters, served, tree_share)
    return Refits(
        first=np.array([fit.model.first for fit in fits]),
        last=np.array([fit.model.last for fit in fits]),
        base=np.array([fit.model.base for fit in fits]),
        inflation=inflation,
        inflation_risk=whole,
    )


def _resampled(follow_up: FollowUp, grid: Sequence[float], drawn: FloatArray) -> Stacked:
    weighted = weights(follow_up, grid, multiplicity=drawn)
    return Stacked(weighted.dead, weighted.weight, np.asarray(grid, np.float64))


def _inflation(
    design: Design, x: FloatArray, fits: Sequence[LinearFit], boosters: Sequence[xgb.Booster], served: Sequence[float], share: float
) -> tuple[FloatArray, float]:
    """Root of the ratio of variances over refits, saved learner to linear learner, by group and for the log-odds."""
    if not boosters:
        return np.ones(len(design.groups)), 1.0
    rows = np.linspace(0, len(x) - 1, min(SAMPLE, len(x))).astype(int)
    linear = [(fit.model.terms(x[rows]), fit.model.base) for fit in fits]
    tables = [compile_leaf_tables(booster, x, served) for booster in boosters]
    saved = [(a + share * (t.terms(x[rows]) - a), base + share * (t.base - base)) for (a, base), t in zip(linear, tables, strict=True)]
    group = design.group_of_feature[design.feature_of_column]
    spread = [_spread(made, group, len(design.groups)) for made in (saved, linear)]
    by_group = np.sqrt(spread[0][0] / np.maximum(spread[1][0], 1e-12))
    return np.clip(by_group, 0.2, 5.0), float(np.clip(np.sqrt(spread[0][1] / max(spread[1][1], 1e-12)), 0.2, 5.0))


def _spread(made: Sequence[tuple[FloatArray, FloatArray]], group: NDArray[np.intp], groups: int) -> tuple[FloatArray, float]:
    """Mean variance over refits of the group terms (groups,), and of the log-odds."""
    terms = np.array([terms for terms, _ in made])
    by_group = [terms[..., group == index].sum(axis=-1).var(axis=0).mean() for index in range(groups)]
    log_odds = np.array([terms.sum(axis=-1) + base for terms, base in made])
    return np.array(by_group), float(log_odds.var(axis=0).mean())
