"""Published scores beside the model: each in the patients whose chart answers all that it asks, and in nobody else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.design import FloatArray
from models.published import PUBLISHED
from models.published.chart import Chart
from models.published.score import PublishedScore
from training.cohort import Cohort, followed
from training.comparing.compared import Absent, Column, Said
from training.comparing.recalibrated import cross_recalibrated_each
from training.statistics.censoring import FollowUp


def said_by_scores(
    cohort: Cohort, log_odds: FloatArray, days: Sequence[float], fold: NDArray[np.intp] | None
) -> list[Said | Absent]:
    """What each published score says of the cohort, beside the model's log-odds (n, h).

    With `fold` (n,) score and model are both made risks by lines learned on other folds; without, no IPA is compared.
    """
    charts = [Chart(patient) for patient in cohort.patients]
    said: list[Said | Absent] = []
    for score in PUBLISHED.values():
        rows, order, why = _values(score, charts)
        if len(rows) == 0:
            said.append(Absent(score.name, score.label, "published", why))
            continue
        each = np.repeat(order[:, None], len(days), axis=1)
        part = followed(cohort.follow_up, rows)
        ours, theirs = ({}, {}) if fold is None else _lines(log_odds[rows], each, part, days, fold[rows])
        said.append(Said(score.name, score.label, "published", rows, each, ours, theirs))
    return said


def _values(score: PublishedScore, charts: Sequence[Chart]) -> tuple[NDArray[np.intp], FloatArray, str]:
    """Of whom the score says something (m,), what, turned so that higher is worse (m,); and why most others have none."""
    results = [score.read(chart) for chart in charts]
    rows = np.array([row for row, result in enumerate(results) if result.value is not None], np.intp)
    values = np.array([result.value for result in results if result.value is not None], np.float64)
    reasons = Counter(result.why for result in results if result.value is None)
    return rows, values if score.higher_is_worse else -values, next((why for why, _ in reasons.most_common(1)), "")


def _lines(
    ours: FloatArray, theirs: FloatArray, follow_up: FollowUp, days: Sequence[float], fold: NDArray[np.intp]
) -> tuple[dict[float, Column], dict[float, Column]]:
    """Both made risks in the same way."""
    made = [cross_recalibrated_each(one, follow_up, days, fold) for one in (ours, theirs)]
    return made[0], made[1]
