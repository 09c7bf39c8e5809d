"""What a feature is: a name, a clinical group, and one function of a Patient; and what it reads where nothing was measured."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from models.patient import Patient

Group = Literal[
    "lymphocytes and inflammation",
    "tumour burden",
    "treatment history",
    "nutrition and organ function",
    "patient",
    "site covariates",
    "time since the index date",
]
GROUPS: tuple[Group, ...] = Group.__args__  # type: ignore[attr-defined]  # the arguments of a Literal, in order

Status = Literal["measured", "not measured", "not applicable", "not interpretable"]


class Reading(NamedTuple):
    """The value of a feature on the model's scale (NaN unless measured), and its status."""

    value: float
    status: Status = "measured"


NOT_MEASURED = Reading(math.nan, "not measured")
NOT_APPLICABLE = Reading(math.nan, "not applicable")
NOT_INTERPRETABLE = Reading(math.nan, "not interpretable")


@dataclass(frozen=True)
class Feature:
    """One feature: what it is called, where it belongs, its clinical sign, and the function of a Patient that reads it.

    `sign` is +1 where more of it never lowers the risk, -1 where more of it never raises it, 0 where both may happen.
    `scale` says how the value on the model's scale is shown: "ln" and "log10" are undone for the reader.
    """

    name: str
    label: str
    group: Group
    unit: str
    of: Callable[[Patient], Reading]
    sign: int = 0
    scale: Literal["identity", "ln", "log10", "flag", "level"] = "identity"
    analyte: str = ""

    def shown(self, value: float) -> float:
        """The value in the unit a reader knows, from the value on the model's scale."""
        return math.exp(value) if self.scale == "ln" else 10.0**value if self.scale == "log10" else value
