"""The sheet of paper a picture is drawn on: its heading in words, and on top whether its patients were simulated."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from textwrap import wrap

from matplotlib.axes import Axes
from matplotlib.figure import Figure

DOTS_PER_INCH = 150
INK, GREY, BLUE, RED = "#222222", "#777777", "#1f5f99", "#b02a30"
_LINE = 0.19  # inches; the height of a line of the heading
_CHARACTERS_PER_INCH = 13.5


def sheet(title: str, words: str, *, example: str, width: float = 8.0, height: float = 5.0) -> Figure:
    """A blank sheet (inches) with a title, a sentence that says how to read it, and above both what must be said first.

    The heading is added to `height`. Nothing is registered with pyplot: a sheet lives no longer than its figure.
    """
    lines = wrap(words, int(width * _CHARACTERS_PER_INCH))
    heading = _LINE * (len(lines) + (1.5 if example else 0) + 2.6)
    figure = Figure(figsize=(width, height + heading), dpi=DOTS_PER_INCH)
    figure.set_layout_engine("constrained", rect=(0.01, 0.01, 0.98, height / (height + heading) - 0.01))
    down = _Downwards(figure, height + heading)
    if example:
        down.write(example, RED, 10, "bold", _LINE * 1.5)
    down.write(title, INK, 13, "bold", _LINE * 1.5)
    for line in lines:
        down.write(line, GREY, 9.5, "normal", _LINE)
    return figure


class _Downwards:
    """Writes line after line from the top edge."""

    def __init__(self, figure: Figure, height: float):
        self.figure, self.height, self.place = figure, height, 0.12

    def write(self, words: str, colour: str, size: float, weight: str, step: float) -> None:
        top = 1 - self.place / self.height
        self.figure.text(0.15 / self.figure.get_figwidth(), top, words, color=colour, size=size, weight=weight, va="top")
        self.place += step


def plain(axes: Axes) -> Axes:
    """The axes with no more lines than are read."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(colors=INK, labelsize=9)
    return axes


def saved(figure: Figure, folder: Path, name: str) -> Path:
    """The path of the PNG."""
    path = folder / f"{name}.png"
    path.write_bytes(as_png(figure))
    return path


def as_png(figure: Figure) -> bytes:
    """The picture as PNG; nothing in it says when, where or by whom it was drawn."""
    kept = BytesIO()
    figure.savefig(kept, format="png", metadata={"Software": None})
    return kept.getvalue()
