"""Pictures of what moves the risk, drawn by the `shap` library from the model's own terms."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import matplotlib.pyplot as plt
import numpy as np
import shap
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from models.design import FloatArray
from models.risk import sigmoid
from training.telling.attribution import Attribution
from training.telling.sheet import BLUE, INK, plain, sheet

MOST_PATIENTS = 1000  # dots of a swarm
SHOWN = 15  # features of a picture; the rest are summed by shap
_ROW = 0.36  # inches
_LOG_ODDS = "term, log-odds (above 0: raises the risk)"


def draw_swarm(of: Attribution, *, seed: int, example: str) -> Figure:
    """Every feature's terms over at most 1,000 patients: a dot is one term, its colour the value behind it."""
    rows = np.random.default_rng(seed).permutation(len(of.terms))[:MOST_PATIENTS]
    words = (
        "Each dot is one patient's term, its colour the value: where red dots lie to the right, the risk rises with the value. "
        "Grey: the feature does not apply, or has no order. Terms say what is associated with the risk, not what causes it."
    )
    shown = min(SHOWN, len(of.labels))
    figure, axes = _rows(f"What moves the risk by day {of.day}: the {shown} largest features", words, shown, example)
    explained = shap.Explanation(
        values=of.terms[rows, of.primary], base_values=of.base, data=_coloured(of.values[rows]), feature_names=of.labels
    )
    with _still():
        # shap would colour the sum of the remaining features by the values of one of them: they are left out instead
        sizes = {"max_display": SHOWN, "plot_size": None, "s": 9}
        shap.plots.beeswarm(explained, ax=axes, show=False, group_remaining_features=False, **sizes)
    bar = figure.axes[-1]
    bar.set_ylabel("value", size=9, color=INK)
    bar.tick_params(labelsize=9)
    return _tidied(figure, axes, _LOG_ODDS)


def draw_features(of: Attribution, *, example: str) -> Figure:
    """The mean size of every feature's terms."""
    words = "Mean absolute term over the development cohort. A feature that is large here need not be large in every patient."
    return _bars(f"Which features move the risk most by day {of.day}", words, of.terms[:, of.primary], of.labels, example)


def draw_groups(of: Attribution, *, example: str) -> Figure:
    """The mean size of every clinical group's terms."""
    words = (
        "Mean absolute group term over the development cohort. How credit is shared between related features, as ALC and NLR, "
        "is arbitrary; between groups it is less so."
    )
    title, groups = f"Which clinical groups move the risk most by day {of.day}", list(of.model.design.groups)
    return _bars(title, words, of.by_group()[:, of.primary], groups, example)


def draw_one_patient(of: Attribution, *, example: str) -> Figure:
    """From the reference to the log-odds of one patient, feature by feature: a whole row, so of simulated patients only."""
    row, shown = _instructive(of), min(SHOWN, len(of.labels))
    ends = np.array([of.base, of.base + float(of.terms[row, of.primary].sum())])
    average, own = sigmoid(ends).tolist()
    words = (
        f"Log-odds of death by day {of.day}. From the cohort's average, E[f(X)] at the bottom (a risk of {average:.0%}), the "
        f"terms move them to this patient's own, f(x) at the top ({own:.0%})."
    )
    explained = shap.Explanation(
        values=of.terms[row, of.primary], base_values=of.base, data=of.written(row), feature_names=of.labels
    )
    figure = sheet("One simulated patient: how the risk is added up", words, example=example, height=_ROW * shown + 1.6)
    axes = _fixed(figure)
    with _pyplot(figure):
        width, height = figure.get_size_inches().tolist()
        shap.plots.waterfall(explained, max_display=shown, show=False)
        figure.set_size_inches(width, height)
    for each in figure.axes:  # shap lays three upon each other; words left of the last arrow need room
        left, right = each.get_xlim()
        each.set_xlim(left - 0.08 * (right - left), right)
    return _tidied(figure, axes, "")


def _fixed(figure: Figure) -> Axes:
    """Axes that stay where they are: shap measures which words fit into an arrow before a layout would move it."""
    engine, height = figure.get_layout_engine(), figure.get_figheight()
    top = engine.get()["rect"][3] if engine is not None else 1.0
    figure.set_layout_engine("none")
    below, above = 0.65 / height, 0.5 / height  # room for the words under and over the axes, inches
    return figure.add_axes((0.40, below, 0.52, top - below - above))


def draw_horizons(of: Attribution, *, example: str) -> Figure:
    """How the weight of each clinical group changes with the horizon: a strip of mean sizes."""
    sizes = np.abs(of.by_group()).mean(axis=0).T
    groups, days = of.model.design.groups, of.model.days
    words = "Mean absolute group term over the development cohort, log-odds: what matters early need not matter late."
    figure = sheet("What matters when", words, example=example, height=0.5 * len(groups) + 0.9)
    axes = plain(figure.subplots())
    axes.imshow(sizes, cmap="Blues", aspect="auto", vmin=0, vmax=max(float(sizes.max()) * 2, 1e-9))
    for (group, day), size in np.ndenumerate(sizes):
        axes.text(day, group, f"{size:.2f}", ha="center", va="center", size=10, color=INK)
    axes.set_yticks(range(len(groups)), groups)
    axes.set_xticks(range(len(days)), [f"{day} d" for day in days])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return figure


def _bars(title: str, words: str, terms: FloatArray, names: list[str], example: str) -> Figure:
    figure, axes = _rows(title, words, min(SHOWN, len(names)), example)
    shap.plots.bar(shap.Explanation(values=terms, feature_names=names), max_display=SHOWN, ax=axes, show=False)
    for bar in axes.patches:
        bar.set_facecolor(BLUE)  # shap's red would say that all of them raise the risk
    for size in axes.texts:
        size.set(text=f"{float(size.get_text()):.2f}", color=INK, size=9.5)
    return _tidied(figure, axes, "mean absolute term, log-odds")


def _rows(title: str, words: str, rows: int, example: str) -> tuple[Figure, Axes]:
    figure = sheet(title, words, example=example, height=_ROW * rows + 0.9)
    return figure, figure.subplots()


def _tidied(figure: Figure, axes: Axes, label: str) -> Figure:
    axes.set_xlabel(label, size=10, color=INK)
    for tick in axes.get_yticklabels():
        tick.set_fontsize(9.5)
    axes.tick_params("x", labelsize=9)
    return figure


def _instructive(of: Attribution) -> int:
    """The patient nearest to the 80th percentile of the log-odds: at the average the terms cancel."""
    log_odds = of.terms[:, of.primary].sum(axis=-1)
    return int(np.argmin(np.abs(log_odds - np.quantile(log_odds, 0.8))))


def _coloured(values: FloatArray) -> NDArray[np.object_]:
    """Values by which shap colours its dots; a feature without any order is handed over as words, which it draws in grey."""
    handed = values.astype(object)
    handed[:, np.isnan(values).all(axis=0)] = "no order"
    return handed


@contextmanager
def _still() -> Iterator[None]:
    """shap scatters its dots by NumPy's global generator: the same way every time, and the generator is given back as it was."""
    state = np.random.get_state()
    np.random.seed(1)
    try:
        yield
    finally:
        np.random.set_state(state)


@contextmanager
def _pyplot(figure: Figure) -> Iterator[None]:
    """shap's waterfall draws on pyplot's current figure: ours, for as long as it takes, whatever display there is."""
    FigureCanvasAgg.new_manager(figure, 0)
    with plt.ioff():
        plt.figure(figure)
        try:
            yield
        finally:
            plt.close(figure)
