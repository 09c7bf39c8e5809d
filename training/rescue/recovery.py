"""On which day lymphocytes that were low had recovered, NLR had fallen, or CA19-9 had responded: each dated when it was known.

A recovery is known on the second of two draws at least a week apart, a response of CA19-9 on the draw that shows it. Up to
that day the patient belongs to those in whom it has not happened.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from models.recovery import APART, recovered_on
from training.rescue.person import STEROID_STOP_DAYS, Person

NLR_FALL, CA19_9_FALLS = 0.2, (0.2, 0.5)  # of the value on the index date


@dataclass(frozen=True)
class Event:
    """Something that may happen to a patient while followed: what it is called, how it is defined, and its day or None."""

    name: str
    label: str
    definition: str
    on: Callable[[Person], float | None]
    asked_of: Callable[[Person], bool]


def rescued_on(person: Person, cut_off: float, apart: float = APART) -> float | None:
    """The day on which the lymphocytes of somebody who was below the cut-off counted as recovered; `apart` 0: one draw."""
    return recovered_on(person.counts, cut_off, apart)


def fallen_on(series: Sequence[tuple[float, float]], share: float, apart: float) -> float | None:
    """The day on which a ratio to the index date counts as fallen by `share`: two draws `apart` days apart, or with 0 one."""
    return recovered_on([(day, -ratio) for day, ratio in series], share - 1.0, apart)


def events(cut_off: float) -> tuple[Event, ...]:
    """Recovery by two draws and by one, the fall of NLR, and the response of CA19-9 by a fifth and by a half."""
    twice = f"on two draws at least {APART:g} days apart with none between that contradicts, dated at the second"
    recovered = f"ALC of {cut_off:.1f} 10*9/L or more"
    return (
        Event("rescue", "lymphopenia rescue", f"{recovered} {twice}", lambda one: rescued_on(one, cut_off), lambda one: True),
        Event("rescue_one_draw", "rescue on a single draw (sensitivity)", f"{recovered} on one draw, dated at it",
              lambda one: rescued_on(one, cut_off, 0.0), lambda one: True),
        Event("nlr_fall", "NLR fall", f"NLR at least {NLR_FALL * 100:.0f} % below that of the index date {twice}",
              lambda one: fallen_on(one.nlr, NLR_FALL, APART), lambda one: "nlr" in one.comparable),
        *(_ca19_9(share) for share in CA19_9_FALLS),
    )


def _ca19_9(share: float) -> Event:
    return Event(
        f"ca19_9_response_{share * 100:.0f}",
        f"CA19-9 response of {share * 100:.0f} %",
        f"CA19-9 at least {share * 100:.0f} % below that of the index date in the same assay, dated at that draw; asked of those "
        "in whom it was detectable and a measure of burden on the index date",
        lambda one: fallen_on(one.ca19_9, share, 0.0),
        lambda one: "ca19_9" in one.comparable,
    )


def after_steroids(person: Person, day: float) -> bool:
    """Whether a course of steroids ended in the four weeks before a day."""
    return any(day - STEROID_STOP_DAYS <= end <= day for end in person.steroid_ends)
