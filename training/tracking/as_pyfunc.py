"""The artifact scored as MLflow would load and serve it: saved as a pyfunc, loaded by MLflow, asked as MLflow asks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

from models import artifact
from training.tracking.mlflow_store import quiet
from training.tracking.registered import saved_pyfunc


def answers(folder: Path, code: Path, lines: Sequence[str]) -> list[dict[str, Any]]:
    """What the pyfunc of the artifact in `folder` answers to `lines` of the service's NDJSON; `code` is what MLflow runs."""
    quiet()
    import mlflow

    with TemporaryDirectory() as aside:
        saved = saved_pyfunc(Path(aside), None, None, code, folder, artifact.load(folder).model.days)
        found = mlflow.pyfunc.load_model(str(saved)).predict(pd.DataFrame({"patient": list(lines)}))
    return [json.loads(answer) for answer in found["answer"]]
