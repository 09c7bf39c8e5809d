"""The flow diagram: who was left out of a cohort and why, and how those who remain differ from those who were there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from models.patient import Patient


@dataclass(frozen=True)
class Step:
    """One step of the flow diagram: why rows left, how many, and who remained (the change in composition)."""

    reason: str
    left: int
    remaining: Mapping[str, float]


def flow_diagram(kept: Sequence[Patient], left: Mapping[str, Sequence[Patient | None]]) -> tuple[Step, ...]:
    """The steps from all rows to the `kept` patients; `left` holds, by reason and in order, who left (None: unreadable)."""
    everybody = [*kept, *(patient for gone in left.values() for patient in gone if patient is not None)]
    n = len(kept) + sum(map(len, left.values()))
    steps = [Step("rows read", 0, {"n": float(n)} | composition(everybody))]
    for reason, gone in left.items():
        leaving = set(map(id, gone))
        everybody, n = [patient for patient in everybody if id(patient) not in leaving], n - len(gone)
        steps.append(Step(reason, len(gone), {"n": float(n)} | composition(everybody)))
    return tuple(steps)


def composition(patients: Sequence[Patient]) -> dict[str, float]:
    """Who they are in five numbers; a number that nobody has is not among them."""
    if not patients:
        return {}
    sexes = [patient.sex == "female" for patient in patients if patient.sex != "unknown"]
    treated = [value for patient in patients if (value := patient.history.prior_systemic_therapy) is not None]
    made = {"median_age": float(np.median([patient.age_years for patient in patients]))}
    made |= {"share_women": float(np.mean(sexes))} if sexes else {}
    made |= {"share_previously_treated": float(np.mean(treated))} if treated else {}
    for analyte in ("nlr", "albumin"):
        values = [found.value for patient in patients if (found := patient.current(analyte)) is not None]
        made |= {f"median_{analyte}": float(np.median(values))} if values else {}
    return made
