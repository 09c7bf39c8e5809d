"""Pictures of the stated risks: whether they came true at each horizon, and how they are spread over the patients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import PercentFormatter

from training.small_cells import SMALLEST
from training.telling.sheet import BLUE, GREY, INK, RED, plain, sheet

_COLUMNS = 3
_BECAME = {"died": ("died", RED), "alive": ("known alive", BLUE), "censored_before": ("censored before", GREY)}

Facts = Mapping[str, Any]


def draw_calibration(judged: Facts, risks: Facts, *, whom: str, example: str) -> Figure:
    """Stated and observed risk at each horizon, a panel each, the spread of the stated risks beneath.

    `judged` are the horizons of an evaluation (with the smoothed `curve` where it has one), `risks` those of `risks.json`; where
    a horizon is not among them the curve stands alone.
    """
    days, tall = list(judged), 2 if any(day in risks for day in judged) else 1
    words = "On the diagonal, as many died as was said. " + (
        "Points: patients of similar stated risk, at least ten deaths each, with the 95 % interval of the share that died. Line "
        "and band: the same, smoothed. Beneath: how many patients stand at each stated risk."
        if tall == 2
        else "Line and band: the share that died, smoothed, with its 95 % interval."
    )
    rows, columns = -(-len(days) // _COLUMNS), min(_COLUMNS, max(len(days), 1))
    title = f"Were the stated risks the risks that came true? ({whom})"
    figure = sheet(title, words, example=example, width=max(8.0, 3.2 * columns), height=(2.2 + 0.85 * tall) * max(rows, 1))
    grid = figure.subplots(tall * rows, columns, squeeze=False, gridspec_kw={"height_ratios": [4.0, 1.0][:tall] * rows})
    for place, day in enumerate(days):
        row, column = divmod(place, columns)
        beside, axes = risks.get(day, {}), plain(grid[tall * row, column])
        end = _panel(axes, judged[day]["calibration"].get("curve", ()), beside.get("groups", ()), day)
        if beside:
            _spread(plain(grid[tall * row + 1, column]), beside["histogram"], end)
        else:
            axes.set_xlabel("stated risk")
    for axes in grid.ravel():
        if not axes.has_data():
            axes.set_axis_off()
    return figure


def _panel(axes: Axes, curve: Sequence[Facts], groups: Sequence[Facts], day: str) -> float:
    """Draw one horizon, and say how far its axes reach."""
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.8, linestyle="--")
    for group in groups:
        axes.plot([group["stated"]], [group["observed"]], "o", color=BLUE, markersize=4)
        if group["low"] is not None:
            axes.plot([group["stated"]] * 2, [group["low"], group["high"]], color=BLUE, linewidth=1)
    _smooth(axes, curve)
    reached = [each for one in groups for each in (one["stated"], one["observed"], one["high"]) if each is not None]
    end = min(1.0, float(np.ceil(max([0.1, *reached, *(point["observed"] for point in curve)]) * 10)) / 10)
    patients = f", {sum(one['patients'] for one in groups)} patients" if groups else ""
    axes.set(xlim=(0, end), ylim=(0, end), ylabel="died", title=f"by day {day}{patients}")
    axes.title.set(size=10, color=INK)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_ticks(np.arange(0, end + 1e-9, 0.1 if end <= 0.5 else 0.2))
        axis.set_major_formatter(PercentFormatter(1, decimals=0))
    return end


def _smooth(axes: Axes, curve: Sequence[Facts]) -> None:
    if not curve:
        return
    stated, observed, low, high = (
        np.array([np.nan if point[name] is None else point[name] for point in curve])
        for name in ("stated", "observed", "low", "high")
    )
    axes.plot(stated, observed, color=RED, linewidth=1.5)
    axes.fill_between(stated, low, high, color=RED, alpha=0.15, linewidth=0)


def _spread(axes: Axes, histogram: Facts, end: float) -> None:
    """All patients at each stated risk: what became of them is drawn elsewhere."""
    edges = histogram["edges"]
    for place, (low, high) in enumerate(pairwise(edges)):
        size = sum(count_of(histogram[name][place]) for name in _BECAME)
        axes.bar(low, size, high - low, align="edge", color=GREY, edgecolor="white", linewidth=0.5)
    axes.set(xlim=(0, end), xlabel="stated risk", ylabel="patients")
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))


def count_of(shown: int | str) -> float:
    """How high a count is drawn: a hidden one at half of ten, a rounded one where it is rounded to."""
    if isinstance(shown, int):
        return float(shown)
    return SMALLEST / 2 if shown.startswith("<") else float(shown.removeprefix("about "))


def draw_risks(histogram: Facts, *, day: str, whom: str, example: str) -> Figure:
    """How the risks stated by a day are spread: those who died, those known alive, and the censored apart."""
    words = (
        f"Risks of death by day {day}, stated by models that had not seen the patient. Hatched: fewer than ten patients, drawn "
        "as five. The censored before that day are neither dead nor alive, and stand apart."
    )
    figure = sheet(f"How the stated risks are spread ({whom}, by day {day})", words, example=example, height=4.6)
    panels = figure.subplots(len(_BECAME), 1, sharex=True)
    for axes, (name, (label, colour)) in zip(panels, _BECAME.items(), strict=True):
        counts, edges = histogram[name], histogram["edges"]
        bars = plain(axes).bar(edges[:-1], [count_of(each) for each in counts], 1 / len(counts), align="edge", color=colour)
        for bar, shown in zip(bars, counts, strict=True):
            bar.set(edgecolor="white", hatch="////" if str(shown).startswith("<") else "", linewidth=0.5)
        axes.set(ylabel="patients", xlim=(0, 1), ylim=(0, 1.1 * max(SMALLEST, *map(count_of, counts))))
        axes.legend(handles=[Patch(color=colour, label=label)], frameon=False, fontsize=9, loc="upper right")
    panels[-1].set_xlabel(f"stated risk of death by day {day}")
    panels[-1].xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    return figure
