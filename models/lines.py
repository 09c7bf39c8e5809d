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

from bisect import bisect_right
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
    """One line with its doses, oldest first; what they add up to is kept as they come, since there may be thousands."""

    number: int
    doses: list[Dose] = field(default_factory=list)
    agents: set[str] = field(default_factory=set)  # the drugs by name
    last: date = date.min  # the last day on which something is known to have been given
    running: bool = False  # whether one of its drugs is still being given
    endocrine_alone: bool = True

    @property
    def start(self) -> date:
        """The day of its first dose."""
        return self.doses[0].start

    def add(self, dose: Dose) -> None:
        """One more dose, which began no earlier than those before."""
        self.doses.append(dose)
        self.agents |= {dose.agent} - {""}
        self.last = max(self.last, dose.start if dose.end is None else dose.end)
        self.running = self.running or dose.end is None
        self.endocrine_alone = self.endocrine_alone and dose.modality == ENDOCRINE


def lines_of(doses: Iterable[Dose], progressions: Sequence[date] = ()) -> list[Line]:
    """The lines of systemic therapy, in order; doses of other modalities are passed over.

    >>> given = [Dose("chemotherapy", "gemcitabine", date(2025, 1, 1), date(2025, 3, 1)),
    ...          Dose("chemotherapy", "irinotecan", date(2025, 3, 20), date(2025, 5, 1))]
    >>> [(line.number, sorted(line.agents), line.last.isoformat()) for line in lines_of(given)]
    [(1, ['gemcitabine'], '2025-03-01'), (2, ['irinotecan'], '2025-05-01')]
    """
    found: list[Line] = []
    progressions = sorted(progressions)
    for dose in sorted((one for one in doses if one.modality in SYSTEMIC), key=_order):
        if not found or _begins_anew(dose, found[-1], progressions):
            found.append(Line(len(found) + 1))
        found[-1].add(dose)
    return found


def _order(dose: Dose) -> tuple[date, date, str, str]:
    return dose.start, dose.end or date.max, dose.agent, dose.modality


def _begins_anew(dose: Dose, line: Line, progressions: Sequence[date]) -> bool:
    if not line.running and (dose.start - line.last).days > GAP_DAYS:
        return True
    if not dose.agent or dose.agent in line.agents or _joins(dose, line):
        return False
    progressed = bisect_right(progressions, line.start) < bisect_right(progressions, dose.start)
    return progressed or (dose.start - line.start).days > REGIMEN_DAYS


def _joins(dose: Dose, line: Line) -> bool:
    """An endocrine drug beside others is no line of its own."""
    return dose.modality == ENDOCRINE and not line.endocrine_alone
