"""Published scores beside the model: each in the patients whose chart answers all that it asks, and in nobody else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from models.design import FloatArray
from models.published import PUBLISHED
from models.published.chart import Chart
from models.published.score import PublishedScore
from training.cohort import Cohort, followed
from training.comparing.compared import Absent, Column, Said
from training.comparing.recalibrated import cross_recalibrated_each

Lines = dict[float, Column]


def said_by_scores(
    cohort: Cohort, log_odds: FloatArray, days: Sequence[float], fold: NDArray[np.intp] | None
) -> list[Said | Absent]:
    """What each published score says of the cohort, beside the model's log-odds (n, h).

    With `fold` (n,) score and model are both made risks by lines learned on other folds; without, no IPA is compared.
    """
    charts = [Chart(patient) for patient in cohort.patients]
    said: list[Said | Absent] = []
    straightened: dict[bytes, Lines] = {}  # the model's own lines, once for all scores of the same patients
    for score in PUBLISHED.values():
        rows, order, why = _values(score, charts)
        if len(rows) == 0:
            said.append(Absent(score.name, score.label, "published", why))
            continue
        each, theirs, ours = np.repeat(order[:, None], len(days), axis=1), dict[float, Column](), dict[float, Column]()
        if fold is not None:
            made = partial(cross_recalibrated_each, follow_up=followed(cohort.follow_up, rows), days=days, fold=fold[rows])
            key = rows.tobytes()
            theirs, ours = made(each), straightened.setdefault(key, straightened.get(key) or made(log_odds[rows]))
        said.append(Said(score.name, score.label, "published", rows, each, theirs, ours))
    return said


def _values(score: PublishedScore, charts: Sequence[Chart]) -> tuple[NDArray[np.intp], FloatArray, str]:
    """Of whom the score says something (m,), what, turned so that higher is worse (m,); and why most others have none."""
    results = [score.read(chart) for chart in charts]
    rows = np.array([row for row, result in enumerate(results) if result.value is not None], np.intp)
    values = np.array([result.value for result in results if result.value is not None], np.float64)
    reasons = Counter(result.why for result in results if result.value is None)
    return rows, values if score.higher_is_worse else -values, next((why for why, _ in reasons.most_common(1)), "")
