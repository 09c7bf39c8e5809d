"""The points of a calibration picture against lifelines, and what must hold of any grouping."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lifelines import KaplanMeierFitter

from training.statistics.censoring import FollowUp, known_by
from training.telling.risk_groups import LEAST_PATIENTS, MOST_GROUPS, risk_groups, survival_interval, told_groups


def _followed(n: int, seed: int) -> FollowUp:
    rng = np.random.default_rng(seed)
    return FollowUp(np.ceil(rng.exponential(150, n)), rng.random(n) < 0.7)


@pytest.mark.parametrize("day", [30.0, 90.0, 250.0])
def test_the_interval_is_that_of_lifelines(day: float) -> None:
    followed = _followed(120, 2)
    oracle = KaplanMeierFitter().fit(followed.times, followed.deaths)
    interval = survival_interval(followed, day)
    low, high = oracle.confidence_interval_.loc[:day].iloc[-1]
    assert interval == pytest.approx((1 - high, 1 - low), abs=1e-9)


def test_nobody_dead_or_nobody_alive_gives_no_interval() -> None:
    followed = FollowUp(np.array([10.0, 20.0, 30.0]), np.array([True, True, True]))
    assert survival_interval(followed, 5) is None
    assert survival_interval(followed, 30) is None


def test_patients_who_enter_late_are_at_risk_only_from_then_on() -> None:
    # by hand: who enters on day 5 is at risk from the next day on, so that one of two dies on it
    late = FollowUp(np.array([5.0, 9.0, 12.0]), np.array([True, False, True]), np.array([0.0, 1.0, 5.0]))
    group = risk_groups(np.full(3, 0.4), late, 10)[0]
    assert group.observed == pytest.approx(0.5)
    spread = np.sqrt(1 / (2 * 1)) / abs(np.log(0.5))
    low, high = 1 - 0.5 ** np.exp(np.array([-1.959964, 1.959964]) * spread)
    assert group.interval == pytest.approx((low, high), abs=1e-6)


@given(st.integers(1, 450), st.integers(0, 9))
def test_groups_hold_everybody_in_the_order_of_risk_and_none_is_small(n: int, seed: int) -> None:
    risk = np.random.default_rng(seed).random(n)
    groups = risk_groups(risk, _followed(n, seed), 90)
    sizes = [group.patients for group in groups]
    assert sum(sizes) == n
    assert len(groups) <= MOST_GROUPS
    assert len(groups) == 1 or min(sizes) >= LEAST_PATIENTS
    stated = [group.stated for group in groups]
    assert stated == sorted(stated)
    assert np.average(stated, weights=sizes) == pytest.approx(risk.mean())


def test_the_interval_holds_what_was_observed() -> None:
    for group in risk_groups(np.random.default_rng(1).random(300), _followed(300, 1), 90):
        assert group.interval is not None
        assert group.interval[0] < group.observed < group.interval[1]


@given(st.integers(1, 450), st.integers(0, 9))
def test_groups_that_are_told_hold_ten_deaths_and_ten_alive(n: int, seed: int) -> None:
    followed, risk = _followed(n, seed), np.random.default_rng(seed).random(n)
    told, known = told_groups(risk, followed, 90), known_by(followed, 90)
    if min(known.dead.sum(), known.alive.sum()) < 10:
        assert told == []
        return
    first = 0
    order = np.argsort(risk, kind="stable")
    for group in told:
        rows, first = order[first : first + group.patients], first + group.patients
        assert min(known.dead[rows].sum(), known.alive[rows].sum()) >= 10
    assert first in (0, n), "everybody is in a group, or nobody is"
