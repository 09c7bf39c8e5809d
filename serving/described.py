"""What the service says of its model: what it learned from, whom and what it is for."""

from __future__ import annotations

from models.artifact import Artifact
from models.risk import RiskModel
from serving.standing import DISCLAIMER, example, release


def described(artifact: Artifact) -> dict[str, object]:
    """The body of GET /v1/model."""
    model = artifact.model
    return example(model) | {
        "name": model.name,
        "digest": artifact.digest,
        **release(artifact),
        "trained_on": model.trained_on,
        "provenance": dict(artifact.provenance),
        "time_origin": model.population.time_origin,
        "horizons": [vars(horizon) for horizon in model.horizons],
        "refused_horizons": dict(model.refused),
        "features": _features(model),
        "development_deaths": {
            "by_tumour": dict(model.population.deaths_by_tumour),
            "by_prior_line": dict(model.population.deaths_by_prior_line),
        },
        "facts": dict(model.facts),
        "disclaimer": DISCLAIMER,
    }


def _features(model: RiskModel) -> list[dict[str, object]]:
    return [
        {"name": name, "label": one.label, "group": one.group, "unit": one.unit, "required": name in model.required}
        for name, one in model.design.of.items()
    ]
