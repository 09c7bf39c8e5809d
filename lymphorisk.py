"""The command line: a cohort becomes a model, a patient becomes a risk; the one place that knows both rooms.

Nothing heavy is imported here: the same program scores patients, and must not load a training library to do it.
"""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import serving
import serving.cli
import training.cli

if TYPE_CHECKING:
    from training.run import TrainedRun

PYFUNC = Path(serving.__file__).parent / "pyfunc.py"
DEMO_PATIENTS = 5000


def _measured(analyte: str, value: float, unit: str, **more: object) -> dict[str, object]:
    return {"analyte": analyte, "value": value, "unit": unit, "date": "2026-11-18", **more}


def _line(number: int, agents: str, start: str, end: str) -> dict[str, object]:
    return {"line": number, "modality": "chemotherapy", "agents": [agents], "start": start, "end": end, "outcome": "progression"}


# Of no real person. CRP, bilirubin and BMI were not measured, so that the answer shows how that is said.
EXAMPLE_PATIENT = {
    "id": "example",
    "as_of": "2026-11-20",
    "age_years": 66,
    "sex": "female",
    "tumour": "pancreatic",
    "measurements": [
        _measured("alc", 0.7, "10*9/L"),
        _measured("anc", 6300, "cells/uL"),
        _measured("ca19_9", 4120, "U/mL"),
        _measured("albumin", 3.3, "g/dL"),
        _measured("hemoglobin", 10.4, "g/dL"),
        _measured("platelets", 240, "10*9/L"),
        _measured("ldh", 310, "U/L", uln=250),
        _measured("ecog", 1, "{score}"),
    ],
    "treatments": [_line(1, "FOLFIRINOX", "2026-01-12", "2026-06-15"), _line(2, "gemcitabine", "2026-07-06", "2026-10-26")],
    "history": {"steroids_14d": "no", "gcsf_14d": "no", "infection_14d": "no", "liver_metastases": "yes", "metastatic_sites": 2},
}

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,  # locals hold patients
    help="Prognostic risk of early death in relapsed or refractory solid tumours. Never advice on treatment.",
)


@app.command()
def demo(
    out: Annotated[Path, typer.Option("--out", help="Folder of the demo and of its own MLflow store.")] = Path("demo"),
    patients: Annotated[int, typer.Option("--patients", min=600, help="How many patients to simulate.")] = DEMO_PATIENTS,
    seed: Annotated[int, typer.Option(help="Seed of the simulation.")] = 1,
) -> None:
    """The whole story on simulated patients: check, train, track, score one patient and explain it."""
    from training.report import run_text
    from training.simulation.files import write
    from training.simulation.simulate import simulate

    folder = _next_run(out)
    typer.echo(f"1. {patients} simulated patients, with a truth that is known")
    cohort = write(simulate(patients, seed), folder / "cohort")
    typer.echo("2. Read, check, train, cross-validate, track in MLflow")
    run = _train_demo(cohort, folder, out, seed)
    typer.echo(run_text(run))
    typer.echo("\n3. One patient, scored and explained\n")
    typer.echo(_score_example(folder / "model", folder / "patient.ndjson"))
    typer.echo(_what_next(folder, out))


def _next_run(out: Path) -> Path:
    """The first run folder that is not there yet; an artifact is written once and never altered."""
    return next(folder for number in itertools.count(1) if not (folder := out / f"run-{number}").exists())


def _store(out: Path) -> str:
    """The demo's own MLflow store, apart from any real one."""
    return f"sqlite:///{(out / 'mlflow.db').as_posix()}"


def _train_demo(cohort: Path, folder: Path, out: Path, seed: int) -> TrainedRun:
    from training.fit import Settings
    from training.progress import Bars
    from training.report import head_text
    from training.run import train
    from training.tracking.track import Tracking

    name = "lymphorisk-demo"
    tracking = Tracking(uri=_store(out), experiment=name, registered_name=name, pyfunc=PYFUNC)
    with Bars() as bars:
        settings = Settings(seed=seed)
        return train(
            cohort,
            folder / "model",
            settings,
            bootstrap=100,
            tracking=tracking,
            advance=bars,
            say=lambda read: typer.echo(head_text(read, settings)),
        )


def _score_example(model: Path, patient: Path) -> str:
    from models.artifact import load
    from serving.refused import Refused
    from serving.score import score
    from serving.wire import read_line

    line = json.dumps(EXAMPLE_PATIENT)
    patient.write_text(line + "\n", encoding="utf-8")
    (answer,) = score(load(model), [read_line(line.encode())])
    return str(answer.why) if isinstance(answer, Refused) else answer.text


def _what_next(folder: Path, out: Path) -> str:
    model, uri = folder / "model", _store(out)
    return f"""
4. Look further
   the report:    {folder / "model-report.html"}       one page: may this model be believed?
   MLflow:        mlflow ui --backend-store-uri {uri}       then http://127.0.0.1:5000
   score a file:  lymphorisk score {model} {folder / "patient.ndjson"} --out {folder / "scores.csv"}
   the service:   lymphorisk serve --model {model} --dev    then, in another window,
                  curl -s -H 'Content-Type: application/json' --data @{folder / "patient.ndjson"} http://127.0.0.1:8000/v1/scores
   pictures:      {folder / "model-pictures"}
   the card:      {model / "card.md"}"""


training.cli.mount(app, PYFUNC)
serving.cli.mount(app)


def main() -> None:
    """The console script."""
    app()


if __name__ == "__main__":
    main()
