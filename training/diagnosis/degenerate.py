"""An evaluation that says nothing, of risks that do not vary or patients who cannot tell, is a Fail and never a number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from training.diagnosis.finding import Finding

_QUESTION = "Does the evaluation determine discrimination, overall fit and calibration?"
_CALIBRATION = ("intercept", "slope", "observed_expected", "ici")


def degenerate(evaluation: Mapping[str, Any], of: str) -> Finding:
    """Whether an evaluation, in the shape of `evaluate --json`, has a value for every statistic at every horizon it serves."""
    item = f"evaluation of {of}"
    if not evaluation["horizons"]:
        why = "; ".join(f"day {day}: {why}" for day, why in evaluation["refused"].items()) or "no horizon was asked"
        return Finding(item, "analysis", _QUESTION, "Fail", 0, f"no horizon can be evaluated ({why})", unit="horizons")
    missing = list(_missing(evaluation["horizons"]))
    if missing:
        return Finding(item, "analysis", _QUESTION, "Fail", len(missing), "; ".join(missing), unit="statistics")
    n = len(evaluation["horizons"])
    return Finding(item, "analysis", _QUESTION, "Pass", n, f"every statistic at {n} horizons has a value", unit="horizons")


def _missing(horizons: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    for day, one in horizons.items():
        cells = {name: one[name] for name in ("auc", "ipa")} | {name: one["calibration"][name] for name in _CALIBRATION}
        for name, cell in cells.items():
            if cell["value"] is None:
                yield f"{name} at day {day}: {cell.get('why') or 'not determined'}"
