"""At a landmark nobody is credited with what was not known, and nothing of the future reaches the groups."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter
from lifelines.statistics import logrank_test

from training.rescue.covariates import Adjustment
from training.rescue.landmarked import Landmarked, landmarked
from training.rescue.modelled import HazardRatio, compared, rows_of, time_dependent
from training.rescue.naive import Naive, drawn_by_lot, naive
from training.rescue.needed import Refused
from training.rescue.rmst import RestrictedMean
from training.rescue.survived import Mean
from training.rescue.timed import Timed

pytestmark = pytest.mark.filterwarnings("ignore:Starting with pandas version 4.0")
N = 400
NOTHING = Adjustment((), (), np.zeros((N, 0)), np.zeros(N, np.intp), {}, {})


def patients(seed: int = 3) -> Timed:
    """400 patients who die or are lost, and recover meanwhile or not, each independent of the other."""
    rng = np.random.default_rng(seed)
    days, deaths = np.ceil(rng.exponential(120, N)), rng.random(N) < 0.85
    on = np.ceil(rng.exponential(90, N))
    return Timed(np.where(on <= days, on, np.nan), np.zeros(N), days, deaths, np.arange(N))


def at(of: Timed, day: float = 56.0) -> Landmarked:
    found = landmarked(of, day, 365.0, NOTHING)
    assert isinstance(found, Landmarked)
    return found


def test_everybody_is_either_in_a_group_or_gone_before() -> None:
    of = patients()
    found = at(of)
    assert sum(group.patients for group in found.groups) == found.alive
    assert found.alive + found.died_before + found.lost_before + found.not_yet_entered == N


def test_a_recovery_after_the_landmark_changes_no_group() -> None:
    of = patients()
    later = np.where(of.on > 56, of.days, of.on)  # on the last day instead
    never = np.where(of.on > 56, np.nan, of.on)
    for other in (later, never):
        moved = at(replace(of, on=other))
        assert moved.unadjusted == at(of).unadjusted
        assert moved.log_rank == at(of).log_rank


def test_who_died_before_the_landmark_is_nowhere() -> None:
    of = patients()
    gone = of.days <= 56
    assert at(of.part(~gone)).unadjusted == at(of).unadjusted


def test_ratio_and_log_rank_are_those_of_lifelines() -> None:
    of, found = patients(), at(patients())
    alive = of.days > 56
    until, died = np.minimum(of.days, 365)[alive] - 56, (of.deaths & (of.days <= 365))[alive]
    group = of.by(56)[alive]
    oracle = logrank_test(until[group], until[~group], died[group], died[~group])
    assert found.log_rank == pytest.approx(oracle.p_value, abs=1e-6)
    table = pd.DataFrame({"t": until, "d": died, "x": group.astype(float)})
    cox = CoxPHFitter().fit(table, "t", "d", fit_options={"precision": 1e-12})
    assert isinstance(found.unadjusted, HazardRatio)
    assert found.unadjusted.log == pytest.approx(cox.params_["x"], abs=1e-6)


def test_too_few_recovered_are_refused_with_what_is_short() -> None:
    of = patients()
    few = np.where(of.on <= np.sort(of.on[of.on > 0])[4], of.on, np.nan)
    found = landmarked(replace(of, on=few), 56.0, 365.0, NOTHING)
    assert isinstance(found, Refused)
    assert found.why.startswith("<10 patients recovered by the landmark: at least 10 are needed")


def test_whoever_enters_after_the_landmark_is_not_in_it() -> None:
    of = patients()
    late = np.where(np.arange(N) % 4 == 0, np.minimum(70.0, of.days - 1), 0.0)
    found = at(replace(of, entries=np.maximum(late, 0.0)))
    assert found.not_yet_entered == int(((late > 56) & (of.days > 56)).sum()) > 0


def test_the_difference_of_the_means_has_its_interval() -> None:
    found = Mean(RestrictedMean(300, 200, 6), RestrictedMean(300, 180, 8))
    assert found.difference.days == 20
    assert found.interval == pytest.approx((20 - 19.6, 20 + 19.6), abs=0.01)


def test_a_lot_gives_out_as_many_recoveries_to_those_who_live_that_long() -> None:
    of = patients()
    drawn = drawn_by_lot(of, np.random.default_rng(1))
    there = ~np.isnan(drawn)
    assert sorted(drawn[there]) == sorted(of.on[of.happened])
    assert (of.days[there] >= drawn[there]).all()


def test_recoveries_that_mean_nothing_have_a_naive_ratio_far_below_one() -> None:
    apart = []
    for seed in (1, 2, 3, 4, 5, 6):
        found = naive(patients(seed), 365.0, NOTHING, lots=10)
        assert isinstance(found, Naive)
        assert isinstance(found.unadjusted, HazardRatio)
        assert isinstance(found.by_lot, float)
        assert found.unadjusted.high < 0.6
        assert found.immortal_days == pytest.approx(np.nanmean(patients(seed).on))
        apart.append(found.unadjusted.log - np.log(found.by_lot))
    assert np.mean(apart) == pytest.approx(0.0, abs=0.1)  # that recovery means nothing is what the lots say too


def test_the_same_recoveries_as_time_goes_on_have_a_ratio_of_one() -> None:
    found = time_dependent(patients(), None)
    assert isinstance(found, HazardRatio)
    assert found.low < 1 < found.high


def test_ratios_of_groups_are_those_of_models_of_their_own() -> None:
    of = patients()
    first = np.arange(N) % 2 == 0
    found = compared(of, [first, ~first], NOTHING)
    assert not isinstance(found, Refused)
    alone = [time_dependent(of.part(rows), None) for rows in (first, ~first)]
    expected = [one.log for one in alone if isinstance(one, HazardRatio)]
    assert [one.log for one in found.ratios] == pytest.approx(expected, abs=1e-7)
    apart = found.ratios[0].log - found.ratios[1].log
    assert found.statistic == pytest.approx(apart**2 / sum(one.error**2 for one in found.ratios), abs=1e-6)


def test_nobody_is_at_risk_as_recovered_before_it_was_known() -> None:
    of = patients()
    rows = rows_of(of)
    after = rows.state == 1
    assert (rows.start[after] >= of.on[rows.patient[after]]).all()
