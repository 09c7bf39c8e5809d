"""A model is words and numbers: as a document and back it loses no bit, and a document that makes no sense is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from models.design import DesignMatrix
from models.document import model_document, model_from
from models.risk import RiskModel

MakeModel = Callable[..., RiskModel]


def there_and_back(model: RiskModel) -> RiskModel:
    return model_from(json.loads(json.dumps(model_document(model))), model.trees)


def test_a_model_becomes_a_document_and_back_without_losing_a_bit(model: RiskModel) -> None:
    again = there_and_back(model)
    assert model_document(again) == model_document(model)
    for part, names in {
        "imputation": ("mean", "covariance", "lower", "upper"),
        "linear": ("first", "last", "base", "late"),
        "calibration": ("intercept", "slope"),
        "refits": ("first", "last", "base", "inflation"),
    }.items():
        for name in names:
            before, after = getattr(getattr(model, part), name), getattr(getattr(again, part), name)
            assert (before.dtype, before.tobytes()) == (after.dtype, after.tobytes()), (part, name)
    assert (again.design, again.horizons, again.population, again.required) == (
        model.design,
        model.horizons,
        model.population,
        model.required,
    )


def test_it_scores_as_before_to_the_bit(model: RiskModel) -> None:
    x = np.random.default_rng(1).normal(0, 10, (20, 15))
    x[x > 9] = np.nan
    matrix = DesignMatrix(x, np.isnan(x))
    before, after = model.score(matrix), there_and_back(model).score(matrix)
    assert before.risk.tobytes() == after.risk.tobytes()
    assert before.terms.tobytes() == after.terms.tobytes()


def test_a_model_without_trees_has_none(make_model: MakeModel) -> None:
    again = there_and_back(make_model(trees=None, tree_share=0.0))
    assert again.trees is None
    assert again.tree_share == 0.0


def test_that_it_learned_from_simulated_patients_is_inherited(make_model: MakeModel) -> None:
    assert there_and_back(make_model(trained_on="simulated")).simulated
    assert not there_and_back(make_model()).simulated


def test_nothing_in_it_names_code(model: RiskModel) -> None:
    text = json.dumps(model_document(model))
    assert not [word for word in ("pickle", "numpy", "models.", "__", "lambda", "<") if word in text]


def test_the_reader_of_the_document_is_told_what_each_feature_was(model: RiskModel) -> None:
    features: Any = model_document(model)["features"]
    assert features["ln_nlr"] == {
        "label": "neutrophil-to-lymphocyte ratio",
        "group": "lymphocytes and inflammation",
        "unit": "1",
        "sign": 1,
        "scale": "ln",
    }


def changed(document: dict[str, Any], place: str, value: object) -> dict[str, Any]:
    *path, last = place.split(".")
    at = document
    for step in path:
        at = at[step]
    if value is None:
        del at[last]
    else:
        at[last] = value
    return document


@pytest.mark.parametrize(
    ("place", "value", "why"),
    [
        ("linear", None, "linear"),
        ("refits.inflation_risk", None, "inflation_risk"),
        ("columns", [["lactate", ""]], "no feature is called lactate"),
        ("columns", [["albumin", ""], ["albumin", ""]], "each stands once"),
        ("columns", [["albumin"]], "not enough values to unpack"),
        ("horizons", [{"days": 30.0}], "missing"),
        ("horizons", [], "shape"),
        ("imputation.mean", [1.0], "imputation.mean of shape"),
        ("imputation.covariance", [[1.0], [1.0, 2.0]], "inhomogeneous"),
        ("linear.ramps.width", [0.0] * 27, "positive widths"),
        ("linear.first", ["a"] * 27, "could not convert"),
        ("calibration.slope", [-1.0] * 4, "slopes above 0"),
        ("tree_share", 0.0, "trees where they count"),
        ("tree_share", "half", "not supported"),
        ("population", {"deaths": 3}, "unexpected"),
        ("development_range", {"albumin": [1.0]}, "not enough values"),
        ("required", ["hemoglobin"], "required inputs"),
    ],
)
def test_a_document_that_makes_no_sense_is_refused_with_the_reason(model: RiskModel, place: str, value: object, why: str) -> None:
    document = changed(json.loads(json.dumps(model_document(model))), place, value)
    with pytest.raises((KeyError, TypeError, ValueError), match=why):
        model_from(document, model.trees)
