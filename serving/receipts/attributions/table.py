"""The answers of a period side by side: one row a receipt, arrays of what statistics need, and nobody's name.

A patient is a number, made of the keyed hash under which his receipts are kept; a receipt without a pseudonym is a patient of its
own. What a model does not have is 0 among the terms, and marked ABSENT among the inputs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from models.quality import State

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]
STATES: tuple[str, ...] = get_args(State)
ABSENT = 1 << len(STATES)  # the model has no such input


SMALLEST = 10  # patients: fewer are never counted out, as in what leaves the training computer


def few(yes: NDArray[np.bool_], patient: NDArray[np.int64]) -> bool:
    """Whether a yes or no (n,) tells of one to nine patients, by itself or by what is left."""
    counts = (len(np.unique(patient[yes])), len(np.unique(patient[~yes])))
    return any(0 < count < SMALLEST for count in counts)


def flags(*states: str) -> int:
    """The bits of these states."""
    return sum(1 << STATES.index(one) for one in states)


NOT_MEASURED, ESTIMATED, STALE = flags("not measured"), flags("estimated"), flags("stale")


@dataclass(frozen=True)
class Input:
    """An input of a model, and the scale on which the model reads it (`models.features.Feature.scale`)."""

    name: str
    label: str
    group: str
    unit: str
    scale: str


@dataclass(frozen=True)
class Named:
    """A model by its digest and its name."""

    digest: str
    name: str


@dataclass(frozen=True)
class Table:
    """n receipts in the order of their numbers, at one horizon; arrays are (n,), (n, inputs), (n, groups) or (n, strata)."""

    horizon: int  # days
    inputs: tuple[Input, ...]
    groups: tuple[str, ...]
    models: tuple[Named, ...]
    levels: Mapping[str, tuple[str, ...]]  # by stratum
    words: Mapping[str, tuple[str, ...]]  # by input of named levels
    strata: tuple[str, ...]
    sequence: NDArray[np.int64]
    time: NDArray[np.datetime64]  # seconds, UTC
    patient: NDArray[np.int64]
    model: NDArray[np.int16]  # place in `models`
    risk: Floats  # probability
    log_odds: Floats
    base: Floats  # log-odds
    term: NDArray[np.float32]  # log-odds by input
    value: NDArray[np.float32]  # of an input, on the model's scale; the place of its level; NaN where it has none
    states: NDArray[np.uint16]  # of an input: bits of STATES, or ABSENT
    group_term: Floats  # log-odds by group
    points: Floats  # percentage points by group
    distinguishable: NDArray[np.bool_]  # by group: whether the refit interval leaves 0 out
    estimated: Floats  # by group: the share of its absolute terms that rests on estimates
    stratum: NDArray[np.int16]  # place in `levels[name]`

    def __len__(self) -> int:
        return len(self.sequence)

    @property
    def patients(self) -> int:
        """How many patients the receipts are of."""
        return len(np.unique(self.patient))

    def select(self, rows: Rows) -> Table:
        """The same of these rows, in their order."""
        arrays = (one.name for one in fields(self) if isinstance(getattr(self, one.name), np.ndarray))
        return replace(self, **{name: getattr(self, name)[rows] for name in arrays})

    def last_of_each(self) -> Table:
        """The last receipt of each patient: whoever was scored ten times counts once."""
        _, from_behind = np.unique(self.patient[::-1], return_index=True)
        return self.select(np.sort(len(self) - 1 - from_behind))
