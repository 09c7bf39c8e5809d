import json

import numpy as np
import pytest
import xgboost

from training.learners.counted_trees import booster_json, counted_trees, start_log_odds
from training.learners.leaf_tables import compile_leaf_tables
from training.learners.specialise import specialised_booster

# before day 75 nobody is told apart; from then on 0 log-odds, 1 if column 0 is at least 1, and 4 if then column 1 is at least 2
TREE = {
    "split_indices": [2, 0, 0, 0, 1, 0, 0],
    "split_conditions": [75.0, -3.0, 1.0, 0.0, 2.0, 1.0, 4.0],
    "left_children": [1, -1, 3, -1, 5, -1, -1],
    "right_children": [2, -1, 4, -1, 6, -1, -1],
    "parents": [2147483647, 0, 0, 2, 2, 4, 4],
    "default_left": [0, 0, 1, 0, 0, 0, 0],
}
PATIENTS = np.array([[0.0, 9.0], [0.0, 0.0], [1.0, 2.0], [5.0, 1.0]])  # half pass the first question, half of them the second


def booster_of(*trees, columns=2, base_score="5E-1", **fit):
    """A booster that XGBoost reads from the trees given; what they leave open is filled in."""
    fitted = xgboost.train(
        {"objective": "binary:logistic", "max_depth": 1, "base_score": 0.5, "nthread": 1} | fit,
        xgboost.DMatrix(np.eye(columns + 1), label=np.arange(columns + 1) % 2),
        len(trees),
    )
    model = json.loads(fitted.save_raw("json"))
    model["learner"]["learner_model_param"]["base_score"] = base_score
    given = model["learner"]["gradient_booster"]["model"]["trees"]
    given[:] = [filled_in(tree, blank) for tree, blank in zip(trees, given, strict=True)]
    booster = xgboost.Booster({"nthread": 1})
    booster.load_model(bytearray(json.dumps(model).encode()))
    return booster


def filled_in(tree, blank):
    size = len(tree["left_children"])
    zeros = {"base_weights": [0.0] * size, "loss_changes": [0.0] * size, "split_type": [0] * size, "sum_hessian": [1.0] * size}
    return blank | zeros | tree | {"tree_param": blank["tree_param"] | {"num_nodes": str(size)}}


def margins(booster, x):
    return booster.predict(xgboost.DMatrix(x), output_margin=True)


@pytest.mark.parametrize("base_score", ["5E-1", "[5E-1]"])
def test_a_tree_worked_by_hand_has_the_shapley_values_worked_by_hand(base_score):
    tables = compile_leaf_tables(booster_of(TREE, base_score=base_score), PATIENTS, (30.0, 90.0))
    assert tables.base.tolist() == [-3.0, 1.25]
    by_hand = [(-1.625, 0.375), (-0.875, -0.375), (1.625, 1.125), (0.875, -1.125)]
    np.testing.assert_allclose(tables.terms(PATIENTS)[:, 1], by_hand, rtol=0, atol=1e-15)
    assert not tables.terms(PATIENTS)[:, 0].any()


def test_the_horizon_is_spliced_out_and_patients_are_counted_anew():
    tree = json.loads(specialised_booster(booster_of(TREE), PATIENTS, 90.0).save_raw("json"))
    nodes = tree["learner"]["gradient_booster"]["model"]["trees"][0]
    assert nodes["split_indices"] == [0, 0, 1, 0, 0]
    assert nodes["sum_hessian"] == [4.0, 2.0, 2.0, 1.0, 1.0]
    assert nodes["parents"][1:] == [0, 0, 2, 2]
    assert nodes["default_left"][0] == 1
    assert tree["learner"]["learner_model_param"]["num_feature"] == "2"


def test_a_tree_that_only_asks_for_the_horizon_becomes_a_constant():
    specialised = specialised_booster(booster_of(TREE), PATIENTS, 30.0)
    contributions = specialised.predict(xgboost.DMatrix(PATIENTS), pred_contribs=True)
    assert contributions.tolist() == [[0.0, 0.0, -3.0]] * 4


def test_a_horizon_on_a_split_goes_right():
    booster = booster_of(TREE)
    at_75 = np.c_[PATIENTS, np.full(4, 75.0)]
    assert margins(booster, at_75).tolist() == [0.0, 0.0, 4.0, 1.0]
    assert margins(specialised_booster(booster, PATIENTS, 75.0), PATIENTS).tolist() == [0.0, 0.0, 4.0, 1.0]
    assert compile_leaf_tables(booster, PATIENTS, (75.0,)).base.tolist() == [1.25]


def test_a_side_that_no_development_patient_takes_counts_as_one():
    booster, near = booster_of(TREE), PATIENTS[:2]
    specialised = specialised_booster(booster, near, 90.0)
    contributions = specialised.predict(xgboost.DMatrix(PATIENTS), pred_contribs=True)
    tables = compile_leaf_tables(booster, near, (90.0,))
    assert tables.base[0] == pytest.approx((2 * 0 + 1 * (1 + 4) / 2) / 3, abs=1e-12)
    np.testing.assert_allclose(contributions[:, :2], tables.terms(PATIENTS)[:, 0], rtol=0, atol=1e-6)


def test_feature_names_are_kept_but_for_the_horizon():
    x, names = np.random.default_rng(0).normal(size=(80, 3)), ["ln_alc", "ln_nlr", "days"]
    rows = xgboost.DMatrix(x, label=x[:, 0] + x[:, 1] > x[:, 2], feature_names=names)
    specialised = specialised_booster(xgboost.train({"objective": "binary:logistic", "nthread": 1}, rows, 2), x[:, :2], 0.3)
    assert specialised.feature_names == ["ln_alc", "ln_nlr"]
    assert set(specialised.get_score()) == {"ln_alc", "ln_nlr"}


@pytest.mark.parametrize(("score", "log_odds"), [("5E-1", 0.0), ("[5E-1]", 0.0), ("[2E-1]", np.log(0.25))])
def test_both_spellings_of_the_base_score_are_read(score, log_odds):
    model = {"learner": {"learner_model_param": {"base_score": score}}}
    assert start_log_odds(model) == pytest.approx(log_odds, abs=1e-15)


DART = {"booster": "dart", "rate_drop": 0.9, "one_drop": 1}


@pytest.mark.filterwarnings("ignore:(?s).*booster=dart. is deprecated:UserWarning")  # XGBoost 3.4
@pytest.mark.parametrize(("fit", "fault"), [(DART, "of dart|weighted trees"), ({"objective": "reg:squarederror"}, "reg:squared")])
def test_other_kinds_of_booster_are_refused(fit, fault):
    rows = xgboost.DMatrix(np.eye(3), label=[0, 1, 0])
    booster = xgboost.train({"objective": "binary:logistic", "min_child_weight": 0, "nthread": 1} | fit, rows, 3)
    with pytest.raises(ValueError, match=fault):
        booster_json(booster)


def test_categorical_splits_are_refused():
    x = np.c_[np.arange(60) % 3, np.arange(60)]
    rows = xgboost.DMatrix(x, label=x[:, 0] == 1, feature_types=["c", "q"], enable_categorical=True)
    booster = xgboost.train({"objective": "binary:logistic", "nthread": 1, "max_cat_to_onehot": 9}, rows, 1)
    with pytest.raises(ValueError, match="categorical splits"):
        specialised_booster(booster, x[:, :1], 90.0)


def test_trees_behind_the_best_iteration_are_refused():
    booster = booster_of(TREE, TREE)
    booster.set_attr(best_iteration="0")
    with pytest.raises(ValueError, match=r"2 rounds, best after 1.*likely booster\[:1\]"):
        booster_json(booster)
    assert len(booster_json(booster[:1])["learner"]["gradient_booster"]["model"]["trees"]) == 1


@pytest.mark.parametrize("x", [PATIENTS[:, :1], np.c_[PATIENTS, PATIENTS], PATIENTS[:0], PATIENTS[0]])
def test_development_rows_of_another_shape_are_refused(x):
    with pytest.raises(ValueError, match=r"allowed is \(n, 2\)"):
        counted_trees(booster_json(booster_of(TREE)), x)
