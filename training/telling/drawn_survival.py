"""Pictures of what came true: the survival of the cohort, and the stated risks beside the deaths that followed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from models.design import FloatArray
from models.risk import sigmoid
from training.small_cells import SMALLEST, masked, small
from training.statistics.calibration import calibration_curve
from training.statistics.censoring import FollowUp, survival, weights
from training.statistics.estimates import NotEstimable
from training.statistics.standing import Standing
from training.telling.risk_groups import risk_groups
from training.telling.sheet import BLUE, GREY, INK, RED, plain, sheet

_COLUMNS = 3
_COLOURS = {"promotable": BLUE, "evaluable": INK}


def draw_survival(follow_up: FollowUp, standings: Mapping[float, Standing], *, example: str) -> Figure:
    """The Kaplan-Meier curve of the cohort, with what may be believed at each horizon."""
    words = (
        "Kaplan-Meier estimate, drawn while at least ten patients are followed. The marks say what the follow-up can answer: "
        "a horizon that is not identifiable or not evaluable is refused."
    )
    figure = sheet("How long the patients of this cohort lived", words, example=example, height=4.6)
    axes = plain(figure.subplots())
    last = float(np.sort(follow_up.times)[-SMALLEST]) if len(follow_up) >= SMALLEST else 0.0
    end = min(last, 1.25 * max(standings))
    curve = survival(follow_up)
    days = np.concatenate([[0.0], curve.days[curve.days <= end], [end]])
    axes.step(days, curve.at(days), where="post", color=BLUE, linewidth=2)
    for day, one in standings.items():
        _mark(axes, day, one, float(curve.at(day)) if day <= end else None)
    axes.set(xlim=(0, max(end, *standings) * 1.02), ylim=(0, 1.25), ylabel="alive")
    axes.set_xlabel("days from the index date; below them the patients still followed, to the nearest ten")
    axes.set_xticks(*_ticks(follow_up, standings))
    axes.spines["left"].set_bounds(0, 1)
    axes.set_yticks(np.linspace(0, 1, 5))
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    return figure


def _ticks(follow_up: FollowUp, standings: Mapping[float, Standing]) -> tuple[list[float], list[str]]:
    """The horizons with the number still followed at each, so that none lost between two of them can be counted."""
    days = [0.0, *standings]
    followed = [int((follow_up.times >= day).sum()) for day in days]
    shown = [masked(count) if small(count) else round(count, -1) for count in followed]
    return days, [f"{day:g}\n{count}" for day, count in zip(days, shown, strict=True)]


def _mark(axes: Axes, day: float, one: Standing, alive: float | None) -> None:
    colour = _COLOURS.get(one.level, RED)
    axes.plot([day, day], [0, 1.0], color=colour, linewidth=0.8, linestyle=":" if one.evaluable else "--")
    words = one.level if one.evaluable else f"refused: {one.level}"
    axes.text(day, 1.02, words, color=colour, size=8.5, rotation=35, ha="left", va="bottom", rotation_mode="anchor")
    if alive is not None:
        axes.plot([day], [alive], "o", color=colour, markersize=5)


def draw_calibration(log_odds: FloatArray, days: Sequence[float], follow_up: FollowUp, *, whom: str, example: str) -> Figure:
    """Stated and observed risk at each horizon, a panel each; `log_odds` (n, n_horizons) are out of fold."""
    words = (
        "Patients were judged by models that had not seen them. Points: patients of similar stated risk, with the 95 % "
        "interval of the share that died. Line: the same, smoothed. On the diagonal, as many died as was said."
    )
    rows = -(-len(days) // _COLUMNS)
    columns = min(_COLUMNS, len(days))
    title = f"Were the stated risks the risks that came true? ({whom})"
    figure = sheet(title, words, example=example, width=max(8.0, 3.2 * columns), height=3.05 * rows)
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for place, day in enumerate(days):
        _calibration_panel(plain(grid[place]), log_odds[:, place], float(day), follow_up)
    for axes in grid[len(days) :]:
        axes.set_axis_off()
    return figure


def _calibration_panel(axes: Axes, log_odds: FloatArray, day: float, follow_up: FollowUp) -> None:
    risk = sigmoid(log_odds)
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.8, linestyle="--")
    groups = risk_groups(risk, follow_up, day)
    for group in groups:
        axes.plot([group.stated], [group.observed], "o", color=BLUE, markersize=4)
        if group.interval is not None:
            axes.plot([group.stated] * 2, group.interval, color=BLUE, linewidth=1)
    highest = max(_smooth(axes, log_odds, risk, day, follow_up), *(group.interval[1] for group in groups if group.interval))
    end = min(1.0, float(np.ceil(highest * 10)) / 10)
    axes.set(xlim=(0, end), ylim=(0, end), xlabel="stated risk", ylabel="died", title=f"by day {day:g}", aspect="equal")
    axes.title.set(size=10, color=INK)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_ticks(np.arange(0, end + 1e-9, 0.1 if end <= 0.5 else 0.2))
        axis.set_major_formatter(PercentFormatter(1, decimals=0))


def _smooth(axes: Axes, log_odds: FloatArray, risk: FloatArray, day: float, follow_up: FollowUp) -> float:
    """Draw the calibration curve over the central 98 % of the stated risks, and say how high the panel must be for it.

    At the ends it would be drawn for single patients.
    """
    low, high = np.quantile(risk, [0.01, 0.99])
    weighted = weights(follow_up, [day])
    try:
        curve = calibration_curve(log_odds, weighted.dead[:, 0], weighted.weight[:, 0])
    except NotEstimable:
        return float(high)
    order = np.argsort(risk)
    order = order[(risk[order] >= low) & (risk[order] <= high)]
    axes.plot(risk[order], curve[order], color=RED, linewidth=1.5)
    return max(float(high), float(curve[order].max()))
