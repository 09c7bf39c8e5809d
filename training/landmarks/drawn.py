"""Pictures of a model for landmarks: how well it tells who dies early, and how well it is calibrated, landmark by landmark."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from training.telling.sheet import BLUE, GREY, INK, plain, sheet

Facts = Mapping[str, Any]


class _Asked(NamedTuple):
    """What a picture asks, how it is read, and where nothing is told or all is right."""

    title: str
    words: str
    line: float


_ASKED = {
    "auc": _Asked(
        "Does looking again help to tell who dies early?",
        "Area under the ROC curve at each landmark, with 95 % intervals: the model that looks again, and the index date's score.",
        0.5,
    ),
    "slope": _Asked(
        "Are the risks as far apart as they should be?",
        "Calibration slope at each landmark, with 95 % intervals: 1 is right, below 1 the stated risks lie too far apart.",
        1.0,
    ),
}
_SHOWN = (("model", "the model", BLUE, "o"), ("score_of_the_index_date", "the index date's score", GREY, "s"))


def draw(facts: Facts, name: str, horizons: tuple[str, ...], example: str) -> Figure:
    """The measure `name` ("auc" or "slope") at every landmark, a panel for each of the horizons."""
    asked, lines = _ASKED[name], max(1, (len(horizons) + 1) // 2)
    figure = sheet(asked.title, asked.words, example=example, width=9.0, height=2.6 * lines)
    panels = figure.subplots(lines, 2, squeeze=False)
    for axes in panels.flat[len(horizons) :]:
        axes.set_visible(False)
    for horizon, axes in zip(horizons, panels.flat, strict=False):
        _panel(plain(axes), facts, name, horizon)
        axes.axhline(asked.line, color=INK, linewidth=0.6, linestyle=":")
    shown, labels = panels.flat[0].get_legend_handles_labels()
    if shown:
        figure.legend(shown, labels, fontsize=8.5, frameon=False, loc="outside lower center", ncols=2)
    return figure


def _panel(axes: Axes, facts: Facts, name: str, horizon: str) -> None:
    for key, label, colour, marker in _SHOWN:
        told = [(one["day"], one[key][horizon][name]) for one in facts["judged"] if horizon in one[key]]
        whole = [(day, each) for day, each in told if None not in (each.get("value"), each.get("low"), each.get("high"))]
        if whole:
            days = [day for day, _ in whole]
            low, value, high = ([each[part] for _, each in whole] for part in ("low", "value", "high"))
            axes.vlines(days, low, high, color=colour, linewidth=1.4)  # an interval of resamples need not hold the value itself
            axes.plot(days, value, color=colour, marker=marker, markersize=4, linewidth=1.2, label=label)
    axes.set_title(f"within {horizon} days", fontsize=9.5, loc="left")
    axes.set_xlabel("landmark, days after the index date", fontsize=8.5)
