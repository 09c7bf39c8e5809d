"""From patients to the design matrix: one row a patient, one column a number or a named level."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from models.features import FEATURES, NOT_MEASURED, Feature, Reading, level_of, site_feature
from models.patient import Patient

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
_OWED = ("not measured", "not interpretable")  # the readings in whose place an estimate is put


@dataclass(frozen=True)
class Column:
    """One column of the design matrix: a feature's number, or whether it has one `level`."""

    feature: str
    level: str = ""

    @property
    def name(self) -> str:
        """The feature, and the level where there is one: "tumour=nsclc"."""
        return f"{self.feature}={self.level}" if self.level else self.feature


@dataclass(frozen=True)
class Design:
    """The columns of a model in order, and how their features are read."""

    columns: tuple[Column, ...]

    def __post_init__(self) -> None:
        names = [column.name for column in self.columns]
        runs = [name for name, _ in groupby(column.feature for column in self.columns)]
        if len(set(names)) < len(names) or len(set(runs)) < len(runs):
            raise ValueError(f"columns {', '.join(names)}: each stands once, those of one feature side by side")

    @cached_property
    def features(self) -> tuple[str, ...]:
        """The features in the order of their first column."""
        return tuple(dict.fromkeys(column.feature for column in self.columns))

    @cached_property
    def of(self) -> Mapping[str, Feature]:
        """The features by name."""
        levels = {column.feature for column in self.columns if column.level}
        return {name: feature_named(name, name in levels) for name in self.features}

    @cached_property
    def feature_of_column(self) -> NDArray[np.intp]:
        """Shape (n_columns,): the place of each column's feature in `features`."""
        return np.array([self.features.index(column.feature) for column in self.columns], np.intp)

    @cached_property
    def columns_of_feature(self) -> Mapping[str, range]:
        """Where the columns of each feature stand."""
        return {feature.name: range(start, start + max(1, len(levels))) for feature, start, levels in self.runs}

    @cached_property
    def first_columns(self) -> NDArray[np.intp]:
        """Shape (n_features,): where the columns of each feature begin."""
        return np.array([start for _, start, _ in self.runs], np.intp)

    @cached_property
    def group_of_feature(self) -> NDArray[np.intp]:
        """Shape (n_features,): the place of each feature's clinical group in `groups`."""
        return np.array([self.groups.index(self.of[name].group) for name in self.features], np.intp)

    @cached_property
    def groups(self) -> tuple[str, ...]:
        """The clinical groups of the model, in the order of their first feature."""
        return tuple(dict.fromkeys(self.of[name].group for name in self.features))

    @cached_property
    def runs(self) -> tuple[tuple[Feature, int, tuple[str, ...]], ...]:
        """The features in order, each with the place of its first column and its levels."""
        runs = []
        for name in self.features:
            places = [place for place, column in enumerate(self.columns) if column.feature == name]
            runs.append((self.of[name], places[0], tuple(c.level for c in self.columns if c.feature == name and c.level)))
        return tuple(runs)

    def row(self, patient: Patient) -> tuple[list[float], dict[str, Reading]]:
        """The design row of one patient, NaN where there is no number, and the readings behind its numeric columns.

        A feature with levels has a reading only where its level is not known.
        """
        row, readings = [np.nan] * len(self.columns), {}
        for feature, start, levels in self.runs:
            if levels:
                level = level_of(feature, patient)
                if level is None:
                    readings[feature.name] = NOT_MEASURED
                else:
                    row[start : start + len(levels)] = [float(level == one) for one in levels]
            else:
                readings[feature.name] = reading = feature.of(patient)
                row[start] = reading.value
        return row, readings


@dataclass(frozen=True)
class DesignMatrix:
    """`x`, shape (n_patients, n_columns), NaN where there is no number; `to_estimate`, the same shape: where an estimate is owed.

    A number that is not applicable stays NaN for good; one that was not measured, or cannot be interpreted, is owed an estimate.
    """

    x: FloatArray
    to_estimate: BoolArray


def design_matrix(design: Design, patients: Iterable[Patient]) -> DesignMatrix:
    """The design matrix of `patients`, in their order."""
    return matrix_of(design, [design.row(patient) for patient in patients])


def matrix_of(design: Design, rows: Sequence[tuple[list[float], Mapping[str, Reading]]]) -> DesignMatrix:
    """The design matrix of patients whose rows have been read already."""
    shape, places = (len(rows), len(design.columns)), design.columns_of_feature
    x = np.array([row for row, _ in rows], np.float64).reshape(shape)
    owed = np.zeros(x.size, np.bool_)
    owed[
        [
            start + column
            for start, (_, readings) in zip(range(0, x.size, shape[1]), rows, strict=True)
            for name, reading in readings.items()
            if reading.status in _OWED
            for column in places[name]
        ]
    ] = True
    return DesignMatrix(x, owed.reshape(shape))


def feature_named(name: str, levels: bool = False) -> Feature:
    """The feature called `name`; ValueError with the names there are when it is none of them."""
    if name.startswith("extra."):
        return site_feature(name.removeprefix("extra."), levels)
    if name not in FEATURES:
        raise ValueError(f"no feature is called {name}; there are {', '.join(FEATURES)}")
    return FEATURES[name]


def columns_of(features: Sequence[str], levels: Mapping[str, Sequence[str]]) -> Design:
    """The design of `features`; those in `levels` get one column a level."""
    columns = []
    for name in features:
        columns += [Column(name, level) for level in levels[name]] if name in levels else [Column(name)]
    return Design(tuple(columns))
