"""How the term of a feature depends on its value: for each clinical group the feature that moves the risk most."""

from __future__ import annotations

from math import log10

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from models.design import FloatArray
from training.telling.attribution import Attribution
from training.telling.blocks import unit
from training.telling.sheet import BLUE, GREY, INK, plain, sheet

MOST_PATIENTS = 1000  # dots of a panel
_COLUMNS = 3
_FEW = 2.0  # powers of ten that leave room for a mark between them
_ENDS = (0.01, 0.99)  # quantiles of the values between which dots are drawn: beyond stand single patients


def draw_dependence(of: Attribution, *, seed: int, example: str) -> Figure:
    """The term at the horizon shown against the value, for the largest ordered feature of each clinical group."""
    rows = np.random.default_rng(seed).permutation(len(of.terms))[:MOST_PATIENTS]
    shown = _largest(of)
    words = (
        "For each clinical group the feature that moves the risk most: each dot a patient, across the value, upwards the term. "
        "Dots off a line come from the other features a tree sees with it. Associations, not causes."
    )
    lines, columns = -(-len(shown) // _COLUMNS), min(_COLUMNS, len(shown))
    title = f"How the terms depend on the values, by day {of.day} ({len(rows)} patients)"
    figure = sheet(title, words, example=example, width=max(8.0, 3.2 * columns), height=2.7 * lines)
    panels = figure.subplots(lines, columns, squeeze=False).ravel()
    for axes, place in zip(panels, shown, strict=False):
        _panel(plain(axes), of, place, of.values[rows, place], of.terms[rows, of.primary, place])
    for axes in panels[len(shown) :]:
        axes.set_axis_off()
    return figure


def _largest(of: Attribution) -> list[int]:
    """The places of the largest feature of each group, in the order of the groups, among those whose values have an order."""
    design, sizes = of.model.design, np.abs(of.terms[:, of.primary]).mean(axis=0)
    ordered = ~np.all(np.isnan(of.values), axis=0).reshape(-1)
    best: dict[str, int] = {}
    for place, name in enumerate(design.features):
        group = design.of[name].group
        if ordered[place] and (group not in best or sizes[place] > sizes[best[group]]):
            best[group] = place
    return [best[group] for group in design.groups if group in best]


def _between(low: float, high: float) -> tuple[float, ...]:
    """Where an axis of powers of ten is marked within each of them: the more of them, the fewer marks, or they overlap."""
    decades = log10(high / low)
    return (1.0, 2.0, 5.0) if decades <= 1 else (1.0, 3.0) if decades <= _FEW else (1.0,)


def _panel(axes: Axes, of: Attribution, place: int, values: FloatArray, terms: FloatArray) -> None:
    feature = of.model.design.of[of.model.design.features[place]]
    known = ~np.isnan(values)
    low, high = np.quantile(values[known], _ENDS)
    inside = known & (values >= low) & (values <= high)
    shown = [feature.shown(value) for value in values[inside].tolist()]
    axes.plot(shown, terms[inside], ".", color=BLUE, markersize=3, alpha=0.4)
    axes.axhline(0.0, color=GREY, linewidth=0.8, linestyle="--")
    if feature.scale in ("ln", "log10"):
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(10, subs=_between(min(shown, default=1.0), max(shown, default=1.0))))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
    if feature.scale == "flag":
        axes.set(xlim=(-0.3, 1.3), xticks=(0, 1), xticklabels=("no", "yes"))
    in_unit = ", ".join(filter(None, (feature.label, unit(feature.unit))))
    axes.set(xlabel=in_unit, ylabel="term, log-odds")
    axes.set_title(feature.group, size=10, color=INK)
