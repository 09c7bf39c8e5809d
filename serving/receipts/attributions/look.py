"""One look at many receipts: everything that is found for a question, or why it cannot be told."""

from __future__ import annotations

from dataclasses import dataclass, replace

from serving.receipts.archive import Archive
from serving.receipts.attributions.apart import Part, apart
from serving.receipts.attributions.importance import Global, importance
from serving.receipts.attributions.question import Period, Question
from serving.receipts.attributions.reading import NO_LIMIT, Counts, Limit, Read, Watch, read
from serving.receipts.attributions.shift import Shift, TooFew, require_enough, shift
from serving.receipts.attributions.table import SMALLEST


@dataclass(frozen=True)
class Look:
    """What was found: how many were read, what drove the risks, the same apart, and the shift, as far as each was asked."""

    question: Question
    read: Counts
    against: Counts | None
    found: Global | None
    parts: tuple[Part, ...]
    shift: Shift | None
    untold: str = ""  # why nothing is told, or no shift

    @property
    def example(self) -> bool:
        """Whether any answer is of simulated patients."""
        return self.read.example or (self.against is not None and self.against.example)


def look(archive: Archive, question: Question, limit: Limit = NO_LIMIT, watch: Watch = iter) -> Look:
    """Read what the question is about and tell it; two periods share the seconds of the limit."""
    if question.against is not None:
        limit = replace(limit, seconds=limit.seconds / 2)
    first = _counted(archive, question, question.period, limit, watch)
    second = None if question.against is None else _counted(archive, question, question.against, limit, watch)
    against = None if second is None else second.counts
    try:
        require_enough("the period", first.table, SMALLEST)
    except TooFew as error:
        return Look(question, first.counts, against, None, (), None, str(error))
    parts = apart(first.table, question.by) if question.by else ()
    found = Look(question, first.counts, against, importance(first.table), parts, None)
    if second is None:
        return found
    try:
        return replace(found, shift=shift(first.table, second.table))
    except TooFew as error:
        return replace(found, untold=str(error))


def _counted(archive: Archive, question: Question, period: Period, limit: Limit, watch: Watch) -> Read:
    found = read(archive, period, question.horizon, limit, watch)
    return found if question.every else found.counted_once()
