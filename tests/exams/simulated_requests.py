"""Simulated patients as a hospital would send them to the service: dated draws and treatments, units, a pseudonym."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pandas as pd

from training.simulation.simulate import simulate
from training.simulation.tables import tidy

_AS_OF = date(2026, 3, 2)
_FLAGS = ("prior_radiotherapy", "steroids_14d", "gcsf_14d", "infection_14d", "liver_metastases")


def simulated_requests(patients: int, seed: int) -> list[dict[str, Any]]:
    """One request a patient, as JSON-ready values."""
    tables = tidy(simulate(patients, seed))
    measured, treated = (dict(list(tables[name].groupby("patient"))) for name in ("measurements", "treatments"))
    return [
        {
            "id": row["patient"],
            "as_of": _AS_OF.isoformat(),
            "age_years": int(row["age_years"]),
            "sex": {"M": "male", "F": "female"}[row["sex"]],
            "tumour": row["tumour"],
            "measurements": [_measurement(one) for one in _rows(measured, row["patient"])],
            "treatments": [_treatment(one) for one in _rows(treated, row["patient"])],
            "history": _history(row),
        }
        for row in tables["patients"].to_dict("records")
    ]


def _rows(tables: dict[Any, pd.DataFrame], patient: str) -> list[dict[str, Any]]:
    return tables[patient].to_dict("records") if patient in tables else []  # type: ignore[return-value]  # names are texts


def _history(row: dict[Any, Any]) -> dict[str, object]:
    known = {name: row[name] for name in _FLAGS if not pd.isna(row[name])}
    return known | ({} if pd.isna(row["metastatic_sites"]) else {"metastatic_sites": int(row["metastatic_sites"])})


def _measurement(row: dict[str, Any]) -> dict[str, object]:
    value = row["value"] if row["value"][:1] in "<>" else float(row["value"])
    found = {"analyte": row["analyte"], "value": value, "unit": row["unit"], "date": _day(row["day"])}
    return found if pd.isna(row["uln"]) else found | {"uln": row["uln"]}


def _treatment(row: dict[str, Any]) -> dict[str, object]:
    found: dict[str, object] = {"modality": row["modality"], "start": _day(row["start"])}
    if not pd.isna(row["line"]):
        found["line"] = int(row["line"])
    if not pd.isna(row["agents"]):
        found["agents"] = row["agents"].split(" + ")
    if not pd.isna(row["end"]):
        found["end"] = _day(row["end"])
    return found if pd.isna(row["outcome"]) else found | {"outcome": row["outcome"]}


def _day(day: float) -> str:
    return (_AS_OF + timedelta(days=int(day))).isoformat()
