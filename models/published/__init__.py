"""Published prognostic scores from the same inputs, as their papers define them: for comparison, never part of our risk."""

from __future__ import annotations

from collections.abc import Mapping

from models.patient import Patient
from models.published.chart import Chart
from models.published.counts import COUNTS
from models.published.loris import LORIS
from models.published.points import POINTS
from models.published.score import PublishedResult, PublishedScore

__all__ = ["PUBLISHED", "PublishedResult", "PublishedScore", "published"]

PUBLISHED: Mapping[str, PublishedScore] = {score.name: score for score in (*COUNTS, *POINTS, LORIS)}


def published(patient: Patient) -> dict[str, PublishedResult]:
    """What every published score says of `patient`, by name; each has its value or every reason why there is none."""
    chart = Chart(patient)
    return {name: score.read(chart) for name, score in PUBLISHED.items()}
