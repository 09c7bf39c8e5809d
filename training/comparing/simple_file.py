"""The simple models of a training run on disk, so that they can be applied to another hospital's patients: `comparators.json`.

Coefficients, limits and the baseline at the served horizons, in plain numbers; nothing of a single patient.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from models.artifact import InvalidArtifact
from models.document import linear_document, linear_from
from models.risk import Calibration
from training.comparing.simple_models import SavedSimple, Simple, SimpleFit, SimpleModel
from training.learners.cox import CoxFit, cox_from_json
from training.small_cells import masked_sentence

NAME = "comparators.json"
_UNREADABLE = (AttributeError, IndexError, KeyError, TypeError, ValueError)  # raised at what makes no sense


def simple_document(models: Sequence[SimpleModel], absent: Mapping[str, str]) -> dict[str, object]:
    """The models, JSON-ready; `absent` says by name why another could not be fitted."""
    why_not = {name: masked_sentence(why) for name, why in absent.items()}
    return {"models": {one.simple.name: _document(one) for one in models}, "not_available": why_not}


def _document(model: SimpleModel) -> dict[str, object]:
    core, fit = model.fit.core, model.fit
    return {
        **asdict(model.simple),
        "varied": list(model.features),
        "days": list(model.days),
        "patients": model.patients,
        "deaths": model.deaths,
        "lower": fit.lower.tolist(),
        "upper": fit.upper.tolist(),
        "core": core.as_json(model.days) if isinstance(core, CoxFit) else linear_document(core),
        "calibration": {"intercept": model.calibration.intercept.tolist(), "slope": model.calibration.slope.tolist()},
    }


def read_simple(folder: Path) -> SavedSimple:
    """The simple models of a verified artifact folder; none where it was saved without. Raises InvalidArtifact."""
    path = folder / NAME
    if not path.is_file():
        return SavedSimple()
    try:
        return simple_from(json.loads(path.read_bytes()))
    except _UNREADABLE as error:
        raise InvalidArtifact(f"{path} is whole, but this version cannot read it: {error}") from error


def simple_from(document: Mapping[str, Any]) -> SavedSimple:
    """The models of `simple_document`, and why others are absent."""
    return SavedSimple(tuple(map(_model_from, document["models"].values())), dict(document["not_available"]))


def _model_from(document: Mapping[str, Any]) -> SimpleModel:
    simple = Simple(document["name"], document["label"], tuple(document["features"]), document["learner"])
    features, days = tuple(document["varied"]), tuple(map(float, document["days"]))
    cox = simple.learner == "cox"
    core = cox_from_json(document["core"]) if cox else linear_from(document["core"], len(features))
    lower, upper, intercept, slope = (
        np.asarray(values, np.float64)
        for values in (document["lower"], document["upper"], *(document["calibration"][name] for name in ("intercept", "slope")))
    )
    if not lower.shape == upper.shape == (len(features),) or not intercept.shape == slope.shape == (len(days),):
        raise ValueError(f"{simple.name}: limits or calibration do not fit its {len(features)} features and {len(days)} days")
    fit = SimpleFit(lower, upper, core)
    return SimpleModel(simple, features, days, fit, Calibration(intercept, slope), document["patients"], document["deaths"])
