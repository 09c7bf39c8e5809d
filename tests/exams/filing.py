"""A file of patients scored from table to table: by us, and by the usual way, pandas and one shap explainer a horizon."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import shap
import xgboost
from console import COMMAND, run
from marks import Mark

from models.design import Design, FloatArray
from models.risk import sigmoid
from training.fit import Advance, Settings
from training.learners.specialise import specialised_booster
from training.run import train
from training.simulation.files import write
from training.simulation.simulate import simulate

DEVELOPED, SCORED = 3_000, 100_000  # patients
MOST_MEMORY = 512  # MiB, whatever the number of rows (performance.md section 4)
SETTINGS = Settings(learner="ensemble", folds=2)


def sit(
    folder: Path, advance: Advance, developed: int = DEVELOPED, scored: int = SCORED, settings: Settings = SETTINGS
) -> list[Mark]:
    """`lymphorisk score` of a cohort file of `scored` patients, by a model of both learners."""
    model = folder / "model"
    train(write(simulate(developed, 1), folder / "developed"), model, settings, bootstrap=0, tracking=None, advance=advance)
    patients, out = write(simulate(scored, 4), folder / "many"), folder / "scores.csv"
    spent = run(COMMAND, "score", model, patients, "--out", out, folder=folder)
    rows = out.read_bytes().count(b"\n") - 1
    size = f"{out.stat().st_size / 2**20:.0f} MiB of scores; {spent.seconds:.0f} s on the clock"
    return [
        Mark(f"rows scored of {scored:,}", rows, least=scored),
        Mark("rows a processor second, table to table, start included", rows / spent.processor, note=size),
        Mark("largest memory, MiB", spent.peak, most=MOST_MEMORY),
    ]


def explainers(booster: xgboost.Booster, development: FloatArray, days: Sequence[float]) -> list[shap.TreeExplainer]:
    """One explainer a horizon, of the trees at that horizon; made once, as a service that means well would."""
    made = [specialised_booster(booster, development, float(day)) for day in days]
    for one in made:
        one.set_param({"nthread": 1})  # ours takes one core too
    return [shap.TreeExplainer(one, feature_perturbation="tree_path_dependent") for one in made]


def write_rows(design: Design, filled: FloatArray, path: Path) -> Path:
    """What the peer reads: the design columns ready-made, estimates in place; ours starts from the patients' labs."""
    pd.DataFrame(filled, columns=[column.name for column in design.columns]).to_csv(path, index=False)
    return path


def score_with_shap(explained: Sequence[shap.TreeExplainer], days: Sequence[float], rows: Path, out: Path) -> None:
    """Read with pandas, explain with shap, add up, write with pandas; trees alone, no intervals, no quality, no refusals."""
    x, columns = pd.read_csv(rows), {}
    for day, explainer in zip(days, explained, strict=True):
        terms = np.asarray(explainer.shap_values(x))
        columns[f"risk_{day:g}d"] = sigmoid(terms.sum(axis=1) + float(explainer.expected_value))
        columns |= {f"term_{day:g}d_{name}": terms[:, place] for place, name in enumerate(x.columns)}
    pd.DataFrame(columns).to_csv(out, index=False)
