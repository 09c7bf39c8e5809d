"""Pictures of what a risk is good for: net benefit by threshold, and the share that died as two wrong ways would have it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from training.telling.sheet import BLUE, GREY, INK, RED, plain, sheet

_COLUMNS = 3
# operating points of published models at a horizon, for what they were set, and by whom (clinical.md section 6)
OPERATING = {"180": ((0.27, 0.40), "27 and 40 % by day 180, for serious-illness conversations (Parikh 2019, Manz 2020)")}

Facts = Mapping[str, Any]


def draw_decisions(judged: Facts, *, whom: str, n: object, example: str) -> Figure:
    """Net benefit at each horizon of an evaluation that has one, against acting for all and for none."""
    days = [day for day, one in judged.items() if one.get("net_benefit")]
    points = "; ".join(OPERATING[day][1] for day in days if day in OPERATING)
    words = (
        "True positives less false positives weighed by the threshold, as a share of all patients, weighted for censoring; with "
        "the model's 95 % bands. Where the model lies above both grey lines it has a higher net benefit than acting for all or "
        "for none; the bands are not intervals of that difference."
        + (f" Dotted upright lines: operating points of published models, {points}." if points else "")
    )
    rows, columns = -(-len(days) // _COLUMNS), min(_COLUMNS, len(days))
    title = f"Net benefit against acting for all or for none ({whom}, {n} patients)"
    figure = sheet(title, words, example=example, width=max(8.0, 3.2 * columns), height=2.9 * rows)
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, day in zip(panels, days, strict=False):
        _decision(plain(axes), judged[day]["net_benefit"], day)
    for axes in panels[len(days) :]:
        axes.set_axis_off()
    panels[0].legend(frameon=False, fontsize=8)
    return figure


def _decision(axes: Axes, found: list[Facts], day: str) -> None:
    thresholds = [one["threshold"] for one in found]
    for point in OPERATING[day][0] if day in OPERATING else ():
        axes.axvline(point, color=BLUE, linewidth=0.9, linestyle=(0, (1, 2)))
    axes.axhline(0.0, color=GREY, linewidth=1, linestyle=":", label="act for none")
    everybody = ends_of([one["treat_all"] for one in found])[0]
    axes.plot(thresholds, everybody, color=GREY, linewidth=1.2, linestyle="--", label="act for all")
    model, low, high = ends_of([one["model"] for one in found])
    axes.plot(thresholds, model, color=RED, linewidth=1.8, label="the model")
    axes.fill_between(thresholds, low, high, color=RED, alpha=0.15, linewidth=0)
    top = float(np.nanmax([*model, *everybody, 0.01]))
    axes.set(ylim=(-0.35 * top, 1.15 * top), xlabel="threshold", ylabel="net benefit", title=f"by day {day}")
    axes.title.set(size=10, color=INK)
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))


def ends_of(cells: list[Any]) -> tuple[np.ndarray[Any, np.dtype[np.float64]], ...]:
    """Values, low and high ends (n,) of estimates or plain numbers; NaN where there is none."""
    names = ("value", "low", "high")
    rows = [[cell.get(name) for name in names] if isinstance(cell, Mapping) else [cell, None, None] for cell in cells]
    return tuple(np.array(rows, np.float64).reshape(-1, len(names)).T)


def draw_censoring(judged: Facts, *, whom: str, example: str) -> Figure:
    """The share that died by each day, weighted for censoring, and what dropping or calling alive would have said."""
    days = [day for day, one in judged.items() if one.get("naive")]
    words = (
        "Whoever is censored before a day is neither dead nor alive on it. Dropping them makes the share too high, calling them "
        "alive makes it too low; the weighted share does neither."
    )
    figure = sheet(f"What censoring does to the share that died ({whom})", words, example=example, height=3.2)
    axes = plain(figure.subplots())
    ways = (("dropped", "the censored dropped", GREY), ("weighted", "weighted", BLUE), ("called_alive", "called alive", RED))
    for shift, (name, label, colour) in enumerate(ways):
        heights = ends_of([judged[day]["naive"][name] for day in days])[0]
        places = np.arange(len(days)) + 0.27 * (shift - 1)
        axes.bar(places, heights, 0.25, color=colour, label=label, hatch=("//", "", "..")[shift], edgecolor="white")
        for place, height in zip(places, heights, strict=True):
            axes.text(place, height, f"{height:.0%}", ha="center", va="bottom", size=8, color=INK)
    axes.set_xticks(range(len(days)), [f"day {day}" for day in days])
    axes.set_ylabel("died")
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.legend(frameon=False, fontsize=9, loc="upper left")
    return figure
