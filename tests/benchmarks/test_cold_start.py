"""`lymphorisk score` of one patient from a cold start: a process starts, a model is verified and loaded, a file written."""

import subprocess
import sys

import numpy as np
import pytest
from console import COMMAND, ENVIRONMENT

ALLOWED = 1.0  # seconds


@pytest.mark.parametrize("libraries", ["xgboost", "mlflow, shap"])
def test_a_cold_start_against_importing_what_others_need(race, trained, tmp_path, libraries):
    patient, scores = tmp_path / "patient.ndjson", tmp_path / "scores.csv"
    patient.write_text(trained.line + "\n")

    def started(*words):
        subprocess.run(words, cwd=tmp_path, env=ENVIRONMENT, check=True, capture_output=True)

    result = race(  # the round that does not count leaves the compiled modules behind
        lambda: started(COMMAND, "score", trained.folder, patient, "--out", scores),
        lambda: started(sys.executable, "-c", f"import {libraries}"),
        what="score of one patient from a cold start",
        against=f"python -c 'import {libraries}'",
        rounds=5,
    )
    assert scores.read_text().count("\n") == 2
    assert result is None or np.median(result.ours) < ALLOWED
