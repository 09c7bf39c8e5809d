"""The trees at one horizon, as a booster of their own: what `shap` and XGBoost itself can read, draw and be asked about.

The horizon is put into every split on it, such splits are taken out, and the covers say how many development patients pass each
node. Margins are those of the whole booster at that horizon; SHAP values have no term for the horizon. This is what the leaf
tables are held against.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import xgboost

from models.design import FloatArray
from training.learners.counted_trees import Leaf, Split, Tree, booster_json, counted_trees, json_trees

NO_PARENT = 2**31 - 1  # as XGBoost writes it


def specialised_booster(booster: xgboost.Booster, x: FloatArray, horizon: float) -> xgboost.Booster:
    """`booster` at `horizon` days, on the k design columns alone; `x` (n, k): the development patients' rows, one each."""
    model = booster_json(booster)
    counted = [_at_horizon(tree, x.shape[1], np.float32(horizon)) for tree in counted_trees(model, x)]
    given = json_trees(model)
    given[:] = [_written(nodes, tree, len(x)) for nodes, tree in zip(given, counted, strict=True)]
    _drop_last_feature(model["learner"])
    specialised = xgboost.Booster()
    specialised.load_model(bytearray(json.dumps(model).encode()))
    return specialised


def _at_horizon(tree: Tree, column: int, horizon: np.float32) -> Tree:
    """The tree with its splits on the horizon, feature `column`, spliced out."""
    if isinstance(tree, Leaf):
        return tree
    if tree.question[0] == column:
        return _at_horizon(tree.right if horizon >= np.float32(tree.question[1]) else tree.left, column, horizon)
    left, right = (_at_horizon(child, column, horizon) for child in (tree.left, tree.right))
    return Split(tree.node, tree.question, tree.share_right, left, right)


def _written(given: dict[str, Any], tree: Tree, patients: int) -> dict[str, Any]:
    """`tree` in XGBoost's own words: the nodes that it keeps of `given`, with their new places and covers.

    The nodes stand breadth-first: in any other order XGBoost's margins are right and its contributions silently wrong.
    """
    nodes, parents, covers, left, right = [tree], [NO_PARENT], [float(patients)], [], []
    for place, node in enumerate(nodes):  # which grows on the way
        left.append(len(nodes) if isinstance(node, Split) else -1)
        right.append(len(nodes) + 1 if isinstance(node, Split) else -1)
        if isinstance(node, Split):
            nodes += [node.left, node.right]
            parents += [place, place]
            covers += [covers[place] * node.share(False), covers[place] * node.share(True)]
    by_node = [name for name, value in given.items() if isinstance(value, list) and len(value) == len(given["left_children"])]
    kept = {name: [given[name][node.node] for node in nodes] for name in by_node}
    changed = {"left_children": left, "right_children": right, "parents": parents, "sum_hessian": covers}
    features = int(given["tree_param"]["num_feature"]) - 1
    size = {"num_nodes": str(len(nodes)), "num_deleted": "0", "num_feature": str(features)}
    return {**given, **kept, **changed, "tree_param": {**given["tree_param"], **size}}


def _drop_last_feature(learner: dict[str, Any]) -> None:
    learner["feature_names"], learner["feature_types"] = learner["feature_names"][:-1], learner["feature_types"][:-1]
    features = learner["learner_model_param"]
    features["num_feature"] = str(int(features["num_feature"]) - 1)
