"""Was the model perhaps learned from the very patients it is judged on? What the findings of a diagnosis say of it, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

_ASKED = ("own cohort", "patients in both", "look-alikes in both")

Answer = Literal["yes", "not known", "none found"]


def learned_from(diagnosis: Mapping[str, Any]) -> Answer:
    """Whether the model learned from patients of the cohort of a diagnosis (its JSON).

    "yes" where a question fails, "none found" where all of them pass.
    """
    verdicts = [one["verdict"] for one in diagnosis["findings"] if one["item"] in _ASKED]
    if "Fail" in verdicts:
        return "yes"
    return "none found" if verdicts and set(verdicts) == {"Pass"} else "not known"


NO_EVIDENCE = "The model learned from patients of this cohort: its figures here are no evidence of how it does in others."
WITHHELD = "Whether it beats simpler models is withheld: the model learned from patients of this cohort."
