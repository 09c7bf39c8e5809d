"""Pictures of survival: that of the cohort with what may be asked of it, and that of the quarters of stated risk."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from training.small_cells import SMALLEST, masked, small
from training.statistics.censoring import FollowUp, survival
from training.statistics.standing import Standing
from training.telling.sheet import BLUE, INK, RED, plain, sheet

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


def draw_by_risk(found: Mapping[str, Any], *, whom: str, example: str) -> Figure:
    """Survival by quarter of the stated risk, with 95 % bands; `found` is `survival` of a population in `risks.json`."""
    quarters = found["quarters"]
    words = (
        f"Quarters of the risk of death by day {found['day']:g}, stated by models that had not seen the patient; the mean of it "
        "stands beside each. Kaplan-Meier curves with 95 % bands every 30 days, from the tenth death of a quarter on and while "
        "at least ten of it are followed."
    )
    title = f"Did those of higher stated risk die earlier? ({whom}, {sum(one['patients'] for one in quarters)} patients)"
    figure = sheet(title, words, example=example, height=4.2)
    axes = plain(figure.subplots())
    for one, colour, line in zip(quarters, _QUARTERS, ("-", "--", "-.", ":"), strict=True):
        label = f"{one['name']}: {one['patients']} patients, {one['stated']:.0%}"
        axes.plot(one["days"], one["alive"], color=colour, linestyle=line, linewidth=2, label=label)
        low, high = (np.array([np.nan if each is None else each for each in one[name]]) for name in ("low", "high"))
        axes.fill_between(one["days"], low, high, color=colour, alpha=0.15, linewidth=0)
    axes.set(xlim=(0, None), ylim=(0, 1.02), ylabel="alive", xlabel="days from the index date")
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    figure.legend(fontsize=8.5, frameon=False, loc="outside lower center", ncols=2)
    return figure


_QUARTERS = ("#0072B2", "#009E73", "#E69F00", "#D55E00")  # told apart by those who do not see red and green (Okabe, Ito)
