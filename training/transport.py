"""One model on several hospitals' patients: a line for each cohort and horizon, as the model is and after recalibration there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from training.judge import INTERCEPT, SLOPE

Found = Mapping[str, Any]


def transport(judgements: Sequence[Found]) -> list[dict[str, Any]]:
    """The transport table of judgements in the shape of `evaluate --json`: each horizon that could be judged, a row."""
    return [row for found in judgements for row in _rows(found)]


def _rows(found: Found) -> Iterator[dict[str, Any]]:
    for day, one in found["horizons"].items():
        shifted, sloped = (found["recalibrated"][how].get("horizons", {}).get(day) for how in (INTERCEPT, SLOPE))
        yield {
            "cohort": found["cohort"],
            "n": found["n"],
            "day": day,
            "deaths": one["deaths"],
            "auc": one["auc"],
            "observed_expected": one["calibration"]["observed_expected"],
            "ipa": one["ipa"],
            "shifted_observed_expected": shifted and shifted["calibration"]["observed_expected"],
            "shifted_ipa": shifted and shifted["ipa"],
            "sloped_observed_expected": sloped and sloped["calibration"]["observed_expected"],
            "sloped_ipa": sloped and sloped["ipa"],
            "ipa_over": _gains(found["comparators"], day),
            "shifted_ipa_over": _gains(found["recalibrated"][INTERCEPT].get("comparators", ()), day),
            "sloped_ipa_over": _gains(found["recalibrated"][SLOPE].get("comparators", ()), day),
        }


def _gains(comparators: Sequence[Found], day: str) -> dict[str, Any]:
    """By name, the IPA gained over each comparator that states a risk, or was made one."""
    found = {one["name"]: one["horizons"][day]["difference"]["ipa"] for one in comparators if day in one["horizons"]}
    return {name: cell for name, cell in found.items() if cell["value"] is not None}
