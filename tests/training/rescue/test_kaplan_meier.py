"""The curve, its band, its median and the numbers at risk, against lifelines and against what R prints for its lung patients."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines import KaplanMeierFitter
from lifelines.datasets import load_lung

from training.rescue.kaplan_meier import kaplan_meier
from training.statistics.censoring import FollowUp

pairs = st.lists(st.tuples(st.integers(1, 30), st.booleans()), min_size=2, max_size=40).filter(lambda all: any(d for _, d in all))


def lung() -> FollowUp:
    table = load_lung()
    died = table["status"].to_numpy(float)
    return FollowUp(table["time"].to_numpy(float), died == died.max())


def test_the_lung_patients_have_the_median_that_r_prints() -> None:
    # R survival, survfit(Surv(time, status) ~ 1, data = lung, conf.type = "log-log"): 228, 165, 310, 284, 361
    follow_up = lung()
    assert (len(follow_up), int(follow_up.deaths.sum())) == (228, 165)
    assert kaplan_meier(follow_up).median() == (310.0, 284.0, 361.0)


@settings(max_examples=40, deadline=None)
@given(pairs)
def test_curve_and_band_are_those_of_lifelines(given_pairs: list[tuple[int, bool]]) -> None:
    times, deaths = (np.array(column) for column in zip(*given_pairs, strict=True))
    oracle = KaplanMeierFitter().fit(times, deaths)
    found = kaplan_meier(FollowUp(times, deaths))
    days = np.unique(times).tolist()
    assert found.alive.at(days) == pytest.approx(oracle.survival_function_.loc[days].to_numpy()[:, 0], abs=1e-9)
    low, high = found.band(days)
    ends = oracle.confidence_interval_survival_function_.loc[days].to_numpy()
    known = ~np.isnan(low)
    assert low[known] == pytest.approx(ends[known, 0], abs=1e-6)
    assert high[known] == pytest.approx(ends[known, 1], abs=1e-6)
    assert found.at_risk(days) == oracle.event_table.loc[days, "at_risk"].tolist()


def test_with_delayed_entry_nobody_counts_before_entering() -> None:
    rng = np.random.default_rng(8)
    entries = rng.integers(0, 20, 60).astype(float)
    times, deaths = entries + rng.integers(1, 40, 60), rng.random(60) < 0.7
    oracle = KaplanMeierFitter().fit(times, deaths, entry=entries)
    found = kaplan_meier(FollowUp(times, deaths, entries))
    days = oracle.survival_function_.index[oracle.survival_function_.index > 0].tolist()
    days = [day for day in days if day in set(times)]
    assert found.alive.at(days) == pytest.approx(oracle.survival_function_.loc[days].to_numpy()[:, 0], abs=1e-9)
    low, _ = found.band(days)
    known = ~np.isnan(low)
    assert low[known] == pytest.approx(oracle.confidence_interval_survival_function_.loc[days].to_numpy()[known, 0], abs=1e-6)


def test_a_median_that_is_not_reached_is_none() -> None:
    found = kaplan_meier(FollowUp(np.array([1.0, 5, 5, 5]), np.array([True, False, False, False])))
    assert found.median()[0] is None


def test_where_all_or_none_have_died_there_is_no_band() -> None:
    found = kaplan_meier(FollowUp(np.array([2.0, 3]), np.array([True, True])))
    assert np.isnan(found.band([1.0, 3.0])).all()
