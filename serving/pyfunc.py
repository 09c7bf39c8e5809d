"""The registered model as MLflow loads it: a line of the service's NDJSON in, the service's answer out, by the same path.

MLflow runs this file itself (models-from-code) and nobody else imports it: it is the one module here that knows MLflow and
pandas. Nothing is unpickled; the artifact is verified byte by byte as everywhere.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel  # type: ignore[attr-defined]  # exported, but not in so many words

from models import artifact
from models.artifact import Artifact
from serving.refused import Refused
from serving.score import score
from serving.standing import example
from serving.wire import read_line

PATIENT = "patient"  # the one input column


class Scoring(PythonModel):
    """Scores lines: one row a patient, with the whole answer as JSON text and its risks in columns of their own."""

    loaded: Artifact

    def load_context(self, context: Any) -> None:
        """Verify and load the artifact folder that was logged as `model`."""
        self.loaded = artifact.load(context.artifacts["model"])

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """Columns `answer` (JSON text), `risk_90d` and so on; NaN where the patient was refused, and `answer` says why."""
        if list(model_input.columns) != [PATIENT]:
            raise ValueError(f"allowed is one column, {PATIENT}, that holds lines of the service's NDJSON")
        today = datetime.now(UTC).date()
        patients = [read_line(str(line).encode(), today) for line in model_input[PATIENT]]
        answers = score(self.loaded, patients)
        said = [json.dumps(example(self.loaded.model) | one.as_json(), allow_nan=False) for one in answers]
        risks = [{} if isinstance(one, Refused) else {f"risk_{h.days}d": h.risk for h in one.horizons} for one in answers]
        columns = [f"risk_{days}d" for days in self.loaded.model.days]
        found = pd.DataFrame(risks, index=model_input.index, columns=columns, dtype="float64")
        found.insert(0, "answer", pd.Series(said, index=model_input.index, dtype="str"))
        return found


set_model(Scoring())
