"""The patients of old receipts scored by another model: whose risk would be in another band, and who would get no risk from it.

Patients are named by the number of their receipt alone.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice, pairwise
from typing import Any

from models.artifact import Artifact
from models.patient import Patient
from serving.receipts.finding import Receipt
from serving.receipts.replay import patient_in
from serving.refused import Refused
from serving.score import admit, together

_BLOCK = 512


class NoSuchHorizon(ValueError):
    """A horizon that the other model does not serve; the message names those it does."""


@dataclass(frozen=True)
class Moved:
    """The risk of one receipt then and by the other model, in different bands (counted from 0, the lowest)."""

    sequence: int
    was: float
    now: float
    was_band: int
    now_band: int


@dataclass
class Comparison:
    """What another model says of the same patients at `day`; bands are [0, bands[0]), [bands[0], bands[1]), ..., up to 1."""

    day: int
    bands: tuple[float, ...]
    table: list[list[int]] = field(init=False)  # receipts by band then (rows) and band now (columns)
    moved: list[Moved] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)  # by why the other model gives no risk
    left_out: Counter[str] = field(default_factory=Counter)  # by why a receipt could not be compared
    compared: int = 0
    change: float = 0.0  # the sum of risks now minus risks then

    def __post_init__(self) -> None:
        self.table = [[0] * (len(self.bands) + 1) for _ in range(len(self.bands) + 1)]

    def add(self, sequence: int, was: float, now: float) -> None:
        before, after = bisect_right(self.bands, was), bisect_right(self.bands, now)
        self.table[before][after] += 1
        self.compared += 1
        self.change += now - was
        if before != after:
            self.moved.append(Moved(sequence, was, now, before, after))

    @property
    def mean_change(self) -> float | None:
        """The mean of risk now minus risk then; None where nobody could be compared."""
        return self.change / self.compared if self.compared else None

    def names(self) -> list[str]:
        """The bands in words: "below 10 %", "10 to 20 %", "40 % and more"."""
        cuts = [f"{100 * cut:g}" for cut in self.bands]
        between = [f"{low} to {high} %" for low, high in pairwise(cuts)]
        return [f"below {cuts[0]} %", *between, f"{cuts[-1]} % and more"]

    def as_json(self) -> dict[str, Any]:
        return {
            "day": self.day,
            "bands": self.names(),
            "table": self.table,
            "compared": self.compared,
            "mean_change": self.mean_change,
            "moved": [vars(one) for one in self.moved],
            "refused": dict(self.refused),
            "left_out": dict(self.left_out),
        }


def rescored(receipts: Iterable[Receipt], artifact: Artifact, day: int, bands: Sequence[float]) -> Comparison:
    """The patients of `receipts` by `artifact`, at `day` days. Raises NoSuchHorizon where it does not serve that day."""
    if day not in artifact.model.days:
        served = ", ".join(map(str, artifact.model.days))
        raise NoSuchHorizon(f"{day} days: allowed are the horizons that {artifact.model.name} serves: {served}")
    found, waiting = Comparison(day, tuple(bands)), iter(receipts)
    while block := list(islice(waiting, _BLOCK)):
        _add(found, artifact, list(_comparable(found, block)))
    return found


def _comparable(found: Comparison, block: Sequence[Receipt]) -> Iterator[tuple[int, float, Patient]]:
    """Number, risk then and patient of each receipt that has them; the others are counted."""
    for one in block:
        patient = None if one.document is None else patient_in(one.document)
        then = None if one.document is None else one.document["answer"]["risks"].get(str(found.day))
        if one.document is None:
            found.left_out[one.why] += 1
        elif patient is None:
            found.left_out["this version cannot read the patient"] += 1
        elif then is None:
            found.left_out[f"no risk within {found.day} days in the receipt"] += 1
        else:
            yield one.record.sequence, then["risk"], patient


def _add(found: Comparison, artifact: Artifact, known: Sequence[tuple[int, float, Patient]]) -> None:
    admitted = [admit(artifact.model, patient) for _, _, patient in known]
    company = together(artifact.model, [one for one in admitted if isinstance(one, Patient)])
    risks = iter(company.scores.risk[:, artifact.model.days.index(found.day)].tolist())
    for (sequence, was, _), one in zip(known, admitted, strict=True):
        if isinstance(one, Refused):
            found.refused[one.why] += 1
        else:
            found.add(sequence, was, next(risks))
