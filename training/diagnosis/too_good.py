"""Figures better than any that were honestly reached: a covariate that knows the outcome is looked for before they are believed.

In relapsed or refractory disease models reach an AUC at 90 days of .72 to .80; mixed populations, curative patients among them,
.86 to .94. Above .85 a leak is likelier than a discovery until somebody shows otherwise; .95 no such model has reached.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from training.diagnosis.finding import Finding, Verdict

DOUBTFUL, TOO_GOOD = 0.85, 0.95  # AUC at a horizon
_ITEM, _QUESTION = "too good to be true", "Is no figure better than such patients allow?"


def too_good(evaluations: Mapping[str, Mapping[str, Any]]) -> Finding:
    """The highest AUC of several evaluations (by name, in the shape of `evaluate --json`), held against what can be believed."""
    found = [
        (float(one["auc"]["value"]), day, of)
        for of, evaluation in evaluations.items()
        for day, one in evaluation.get("horizons", {}).items()
        if one["auc"]["value"] is not None
    ]
    if not found:
        return Finding(_ITEM, "analysis", _QUESTION, "Unknown", None, "no horizon has an AUC")
    auc, day, of = max(found)
    why = f"the highest AUC is {auc:.3f}, at day {day} ({of})"
    verdict: Verdict = "Fail" if auc >= TOO_GOOD else "Unknown" if auc > DOUBTFUL else "Pass"
    if verdict == "Fail":
        why += f": {TOO_GOOD:g} and more is too good to be true, so look for a covariate written down after the index date"
    elif verdict == "Unknown":
        why += f": above {DOUBTFUL:g} a leak is likely until shown otherwise, unless patients of quite different risk are mixed"
    return Finding(_ITEM, "analysis", _QUESTION, verdict, auc, why, unit="AUC")
