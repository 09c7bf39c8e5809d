"""The log-rank test against lifelines, against what R prints for its lung patients, and against its own laws."""

from __future__ import annotations

import numpy as np
import pytest
from lifelines.datasets import load_lung
from lifelines.statistics import logrank_test, multivariate_logrank_test

from training.rescue.log_rank import log_rank
from training.statistics.censoring import FollowUp
from training.statistics.estimates import NotEstimable

# lifelines 0.30 calls DataFrame.sum as pandas 4 will no longer allow; an oracle of the tests only
pytestmark = pytest.mark.filterwarnings("ignore:Starting with pandas version 4.0")


def drawn(n: int, seed: int, groups: int) -> tuple[FollowUp, np.ndarray]:
    rng = np.random.default_rng(seed)
    of = rng.integers(0, groups, n)
    times = np.ceil(rng.exponential(30 * (1 + 0.3 * of)))
    return FollowUp(times, rng.random(n) < 0.8), of


def test_men_and_women_with_lung_cancer_differ_as_r_prints() -> None:
    table = load_lung()
    status, sex = table["status"].to_numpy(float), table["sex"].to_numpy(np.intp)
    found = log_rank(FollowUp(table["time"].to_numpy(float), status == status.max()), sex)
    # R survival, survdiff(Surv(time, status) ~ sex, data = lung): Chisq = 10.3 on 1 degrees of freedom, p = 0.001
    assert round(found.statistic, 1) == 10.3
    assert found.p == pytest.approx(0.00131, abs=5e-6)


@pytest.mark.parametrize("groups", [2, 3, 5])
def test_it_agrees_with_lifelines_to_a_millionth(groups: int) -> None:
    follow_up, of = drawn(150, groups, groups)
    oracle = multivariate_logrank_test(follow_up.times, of, follow_up.deaths)
    found = log_rank(follow_up, of)
    assert found.statistic == pytest.approx(oracle.test_statistic, abs=1e-6)
    assert found.p == pytest.approx(oracle.p_value, abs=1e-6)
    assert found.degrees == groups - 1


def test_one_stratum_is_no_stratum_and_names_do_not_matter() -> None:
    follow_up, of = drawn(80, 4, 2)
    plain = log_rank(follow_up, of)
    assert log_rank(follow_up, of, np.full(80, 7)) == plain
    assert log_rank(follow_up, 1 - of).statistic == pytest.approx(plain.statistic, abs=1e-12)


def test_strata_that_repeat_one_another_double_the_statistic() -> None:
    follow_up, of = drawn(80, 6, 2)
    twice = FollowUp(np.tile(follow_up.times, 2), np.tile(follow_up.deaths, 2))
    found = log_rank(twice, np.tile(of, 2), np.repeat([0, 1], 80))
    assert found.statistic == pytest.approx(2 * log_rank(follow_up, of).statistic, abs=1e-9)


def test_with_delayed_entry_only_those_who_had_entered_are_compared() -> None:
    follow_up, of = drawn(90, 9, 2)
    late = FollowUp(follow_up.times + 40, follow_up.deaths, np.full(90, 40.0))
    first, second = of == 0, of == 1
    times, deaths = follow_up.times, follow_up.deaths
    oracle = logrank_test(times[first], times[second], deaths[first], deaths[second])
    assert log_rank(late, of).statistic == pytest.approx(oracle.test_statistic, abs=1e-6)


def test_one_group_is_refused() -> None:
    with pytest.raises(ValueError, match=r"1 group.*two and more"):
        log_rank(FollowUp(np.array([1.0, 2]), np.array([True, True])), np.zeros(2, np.intp))


def test_nobody_to_compare_is_refused() -> None:
    with pytest.raises(NotEstimable, match="nobody died while two groups were at risk"):
        log_rank(FollowUp(np.array([5.0, 2]), np.array([True, False])), np.array([0, 1]))


def test_groups_of_other_patients_are_refused() -> None:
    with pytest.raises(ValueError, match=r"groups of shape \(3,\).*each of 2 people"):
        log_rank(FollowUp(np.array([5.0, 2]), np.array([True, False])), np.array([0, 1, 1]))
