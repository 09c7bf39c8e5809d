"""Where a model comes from: the cohort's digest, the code's version, the seeds; nothing of a patient or of a machine."""

from __future__ import annotations

from dataclasses import asdict
from importlib.metadata import version

from training.cohort import Cohort
from training.fit import Settings

_LIBRARIES = ("numpy", "scipy", "scikit-learn", "xgboost", "pandas", "shap")


def provenance_of(cohort: Cohort, settings: Settings) -> dict[str, object]:
    """For the manifest, JSON-ready."""
    return {
        "code": version("lymphorisk"),
        "cohort": cohort.name,
        "cohort_digest": cohort.digest,
        "libraries": {name: version(name) for name in _LIBRARIES},
        "settings": {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(settings).items()},
    }
