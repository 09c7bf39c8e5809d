"""A model as a JSON document and back: plain numbers and words, nothing that names code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import index
from typing import Any

import numpy as np

from models.design import Column, Design
from models.imputation import Imputation
from models.linear import LinearModel, Ramps
from models.population import Population
from models.ranks import Ranks
from models.risk import Calibration, HorizonStanding, Refits, RiskModel
from models.trees import LeafTables


def model_document(model: RiskModel) -> dict[str, object]:
    """Everything of `model` but its leaf tables, as JSON-ready values; floats keep every bit."""
    return {
        "name": model.name,
        "trained_on": model.trained_on,
        "facts": dict(model.facts),
        "columns": [[column.feature, column.level] for column in model.design.columns],
        "features": {name: _feature(model.design, name) for name in model.design.features},
        "horizons": [vars(horizon) for horizon in model.horizons],
        "refused": dict(model.refused),
        "imputation": _lists(model.imputation, "mean", "covariance", "lower", "upper"),
        "linear": linear_document(model.linear),
        "tree_share": model.tree_share,
        "calibration": _lists(model.calibration, "intercept", "slope"),
        "refits": _lists(model.refits, "first", "last", "base", "inflation") | {"inflation_risk": model.refits.inflation_risk},
        "population": {
            "deaths_by_tumour": dict(model.population.deaths_by_tumour),
            "deaths_by_prior_line": dict(model.population.deaths_by_prior_line),
            "time_origin": model.population.time_origin,
        } | _landmarks(model.population),
        "required": list(model.required),
        "development_range": {name: list(ends) for name, ends in model.development_range.items()},
    } | ({} if model.ranks is None else {"ranks": _lists(model.ranks, "log_odds")})


def model_from(document: Mapping[str, Any], trees: LeafTables | None) -> RiskModel:
    """The model of a verified document.

    KeyError, TypeError, ValueError or OverflowError where this version cannot read it, or where it makes no sense as a model.
    """
    design = Design(tuple(Column(feature, level) for feature, level in document["columns"]))
    refits = document["refits"]
    return RiskModel(
        name=document["name"],
        design=design,
        horizons=tuple(HorizonStanding(**horizon) for horizon in document["horizons"]),
        refused=document["refused"],
        imputation=_imputation(document["imputation"]),
        linear=linear_from(document["linear"], len(design.columns)),
        trees=trees,
        tree_share=document["tree_share"],
        calibration=Calibration(**_arrays(document["calibration"])),
        refits=Refits(
            **_arrays({name: refits[name] for name in ("first", "last", "base", "inflation")}),
            inflation_risk=refits["inflation_risk"],
        ),
        population=_population(document["population"]),
        required=tuple(document["required"]),
        development_range={name: (low, high) for name, (low, high) in document["development_range"].items()},
        trained_on=document["trained_on"],
        facts=document["facts"],
        ranks=Ranks(**_arrays(document["ranks"])) if "ranks" in document else None,
    )


def _landmarks(population: Population) -> dict[str, object]:
    """What a model for landmarks says beside the rest; models for the index date are written as they ever were."""
    return {"landmarks": list(population.landmarks), "carried": population.carried} if population.landmarks else {}


def _population(document: Mapping[str, Any]) -> Population:
    return Population(**{**document, "landmarks": tuple(document.get("landmarks", ()))})


def _imputation(document: Mapping[str, Any]) -> Imputation:
    read = _arrays(document)
    return Imputation(read["mean"], read["covariance"], read["lower"], read["upper"])


def _feature(design: Design, name: str) -> dict[str, str | int]:
    """For the reader of model.json only: what a feature was called and where it belonged when the model was made."""
    feature = design.of[name]
    return {"label": feature.label, "group": feature.group, "unit": feature.unit, "sign": feature.sign, "scale": feature.scale}


def linear_document(linear: LinearModel) -> dict[str, object]:
    """A linear learner as JSON-ready values."""
    return _lists(linear, "first", "last", "base", "late") | {"ramps": _lists(linear.ramps, "source", "start", "width", "mean")}


def linear_from(document: Mapping[str, Any], columns: int) -> LinearModel:
    """The linear learner of `linear_document`."""
    ramps = document["ramps"]
    source = np.array([index(column) for column in ramps["source"]], np.intp)  # a broken number would be cut to a whole one
    return LinearModel(
        columns=columns,
        ramps=Ramps(source, **_arrays({name: ramps[name] for name in ("start", "width", "mean")})),
        **_arrays({name: document[name] for name in ("first", "last", "base", "late")}),
    )


def _lists(holder: object, *names: str) -> dict[str, object]:
    return {name: getattr(holder, name).tolist() for name in names}


def _arrays(document: Mapping[str, Sequence[Any]]) -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float64]]]:
    return {name: np.array(values, np.float64) for name, values in document.items()}
