"""The flow diagram: from the rows read to the patients kept, with every exclusion beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from training.telling.sheet import BLUE, GREY, INK, sheet

_STEP = 0.85  # inches

Facts = Mapping[str, Any]


def draw_flow(flow: Sequence[Facts], patients: int, deaths: int, *, example: str) -> Figure:
    """Boxes downwards with who remained, boxes to the right with who left and why; `flow` is that of `cohort.json`."""
    words = "Every row is accounted for. Groups of fewer than ten are hidden, and the numbers beside them rounded."
    boxes = len(flow) + 1
    figure = sheet("Who came into the cohort, and who left it", words, example=example, height=_STEP * boxes + 0.2)
    axes = figure.subplots()
    axes.set_axis_off()
    axes.set(xlim=(0, 10), ylim=(boxes - 0.45, -0.45))
    _box(axes, 2.5, 0, f"{flow[0]['remaining']} rows read", BLUE)
    for row, step in enumerate(flow[1:], start=1):
        axes.annotate("", (2.5, row - 0.28), (2.5, row - 0.72), arrowprops={"arrowstyle": "->", "color": GREY})
        axes.annotate("", (5.6, row - 0.5), (2.5, row - 0.5), arrowprops={"arrowstyle": "->", "color": GREY})
        _box(axes, 7.7, row - 0.5, fill(f"{step['left']} left: {step['reason']}", 44), GREY)
        _box(axes, 2.5, row, f"{step['remaining']} remain", BLUE)
    axes.annotate("", (2.5, boxes - 1.28), (2.5, boxes - 1.72), arrowprops={"arrowstyle": "->", "color": GREY})
    _box(axes, 2.5, boxes - 1, f"{patients} patients, of whom {deaths} died", BLUE)
    return figure


def _box(axes: Axes, x: float, y: float, words: str, colour: str) -> None:
    edge = {"boxstyle": "round,pad=0.4", "facecolor": "white", "edgecolor": colour}
    axes.text(x, y, words, ha="center", va="center", size=9.5, color=INK, bbox=edge)
