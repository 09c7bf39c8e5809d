"""AUC and Uno's C against scikit-learn, lifelines and double loops over every pair of patients."""

import time

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from lifelines.utils import concordance_index
from sklearn.metrics import roc_auc_score

from training.statistics.censoring import FollowUp, censoring, known_by, observation, weights
from training.statistics.discrimination import Concordance, Ranking, auc, uno_c
from training.statistics.estimates import NotEstimable


@st.composite
def cohorts(draw: st.DrawFn, *, delayed: bool = False) -> tuple[np.ndarray, FollowUp]:
    """Up to 40 patients with ties in time and in log-odds."""
    n = draw(st.integers(2, 40))

    def column(largest: int) -> np.ndarray:
        return np.array(draw(st.lists(st.integers(0, largest), min_size=n, max_size=n)), dtype=float)

    times, deaths, log_odds = column(9) + 1, column(1) == 1, column(5) - 2
    entries = np.minimum(column(9), times - 1) if delayed else None
    return log_odds, FollowUp(times, deaths, entries)


def auc_by_pairs(log_odds: np.ndarray, cohort: FollowUp, horizon: float, floor: float = 0.05) -> float:
    """Independent of the module: every case against every control, weights from the curve by its definition."""
    curve = observation(cohort)
    won = total = 0.0
    for i in range(len(cohort)):
        for j in range(len(cohort)):
            case = cohort.deaths[i] and cohort.times[i] <= horizon
            control = cohort.times[j] > horizon or (cohort.times[j] == horizon and not cohort.deaths[j])
            if cohort.entries is not None:
                control = control and cohort.entries[j] < horizon
            if case and control:
                weight = 1 / max(float(curve.before(cohort.times[i])), floor) / max(float(curve.before(horizon)), floor)
                total += weight
                won += weight * ((log_odds[i] > log_odds[j]) + 0.5 * (log_odds[i] == log_odds[j]))
    return won / total


def uno_by_pairs(log_odds: np.ndarray, cohort: FollowUp, tau: float, floor: float = 0.05) -> float:
    """Independent of the module: every death by tau against everybody who lived longer."""
    curve = observation(cohort)
    won = total = 0.0
    for i in np.flatnonzero(cohort.deaths & (cohort.times <= tau)):
        weight = 1 / max(float(curve.before(cohort.times[i])), floor) ** 2
        for j in range(len(cohort)):
            longer = cohort.times[j] > cohort.times[i] or (cohort.times[j] == cohort.times[i] and not cohort.deaths[j])
            if longer and (cohort.entries is None or cohort.entries[j] < cohort.times[i]):
                total += weight
                won += weight * ((log_odds[i] > log_odds[j]) + 0.5 * (log_odds[i] == log_odds[j]))
    return won / total


def test_three_patients_worked_by_hand() -> None:
    # Dead on day 1 with the middle log-odds; dead on day 3 with the highest; alive with the lowest.
    cohort = FollowUp(np.array([1.0, 3.0, 5.0]), np.array([True, True, False]))
    log_odds = np.array([0.0, 1.0, -1.0])
    found = weights(cohort, [2.0])
    assert auc(log_odds, found.dead[:, 0], found.weight[:, 0]) == pytest.approx(1 / 2)
    assert uno_c(log_odds, cohort, 4.0) == pytest.approx(2 / 3)
    assert uno_c(log_odds, cohort, 2.0) == pytest.approx(1 / 2)


@pytest.mark.parametrize("delayed", [False, True])
@given(data=st.data(), horizon=st.integers(1, 10))
def test_auc_is_that_of_all_pairs(delayed: bool, data: st.DataObject, horizon: int) -> None:
    log_odds, cohort = data.draw(cohorts(delayed=delayed))
    known, found = known_by(cohort, horizon), weights(cohort, [horizon])
    assume(known.dead.any() and known.alive.any())
    assert auc(log_odds, found.dead[:, 0], found.weight[:, 0]) == pytest.approx(auc_by_pairs(log_odds, cohort, horizon))


@pytest.mark.parametrize("delayed", [False, True])
@given(data=st.data(), tau=st.integers(1, 10))
def test_uno_c_is_that_of_all_pairs(delayed: bool, data: st.DataObject, tau: int) -> None:
    log_odds, cohort = data.draw(cohorts(delayed=delayed))
    try:
        found = uno_c(log_odds, cohort, tau)
    except NotEstimable:
        with pytest.raises(ZeroDivisionError, match="division by zero"):
            uno_by_pairs(log_odds, cohort, tau)
    else:
        assert found == pytest.approx(uno_by_pairs(log_odds, cohort, tau))


def test_auc_without_censoring_is_that_of_scikit_learn() -> None:
    random = np.random.default_rng(1)
    cohort = FollowUp(random.exponential(100, 500), np.ones(500, bool))
    log_odds = np.round(random.normal(size=500), 1)
    found = weights(cohort, [90.0])
    assert auc(log_odds, found.dead[:, 0], found.weight[:, 0]) == pytest.approx(roc_auc_score(cohort.times <= 90, log_odds))


def test_uno_c_without_censoring_is_harrells_of_lifelines() -> None:
    random = np.random.default_rng(2)
    times, log_odds = random.integers(1, 60, 300).astype(float), np.round(random.normal(size=300), 1)
    cohort = FollowUp(times, np.ones(300, bool))
    assert uno_c(log_odds, cohort, 60.0) == pytest.approx(concordance_index(times, -log_odds))


def test_uno_c_is_unmoved_by_heavier_censoring_where_unweighted_concordance_drifts() -> None:
    random = np.random.default_rng(5)
    log_odds = random.normal(size=20_000)
    # The effect fades with time, so that early pairs, which censoring leaves over, are the easy ones.
    life = 100 * random.weibull(1.0, 20_000) ** np.exp(0.5 * log_odds)
    cut = random.uniform(0, 300, 20_000)
    truth = uno_c(log_odds, FollowUp(life, np.ones(20_000, bool)), 200.0)
    cohort = FollowUp(np.minimum(life, cut), life <= cut)
    assert censoring(cohort).before(200.0) == pytest.approx(1 / 3, abs=0.02)
    assert uno_c(log_odds, cohort, 200.0) == pytest.approx(truth, abs=0.006)
    assert abs(uno_c(log_odds, cohort, 200.0, floor=1.0) - truth) > 0.012


@given(cohorts(), st.integers(1, 10))
def test_only_the_order_of_the_log_odds_matters(cohort: tuple[np.ndarray, FollowUp], horizon: int) -> None:
    log_odds, follow_up = cohort
    known, found = known_by(follow_up, horizon), weights(follow_up, [horizon])
    assume(known.dead.any() and known.alive.any())
    stretched = np.exp(3 * log_odds) - 7
    dead, weight = found.dead[:, 0], found.weight[:, 0]
    assert auc(stretched, dead, weight) == auc(log_odds, dead, weight)
    assert auc(-log_odds, dead, weight) == pytest.approx(1 - auc(log_odds, dead, weight))
    assert uno_c(stretched, follow_up, horizon) == uno_c(log_odds, follow_up, horizon)


@given(cohorts(delayed=True), st.data())
def test_a_multiplicity_is_a_repetition(cohort: tuple[np.ndarray, FollowUp], data: st.DataObject) -> None:
    log_odds, follow_up = cohort
    copies = np.array(data.draw(st.lists(st.integers(0, 3), min_size=log_odds.size, max_size=log_odds.size)))
    assume(copies.any())
    assert follow_up.entries is not None
    times, deaths, entries = (np.repeat(column, copies) for column in (follow_up.times, follow_up.deaths, follow_up.entries))
    try:
        expected = uno_c(np.repeat(log_odds, copies), FollowUp(times, deaths, entries), 8.0)
    except NotEstimable:
        assume(False)
    assert Concordance(log_odds, follow_up, 8.0).uno_c(copies.astype(float)) == pytest.approx(expected)


def test_one_sorting_serves_many_weights() -> None:
    random = np.random.default_rng(4)
    log_odds, dead = random.normal(size=50), random.random(50) < 0.5
    ranking = Ranking(log_odds)
    for _ in range(3):
        copies = random.integers(0, 3, 50)
        assert ranking.auc(dead, copies.astype(float)) == pytest.approx(roc_auc_score(dead, log_odds, sample_weight=copies))


def test_uno_c_of_a_hundred_thousand_patients_takes_seconds() -> None:
    random = np.random.default_rng(6)
    cohort = FollowUp(random.integers(0, 700, 100_000).astype(float), random.random(100_000) < 0.6)
    start = time.process_time()
    assert uno_c(random.normal(size=100_000), cohort, 365.0) == pytest.approx(0.5, abs=0.01)
    assert time.process_time() - start < 5


def test_without_a_pair_there_is_no_discrimination() -> None:
    nobody = FollowUp(np.array([5.0, 6.0]), np.array([False, False]))
    found = weights(nobody, [3.0])
    with pytest.raises(NotEstimable, match="one patient dead by the horizon and one known to be alive"):
        auc(np.array([1.0, 2.0]), found.dead[:, 0], found.weight[:, 0])
    with pytest.raises(NotEstimable, match="a death by day 3"):
        uno_c(np.array([1.0, 2.0]), nobody, 3.0)
