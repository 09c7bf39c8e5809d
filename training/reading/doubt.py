"""What is possible cell by cell and doubtful as a whole: taken only where a person gives a reason, and a doubt even then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from models.fault import Fault

Kind = Literal["placeholder", "unit", "outcome", "follow-up"]


@dataclass(frozen=True)
class Doubt:
    """A fault of a whole column: what kind of doubt, and in which patients (indices; of a cohort: rows of its table).

    A "placeholder" never varies, a "unit" gives a median no such cohort has, an "outcome" is one under another name, and
    "follow-up" is of a length nobody believes.
    """

    kind: Kind
    fault: Fault
    rows: tuple[int, ...]
    number: float  # the one that is doubted: patients of one value, a median in the analyte's unit or in days, AUC or correlation
    accepted: str = ""  # the reason for which a person took the column as it is
    unit: str = ""  # of the number

    def at(self, lines: Sequence[int], accepted: str) -> Doubt:
        """The same with the rows of the table, `lines` being the row of each patient, and the reason that was given."""
        return replace(self, rows=tuple(lines[row] for row in self.rows), accepted=accepted)
