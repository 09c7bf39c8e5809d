"""The trees of a fitted booster, each split knowing what share of the development patients goes which way.

The horizon t is the booster's last feature. Whether a patient reaches a node depends on t only through the splits on t above it,
so one count serves all horizons: both sides of a split on t inherit its patients, and a horizon just picks the side it is on.
Patients count once each and unweighted, so that the mean over them is the mean over patients.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xgboost
from numpy.typing import NDArray

from models.design import FloatArray

Question = tuple[int, float, bool]  # column, cut, answer where missing: "is the value at least the cut?"


@dataclass(frozen=True)
class Leaf:
    """What a tree adds to the log-odds; `node` is its number in the booster."""

    node: int
    value: float


@dataclass(frozen=True)
class Split:
    """A question; yes goes right, as do `share_right` of the development patients."""

    node: int
    question: Question
    share_right: float
    left: Tree
    right: Tree

    def share(self, right: bool) -> float:
        return self.share_right if right else 1.0 - self.share_right


Tree = Split | Leaf
Turn = tuple[Split, bool]  # a split, and whether the way goes right


def leaves(tree: Tree, way: tuple[Turn, ...] = ()) -> Iterator[tuple[Leaf, tuple[Turn, ...]]]:
    """Every leaf of `tree` with the turns that lead to it, after those in `way`."""
    if isinstance(tree, Leaf):
        yield tree, way
    else:
        yield from leaves(tree.left, (*way, (tree, False)))
        yield from leaves(tree.right, (*way, (tree, True)))


def booster_json(booster: xgboost.Booster) -> dict[str, Any]:
    """The booster as XGBoost writes it; ValueError where it is not plain `binary:logistic` trees on numbers."""
    model: dict[str, Any] = json.loads(booster.save_raw("json"))
    learner = model["learner"]
    kind = learner["gradient_booster"]["name"], learner["objective"]["name"]
    if kind != ("gbtree", "binary:logistic"):
        raise ValueError(f"booster of {' and '.join(kind)}: allowed is gbtree and binary:logistic")
    if any(weight != 1 for weight in learner["gradient_booster"]["model"].get("weight_drop", ())):  # dart, since XGBoost 3.4
        raise ValueError("booster with weighted trees: allowed are trees that simply add up; likely fitted with rate_drop")
    if any(any(tree["split_type"]) for tree in json_trees(model)):
        raise ValueError("booster with categorical splits: allowed are splits on numbers; likely levels want columns")
    rounds = booster.num_boosted_rounds()
    best = int(learner["attributes"].get("best_iteration", rounds - 1)) + 1
    if best != rounds:
        raise ValueError(f"booster of {rounds} rounds, best after {best}: allowed is one ending there; likely booster[:{best}]")
    return model


def json_trees(model: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The trees within `booster_json`."""
    trees: list[dict[str, Any]] = model["learner"]["gradient_booster"]["model"]["trees"]
    return trees


def start_log_odds(model: Mapping[str, Any]) -> float:
    """The log-odds before the first tree. XGBoost writes `base_score` as "[5E-1]", before 3.1 as "5E-1"."""
    score = float(model["learner"]["learner_model_param"]["base_score"].strip("[]"))
    return math.log(score) - math.log1p(-score)


def counted_trees(model: Mapping[str, Any], x: FloatArray) -> list[Tree]:
    """The trees of `booster_json`, counted on development rows `x` (n, k), one a patient, without the horizon."""
    features = int(model["learner"]["learner_model_param"]["num_feature"])
    if x.ndim != 2 or x.shape[1] != features - 1 or not len(x):
        raise ValueError(f"development rows of shape {x.shape}: allowed is (n, {features - 1}), the features less the horizon")
    rows = np.asfortranarray(x, np.float32)
    return [_counted(tree, 0, rows, np.arange(len(rows))) for tree in json_trees(model)]


def _counted(tree: Mapping[str, Any], node: int, x: NDArray[np.float32], here: NDArray[np.intp]) -> Tree:
    cut = float(np.float32(tree["split_conditions"][node]))
    if tree["left_children"][node] < 0:
        return Leaf(node, cut)
    column, missing = tree["split_indices"][node], not tree["default_left"][node]
    left, right, share = here, here, math.nan
    if column < x.shape[1]:
        value = x[here, column]
        yes = (value >= np.float32(cut)) | (np.isnan(value) & missing)
        left, right = here[~yes], here[yes]
        # a side that nobody takes counts as one patient, as TreeSHAP has to divide by it
        share = max(len(right), 1) / (max(len(left), 1) + max(len(right), 1))
    children = tree["left_children"][node], tree["right_children"][node]
    return Split(node, (column, cut, missing), share, _counted(tree, children[0], x, left), _counted(tree, children[1], x, right))
