"""Simulated histories as three tidy tables: what was found and given before the index date, and all that followed until it ended.

A visit leaves rows while the patient is alive and followed; a treatment that ends later has no end yet, and no outcome. CA19-9
names the assay, which some hospitals change.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from training.simulation.histories import SimulatedHistories
from training.simulation.history import BoolArray, FloatArray, IntArray
from training.simulation.tables import LABS, WHOLE, tidy, whole, within_limits
from training.simulation.world import SITES, TUMOURS

ASSAYS = ("assay A", "assay B")
_COURSES = (  # field of TreatedAfter, modality, what is given
    ("radiotherapy", "radiotherapy", "external beam"),
    ("steroids", "steroid", "dexamethasone"),
    ("gcsf", "g-csf", "filgrastim"),
)


def history_tables(histories: SimulatedHistories) -> dict[str, pd.DataFrame]:
    """Three tables, days relative to the index date, up to the end of follow-up: patients, measurements, treatments."""
    before = tidy(histories.cohort)
    first = before["measurements"]
    first = first.assign(method=np.where(first["analyte"] == "ca19_9", ASSAYS[0], ""))
    measured = pd.concat([first, *(_found(histories, analyte) for analyte in histories.visits.found)])
    given = pd.concat([before["treatments"], _lines(histories), *(_courses(histories, *one) for one in _COURSES)])
    return {
        "patients": before["patients"],
        "measurements": measured.sort_values(["patient", "day", "analyte"], ignore_index=True),
        "treatments": given.sort_values(["patient", "start", "modality"], ignore_index=True),
    }


def true_landmarks(histories: SimulatedHistories, within: tuple[int, ...]) -> pd.DataFrame:
    """The true risks of everybody alive and followed at each landmark: patient, landmark (day), risk_30d, ...

    The risk is that of dying ``within`` so many days of the landmark, given the state on that day.
    """
    parts = []
    for day, risk in histories.risk_at.items():
        there = histories.cohort.times > day
        risks = {f"risk_{days}d": risk[there, place] for place, days in enumerate(within)}
        parts.append(pd.DataFrame({"patient": np.array(histories.cohort.ids)[there], "landmark": day} | risks))
    return pd.concat(parts).sort_values(["patient", "landmark"], ignore_index=True)


def seen(histories: SimulatedHistories) -> BoolArray:
    """Which visits took place, shape (n, k): while the patient was followed, and not on the day of death."""
    day, cohort = histories.visits.day, histories.cohort
    last = np.where(cohort.deaths, cohort.times - 1, cohort.times)
    return np.asarray(day <= last[:, None])


def _found(histories: SimulatedHistories, analyte: str) -> pd.DataFrame:
    """One analyte at all visits that took place and at which it was measured."""
    values = histories.visits.found[analyte]
    row, visit = np.nonzero(seen(histories) & np.isfinite(values))
    p = histories.cohort.patients
    method = np.array(ASSAYS)[histories.visits.method[row, visit]] if analyte == "ca19_9" else np.full(len(row), "")
    return pd.DataFrame(
        {
            "patient": np.array(histories.cohort.ids)[row],
            "day": histories.visits.day[row, visit].astype(int),
            "analyte": analyte,
            "value": _reported(analyte, values[row, visit], p.site[row]),
            "unit": LABS[analyte][1],
            "uln": p.ldh_uln[row] if analyte == "ldh" else np.full(len(row), np.nan),
            "method": method,
        }
    )


def _reported(analyte: str, values: FloatArray, site: IntArray) -> pd.Series:
    """Values as the laboratory of each patient's hospital writes them."""
    if analyte != "ca19_9":
        return (whole(values) if analyte in WHOLE else pd.Series(values)).astype("str")
    cap = np.array([one.ca19_9_cap for one in SITES])[site]
    return pd.Series([within_limits(value, most) for value, most in zip(values.tolist(), cap.tolist(), strict=True)], dtype="str")


def _lines(histories: SimulatedHistories) -> pd.DataFrame:
    """The lines that began while the patient was followed."""
    treated, cohort = histories.treated, histories.cohort
    row, line = np.nonzero(treated.start < cohort.times[:, None])
    given = [TUMOURS[t].regimens[r] for t, r in zip(cohort.patients.tumour[row], treated.regimen[row, line], strict=True)]
    frame = _dated(histories, row, treated.start[row, line], treated.end[row, line])
    why = pd.Series(np.where(treated.progressed[row, line], "progression", "toxicity"), dtype="str")
    return frame.assign(
        line=whole(cohort.patients.treatments.prior_lines[row] + 1 + line),
        modality=[modality for modality, _ in given],
        agents=[agents for _, agents in given],
        outcome=why.where(frame["end"].notna()),
    )


def _courses(histories: SimulatedHistories, field: str, modality: str, agents: str) -> pd.DataFrame:
    """Courses that are no line of systemic therapy."""
    course: FloatArray = getattr(histories.treated, field)
    row = np.flatnonzero(course[:, 0] < histories.cohort.times)
    frame = _dated(histories, row, course[row, 0], course[row, 1])
    outcome = pd.Series("completed", index=frame.index, dtype="str").where(frame["end"].notna())
    return frame.assign(modality=modality, agents=agents, outcome=outcome)


def _dated(histories: SimulatedHistories, row: IntArray, start: FloatArray, end: FloatArray) -> pd.DataFrame:
    """Whose each is and when, its end empty where it came after the end of follow-up."""
    over = end <= histories.cohort.times[row]
    patients = np.array(histories.cohort.ids)[row]
    return pd.DataFrame({"patient": patients, "start": whole(start), "end": whole(np.where(over, end, np.nan))})
