"""Forests: one row for each comparator or stratum, a point with its interval in each of two panels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from training.telling.sheet import BLUE, GREY, INK, RED, plain, sheet

_ROW = 0.26  # inches
_COLOURS = {"simple": RED, "published": BLUE, "family": INK}

Facts = Mapping[str, Any]


def draw_comparators(found: Sequence[Facts], ours: Facts, *, day: str, whom: str, example: str) -> Figure:
    """The AUC of every comparator that can be had, and what the model gains over it on the same patients."""
    words = (
        "Right, the fair comparison: the model's AUC less the comparator's on the same patients and resamples; right of 0 the "
        "model is better. Left: the AUC of each comparator in the patients in whom it could be had (their number beside its "
        "name); the grey line is the model in everybody judged, so that dots of fewer patients are not to be held against it. "
        "With 95 % intervals. Red: simple models; blue: published scores; black: families."
    )
    figure = sheet(f"Against what else is known ({whom}, by day {day})", words, example=example, height=_ROW * len(found) + 1.1)
    left, right = figure.subplots(1, 2, sharey=True)
    names = [f"{one['label']} ({one['n']})" for one in found]
    colours = [_COLOURS.get(one["kind"], INK) for one in found]
    cells = [one["horizons"][day] for one in found]
    _rows(left, names, [cell["auc"] for cell in cells], colours, f"AUC by day {day}, each in its own patients", ours.get("value"))
    gained = [cell.get("difference", {}).get("auc") for cell in cells]
    _rows(right, names, gained, colours, "AUC gained, on the same patients", 0.0)
    return figure


def draw_strata(found: Sequence[Facts], ours: Facts, *, day: str, whom: str, example: str) -> Figure:
    """AUC and observed over expected deaths in every stratum."""
    words = (
        "The one model's risks judged in each stratum (patients beside its name; fewer than ten are hidden), with 95 % "
        "intervals. Grey lines: all who were judged; one death observed for one expected. A stratum in which neither can be had "
        "is left to the table."
    )
    figure = sheet(f"Is it as good in everybody? ({whom}, by day {day})", words, example=example, height=_ROW * len(found) + 1.1)
    left, right = figure.subplots(1, 2, sharey=True)
    names = [f"{one['by']}: {one['level']} ({one['n']})" for one in found]
    colours = [BLUE] * len(found)
    _rows(left, names, [one.get("auc") for one in found], colours, f"AUC by day {day}", ours.get("value"))
    _rows(right, names, [one.get("observed_expected") for one in found], colours, "observed / expected deaths", 1.0)
    return figure


def _rows(
    axes: Axes, names: Sequence[str], cells: Sequence[Facts | None], colours: Sequence[str], label: str, line: float | None
) -> None:
    """A row for each name, the first at the top, and a line to compare with; a row that cannot be had says so."""
    if line is not None:
        axes.axvline(line, color=GREY, linewidth=1, linestyle="--", zorder=0)
    for row, (cell, colour) in enumerate(zip(cells, colours, strict=True)):
        if cell is None or cell.get("value") is None:
            across = axes.get_yaxis_transform()
            middle: dict[str, Any] = {"va": "center", "ha": "center", "backgroundcolor": "white"}
            axes.text(0.5, row, "cannot be had", transform=across, size=7, color=GREY, **middle)
            continue
        axes.plot([cell["value"]], [row], "o", color=colour, markersize=4.5)
        if cell.get("low") is not None:
            axes.plot([cell["low"], cell["high"]], [row, row], color=colour, linewidth=1.3)
    plain(axes).set_yticks(range(len(names)), names)
    axes.set(ylim=(len(names) - 0.4, -0.6), xlabel=label)
    axes.tick_params("y", length=0, labelsize=8.5)
    axes.set_axisbelow(True)
    axes.grid(axis="y", color="#eeeeee")
    _within(axes, cells, line)


def _within(axes: Axes, cells: Sequence[Facts | None], line: float | None) -> None:
    """Limits that hold the line, every point, and the intervals of all but the widest tenth."""
    known = [cell for cell in cells if cell is not None and cell.get("value") is not None]
    if known:
        values = [cell["value"] for cell in known]
        held = values if line is None else [*values, line]
        lows = [value if cell.get("low") is None else cell["low"] for cell, value in zip(known, values, strict=True)]
        highs = [value if cell.get("high") is None else cell["high"] for cell, value in zip(known, values, strict=True)]
        low, high = min(float(np.quantile(lows, 0.1)), *held), max(float(np.quantile(highs, 0.9)), *held)
        room = 0.08 * max(high - low, 0.02)
        axes.set_xlim(low - room, high + room)
