"""The bars of the gate as they were declared before training, read back from the sealed artifact."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models.artifact import InvalidArtifact
from training.study.criteria import Criteria, kinds
from training.telling.evidence import STUDY

DEFAULTS = "no study file: the bars this product ships"


def declared(evidence: Mapping[str, Mapping[str, Any]]) -> tuple[Criteria, str]:
    """The criteria of the study in an artifact's evidence, and where they come from in words; the shipped ones without a study.

    Raises InvalidArtifact where the study declares bars that this version does not know: none may be passed over.
    """
    study = evidence.get(STUDY)
    if study is None or "gate" not in study:
        return Criteria(), DEFAULTS
    given, known = study["gate"], kinds()
    if strange := sorted(set(given) - set(known)):
        raise InvalidArtifact(f"{STUDY} declares {', '.join(strange)}: this version knows only {', '.join(sorted(known))}")
    bars: dict[str, Any] = {name: tuple(value) if known[name] == "band" else value for name, value in given.items()}
    return Criteria(**bars), f"declared in the study {study.get('name', '')}, digest {str(study.get('digest', ''))[:12]}"
