import io
import itertools
import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pytest
import shap
import xgboost

from models.trees import LeafTables
from training.learners.counted_trees import Leaf, Split, booster_json, counted_trees, start_log_odds
from training.learners.leaf_tables import compile_leaf_tables, shapley_terms
from training.learners.specialise import specialised_booster

HORIZONS = (30.0, 60.0, 90.0, 180.0, 365.0)


@dataclass(frozen=True)
class Fitted:
    booster: xgboost.Booster
    x: np.ndarray
    tables: LeafTables

    @cached_property
    def start(self):
        return start_log_odds(booster_json(self.booster))

    @cached_property
    def trees(self):
        return counted_trees(booster_json(self.booster), self.x)

    def at(self, horizon):
        return specialised_booster(self.booster, self.x, horizon)


def fit(depth, n=500, k=7, rounds=40):
    """Trees on simulated patients with missing values, ties and an effect that fades with time."""
    rng = np.random.default_rng(depth)
    x = rng.normal(size=(n, k))
    x[:, 4:] = np.round(x[:, 4:])
    x[rng.random((n, k)) < 0.06] = np.nan
    z, t = np.nan_to_num(x), np.tile(HORIZONS, n)
    log_odds = np.repeat(z[:, 0] - 0.7 * z[:, 1] + 0.5 * z[:, 2] * (z[:, 4] > 0), 5) * (1.5 - t / 365) + np.log(t / 120)
    dead = rng.random(len(t)) < 1 / (1 + np.exp(-log_odds))
    settings = {"objective": "binary:logistic", "max_depth": depth, "eta": 0.2, "min_child_weight": 5, "nthread": 1}
    monotone = {"monotone_constraints": "(1,-1," + "0," * (k - 2) + "1)"}
    booster = xgboost.train(settings | monotone, xgboost.DMatrix(np.c_[np.repeat(x, 5, axis=0), t], label=dead), rounds)
    booster.set_param({"nthread": 1})
    return Fitted(booster, x, compile_leaf_tables(booster, x, HORIZONS))


@pytest.fixture(scope="module", params=[1, 2, 3, 4], ids="depth {}".format)
def fitted(request):
    return fit(request.param)


def awkward(fitted):
    """Patients on the cuts, beside them by less than float32 can hold, beyond all of them, and with little measured."""
    rng = np.random.default_rng(0)
    cuts = [[cut for tree in fitted.trees for cut in cuts_on(column, tree)] or [0.0] for column in range(7)]
    on = np.stack([rng.choice(of_column, 400) for of_column in cuts], axis=1)
    beside = on + rng.choice([-1, 1], on.shape) * np.abs(on) * 1e-9
    beyond = rng.choice([-1e6, 1e6], (50, 7))
    sparse = np.where(rng.random((200, 7)) < 0.7, np.nan, rng.normal(size=(200, 7)))
    assert (np.float32(beside) == np.float32(on)).mean() > 0.9
    return np.concatenate([fitted.x, on, beside, beyond, sparse, np.full((1, 7), np.nan)])


def cuts_on(column, tree):
    if isinstance(tree, Leaf):
        return []
    own = [tree.question[1]] if tree.question[0] == column else []
    return own + cuts_on(column, tree.left) + cuts_on(column, tree.right)


def walked(fitted, row, horizon):
    """The log-odds of one patient, by walking down every tree."""
    row, total = np.float32([*row, horizon]), fitted.start
    for tree in fitted.trees:
        while isinstance(tree, Split):
            column, cut, missing = tree.question
            tree = tree.right if (missing if np.isnan(row[column]) else row[column] >= np.float32(cut)) else tree.left
        total += tree.value
    return total


def test_log_odds_are_the_margins_of_the_booster(fitted):
    x = awkward(fitted)
    terms = fitted.tables.terms(x)
    for place, horizon in enumerate(HORIZONS):
        margin = fitted.booster.predict(xgboost.DMatrix(np.c_[x, np.full(len(x), horizon)]), output_margin=True)
        np.testing.assert_allclose(fitted.tables.base[place] + terms[:, place].sum(axis=1), margin, rtol=0, atol=1e-5)
        np.testing.assert_allclose(fitted.at(horizon).predict(xgboost.DMatrix(x), output_margin=True), margin, rtol=0, atol=2e-6)


def test_base_and_terms_add_up_to_the_leaves_that_a_patient_reaches(fitted):
    x = awkward(fitted)[::29]
    terms = fitted.tables.terms(x)
    for place, horizon in enumerate(HORIZONS):
        reached = [walked(fitted, row, horizon) for row in x]
        np.testing.assert_allclose(fitted.tables.base[place] + terms[:, place].sum(axis=1), reached, rtol=0, atol=1e-9)


def test_base_is_the_mean_log_odds_of_the_development_patients(fitted):
    for place, horizon in enumerate(HORIZONS):
        mean = np.mean([walked(fitted, row, horizon) for row in fitted.x])
        assert fitted.tables.base[place] == pytest.approx(mean, abs=1e-9)


def test_terms_are_the_contributions_that_xgboost_finds(fitted):
    x = awkward(fitted)
    terms = fitted.tables.terms(x)
    for place, horizon in enumerate(HORIZONS):
        contributions = fitted.at(horizon).predict(xgboost.DMatrix(x), pred_contribs=True)
        np.testing.assert_allclose(terms[:, place], contributions[:, :-1], rtol=0, atol=1e-5)
        np.testing.assert_allclose(fitted.tables.base[place], contributions[:, -1], rtol=0, atol=1e-5)


@pytest.mark.parametrize("algorithm", ["xgboost", "internal"])
def test_terms_are_the_values_that_shap_finds(fitted, algorithm):
    x = awkward(fitted)[::3]
    for place, horizon in enumerate(HORIZONS):
        explainer = shap.TreeExplainer(fitted.at(horizon), feature_perturbation="tree_path_dependent")
        explainer.model.model_type = algorithm  # "internal": shap's own TreeSHAP instead of a call to XGBoost
        values = explainer.shap_values(np.float32(x), check_additivity=False)
        np.testing.assert_allclose(fitted.tables.terms(x)[:, place], values, rtol=0, atol=1e-5)
        if algorithm == "xgboost":  # on its own, shap 0.51 takes XGBoost's base_score for the expected value
            assert explainer.expected_value == pytest.approx(fitted.tables.base[place], abs=1e-5)


def test_a_patient_alone_has_the_terms_of_a_patient_in_company_to_the_bit(fitted):
    x = awkward(fitted)
    alone = np.concatenate([fitted.tables.terms(row[None]) for row in x])
    assert fitted.tables.terms(x).tobytes() == alone.tobytes()


def test_saving_and_loading_changes_no_bit(fitted):
    file = io.BytesIO()
    np.savez_compressed(file, allow_pickle=False, **fitted.tables.arrays())
    file.seek(0)
    with np.load(file, allow_pickle=False) as arrays:
        again = LeafTables.from_arrays(arrays)
    assert again.terms(fitted.x).tobytes() == fitted.tables.terms(fitted.x).tobytes()
    assert (again.base.tobytes(), again.horizons, again.columns) == (fitted.tables.base.tobytes(), HORIZONS, 7)


def test_a_horizon_alone_has_the_terms_of_a_horizon_among_others(fitted):
    alone = compile_leaf_tables(fitted.booster, fitted.x, HORIZONS[2:3])
    np.testing.assert_allclose(alone.terms(fitted.x)[:, 0], fitted.tables.terms(fitted.x)[:, 2], rtol=0, atol=1e-13)
    np.testing.assert_allclose(alone.base, fitted.tables.base[2:3], rtol=0, atol=1e-12)


def test_risk_never_falls_as_the_horizon_grows(fitted):
    x = awkward(fitted)
    assert (np.diff(fitted.tables.base + fitted.tables.terms(x).sum(axis=2), axis=1) > -1e-9).all()


@pytest.mark.parametrize("columns", [1, 2, 3, 4])
def test_shapley_terms_are_the_mean_gain_over_all_orders(columns):
    shares = np.random.default_rng(columns).uniform(0.01, 0.99, columns)
    for leads in itertools.product([False, True], repeat=columns):
        gains = np.zeros(columns)
        for order in itertools.permutations(range(columns)):
            chance = shares.copy()
            for column in order:
                before = math.prod(chance)
                chance[column] = leads[column]
                gains[column] += math.prod(chance) - before
        by_hand = -2.5 * gains / math.factorial(columns)
        np.testing.assert_allclose(shapley_terms(-2.5, np.array(leads), shares), by_hand, rtol=0, atol=1e-14)


def test_a_path_through_more_than_four_columns_is_refused():
    deep = np.random.default_rng(0).random((2000, 6))
    dead = np.random.default_rng(1).random(2000) < np.prod(0.5 + deep[:, :5], axis=1)
    settings = {"objective": "binary:logistic", "max_depth": 6, "nthread": 1}
    booster = xgboost.train(settings, xgboost.DMatrix(deep, label=dead), 3)
    with pytest.raises(ValueError, match=r"a path through [56] columns: allowed are 4; likely max_depth is above 4"):
        compile_leaf_tables(booster, deep[:, :5], HORIZONS)


def fit_to_one_column(depth):
    x = np.random.default_rng(0).random((3000, 1))
    settings = {"objective": "binary:logistic", "max_depth": depth, "min_child_weight": 0, "lambda": 0, "nthread": 1}
    rows = xgboost.DMatrix(np.c_[x, np.full(3000, 90.0)], label=np.sin(200 * x[:, 0] ** 2) > 0)
    return xgboost.train(settings, rows, 3), x


def test_a_deep_path_through_few_columns_is_no_trouble():
    booster, x = fit_to_one_column(7)
    tables = compile_leaf_tables(booster, x, (90.0,))
    margin = booster.predict(xgboost.DMatrix(np.c_[x, np.full(3000, 90.0)]), output_margin=True)
    np.testing.assert_allclose(tables.base + tables.terms(x)[:, 0, 0], margin, rtol=0, atol=1e-5)


def test_a_path_of_more_than_eight_questions_is_refused():
    booster, x = fit_to_one_column(12)
    with pytest.raises(ValueError, match=r"a path of \d+ questions: allowed are 8; likely max_depth is above 8"):
        compile_leaf_tables(booster, x, (90.0,))


@pytest.mark.parametrize("horizons", [(), (90.0, 30.0), (0.0, 30.0), (30.0, 30.0), (math.nan,), (30.0, math.inf)])
def test_horizons_that_do_not_rise_are_refused(fitted, horizons):
    with pytest.raises(ValueError, match="allowed are positive, finite and increasing"):
        compile_leaf_tables(fitted.booster, fitted.x, horizons)
