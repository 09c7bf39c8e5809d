"""Where a percentage may be read as one, and where only the rank among the patients of the development cohort.

A percentage says how many of a hundred such patients had died. That may be said where observed deaths were held against expected
ones at this hospital, and of patients whom the model was developed in; elsewhere a model may still tell who is sicker than whom.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from models.artifact import Artifact
from models.calibration_at_site import HERE, CalibrationAtSite
from models.patient import Patient

ShownAs = Literal["share", "rank"]


@dataclass(frozen=True)
class Ranked:
    """The horizons (days) at which a rank is to be told rather than "n of 100", and why."""

    days: frozenset[int]
    why: tuple[str, ...]

    def shown_as(self, days: int) -> ShownAs:
        """How the risk within so many days is to be told."""
        return "rank" if days in self.days else "share"


ALL_SHARES = Ranked(frozenset(), ())


def ranked(artifact: Artifact, patient: Patient, site: str = "") -> Ranked:
    """What may be read as a percentage of this patient, by a model about which the ledger knows this of the site."""
    days, outside = artifact.model.days, artifact.model.population.outside(patient)
    unchecked = [day for day in days if not _checked(artifact.at_site, day)]
    why = [f"outside the development population: {reason}" for reason in outside]
    why += _unchecked(unchecked, len(days), f"{HERE} ({site})" if site else HERE)
    return Ranked(frozenset(days if outside else unchecked), tuple(why))


def _checked(known: CalibrationAtSite | None, day: int) -> bool:
    """Whether the ledger knows that percentages hold here by that day."""
    if known is None:
        return False
    return known.kind == "recalibrated" or any(one.day == day and one.within for one in known.horizons)


def _unchecked(days: list[int], of: int, where: str) -> Iterator[str]:
    if days:
        at = "" if len(days) == of else f" within {', '.join(map(str, days))} days"
        yield f"percentages{at} are not known to hold {where}"
