"""The simple models of a training run on disk, so that they can be applied to another hospital's patients: `comparators.json`.

Coefficients, limits and the baseline at the served horizons, in plain numbers; nothing of a single patient.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from models.document import linear_document, linear_from
from models.risk import Calibration
from training.comparing.simple_models import Simple, SimpleFit, SimpleModel
from training.learners.cox import CoxFit, cox_from_json

NAME = "comparators.json"
UNREADABLE = (AttributeError, IndexError, KeyError, TypeError, ValueError)
"""What reading a document that makes no sense raises."""


def simple_document(models: Sequence[SimpleModel], absent: Mapping[str, str]) -> dict[str, object]:
    """The models, JSON-ready; `absent` says by name why another could not be fitted."""
    return {"models": {one.simple.name: _document(one) for one in models}, "not_available": dict(absent)}


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


def simple_from(document: Mapping[str, Any]) -> tuple[list[SimpleModel], dict[str, str]]:
    """The models of `simple_document`, and why others are absent. Raises one of UNREADABLE for what is no such document."""
    return [_model_from(one) for one in document["models"].values()], dict(document["not_available"])


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
