"""A cohort whose truth is known, written to files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from training.commands.answering import answer, refuse, refusing
from training.commands.options import AsJson, Seed


def simulate(
    patients: Annotated[int, typer.Option("--patients", min=1, help="How many patients.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the cohort file, its tables and the truth.", file_okay=False)],
    seed: Seed = 1,
    tidy: Annotated[bool, typer.Option("--tidy", help="Three tables with histories instead of one row a patient.")] = False,
    parquet: Annotated[bool, typer.Option("--parquet", help="Parquet tables instead of CSV.")] = False,
    as_json: AsJson = False,
) -> None:
    """A simulated cohort whose true risks are known (truth.csv)."""
    with refusing(as_json):
        from training.simulation.files import write
        from training.simulation.simulate import simulate as draw

        if (out / "cohort.toml").exists():
            refuse([f"{out} holds a cohort already: it is never overwritten"], as_json)
        path = write(draw(patients, seed), out, "tidy" if tidy else "one-row", "parquet" if parquet else "csv")
    answer({"cohort": str(path), "patients": patients, "seed": seed}, f"{patients} simulated patients: {path}", as_json)
