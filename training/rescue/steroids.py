"""Whose counts may have risen only because steroids ended: lymphocytes come back within weeks of the last dose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from training.rescue.person import STEROID_STOP_DAYS, Person
from training.rescue.recovery import after_steroids, rescued_on
from training.small_cells import masked_within


@dataclass(frozen=True)
class Steroids:
    """Of how many of the `people` steroids on the index date are `known`, and how many had them.

    Of the `rescued`, how many had them then, and how many recovered within four weeks of the end of a dated course.
    """

    people: int
    known: int
    on_index: int
    rescued: int
    rescued_on_index: int
    rescued_after_stop: int

    def as_json(self) -> dict[str, object]:
        """The counts, small ones hidden."""
        return {
            "known": masked_within(self.known, self.people),
            "on_index": masked_within(self.on_index, self.known),
            "rescued": masked_within(self.rescued, self.people),
            "rescued_on_index": masked_within(self.rescued_on_index, self.rescued),
            "rescued_after_stop": masked_within(self.rescued_after_stop, self.rescued),
            "days": STEROID_STOP_DAYS,
        }

    def sentence(self) -> str:
        """What a reader is told of it."""
        told = self.as_json()
        return (
            f"Steroids within 14 days of the index date: {told['on_index']} of {told['known']} in whom it is known. "
            f"Of {told['rescued']} recoveries {told['rescued_on_index']} were of patients with steroids then, and "
            f"{told['rescued_after_stop']} came within {STEROID_STOP_DAYS:g} days of the end of a dated course of steroids: "
            "steroids hold lymphocytes down, and such a recovery may be no more than their end."
        )


def steroids(people: Sequence[Person], cut_off: float) -> Steroids:
    """Who had steroids, and who recovered as they ended."""
    known = [one for one in people if one.steroids is not None]
    on = [(one, day) for one in people if (day := rescued_on(one, cut_off)) is not None]
    stopped = sum(after_steroids(one, day) for one, day in on)
    index = sum(bool(one.steroids) for one, _ in on)
    return Steroids(len(people), len(known), sum(bool(one.steroids) for one in known), len(on), index, stopped)


def without_steroids(person: Person) -> bool:
    """Whether nothing is known of steroids on the index date: whom the sensitivity analysis keeps."""
    return not person.steroids
