"""The learning curve: how good the linear learner is with the number of patients it learned from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure

from training.telling.sheet import BLUE, plain, sheet


def draw_learning_curve(found: Mapping[str, Any], *, example: str) -> Figure:
    """AUC and IPA by the number of patients learned from; `found` is `learning_curve` of `risks.json`."""
    words = (
        f"The linear learner, uncalibrated, fitted on shares of the patients and judged out of fold by day {found['day']:g} on "
        f"the same {found['judged']} patients each time. A curve that still rises at its right end says that more would help."
    )
    figure = sheet("Would more patients help?", words, example=example, height=2.8)
    for axes, (name, label) in zip(figure.subplots(1, 2), (("auc", "AUC"), ("ipa", "IPA")), strict=True):
        known = [(one["patients"], one[name]) for one in found["points"] if one[name] is not None]
        plain(axes).plot(*zip(*known, strict=True), "o-", color=BLUE, linewidth=1.8, markersize=5)
        axes.set(xlabel="patients learned from", ylabel=f"{label} by day {found['day']:g}", xlim=(0, None))
        axes.margins(y=0.3)
    return figure
