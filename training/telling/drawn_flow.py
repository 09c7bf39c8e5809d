"""The flow diagram: from the rows read to the patients kept, with every exclusion beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from training.telling.sheet import BLUE, GREY, INK, sheet

_STEP = 0.85  # inches
_LEFT, _RIGHT = 2.5, 7.7  # the middles of those who remain and of those who left, in tenths of the sheet

Place = tuple[float, float]
Facts = Mapping[str, Any]


def draw_flow(flow: Sequence[Facts], patients: int, deaths: int, *, example: str) -> Figure:
    """Boxes downwards with who remained, boxes to the right with who left and why; `flow` is that of `cohort.json`."""
    words = "Every row is accounted for. Groups of fewer than ten are hidden, and the numbers beside them rounded."
    boxes = len(flow) + 1
    figure = sheet("Who came into the cohort, and who left it", words, example=example, height=_STEP * boxes + 0.2)
    axes = figure.subplots()
    axes.set_axis_off()
    axes.set(xlim=(0, 10), ylim=(boxes - 0.45, -0.45))
    above = _box(axes, _LEFT, 0, f"{flow[0]['remaining']} rows read", BLUE)
    for row, step in enumerate(flow[1:], start=1):
        beside = _box(axes, _RIGHT, row - 0.5, fill(f"{step['left']} left: {step['reason']}", 44), GREY)
        below = _box(axes, _LEFT, row, f"{step['remaining']} remain", BLUE)
        _arrow(axes, (_LEFT, row - 1), (_LEFT, row), above, below)
        _arrow(axes, (_LEFT, row - 0.5), (_RIGHT, row - 0.5), None, beside)
        above = below
    last = _box(axes, _LEFT, boxes - 1, f"{patients} patients, of whom {deaths} died", BLUE)
    _arrow(axes, (_LEFT, boxes - 2), (_LEFT, boxes - 1), above, last)
    return figure


def _arrow(axes: Axes, start: Place, end: Place, above: Text | None, below: Text) -> None:
    """From one box, or from a place, to the edge of another, wherever the length of its words puts that."""
    patches = {"patchA": None if above is None else above.get_bbox_patch(), "patchB": below.get_bbox_patch()}
    style: dict[str, Any] = {"arrowstyle": "->", "color": GREY, "shrinkA": 0, "shrinkB": 0} | patches
    axes.annotate("", end, start, arrowprops=style)


def _box(axes: Axes, x: float, y: float, words: str, colour: str) -> Text:
    edge = {"boxstyle": "round,pad=0.4", "facecolor": "white", "edgecolor": colour}
    return axes.text(x, y, words, ha="center", va="center", size=9.5, color=INK, bbox=edge)
