"""A cohort whose truth is known, written to files."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Literal

import typer

from training.commands.answering import answer, refuse, refusing
from training.commands.options import AsJson, Seed


def simulate(
    patients: Annotated[int, typer.Option("--patients", min=1, help="How many patients.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the cohort file, its tables and the truth.", file_okay=False)],
    seed: Seed = 1,
    tidy: Annotated[bool, typer.Option("--tidy", help="Three tables with histories instead of one row a patient.")] = False,
    parquet: Annotated[bool, typer.Option("--parquet", help="Parquet tables instead of CSV.")] = False,
    history: Annotated[bool, typer.Option("--history", help="Visits and treatment after the index date too (tidy).")] = False,
    rescue_hazard_ratio: Annotated[
        float | None,
        typer.Option("--rescue-hazard-ratio", help="With --history: what recovered lymphocytes do to the hazard; 1: nothing."),
    ] = None,
    unmeasured_fitness: Annotated[
        bool, typer.Option("--unmeasured-fitness", help="With --history: a fitness nobody measures moves recovery and survival.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """A simulated cohort whose true risks are known (truth.csv; with --history truth_landmarks.csv and truth.json)."""
    with refusing(as_json):
        if (out / "cohort.toml").exists():
            refuse([f"{out} holds a cohort already: it is never overwritten"], as_json)
        if not history and (rescue_hazard_ratio is not None or unmeasured_fitness):
            refuse(["--rescue-hazard-ratio, --unmeasured-fitness: allowed with --history, which follows patients on"], as_json)
        kind: Literal["csv", "parquet"] = "parquet" if parquet else "csv"
        ratio = 1.0 if rescue_hazard_ratio is None else rescue_hazard_ratio
        if not 0 < ratio < math.inf:
            refuse([f"--rescue-hazard-ratio {ratio:g}: allowed is a number above 0; 1 is no effect"], as_json)
        if history:
            path = _histories(patients, seed, out, kind, ratio, unmeasured_fitness)
        else:
            path = _cohort(patients, seed, out, kind, tidy)
    told = {"rescue_hazard_ratio": ratio, "unmeasured_fitness": unmeasured_fitness} if history else {}
    answer({"cohort": str(path), "patients": patients, "seed": seed} | told, f"{patients} simulated patients: {path}", as_json)


def _cohort(patients: int, seed: int, out: Path, tables: Literal["csv", "parquet"], tidy: bool) -> Path:
    from training.simulation.files import write
    from training.simulation.simulate import simulate as draw

    return write(draw(patients, seed), out, "tidy" if tidy else "one-row", tables)


def _histories(
    patients: int, seed: int, out: Path, tables: Literal["csv", "parquet"], ratio: float, unmeasured_fitness: bool
) -> Path:
    from training.simulation.histories import simulate_history
    from training.simulation.history_files import write_history

    drawn = simulate_history(patients, seed, rescue_hazard_ratio=ratio, unmeasured_fitness=unmeasured_fitness)
    return write_history(drawn, out, seed=seed, tables=tables)
