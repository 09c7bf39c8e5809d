"""Lines of therapy, derived from single doses by rules that are written down: what belongs together, when something new begins.

A line begins with its first systemic drug. Drugs begun within 28 days of it belong to its regimen. A new line begins
  - with a drug that the regimen does not hold, begun more than 28 days after the line, or after a progression within it;
  - with any drug after a gap of more than 90 days without one.
Going on with fewer drugs (maintenance) is the same line. An endocrine drug beside other ones joins the line; alone it is a line
of its own. A dose whose drug is not named (a code for "chemotherapy") begins a line only after a gap.

References
----------
The rule and its windows are those of OncoRegimenFinder and ARTEMIS (OHDSI Oncology Working Group), as their public code has them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from models.courses import SYSTEMIC

REGIMEN_DAYS = 28
GAP_DAYS = 90
ENDOCRINE = "endocrine"


class Dose(NamedTuple):
    """One administration, or a span of them: `end` is None while it runs; `agent` is "" where no drug is named."""

    modality: str
    agent: str
    start: date
    end: date | None


@dataclass
class Line:
    """One line with its doses, oldest first."""

    number: int
    doses: list[Dose] = field(default_factory=list)

    @property
    def start(self) -> date:
        """The day of its first dose."""
        return self.doses[0].start

    @property
    def running(self) -> bool:
        """Whether one of its drugs is still being given."""
        return any(one.end is None for one in self.doses)

    @property
    def last(self) -> date:
        """The last day on which something is known to have been given."""
        return max(one.start if one.end is None else one.end for one in self.doses)

    @property
    def agents(self) -> frozenset[str]:
        """The drugs by name."""
        return frozenset(one.agent for one in self.doses if one.agent)


def lines_of(doses: Iterable[Dose], progressions: Sequence[date] = ()) -> list[Line]:
    """The lines of systemic therapy, in order; doses of other modalities are passed over.

    >>> given = [Dose("chemotherapy", "gemcitabine", date(2025, 1, 1), date(2025, 3, 1)),
    ...          Dose("chemotherapy", "irinotecan", date(2025, 3, 20), date(2025, 5, 1))]
    >>> [(line.number, sorted(line.agents), line.last.isoformat()) for line in lines_of(given)]
    [(1, ['gemcitabine'], '2025-03-01'), (2, ['irinotecan'], '2025-05-01')]
    """
    found: list[Line] = []
    for dose in sorted((one for one in doses if one.modality in SYSTEMIC), key=_order):
        if not found or _begins_anew(dose, found[-1], progressions):
            found.append(Line(len(found) + 1))
        found[-1].doses.append(dose)
    return found


def _order(dose: Dose) -> tuple[date, date, str, str]:
    return dose.start, dose.end or date.max, dose.agent, dose.modality


def _begins_anew(dose: Dose, line: Line, progressions: Sequence[date]) -> bool:
    if not line.running and (dose.start - line.last).days > GAP_DAYS:
        return True
    if not dose.agent or dose.agent in line.agents or _joins(dose, line):
        return False
    progressed = any(line.start < day <= dose.start for day in progressions)
    return progressed or (dose.start - line.start).days > REGIMEN_DAYS


def _joins(dose: Dose, line: Line) -> bool:
    """An endocrine drug beside others is no line of its own."""
    return dose.modality == ENDOCRINE and any(one.modality != ENDOCRINE for one in line.doses)
