"""The same in groups of patients side by side; nobody's group is so small that it tells of single patients.

A level of fewer than ten patients is told together with the next smallest one, and that with the next, until together they are
ten or more of at least two levels. What is told together is what subtraction would give, so nothing small comes back by it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from serving.receipts.attributions.importance import Global, importance
from serving.receipts.attributions.strata import MISSING, ORDER, UNKNOWN
from serving.receipts.attributions.table import SMALLEST, Rows, Table

_LAST = (MISSING, UNKNOWN)


@dataclass(frozen=True)
class Part:
    """One level, or several told together, and what drove the risks there."""

    levels: tuple[str, ...]
    found: Global

    @property
    def label(self) -> str:
        return "together: " + ", ".join(self.levels) if len(self.levels) > 1 else self.levels[0]


def apart(table: Table, by: str) -> tuple[Part, ...]:
    """The parts of the table by a stratum, in order; none where all of it has fewer than ten patients."""
    codes, words = table.stratum[:, table.strata.index(by)], table.levels[by]
    rows = {word: np.flatnonzero(codes == place) for place, word in enumerate(words)}
    members = {word: found for word, found in rows.items() if len(found)}
    return tuple(Part(levels, importance(table.select(found))) for levels, found in _merged(table, members))


def _merged(table: Table, members: dict[str, Rows]) -> list[tuple[tuple[str, ...], Rows]]:
    """The rows of each level that is large enough, and of the others together."""
    sizes = {level: len(np.unique(table.patient[rows])) for level, rows in members.items()}
    rising = sorted(sizes, key=lambda level: (sizes[level], level))
    small = [level for level in rising if sizes[level] < SMALLEST]
    if small:
        for level in rising[len(small) :]:
            if len(small) > 1 and _together(table, members, small) >= SMALLEST:
                break
            small.append(level)
    large = [level for level in sorted(members, key=_place) if level not in small]
    alone: list[tuple[tuple[str, ...], Rows]] = [((level,), members[level]) for level in large]
    if not small or _together(table, members, small) < SMALLEST:
        return alone
    rest = np.sort(np.concatenate([members[level] for level in small]))
    return [*alone, (tuple(sorted(small, key=_place)), rest)]


def _together(table: Table, members: dict[str, Rows], levels: list[str]) -> int:
    return len(np.unique(table.patient[np.concatenate([members[level] for level in levels])]))


def _place(level: str) -> tuple[bool, int, str]:
    """Bands by their order, words by name, what is not known last."""
    return level in _LAST, ORDER.index(level) if level in ORDER else -1, level
