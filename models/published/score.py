"""What a published score is: its rule, whom it was made for, where it was published, and what it says of one patient."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from models.patient import Patient
from models.published.chart import Chart

Bands = tuple[tuple[float, str], ...]  # (lowest value, words), rising


class PublishedResult(NamedTuple):
    """What a score says of one patient: its value and published group, or why it is not available."""

    value: float | None
    band: str
    why: str


@dataclass(frozen=True)
class PublishedScore:
    """A score as published; nothing of it was fitted here.

    Its values run from 0 to `most`; `whole` says that it counts points. `inputs` are what it asks of a Patient.
    """

    name: str
    label: str
    made_for: str
    source: str
    inputs: tuple[str, ...]
    rule: Callable[[Chart], float]
    bands: Bands
    most: float = math.inf
    whole: bool = True
    higher_is_worse: bool = True

    def of(self, patient: Patient) -> PublishedResult:
        """The score of `patient`, or every reason why there is none: no part of it is taken for the whole."""
        return self.read(Chart(patient))

    def read(self, chart: Chart) -> PublishedResult:
        """The score of a chart, which several scores may share."""
        chart.gaps = []
        value = float(self.rule(chart))
        if chart.gaps:
            return PublishedResult(None, "", "not available: " + "; ".join(dict.fromkeys(chart.gaps)))
        return PublishedResult(value, self.band(value) if self.bands else "", "")

    def band(self, value: float) -> str:
        """The published group of a value; empty where the publications agree on none."""
        found = ""
        for least, words in self.bands:
            if value >= least:
                found = words
        return found
