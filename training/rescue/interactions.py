"""Whether recovery goes with survival more in some than in others: by CA19-9 on the index date, and by line of therapy.

Each group has a ratio of its own in one model; that the groups differ is a question of its own, with a probability of its own.
A ratio that is "significant" in one group and not in another says nothing about a difference between them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from training.rescue.covariates import Adjustment
from training.rescue.modelled import Compared, HazardRatio, compared, time_dependent
from training.rescue.needed import Refused, short_of
from training.rescue.person import Person
from training.rescue.timed import Timed
from training.small_cells import masked_parts

LAST_LINE = 6  # from the seventh on lines are one group
MIDDLE = (3, 6)  # the lines of which the question was asked in the trials (clinical.md section 1)
NO_BURDEN = "CA19-9 not measured, or no measure of burden"


@dataclass(frozen=True)
class InGroup:
    """One group: how many recovered of how many, and the hazard ratio of recovery in it."""

    level: str
    patients: int
    recovered: int
    found: HazardRatio | Refused


@dataclass(frozen=True)
class Interaction:
    """The ratios `by` something in each group, and whether the groups that could be answered differ."""

    by: str
    groups: tuple[InGroup, ...]
    differ: Compared | Refused

    def as_json(self) -> dict[str, object]:
        """The interaction, JSON-ready, small counts hidden and what would give them away rounded."""
        patients = masked_parts([one.patients for one in self.groups])
        recovered = masked_parts([one.recovered for one in self.groups])
        groups = [
            {"level": one.level, "patients": size, "recovered": happened, "hazard_ratio": one.found.as_json()}
            for one, size, happened in zip(self.groups, patients, recovered, strict=True)
        ]
        return {"by": self.by, "groups": groups, "differ": self.differ.as_json()}


def interactions(of: Timed, people: Sequence[Person], adjustment: Adjustment) -> tuple[Interaction, ...]:
    """By CA19-9 (below the median of those in whom it measures burden, at or above it, undetectable) and by line."""
    asked = [people[row] for row in of.rows]
    return tuple(
        _interaction(by, of, [level(one) for one in asked], adjustment)
        for by, level in (
            (f"CA19-9 on the index date ({_said(_median(asked))})", _burden(_median(asked))),
            ("line that begins on the index date", _line),
            (f"lines {MIDDLE[0]} to {MIDDLE[1]}", _middle),
        )
    )


def _median(people: Sequence[Person]) -> float:
    known = [one.ca19_9_at_index for one in people if one.ca19_9_at_index is not None]
    return float(f"{np.median(known):.2g}") if known else 0.0


def _said(median: float) -> str:
    return f"median {median:,.0f} U/mL" if median else "a measure of burden in nobody"


def _burden(median: float) -> Callable[[Person], str]:
    def level(one: Person) -> str:
        if one.ca19_9_undetectable:
            return "CA19-9 undetectable"
        if one.ca19_9_at_index is None:
            return NO_BURDEN
        return f"CA19-9 below {median:,.0f} U/mL" if one.ca19_9_at_index < median else f"CA19-9 {median:,.0f} U/mL or more"

    return level


def _line(one: Person) -> str:
    if one.line is None:
        return "line not known"
    return f"line {one.line}" if one.line <= LAST_LINE else f"line {LAST_LINE + 1} or later"


def _middle(one: Person) -> str:
    if one.line is None:
        return "line not known"
    return f"line {MIDDLE[0]} to {MIDDLE[1]}" if MIDDLE[0] <= one.line <= MIDDLE[1] else "another line"


def _interaction(by: str, of: Timed, levels: Sequence[str], adjustment: Adjustment) -> Interaction:
    named = {level: np.array([one == level for one in levels]) for level in sorted(set(levels))}
    refused = {level: _short(of.part(rows)) for level, rows in named.items()}
    able = [level for level, why in refused.items() if why is None]
    several = compared(of, [named[level] for level in able], adjustment) if able else None
    groups = []
    for level, rows in named.items():
        found: HazardRatio | Refused | None = refused[level]
        if found is None:
            found = several if isinstance(several, Refused) else _of(several, able.index(level))
        groups.append(InGroup(level, int(rows.sum()), int(of.part(rows).happened.sum()), found))
    if len(able) < 2:
        return Interaction(by, tuple(groups), Refused(f"{len(able)} groups could be answered: a difference needs two"))
    return Interaction(by, tuple(groups), several if several is not None else Refused("no group could be answered"))


def _of(several: Compared | None, place: int) -> HazardRatio | Refused:
    return Refused("no group could be answered") if several is None else several.ratios[place]


def _short(of: Timed) -> Refused | None:
    """Why the group is too small, counted as patients recovered, and as deaths before and after recovery."""
    died_recovered = int((of.deaths & of.happened).sum())
    return short_of(
        {"in whom it happened": int(of.happened.sum())},
        {"after it": died_recovered, "without it": int(of.deaths.sum()) - died_recovered},
    )


def whole(of: Timed, adjustment: Adjustment | None) -> HazardRatio | Refused:
    """The ratio in everybody, or why it cannot be had."""
    return _short(of) or time_dependent(of, adjustment)
