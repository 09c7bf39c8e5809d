"""`learner.json`: what was fitted and how it was chosen, the features it knows, and how much each of them moves the risk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from models.design import Column
from models.example import EXAMPLE
from models.population import ACUTE_ANC, ADULT, RUNNING_DAYS
from models.risk import RiskModel, sigmoid
from models.tumours import LABELS
from training.fit import Fit
from training.small_cells import masked_parts, masked_sentence
from training.telling.attribution import Attribution, attribution

NOT_FOR = (
    f"anybody under {ADULT:g} years",
    "haematological malignancies",
    f"an acute state (neutrophils below {ACUTE_ANC:g} 10*9/L): score again after recovery",
    f"somebody whose current line has been running for more than {RUNNING_DAYS:g} days",
    "choosing, giving or withholding a treatment: the model is prognostic, and its terms are associations, not causes",
    "claiming that raising a count would prolong a life",
)


def learner_facts(fit: Fit) -> dict[str, object]:
    """The document, JSON-ready, groups of fewer than ten patients hidden; a model of simulated patients says so first."""
    model, facts = fit.model, fit.model.facts
    example: dict[str, object] = {"example": EXAMPLE} if model.simulated else {}
    return example | {
        "model": model.name,
        "trained_on": model.trained_on,
        "intended_use": facts["intended_use"],
        "not_for": list(NOT_FOR),
        "limits": facts["limits"],
        "time_origin": model.population.time_origin,
        "required": [model.design.of[name].label for name in model.required],
        "saved": fit.learner,
        "chosen_by": facts["learner_chosen_by"],
        "cross_validated_ipa": dict(fit.learner_ipa),
        "cross_validation": facts["cross_validation"],
        "refits_for_intervals": len(model.refits.first),
        "variables_named_in_advance": fit.choice.named_in_advance,
        "promotable": facts["promotable"],
        "promotable_why": masked_sentence(str(facts["promotable_why"])),
        "served": served(model),
        "features": _features(fit, of := attribution(fit)),
        "groups": _groups(of),
        "left_out": {name: masked_sentence(reason) for name, reason in fit.choice.left_out.items()},
    }


def served(model: RiskModel) -> dict[str, dict[str, object]]:
    """What holds at each served horizon: the risk at the cohort's average log-odds, and the calibration map."""
    return {f"{horizon.days:g}": _served(model, place) for place, horizon in enumerate(model.horizons)}


def _served(model: RiskModel, place: int) -> dict[str, object]:
    mapped = model.calibration
    return {
        "reference_risk": float(sigmoid(model.base)[place]),
        "calibration_map": {"intercept": float(mapped.intercept[place]), "slope": float(mapped.slope[place])},
    }


def _groups(of: Attribution) -> dict[str, dict[str, float]]:
    """Mean absolute term of every clinical group at every horizon, log-odds."""
    sizes = np.abs(of.by_group()).mean(axis=0)
    names = list(of.model.design.groups)
    return {
        name: {f"{day:g}": float(sizes[at, place]) for at, day in enumerate(of.model.days)} for place, name in enumerate(names)
    }


def _features(fit: Fit, terms: Attribution) -> list[dict[str, object]]:
    """Every feature of the model, the largest mean term first."""
    sizes, missing = terms.mean_size(), _missing(fit)
    columns, told = fit.model.design.columns, list[dict[str, object]]()
    for name in sorted(sizes, key=lambda one: -sizes[one]):
        feature = fit.model.design.of[name]
        known: dict[str, Any] = {"name": name, "label": feature.label, "group": feature.group, "unit": feature.unit}
        known |= {"sign": feature.sign, "levels": _levels(name, columns)}
        told.append(known | {"mean_absolute_term": {"days": terms.day, "log_odds": sizes[name]}} | missing.get(name, {}))
    return told


def _levels(name: str, columns: Sequence[Column]) -> list[str]:
    """The levels of a feature that has no order, as a reader calls them."""
    return [LABELS.get(each.level, each.level) for each in columns if each.feature == name and each.level]


def _missing(fit: Fit) -> Mapping[str, dict[str, object]]:
    """By numeric feature: to how many patients it does not apply, and in how many of the others it had to be estimated."""
    found: dict[str, dict[str, object]] = {}
    for place, column in enumerate(fit.model.design.columns):
        if not column.level:
            owed = fit.matrix.to_estimate[:, place]
            absent = np.isnan(fit.matrix.x[:, place]) & ~owed
            estimated, inapplicable, _ = masked_parts([owed.sum(), absent.sum(), (~owed & ~absent).sum()])
            found[column.feature] = {"estimated": estimated, "not_applicable": inapplicable}
    return found
