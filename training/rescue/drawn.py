"""Pictures of recovery and survival, to be shown to a tumour board: curves from each landmark, recovery against death, ratios."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, PercentFormatter

from training.rescue.analysed import Analysed
from training.rescue.landmarked import Landmarked
from training.rescue.naive import Naive
from training.rescue.needed import Refused
from training.rescue.said import chance, ratio
from training.rescue.survived import Group
from training.small_cells import SMALLEST
from training.telling.sheet import GREY, INK, RED, plain, sheet

Document = Mapping[str, Any]
_RECOVERED, _NOT = "#0072B2", "#D55E00"  # told apart by those who do not see red and green (Okabe, Ito)
_WAITING, _DIED = "#dfe3e8", "#8a8f98"


def drawn(found: Analysed, told: Document) -> Iterator[tuple[str, Figure]]:
    """Every picture by its name; what was refused is not drawn."""
    example = str(told.get("example", ""))
    for day, one in found.landmarks.items():
        if not isinstance(one, Refused):
            yield f"landmark-{day:g}", _landmark(one, told["landmarks"][f"{day:g}"], example)
    if "incidence" in told["events"][0]:
        yield "incidence", _incidence(told["events"][0], example)
    if ratios := list(_ratios(told)):
        yield "ratios", _forest(ratios, example)
    if isinstance(found.naive, Naive):
        yield "naive", _naive(found.naive, told["naive"], example)


def _landmark(found: Landmarked, told: Document, example: str) -> Figure:
    words = (
        f"Patients alive and followed on day {found.day:g} after the index date, by whether recovery was known by that day. "
        "Kaplan-Meier curves with 95 % bands, drawn while at least ten of a group are followed; "
        f"log-rank p {chance(told['log_rank_p'])}; adjusted hazard ratio {ratio(told['adjusted'])}. "
        "An association: who recovers may be fitter."
    )
    title = f"From day {found.day:g}: recovered by then or not"
    return _curves(title, words, found.groups, told["groups"], found.horizon, example)


def _naive(found: Naive, told: Document, example: str) -> Figure:
    words = (
        "BIASED: the same patients divided by what became known later, and followed from the index date. Whoever recovered late "
        f"had to live until then. Hazard ratio {ratio(told['unadjusted'])}. Shown only so that it is recognised."
    )
    horizon = max(float(group.curve.follow_up.times.max()) for group in found.groups)
    return _curves('BIASED: "ever" against "never" recovered', words, found.groups, told["groups"], horizon, example)


def _curves(
    title: str, words: str, groups: tuple[Group, Group], told: list[Document], horizon: float, example: str
) -> Figure:
    figure = sheet(title, words, example=example, height=5.0)
    axes, below = figure.subplots(2, 1, height_ratios=[5, 1], sharex=True)
    plain(axes)
    for group, each, colour, line in zip(groups, told, (_RECOVERED, _NOT), ("-", "--"), strict=True):
        _curve(axes, group, colour, line, f"{group.name}: {each['patients']} patients{_median(each)}")
    axes.set(ylim=(0, 1.02), ylabel="alive", xlim=(groups[0].start, horizon))
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.legend(fontsize=8.5, frameon=False, loc="upper right")
    _numbers(below, told)
    return figure


def _median(told: Document) -> str:
    return f", median {told['median'][0]} days" if told["median"] and told["median"][0] is not None else ""


def _curve(axes: Axes, group: Group, colour: str, line: str, label: str) -> None:
    last = float(np.sort(group.curve.follow_up.times)[-SMALLEST])
    curve = group.curve.alive
    days = np.concatenate([[0.0], curve.days[(curve.days > 0) & (curve.days <= last)], [last]])
    axes.step(days + group.start, curve.at(days), where="post", color=colour, linestyle=line, linewidth=2, label=label)
    low, high = group.curve.band(days)
    axes.fill_between(days + group.start, low, high, step="post", color=colour, alpha=0.13, linewidth=0)


def _numbers(axes: Axes, told: list[Document]) -> None:
    """The numbers at risk below the curves."""
    axes.set_ylim(-0.6, 2.2)
    axes.spines[:].set_visible(False)
    axes.set_yticks([])
    axes.tick_params(colors=INK, labelsize=9, length=0)
    ticks = [float(day) for day in told[0]["at_risk"]]
    axes.set_xticks(ticks)
    axes.set_xlabel("days from the index date; above them those still followed, to the nearest ten")
    for place, (each, colour) in enumerate(zip(told, (_RECOVERED, _NOT), strict=True)):
        for day, count in zip(ticks, each["at_risk"].values(), strict=True):
            axes.text(day, 1.3 - place, str(count), color=colour, size=9, ha="center", va="center")


def _incidence(told: Document, example: str) -> Figure:
    words = (
        f"{told['definition']}. Cumulative incidence after Aalen and Johansen: who died first can no longer recover and is "
        "counted as such, so the three shares make up everybody."
    )
    figure = sheet("How many had recovered, had died before, or were waiting", words, example=example, height=4.2)
    axes, of = plain(figure.subplots()), told["incidence"]
    days = np.array([0.0, *of["days"]])
    happened, died = (np.array([0.0, *of[name]]) for name in ("happened", "died"))
    shares = {"lymphocytes had recovered": happened, "neither": 1 - happened - died, "died before a recovery": died}
    axes.stackplot(days, *shares.values(), labels=list(shares), colors=[_RECOVERED, _WAITING, _DIED])
    axes.set(xlim=(0, days[-1]), ylim=(0, 1), xlabel="days from the index date", ylabel="share of patients")
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    figure.legend(fontsize=8.5, frameon=False, loc="outside lower center", ncols=3)
    return figure


def _ratios(told: Document) -> Iterator[tuple[str, Document, str]]:
    """The ratios that were found: what of, the ratio, and its colour; the biased one in red."""
    naive = told["naive"]
    named = [(one["label"] + ", time-dependent", one["adjusted"], INK) for one in told["events"]]
    named += [(f"rescue, landmark day {day}", at.get("adjusted", at), INK) for day, at in told["landmarks"].items()]
    named += [(each["level"], each["hazard_ratio"], GREY) for one in told["interactions"][:2] for each in one["groups"]]
    named += [('BIASED: "ever" recovered', naive.get("unadjusted", naive), RED)]
    yield from (one for one in named if "refused" not in one[1])


def _forest(ratios: list[tuple[str, Document, str]], example: str) -> Figure:
    words = (
        "Hazard ratios of death with 95 % intervals, adjusted for the index date; below 1 those in whom it had happened die less "
        "often. In grey the time-dependent ratio of rescue by group; in red the analysis that must not be believed, unadjusted."
    )
    figure = sheet("What goes with survival, and what only seems to", words, example=example, height=0.33 * len(ratios) + 0.9)
    axes = plain(figure.subplots())
    for place, (_, found, colour) in enumerate(ratios):
        axes.plot([found["low"], found["high"]], [place, place], color=colour, linewidth=1.5)
        axes.plot([found["value"]], [place], "s", color=colour, markersize=5)
        axes.text(1.01, place, ratio(found), transform=axes.get_yaxis_transform(), va="center", size=8.5, color=colour)
    axes.axvline(1, color=GREY, linewidth=0.8, linestyle=":")
    axes.set_xscale("log")
    marks = [mark for mark in (0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0) if _within(mark, ratios)]
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xticks(marks, [f"{mark:g}" for mark in marks])
    axes.set_yticks(range(len(ratios)), [label for label, _, _ in ratios])
    axes.set(ylim=(len(ratios) - 0.5, -0.5), xlabel="hazard ratio (logarithmic)")
    return figure


def _within(mark: float, ratios: list[tuple[str, Document, str]]) -> bool:
    low, high = min(one["low"] for _, one, _ in ratios), max(one["high"] for _, one, _ in ratios)
    return 0.8 * low <= mark <= 1.25 * high or mark == 1.0
