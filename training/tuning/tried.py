"""What became of the settings that were tried, and by how much choosing the best of them flatters it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from training.learners.plan import Settings


@dataclass(frozen=True)
class Tried:
    """One setting: its values by name, and what cross-validation said of it; `ipa` None where it was given up.

    `learner` is the candidate that was best with it, `by_fold` the IPA of that one in each fold: calibrated; where the setting
    was given up, before calibration and as far as it was tried. `usual`: the default setting.
    """

    number: int
    values: Mapping[str, float]
    ipa: float | None
    learner: str
    by_fold: tuple[float, ...]
    usual: bool = False


@dataclass(frozen=True)
class Found:
    """A search that is over: the settings to fit with, the best setting and the usual one, and how many were tried in all."""

    settings: Settings = field(repr=False)
    best: Tried
    usual: Tried
    tried: int
    given_up: int
    optimism: float | None

    def as_json(self) -> dict[str, object]:
        """The result, JSON-ready."""
        return {
            "tried": self.tried,
            "given_up": self.given_up,
            "ipa": self.best.ipa,
            "ipa_of_the_default": self.usual.ipa,
            "optimism": self.optimism,
            "learner": self.best.learner,
            "values": dict(self.best.values),
            "default_was_best": self.best.usual,
            "note": NOTE,
        }


NOTE = (
    "The IPA of the best of many settings is flattered by the choice; its optimism is estimated from the folds (Tibshirani and "
    "Tibshirani 2009). The evaluation deals its folds anew, but of the same patients: only patients kept apart are free of it."
)


def optimism(tried: Sequence[Tried], best: Tried) -> float | None:
    """By how much the IPA of the best setting is flattered by having been chosen; None without two whole trials to compare.

    In each fold, how much better the best setting of that fold did than the one that was chosen over all; the mean over folds.

    References
    ----------
    Tibshirani RJ, Tibshirani R, Ann Appl Stat 2009;3:822-829, doi:10.1214/08-AOAS224.
    """
    whole = np.array([one.by_fold for one in tried if one.ipa is not None])
    if len(whole) < 2:
        return None
    known = ~np.isnan(whole).any(axis=0)
    return float(np.mean((whole.max(axis=0) - np.array(best.by_fold))[known])) if known.any() else None


def found_lines(found: Found) -> list[str]:
    """The result for a reader."""
    best, usual = found.best, found.usual
    lines = [f"Search: {found.tried} settings tried, {found.given_up} of them given up early"]
    if best.usual:
        lines.append(f"  none was better than the default, cross-validated IPA {best.ipa:.4f}")
    else:
        lines.append(f"  cross-validated IPA {best.ipa:.4f} ({best.learner}), with the default settings {usual.ipa:.4f}")
    if found.optimism is not None:
        lines.append(f"  of which about {found.optimism:.4f} flatters: the best of many is chosen on the same folds")
    return [*lines, "  " + ", ".join(f"{name} {value:.3g}" for name, value in best.values.items())]
