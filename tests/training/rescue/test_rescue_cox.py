"""The Cox model of patients who change, held against lifelines, against R's published numbers, and against a case by hand."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter, CoxTimeVaryingFitter
from lifelines.datasets import load_rossi, load_stanford_heart_transplants

from training.rescue.cox import fit_counting
from training.statistics.estimates import NotEstimable

# lifelines 0.30 calls DataFrame.var as pandas 4 will no longer allow; an oracle of the tests only
pytestmark = pytest.mark.filterwarnings("ignore:Starting with pandas version 4.0")
HEART = ["age", "year", "surgery", "transplant"]


def heart() -> pd.DataFrame:
    """Who got a new heart, and when: the data by which time-dependent Cox models are always shown."""
    table = load_stanford_heart_transplants()
    return table[table["stop"] > table["start"]]


def test_the_heart_transplants_give_what_r_gives() -> None:
    table = heart()
    found = fit_counting(
        table["start"].to_numpy(float), table["stop"].to_numpy(float), table["event"].to_numpy(bool), table[HEART].to_numpy(float)
    )
    # R survival, coxph(Surv(start, stop, event) ~ age + year + surgery + transplant, heart)
    assert found.coefficients == pytest.approx([0.02717, -0.14635, -0.63721, -0.01025], abs=6e-6)
    assert found.errors == pytest.approx([0.01371, 0.07047, 0.36723, 0.31375], abs=6e-6)


def test_it_agrees_with_lifelines_to_a_millionth() -> None:
    table = heart()
    oracle = CoxTimeVaryingFitter().fit(table[["id", "start", "stop", "event", *HEART]], event_col="event", id_col="id")
    found = fit_counting(
        table["start"].to_numpy(float), table["stop"].to_numpy(float), table["event"].to_numpy(bool), table[HEART].to_numpy(float)
    )
    assert found.coefficients == pytest.approx(oracle.params_.to_numpy(), abs=1e-6)
    assert found.errors == pytest.approx(oracle.standard_errors_.to_numpy(), abs=1e-6)
    assert found.log_likelihood == pytest.approx(oracle.log_likelihood_, abs=1e-6)


def test_strata_have_baselines_of_their_own() -> None:
    table = load_rossi()
    oracle = CoxPHFitter().fit(table[["week", "arrest", "fin", "age", "prio", "race"]], "week", "arrest", strata=["race"])
    found = fit_counting(
        np.zeros(len(table)),
        table["week"].to_numpy(float),
        table["arrest"].to_numpy(bool),
        table[["fin", "age", "prio"]].to_numpy(float),
        strata=table["race"].to_numpy(np.intp),
    )
    assert found.coefficients == pytest.approx(oracle.params_.to_numpy(), abs=1e-6)
    assert found.errors == pytest.approx(oracle.standard_errors_.to_numpy(), abs=1e-6)


def test_the_robust_covariance_of_clusters_is_that_of_lifelines() -> None:
    table = load_rossi()
    table["week"] += np.random.default_rng(3).uniform(0, 0.5, len(table))  # lifelines takes tied deaths another way
    table["of"] = np.arange(len(table)) // 3
    oracle = CoxPHFitter().fit(table[["week", "arrest", "fin", "age", "prio", "of"]], "week", "arrest", cluster_col="of")
    x = table[["fin", "age", "prio"]].to_numpy(float)
    week, arrest = table["week"].to_numpy(float), table["arrest"].to_numpy(bool)
    found = fit_counting(np.zeros(len(table)), week, arrest, x, clusters=table["of"].to_numpy(np.intp))
    assert found.errors == pytest.approx(oracle.standard_errors_.to_numpy(), abs=1e-6)


def test_a_patient_cut_in_two_is_the_same_patient() -> None:
    table = load_rossi()
    week, arrest = table["week"].to_numpy(float), table["arrest"].to_numpy(bool)
    x, of = table[["fin", "age", "prio"]].to_numpy(float), np.arange(len(table))
    whole = fit_counting(np.zeros(len(table)), week, arrest, x, clusters=of)
    cut = week / 2
    two = fit_counting(
        np.concatenate([np.zeros(len(table)), cut]),
        np.concatenate([cut, week]),
        np.concatenate([np.zeros(len(table), bool), arrest]),
        np.concatenate([x, x]),
        clusters=np.concatenate([of, of]),
    )
    assert two.coefficients == pytest.approx(whole.coefficients, abs=1e-9)
    assert two.errors == pytest.approx(whole.errors, abs=1e-9)


def test_two_who_die_are_worked_by_hand() -> None:
    # day 1: a (x=1) of a, b, c; day 2: b (x=0) of b, c (x=1). L = e^b / (2e^b + 1) / (e^b + 1) is highest where 2e^2b = 1
    found = fit_counting(np.zeros(3), np.array([1.0, 2, 3]), np.array([True, True, False]), np.array([[1.0], [0], [1]]))
    assert math.exp(2 * found.coefficients[0]) == pytest.approx(0.5, abs=1e-6)


def test_a_column_that_separates_who_dies_first_is_refused() -> None:
    stop, x = np.arange(1.0, 9), np.arange(8.0)[:, None]
    with pytest.raises(NotEstimable, match="separate who dies first"):
        fit_counting(np.zeros(8), stop, np.ones(8, bool), x)


def test_nobody_who_died_is_refused() -> None:
    with pytest.raises(NotEstimable, match="needs somebody who died"):
        fit_counting(np.zeros(2), np.array([1.0, 2]), np.zeros(2, bool), np.array([[0.0], [1]]))


def test_a_column_that_does_not_vary_is_refused() -> None:
    with pytest.raises(NotEstimable, match=r"columns \[0\] do not vary"):
        fit_counting(np.zeros(2), np.array([1.0, 2]), np.ones(2, bool), np.ones((2, 1)))


def test_values_that_are_missing_are_refused() -> None:
    with pytest.raises(ValueError, match=r"1 row.*not imputed"):
        fit_counting(np.zeros(2), np.array([1.0, 2]), np.ones(2, bool), np.array([[0.0], [np.nan]]))


def test_strata_and_clusters_of_patients_where_rows_are_asked_are_refused() -> None:
    rows, x = np.array([1.0, 2, 3]), np.array([[0.0], [1], [0]])
    with pytest.raises(ValueError, match=r"strata of shape \(2,\): allowed is one for each of the 3 rows"):
        fit_counting(np.zeros(3), rows, rows > 0, x, strata=np.array([0, 1]))
    with pytest.raises(ValueError, match=r"clusters of shape \(2,\): allowed is one for each of the 3 rows"):
        fit_counting(np.zeros(3), rows, rows > 0, x, clusters=np.array([0, 1]))


Rows = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]  # start, stop, died, x


def slope_of_weights(weights: np.ndarray, at: float, rows: Rows) -> float:
    """Efron's slope for one column, day by day and death by death, where a row weighs so much."""
    start, stop, died, x = rows
    total, risk = 0.0, weights * np.exp(at * x)
    for day in np.unique(stop[died]):
        among, dead = (start < day) & (stop >= day), died & (stop == day)
        total += float((weights * x)[dead].sum())
        for left in np.arange(dead.sum()) / dead.sum():
            kept = risk * (among - left * dead)
            total -= float(weights[dead].mean() * (kept @ x) / kept.sum())
    return total


def test_the_robust_error_with_tied_deaths_is_what_leaving_a_little_of_each_row_out_gives() -> None:
    rng = np.random.default_rng(11)
    start = rng.integers(0, 3, 40).astype(float)
    stop, died, x = start + rng.integers(1, 6, 40), rng.random(40) < 0.7, rng.normal(size=40)
    found = fit_counting(start, stop, died, x[:, None], clusters=np.arange(40))
    at, same, little = float(found.coefficients[0]), np.ones(40), 1e-5

    def slope(weights: np.ndarray, there: float = at) -> float:
        return slope_of_weights(weights, there, (start, stop, died, x))

    assert slope(same) == pytest.approx(0, abs=1e-8)
    curvature = (slope(same, at - little) - slope(same, at + little)) / (2 * little)
    each = [(slope(same + little * row) - slope(same - little * row)) / (2 * little) for row in np.eye(40)]
    assert found.errors[0] == pytest.approx(math.sqrt(sum(one**2 for one in each)) / curvature, rel=1e-6)
