"""The Cox model worked by hand and against lifelines, and what it says when it cannot be fitted."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines import CoxPHFitter

from training.learners.cox import CoxFit, cox_from_json, fit_cox, log_odds_of
from training.statistics.calibration import sigmoid
from training.statistics.censoring import Array, FollowUp, StepFunction
from training.statistics.estimates import NotEstimable

# lifelines 0.30 calls DataFrame.var as pandas 4 will no longer allow; an oracle of the tests only
pytestmark = pytest.mark.filterwarnings("ignore:Starting with pandas version 4.0")


def simulated(n: int, seed: int, *, entries: bool = False) -> tuple[Array, FollowUp]:
    """Three columns of unlike size; days in tens, so that many die on the same one."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(n, 3)) * [1, 5, 0.2] + [0, 100, 3]
    life, cut = random.exponential(np.exp(12.7 - x @ [0.5, 0.1, -1.0])), random.uniform(1, 300, n)
    times = np.ceil(np.minimum(life, cut) / 10)
    entered = np.floor(np.minimum(random.uniform(0, 10, n), times - 1)) if entries else None
    return x, FollowUp(times, life <= cut, entered)


def of_lifelines(x: Array, follow_up: FollowUp) -> CoxPHFitter:
    table = pd.DataFrame(x, columns=list("abc")).assign(t=follow_up.times, d=follow_up.deaths)
    asked = {}
    if follow_up.entries is not None:
        table["entered"] = follow_up.entries
        asked["entry_col"] = "entered"
    return CoxPHFitter().fit(table, "t", "d", fit_options={"precision": 1e-12}, **asked)


def test_three_patients_worked_by_hand() -> None:
    """Deaths on day 1 (x = 1) and day 2 (x = 0), one of x = 1 lives: the likelihood e/(2e+1) 1/(1+e) peaks at e = sqrt(1/2)."""
    found = fit_cox(np.array([[1.0], [0.0], [1.0]]), FollowUp(np.array([1.0, 2.0, 3.0]), np.array([True, True, False])))
    hazard = np.sqrt(0.5)
    assert found.coefficients[0] == pytest.approx(np.log(hazard))
    at_zero = found.baseline.at([0.5, 1.0, 2.0, 9.0]) * np.exp(-found.means[0] * found.coefficients[0])
    assert at_zero.tolist() == pytest.approx([0, 1 / (2 * hazard + 1), *2 * [1 / (2 * hazard + 1) + 1 / (1 + hazard)]])


def test_two_who_die_on_the_same_day_are_taken_after_efron() -> None:
    """Of three, x = 1 and 0 die together: e / ((e + 2)(e + 2 - (e + 1) / 2)) = 2 e / ((e + 2)(e + 3)) peaks at e = sqrt(6)."""
    found = fit_cox(np.array([[1.0], [0.0], [0.0]]), FollowUp(np.array([1.0, 1.0, 2.0]), np.array([True, True, False])))
    assert found.coefficients[0] == pytest.approx(np.log(6) / 2)


@pytest.mark.parametrize("entries", [False, True])
def test_coefficients_are_those_of_lifelines(entries: bool) -> None:
    x, follow_up = simulated(400, 1, entries=entries)
    assert fit_cox(x, follow_up).coefficients == pytest.approx(of_lifelines(x, follow_up).params_.to_numpy(), abs=1e-6)


def test_the_baseline_is_that_of_lifelines() -> None:
    x, follow_up = simulated(400, 2)
    theirs = of_lifelines(x, follow_up).baseline_cumulative_hazard_["baseline cumulative hazard"]
    assert fit_cox(x, follow_up).baseline.at(theirs.index.to_numpy()) == pytest.approx(theirs.to_numpy(), abs=1e-6)


def test_with_delayed_entry_the_baseline_counts_only_who_has_entered() -> None:
    """lifelines 0.30 forgets the entries in its baseline, so it is counted out here."""
    x, follow_up = simulated(300, 3, entries=True)
    found, total = fit_cox(x, follow_up), 0.0
    hazard = np.exp((x - x.mean(axis=0)) @ found.coefficients)
    for day in np.unique(follow_up.times):
        dying = (follow_up.deaths & (follow_up.times == day)).sum()
        total += dying / hazard[(follow_up.times >= day) & (follow_up.entries < day)].sum()
        assert found.baseline.at(day) == pytest.approx(total)


def test_risks_are_one_minus_survival_of_lifelines() -> None:
    x, follow_up = simulated(200, 4)
    theirs = of_lifelines(x, follow_up).predict_survival_function(pd.DataFrame(x[:9], columns=list("abc")), [3, 12]).to_numpy().T
    assert sigmoid(fit_cox(x, follow_up).log_odds(x[:9], [3, 12])) == pytest.approx(1 - theirs, abs=1e-6)


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_a_row_that_counts_three_times_is_a_row_written_three_times(seed: int, entries: bool) -> None:
    x, follow_up = simulated(80, seed, entries=entries)
    copies = np.random.default_rng(seed).integers(0, 4, 80)
    written = FollowUp(*(None if each is None else np.repeat(each, copies) for each in vars(follow_up).values()))
    try:
        twice = fit_cox(np.repeat(x, copies, axis=0), written)
    except NotEstimable:
        with pytest.raises(NotEstimable, match=r"no coefficients|who died|do not vary"):
            fit_cox(x, follow_up, multiplicity=copies.astype(float))
        return
    once = fit_cox(x, follow_up, multiplicity=copies.astype(float))
    assert once.coefficients == pytest.approx(twice.coefficients, rel=1e-6, abs=1e-8)
    assert once.log_odds(x, [3, 9]) == pytest.approx(twice.log_odds(x, [3, 9]), rel=1e-6)


def test_a_ridge_draws_coefficients_to_zero_on_any_unit() -> None:
    x, follow_up = simulated(300, 5)
    free, held, other_unit = fit_cox(x, follow_up), fit_cox(x, follow_up, ridge=50.0), fit_cox(x * 1000, follow_up, ridge=50.0)
    spread = x.std(axis=0)
    assert np.linalg.norm(held.coefficients * spread) < 0.8 * np.linalg.norm(free.coefficients * spread)
    assert other_unit.coefficients * 1000 == pytest.approx(held.coefficients)


def test_what_is_kept_holds_the_asked_days_alone_and_answers_the_same() -> None:
    x, follow_up = simulated(300, 6)
    found = fit_cox(x, follow_up)
    kept = json.loads(json.dumps(found.as_json([3, 9, 18]), allow_nan=False))
    assert kept["days"] == [3, 9, 18]
    assert len(kept["cumulative_hazard"]) == 3
    read = cox_from_json(kept)
    assert read.log_odds(x, [9, 18]).tolist() == found.log_odds(x, [9, 18]).tolist()
    with pytest.raises(ValueError, match=r"days \[10.0\]: allowed are \[3.0, 9.0, 18.0\]"):
        read.log_odds(x, [10])


def test_log_odds_are_finite_where_risks_round_to_nothing_or_certainty() -> None:
    one = CoxFit(np.ones(1), np.zeros(1), StepFunction(np.array([10.0]), np.array([0.0, 0.5])))
    found = one.log_odds(np.array([[-1000.0], [0.0], [1000.0]]), [5, 10])
    assert np.isfinite(found).all()
    assert (np.diff(found, axis=0) > 0)[:, 1].all()
    assert log_odds_of(np.log(np.array([0.5]))) == pytest.approx(np.log(np.expm1(0.5)))


def test_what_cannot_be_fitted_says_why() -> None:
    x, follow_up = simulated(60, 7)
    with pytest.raises(NotEstimable, match="somebody who died"):
        fit_cox(x, FollowUp(follow_up.times, np.zeros(60, bool)))
    with pytest.raises(NotEstimable, match=r"columns \[1\] do not vary"):
        fit_cox(np.c_[x[:, 0], np.ones(60)], follow_up)
    with pytest.raises(NotEstimable, match="not independent"):
        fit_cox(np.c_[x[:, 0], 2 * x[:, 0]], follow_up)
    with pytest.raises(NotEstimable, match="separate who dies first"):
        fit_cox(-follow_up.times[:, None], FollowUp(follow_up.times, np.ones(60, bool)))


def test_rows_that_do_not_fit_are_refused() -> None:
    x, follow_up = simulated(60, 8)
    with pytest.raises(ValueError, match="allowed are 60 of each"):
        fit_cox(x[1:], follow_up)
    with pytest.raises(ValueError, match="likely values that were not imputed"):
        fit_cox(np.where(x > 101, np.nan, x), follow_up)
    with pytest.raises(ValueError, match="likely a weight was given"):
        fit_cox(x, follow_up, multiplicity=np.full(60, 0.5))
    with pytest.raises(ValueError, match="ridge -1: allowed is 0 or more"):
        fit_cox(x, follow_up, ridge=-1)
