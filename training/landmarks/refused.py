"""What is made for models of the index date and would mislead of a model for landmarks is refused, with what to do instead."""

from __future__ import annotations

from models.risk import RiskModel
from training.refused import NotSupported


def require_index_date(model: RiskModel, doing: str) -> RiskModel:
    """The model, or NotSupported where it scores patients at landmarks: a cohort says how its patients are on the index date."""
    if model.population.landmarks:
        instead = "it is judged at each landmark when it is trained, and on other cohorts by evaluate"
        raise NotSupported(f"{model.name}: a model for landmarks cannot be {doing}: {instead}")
    return model
