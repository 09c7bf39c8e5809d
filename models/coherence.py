"""A model is right as a whole or is none: what must hold of its parts, each alone and together, before it may score anybody."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from models.design import FloatArray

if TYPE_CHECKING:
    from models.risk import RiskModel

LEVELS = ("evaluable", "promotable")  # of a horizon that is served


def require_coherent(model: RiskModel) -> None:
    """ValueError naming what is allowed, where a part makes no sense or the parts do not fit together."""
    _require_shapes(model)
    _require_horizons(model)
    _require_imputation(model)
    _require_linear(model)
    _require_direction(model)
    _require_trees(model)
    _require_refits(model)
    _require_words_and_counts(model)
    _require_ranks(model)


def _require(holds: bool | np.bool_, rule: str) -> None:
    if not holds:
        raise ValueError(f"a model whose parts do not fit: allowed are {rule}")


def _require_shapes(model: RiskModel) -> None:
    n, k, m = len(model.horizons), len(model.design.columns), len(model.linear.ramps.source)
    refits, groups = len(model.refits.first), len(model.design.groups)
    _require_finite(model.imputation, (k,), "mean", "lower", "upper")
    _require_finite(model.imputation, (k, k), "covariance")
    _require_finite(model.linear.ramps, (m,), "source", "start", "width", "mean")
    _require_finite(model.linear, (m,), "first", "last")
    _require_finite(model.linear, (n,), "base", "late")
    _require_finite(model.calibration, (n,), "intercept", "slope")
    _require_finite(model.refits, (refits, m), "first", "last")
    _require_finite(model.refits, (refits, n), "base")
    _require_finite(model.refits, (groups,), "inflation")


def _require_finite(part: object, shape: tuple[int, ...], *names: str) -> None:
    for name in names:
        array: FloatArray = getattr(part, name)
        fits = array.shape == shape and np.isfinite(array).all()
        _require(fits, f"finite {type(part).__name__.lower()}.{name} of shape {shape}, not {array.shape}")


def _require_horizons(model: RiskModel) -> None:
    for one in model.horizons:
        _require(_is_number(one.days) and float(one.days).is_integer() and one.days > 0, "horizons of whole days above 0")
        _require(one.level in LEVELS, f"horizons that are {' or '.join(LEVELS)}, not {one.level!r}")
        _require(isinstance(one.why, str), "horizons whose why is a text")
        _require(_is_number(one.died_share) and 0 <= one.died_share <= 1, "shares of the dead from 0 to 1")
    _require(model.days != () and all(early < late for early, late in pairwise(model.days)), "horizons that rise")
    _require((model.calibration.slope > 0).all(), "calibration slopes above 0")


def _require_imputation(model: RiskModel) -> None:
    _require((model.imputation.lower <= model.imputation.upper).all(), "lower limits of imputation at or below the upper ones")
    _require((np.diag(model.imputation.covariance) > 0).all(), "variances above 0")


def _require_linear(model: RiskModel) -> None:
    linear, source = model.linear, model.linear.ramps.source
    k = len(model.design.columns)
    _require(linear.columns == k and ((source >= 0) & (source < k)).all(), "ramps of the design's columns")
    # beyond them an effect that is linear in log t could cross 0, against its clinical sign
    _require(((linear.late >= 0) & (linear.late <= 1)).all(), "horizons within those of the fit")


def _require_direction(model: RiskModel) -> None:
    """No coefficient, early or late, against the clinical sign of its feature: more lymphocytes never raise the risk."""
    columns = [model.design.columns[place] for place in model.linear.ramps.source]
    sign = np.array([model.design.of[column.feature].sign for column in columns], np.intp)
    wrong = (sign * model.linear.first < 0) | (sign * model.linear.last < 0)
    against = dict.fromkeys(columns[place].feature for place in np.flatnonzero(wrong))
    _require(not against, f"coefficients of their features' clinical sign; against it: {', '.join(against)}")


def _require_trees(model: RiskModel) -> None:
    share = model.tree_share
    _require(0 <= share <= 1 and (share > 0) == (model.trees is not None), "trees where they count")
    if model.trees is not None:
        _require(model.trees.columns == len(model.design.columns), "trees of the design's columns")
        _require(model.trees.horizons == tuple(horizon.days for horizon in model.horizons), "trees at the model's horizons")


def _require_refits(model: RiskModel) -> None:
    _require(len(model.refits.first) > 0, "at least one refit")
    whole = model.refits.inflation_risk
    _require(_is_number(whole) and 0 < whole < np.inf and (model.refits.inflation > 0).all(), "inflations above 0 and finite")


def _require_ranks(model: RiskModel) -> None:
    if model.ranks is None:
        return
    log_odds = model.ranks.log_odds
    places = log_odds.shape[-1] if log_odds.ndim else 0
    _require_finite(model.ranks, (len(model.horizons), places), "log_odds")
    _require(places > 1 and (np.diff(log_odds, axis=1) >= 0).all(), "ranks of two places or more that rise")
    _require((np.diff(log_odds, axis=0) >= 0).all(), "ranks whose log-odds never fall with the horizon")


def _require_words_and_counts(model: RiskModel) -> None:
    _require(isinstance(model.name, str) and isinstance(model.trained_on, str), "texts for name and trained_on")
    _require(_is_of_texts(model.refused) and all(day.isdecimal() for day in model.refused), "refused: a reason by days")
    for counts in (model.population.deaths_by_tumour, model.population.deaths_by_prior_line):
        _require(isinstance(counts, Mapping) and all(map(_is_count, counts.values())), "numbers of deaths that are whole")
    _require(set(model.required) <= set(model.design.features), "required inputs among the features")
    _require(all(low <= high for low, high in model.development_range.values()), "development ranges from low to high")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_of_texts(value: object) -> bool:
    return isinstance(value, Mapping) and all(isinstance(text, str) for item in value.items() for text in item)
