"""The artifact as a model that MLflow can load and serve: its files and a page of code, never a pickle."""

from __future__ import annotations

import json
import shutil
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Literal

import pandas as pd

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel
    from mlflow.models import ModelSignature

RUN_ARTIFACT = "artifact"  # where in a run the artifact folder lies; in a logged model, see training.tracking.fetch
EXAMPLE_PATIENT = {  # nobody: what a line looks like, for whoever finds the model in MLflow
    "id": "example",
    "as_of": "2026-01-15",
    "age_years": 63,
    "sex": "female",
    "tumour": "pancreatic",
    "measurements": [
        {"analyte": "alc", "value": 0.9, "unit": "10*9/L", "date": "2026-01-14"},
        {"analyte": "anc", "value": 5.4, "unit": "10*9/L", "date": "2026-01-14"},
        {"analyte": "ca19_9", "value": 850, "unit": "U/mL", "date": "2026-01-12"},
        {"analyte": "albumin", "value": 36, "unit": "g/L", "date": "2026-01-14"},
    ],
    "history": {"prior_lines": 1},
}


def log_pyfunc(
    client: MlflowClient,
    experiment: str,
    run: str,
    name: str,
    *,
    code: Path,
    folder: Path,
    days: tuple[int, ...],
    params: dict[str, str],
) -> LoggedModel:
    """Log the artifact in `folder` as a pyfunc by models-from-code; `code` is the file that MLflow runs to load it.

    MLflow's own way of logging stores the paths of this machine and the name of its user; here the model is saved aside,
    cleared of both, and then logged.
    """
    logged = client.create_logged_model(experiment, name=name, source_run_id=run, params=params, model_type="prognostic model")
    status: Literal["READY", "FAILED"] = "FAILED"
    try:
        with TemporaryDirectory() as aside:
            client.log_model_artifacts(logged.model_id, str(saved_pyfunc(Path(aside), logged.model_id, run, code, folder, days)))
        status = "READY"
    finally:
        logged = client.finalize_logged_model(logged.model_id, status)
    return logged


def saved_pyfunc(
    aside: Path, model_id: str | None, run: str | None, code: Path, folder: Path, days: tuple[int, ...]
) -> Path:
    """The folder that MLflow saves a pyfunc to, within `aside`, cleared of what this machine would tell of itself."""
    import mlflow
    from mlflow.models import Model

    # MLflow names the folder within the model after the folder it is given
    staged, saved = shutil.copytree(folder, aside / "model"), aside / "saved"
    mlflow.pyfunc.save_model(
        path=str(saved),
        mlflow_model=Model(run_id=run, model_id=model_id),
        python_model=str(code),
        artifacts={"model": str(staged)},
        signature=signature(days),
        input_example=pd.DataFrame({"patient": [json.dumps(EXAMPLE_PATIENT)]}),
        pip_requirements=requirements(),
    )
    model: Model = Model.load(str(saved))
    flavour = model.flavors["python_function"]
    flavour["model_code_path"] = code.name
    flavour["artifacts"]["model"]["uri"] = f"runs:/{run}/{RUN_ARTIFACT}"
    flavour.pop("cloudpickle_version", None)  # nothing here is pickled
    model.save(str(saved / "MLmodel"))
    return saved


def signature(days: tuple[int, ...]) -> ModelSignature:
    """In: one column `patient`, a line of the service's NDJSON. Out: the whole answer as JSON, and the risk by each horizon."""
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    risks = [ColSpec("double", f"risk_{day}d", required=False) for day in days]
    return ModelSignature(Schema([ColSpec("string", "patient")]), Schema([ColSpec("string", "answer"), *risks]))


def requirements() -> list[str]:
    """What the pyfunc needs: this distribution with its service, and the libraries MLflow hands the patients over with."""
    libraries = [f"{name}=={version(name)}" for name in ("mlflow", "numpy", "pandas")]
    return [f"lymphorisk[serving]=={version('lymphorisk')}", *libraries]
