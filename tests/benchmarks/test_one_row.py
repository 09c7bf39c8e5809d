"""From a feature row to terms, log-odds and percentage points at every horizon: the arithmetic of a score."""

import numpy as np
import pytest
import xgboost
from filing import explainers

from models.design import DesignMatrix
from models.explanation import percentage_points

ALLOWED = 0.4  # of one pred_contribs call; .25 is the goal


def explained(model, rows):
    """Terms, log-odds and percentage points, as an answer holds them."""
    scores = model.score(rows)
    players = np.concatenate([model.group_terms(scores.terms), scores.time_bound[..., None]], axis=-1)
    return percentage_points(scores.base, players)


@pytest.mark.parametrize("estimated", [0, 3])
def test_a_row_becomes_terms_log_odds_and_percentage_points(race, trained, estimated):
    model, matrix, booster = trained.artifact.model, trained.fit.matrix, trained.booster
    row = np.flatnonzero(matrix.to_estimate.sum(axis=1) == estimated)[:1]
    one, days = DesignMatrix(matrix.x[row], matrix.to_estimate[row]), np.array(model.days, np.float64)
    filled = model.imputation.fill(one).x
    assert len(days) == 5

    def contributions():
        rows = np.c_[np.repeat(filled, 5, axis=0), days].astype(np.float32)
        return booster.predict(xgboost.DMatrix(rows, nthread=1), pred_contribs=True)

    race(
        lambda: explained(model, one),
        contributions,
        what=f"a feature row ({estimated or 'no'} labs to estimate) to terms, log-odds and percentage points at five horizons",
        against="one five-row pred_contribs (DMatrix included, one thread)",
        rounds=25,
        calls=40,
        bar=ALLOWED,
    )


def test_many_rows_against_shap(race, trained):
    model, matrix = trained.artifact.model, trained.fit.matrix
    rows = DesignMatrix(matrix.x[:512], matrix.to_estimate[:512])
    filled = model.imputation.fill(matrix).x
    made = explainers(trained.booster, filled, model.days)
    race(
        lambda: explained(model, rows),
        lambda: [explainer.shap_values(filled[:512]) for explainer in made],
        what="a row of 512, both learners, to terms, log-odds and percentage points at five horizons",
        against="shap.TreeExplainer, built once, on the trees at five horizons (terms alone)",
        rounds=9,
        units=(512, 512),
    )
