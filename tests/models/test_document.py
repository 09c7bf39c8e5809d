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


@pytest.mark.parametrize("trained_on", ["simulated", "Simulated", "  SIMULATED\n"])
def test_that_it_learned_from_simulated_patients_is_inherited(make_model: MakeModel, trained_on: str) -> None:
    assert there_and_back(make_model(trained_on=trained_on)).simulated
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


def flipped(document: dict[str, Any]) -> None:
    for end in ("first", "last"):
        document["linear"][end] = [-coefficient for coefficient in document["linear"][end]]


def put(place: str, value: object) -> Callable[[dict[str, Any]], object]:
    *path, last = (int(step) if step.isdecimal() else step for step in place.split("."))

    def change(document: Any) -> None:
        for step in path:
            document = document[step]
        document[last] = value

    return change


NAN = float("nan")
NONSENSE: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "a ramp of the column before the first": (put("linear.ramps.source.0", -1), "ramps of the design's columns"),
    "a ramp of half a column": (put("linear.ramps.source.1", 0.5), "integer"),
    "limits the wrong way round": (put("imputation.lower.3", 1e6), "lower limits of imputation at or below"),
    "a negative variance": (put("imputation.covariance.2.2", -1.0), "variances above 0"),
    "no variance": (put("imputation.covariance.2.2", 0.0), "variances above 0"),
    "a negative inflation of the risk": (put("refits.inflation_risk", -1.2), "inflations above 0"),
    "no inflation of the risk": (put("refits.inflation_risk", NAN), "inflations above 0"),
    "an endless inflation of the risk": (put("refits.inflation_risk", float("inf")), "inflations above 0"),
    "a negative inflation of a group": (put("refits.inflation.0", -1.0), "inflations above 0"),
    "part of a day": (put("horizons.1.days", 90.9), "whole days"),
    "days as a text": (put("horizons.0.days", "30"), "whole days"),
    "no day": (put("horizons.0.days", 0.0), "whole days above 0"),
    "days without end": (put("horizons.3.days", float("inf")), "whole days"),
    "an unknown level": (put("horizons.0.level", "splendid"), "evaluable or promotable, not 'splendid'"),
    "a reason that is no text": (put("horizons.0.why", []), "whose why is a text"),
    "no share of the dead": (put("horizons.0.died_share", NAN), "shares of the dead from 0 to 1"),
    "more than all dead": (put("horizons.0.died_share", 1.2), "shares of the dead from 0 to 1"),
    "every sign flipped": (flipped, "clinical sign; against it: ln_alc, ln_nlr, ln_ldh_ratio, prior_lines, albumin, ecog"),
    "one early sign flipped": (put("linear.first.0", 0.1), "clinical sign; against it: ln_alc$"),
    "one late sign flipped": (put("linear.last.0", 0.1), "clinical sign; against it: ln_alc$"),
    "deaths as a text": (put("population.deaths_by_tumour.nsclc", "90"), "numbers of deaths that are whole"),
    "half a death": (put("population.deaths_by_prior_line.no", 12.5), "numbers of deaths that are whole"),
    "fewer than no deaths": (put("population.deaths_by_prior_line.no", -1), "numbers of deaths that are whole"),
    "deaths of nobody": (put("population.deaths_by_tumour", []), "numbers of deaths that are whole"),
    "refusals as a list": (put("refused", ["60"]), "refused: a reason by days"),
    "a refusal without words": (put("refused.60", 7), "refused: a reason by days"),
    "a refusal of no horizon": (put("refused.soon", "too early"), "refused: a reason by days"),
    "a development range the wrong way round": (put("development_range.albumin", [50.0, 22.0]), "from low to high"),
    "trained on a number": (put("trained_on", 5), "texts for name and trained_on"),
}


@pytest.mark.parametrize("what", NONSENSE)
def test_a_document_that_would_score_nonsense_is_refused_with_what_is_allowed(model: RiskModel, what: str) -> None:
    change, why = NONSENSE[what]
    document = json.loads(json.dumps(model_document(model)))
    change(document)
    with pytest.raises((TypeError, ValueError), match=why):
        model_from(document, model.trees)
