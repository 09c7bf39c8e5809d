"""How much each part of a patient's record moves the risk, over the development cohort: the model's own terms."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from models.design import FloatArray
from models.risk import RiskModel
from models.tumours import LABELS
from training.fit import PRIMARY, Fit


@dataclass(frozen=True, eq=False)
class Attribution:
    """Terms of the development cohort on the log-odds scale, and the design rows they are terms of.

    `terms` (n, n_horizons, n_features); `x` (n, n_columns), clipped and with estimates in place; `primary` is the place of the
    horizon that the pictures show.
    """

    model: RiskModel
    terms: FloatArray
    x: FloatArray
    primary: int

    @property
    def day(self) -> int:
        """The horizon shown (days): 90, or the served one nearest to it."""
        return self.model.days[self.primary]

    @property
    def base(self) -> float:
        """The reference at the horizon shown, log-odds."""
        return float(self.model.base[self.primary])

    @property
    def labels(self) -> list[str]:
        """The features as a reader calls them, in the order of the terms."""
        return [self.model.design.of[name].label for name in self.model.design.features]

    @cached_property
    def values(self) -> FloatArray:
        """Values by feature (n, n_features) on the model's scale; NaN where one does not apply, or has no order."""
        design = self.model.design
        ordered = np.full((len(self.x), len(design.features)), np.nan)
        for place, column in enumerate(design.columns):
            if not column.level:
                ordered[:, design.feature_of_column[place]] = self.x[:, place]
        return ordered

    def by_group(self) -> FloatArray:
        """Terms by clinical group, shape (n, n_horizons, n_groups)."""
        return self.model.group_terms(self.terms)

    def mean_size(self) -> dict[str, float]:
        """Mean absolute term by feature at the horizon shown, log-odds."""
        sizes = np.abs(self.terms[:, self.primary]).mean(axis=0)
        return dict(zip(self.model.design.features, sizes.tolist(), strict=True))

    def written(self, row: int) -> list[str]:
        """The values of one patient as a reader would write them, by feature."""
        design, words = self.model.design, dict.fromkeys(self.model.design.features, "not applicable")
        for column, value in zip(design.columns, self.x[row].tolist(), strict=True):
            if column.level and value == 1:
                words[column.feature] = LABELS.get(column.level, column.level)
            elif not column.level and not np.isnan(value):
                feature = design.of[column.feature]
                words[column.feature] = _flag(value) if feature.scale == "flag" else _number(feature.shown(value))
        return list(words.values())


def _number(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def _flag(value: float) -> str:
    return {0.0: "no", 1.0: "yes"}.get(value, f"{value:.0%}")  # an estimated flag lies between


def attribution(fit: Fit) -> Attribution:
    """The attribution of a fitted model in its own development cohort."""
    scores = fit.model.score(fit.matrix)
    primary = int(np.argmin([abs(day - PRIMARY) for day in fit.model.days]))
    return Attribution(fit.model, scores.terms, scores.filled.x, primary)
