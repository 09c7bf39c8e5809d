"""Simulated histories on disk: the cohort file with its three tidy tables, and the truth apart from them."""

from __future__ import annotations

import json
from pathlib import Path

from training.simulation.files import Tables, save, tidy_file
from training.simulation.histories import LANDMARKS, WITHIN, SimulatedHistories
from training.simulation.history_tables import history_tables, true_landmarks
from training.simulation.tables import truth

LANDMARKS_TRUTH, TOLD = "truth_landmarks.csv", "truth.json"


def write_history(histories: SimulatedHistories, folder: Path, *, seed: int, tables: Tables = "csv") -> Path:
    """Write ``cohort.toml`` with its tables into ``folder``, and the truth beside; returns the path of the cohort file.

    ``truth.csv`` holds the true risks of the index date, ``truth_landmarks.csv`` those of every landmark for everybody alive and
    followed at it, ``truth.json`` what a recovery of lymphocytes does to the hazard. The cohort file mentions none of them.

    Raises
    ------
    ValueError
        For another kind of ``tables``, and for histories that were drawn without their true risks.
    """
    if tables not in ("csv", "parquet"):
        raise ValueError(f"tables = {tables!r}: allowed is 'csv' or 'parquet'")
    if not histories.risk_at:
        raise ValueError("histories without true risks: allowed are those of simulate_history with truth = True")
    folder.mkdir(parents=True, exist_ok=True)
    for name, frame in history_tables(histories).items():
        save(frame, folder / f"{name}.{tables}")
    truth(histories.cohort).to_csv(folder / "truth.csv", index=False)
    true_landmarks(histories, WITHIN).to_csv(folder / LANDMARKS_TRUTH, index=False)
    (folder / TOLD).write_text(json.dumps(_told(histories, seed), indent=1) + "\n", encoding="utf-8")
    path = folder / "cohort.toml"
    path.write_text(tidy_file(histories.cohort.name, tables), encoding="utf-8")
    return path


def _told(histories: SimulatedHistories, seed: int) -> dict[str, object]:
    """What was set, in words that no reader of the cohort file comes upon."""
    return {
        "patients": len(histories.cohort.ids),
        "seed": seed,
        "rescue_hazard_ratio": histories.hazard_ratio,
        "unmeasured_fitness": bool(histories.fitness.any()),
        "landmarks": list(LANDMARKS),
        "risk_within_days": list(WITHIN),
    }
