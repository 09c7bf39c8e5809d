"""What drove the risks: how much each clinical group, and each input, moved them on average, and how sure that is.

The mean absolute SHAP term is the usual measure of global importance (Lundberg 2020, doi:10.1038/s42256-019-0138-9); beside it
stands the signed mean, because what raises some risks and lowers others has a large one and a small other. Percentage points are
those of the answers: of groups alone, and on average they sum to the mean risk minus the mean reference risk. In how many an
input was estimated is left out where that would tell of one to nine patients.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from serving.receipts.attributions.resampling import Figure, means
from serving.receipts.attributions.table import ESTIMATED, Floats, Table, few

ABSOLUTE, SIGNED = "mean absolute term", "mean term"
ABSOLUTE_POINTS, SIGNED_POINTS = "mean absolute change", "mean change"
LARGEST, UNCLEAR, ESTIMATES = "largest of all", "not distinguishable", "rests on estimates"
UNITS: Mapping[str, str] = {
    ABSOLUTE: "log-odds",
    SIGNED: "log-odds",
    ABSOLUTE_POINTS: "percentage points",
    SIGNED_POINTS: "percentage points",
    LARGEST: "share",
    UNCLEAR: "share",
    ESTIMATES: "share",
}


@dataclass(frozen=True)
class Importance:
    """How much one group or one input matters, by figure."""

    name: str
    label: str
    figures: Mapping[str, Figure]


@dataclass(frozen=True)
class Global:
    """What drove the risks of some receipts: the groups and the inputs, the largest first, and the mean risks."""

    patients: int
    receipts: int
    risk: Figure  # probability
    reference: Figure  # probability, at the average log-odds of the development cohort
    groups: tuple[Importance, ...]
    inputs: tuple[Importance, ...]


def importance(table: Table) -> Global:
    """The importance of everything in the table, of at least one receipt."""
    columns = [("", "risk", table.risk), ("", "reference", 1 / (1 + np.exp(-table.base))), *_of_groups(table), *_of_inputs(table)]
    figures = means(np.stack([column for _, _, column in columns], axis=1), table.patient)
    by_name: dict[str, dict[str, Figure]] = {}
    for (name, called, _), figure in zip(columns, figures, strict=True):
        by_name.setdefault(name, {})[called] = figure
    whole = by_name.pop("")
    groups = [Importance(name, name, by_name[f"group {name}"]) for name in table.groups]
    inputs = [Importance(one.name, one.label, by_name[f"input {one.name}"]) for one in table.inputs]
    return Global(table.patients, len(table), whole["risk"], whole["reference"], _ordered(groups), _ordered(inputs))


def _ordered(found: list[Importance]) -> tuple[Importance, ...]:
    return tuple(sorted(found, key=lambda one: -one.figures[ABSOLUTE].value))


def _of_groups(table: Table) -> Iterator[tuple[str, str, Floats]]:
    largest = np.abs(table.group_term).argmax(axis=1)
    for place, group in enumerate(table.groups):
        name, term, points = f"group {group}", table.group_term[:, place], table.points[:, place]
        yield name, ABSOLUTE, np.abs(term)
        yield name, SIGNED, term
        yield name, ABSOLUTE_POINTS, np.abs(points)
        yield name, SIGNED_POINTS, points
        yield name, LARGEST, (largest == place).astype(np.float64)
        yield name, UNCLEAR, (~table.distinguishable[:, place]).astype(np.float64)
        yield name, ESTIMATES, table.estimated[:, place]


def _of_inputs(table: Table) -> Iterator[tuple[str, str, Floats]]:
    for place, one in enumerate(table.inputs):
        term = table.term[:, place].astype(np.float64)
        yield f"input {one.name}", ABSOLUTE, np.abs(term)
        yield f"input {one.name}", SIGNED, term
        estimated = table.states[:, place] & ESTIMATED > 0
        if not few(estimated, table.patient):
            yield f"input {one.name}", ESTIMATES, estimated.astype(np.float64)
