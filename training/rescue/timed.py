"""One kind of event in a group of people, as arrays: when it happened to whom, and how long each was followed.

Somebody belongs to those in whom it happened from the day after it was known, never before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.rescue.person import Person
from training.rescue.recovery import Event

FloatArray = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Timed:
    """`on` (n,): the day of the event, NaN where it did not happen; `entries`, `days`, `deaths` (n,) of the follow-up.

    `rows` (n,): which of the people they are, since not everybody may be asked.
    """

    on: FloatArray
    entries: FloatArray
    days: FloatArray
    deaths: Flags
    rows: NDArray[np.intp]

    def __len__(self) -> int:
        return self.days.size

    @property
    def happened(self) -> Flags:
        """In whom it happened while followed (n,)."""
        return np.asarray(~np.isnan(self.on))

    def by(self, day: float) -> Flags:
        """In whom it had happened by a day (n,)."""
        return np.asarray(np.nan_to_num(self.on, nan=np.inf) <= day)

    def part(self, rows: Flags) -> Timed:
        """The same of some of them."""
        return Timed(self.on[rows], self.entries[rows], self.days[rows], self.deaths[rows], self.rows[rows])


def timed(people: Sequence[Person], event: Event) -> Timed:
    """The event in those of whom it may be asked."""
    rows = np.array([row for row, one in enumerate(people) if event.asked_of(one)], np.intp)
    asked = [people[row] for row in rows]
    on = [event.on(one) for one in asked]
    return Timed(
        on=np.array([np.nan if day is None else day for day in on], np.float64),
        entries=np.array([one.entered for one in asked], np.float64),
        days=np.array([one.days for one in asked], np.float64),
        deaths=np.array([one.died for one in asked], np.bool_),
        rows=rows,
    )
