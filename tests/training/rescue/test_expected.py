from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.recovery import recovered_on
from training.rescue.expected import expected, noise_between_draws, rule_met
from training.rescue.person import Person
from training.statistics.estimates import NotEstimable

days = st.lists(st.integers(1, 40), min_size=1, max_size=7, unique=True).map(sorted)


@given(days, st.floats(0.0, 1.0), st.sampled_from([0.0, 7.0, 14.0]))
def test_the_chance_that_the_rule_is_met_is_that_of_counting_every_outcome(days: list[int], p: float, apart: float) -> None:
    counted = 0.0
    for high in itertools.product([False, True], repeat=len(days)):
        draws = [(float(day), 2.0 if up else 0.5) for day, up in zip(days, high, strict=True)]
        if recovered_on(draws, 1.0, apart) is not None:
            counted += math.prod(p if up else 1 - p for up in high)
    found = rule_met(tuple((float(day), 0.0) for day in days), np.array([p]), apart)
    assert found[0] == pytest.approx(counted, abs=1e-12)


def test_noise_is_found_beside_a_trend() -> None:
    rng = np.random.default_rng(5)
    made = []
    for _ in range(1500):
        at = np.arange(0.0, 90.0, 14.0)
        made.append(list(zip(at, np.exp(0.01 * at - 0.3 + 0.2 * rng.standard_normal(at.size)), strict=True)))
    assert noise_between_draws(made) == pytest.approx(0.20, abs=0.01)


def test_too_few_draws_to_know_the_noise_are_refused() -> None:
    with pytest.raises(NotEstimable, match="1 draws with two neighbours within 42 days: at least 30 are needed"):
        noise_between_draws([[(0, 1.0), (14, 1.1), (28, 0.9)]])


def test_draws_too_far_apart_say_nothing_of_noise() -> None:
    with pytest.raises(NotEstimable, match="0 draws"):
        noise_between_draws([[(0, 1.0), (30, 1.1), (60, 0.9)]] * 40)


def test_the_expected_share_is_that_of_patients_in_whom_nothing_changes() -> None:
    rng = np.random.default_rng(11)
    true = rng.normal(math.log(1.1), 0.45, 40_000)
    seen = np.exp(true + rng.normal(0, 0.22, true.size))
    at = (14.0, 35.0, 56.0)
    draws = np.exp(true[:, None] + rng.normal(0, 0.22, (true.size, 3)))
    low = np.flatnonzero(seen < 1.0)
    happened = [recovered_on(list(zip(at, draws[row], strict=True)), 1.0) is not None for row in low]
    single = [recovered_on(list(zip(at, draws[row], strict=True)), 1.0, 0.0) is not None for row in low]
    people = [Person(100.0, True, float(seen[row]), counts=tuple((day, 0.0) for day in at)) for row in low[:1500]]
    found = expected(seen.tolist(), people, 1.0, 0.22)
    assert found.two_draws == pytest.approx(np.mean(happened), abs=0.015)
    assert found.one_draw == pytest.approx(np.mean(single), abs=0.02)
    assert found.reliability == pytest.approx(0.45**2 / (0.45**2 + 0.22**2), abs=0.01)


def test_without_noise_nobody_recovers_by_chance() -> None:
    people = [Person(100.0, True, 0.7, counts=((10.0, 0.0), (30.0, 0.0)))]
    found = expected([0.5 + 0.05 * one for one in range(30)], people, 1.0, 0.0)
    assert (found.two_draws, found.one_draw) == (0.0, 0.0)


def test_few_patients_are_refused() -> None:
    with pytest.raises(NotEstimable, match="3 patients with a count on the index date: at least 20 are needed"):
        expected([1.0, 0.5, 0.7], [], 1.0, 0.2)
