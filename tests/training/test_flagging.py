"""Flagging worked by hand, against lifelines within the flagged, and written out row by row."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lifelines import KaplanMeierFitter

from training.statistics.calibration import sigmoid
from training.statistics.censoring import Array, FollowUp
from training.statistics.evaluate import evaluate
from training.statistics.flagging import Flagged, FlaggedOutcome, thresholds_of


def simulated(n: int, seed: int, *, entries: bool = False) -> tuple[Array, FollowUp]:
    """Stated risks by day 180, to the hundredth, and a follow-up in whole days."""
    random = np.random.default_rng(seed)
    lp = random.normal(size=n)
    life, cut = random.exponential(np.exp(5.7 - lp)), random.uniform(40, 600, n)
    times = np.ceil(np.minimum(life, cut))
    entered = np.floor(random.uniform(0, 1, n) * np.minimum(times - 1, 60)) if entries else None
    return np.round(sigmoid(lp - 0.5), 2), FollowUp(times, life <= cut, entered)


def test_six_patients_worked_by_hand() -> None:
    """Flagged from .5: dead on day 1, lost on day 2, dead on day 3. The rest: dead on day 2, and two alive on day 9."""
    risk = np.array([0.9, 0.8, 0.5, 0.4, 0.2, 0.1])
    followed = FollowUp(np.array([1.0, 2, 3, 2, 9, 9]), np.array([True, False, True, True, False, False]))
    of = Flagged(risk, np.array([0.5]), followed, 5.0).outcome()
    assert of.share[0] == 0.5
    assert of.risk[0] == pytest.approx(1)  # 1 - 2/3 * 0/1
    assert of.risk_of_rest[0] == pytest.approx(1 / 3)
    assert of.sensitivity[0] == pytest.approx(1 / (1 + 1 / 3))
    assert of.risk_of_everybody == pytest.approx(1 - 5 / 6 * 4 / 5 * 2 / 3)


@pytest.mark.parametrize("entries", [False, True])
def test_the_risk_of_each_group_is_kaplan_meier_within_it(entries: bool) -> None:
    risk, followed = simulated(400, 1, entries=entries)
    thresholds = np.array([0.6, 0.1, 0.3, 0.3])
    of = Flagged(risk, thresholds, followed, 180.0).outcome()
    for k, threshold in enumerate(thresholds):
        for told, there in ((of.risk[k], risk >= threshold), (of.risk_of_rest[k], risk < threshold)):
            late = None if followed.entries is None else followed.entries[there]
            curve = KaplanMeierFitter().fit(followed.times[there], followed.deaths[there], entry=late)
            assert told == pytest.approx(1 - curve.predict(180.0), abs=1e-6)


def test_without_delayed_entry_the_share_flagged_is_a_count_and_with_it_counts_who_died_too_early_to_enter() -> None:
    random = np.random.default_rng(2)
    flagged = random.random(40_000) < 0.5
    life, entry = random.exponential(np.where(flagged, 60.0, 400.0)), random.uniform(0, 60, 40_000)
    there, risk = life > entry, np.where(flagged, 0.9, 0.1)
    late = FollowUp(life[there], np.ones(there.sum(), bool), entry[there])
    of = Flagged(risk[there], np.array([0.5]), late, 180.0).outcome()
    assert flagged[there].mean() < 0.42  # many of the flagged died before they could be seen
    assert of.share[0] == pytest.approx(0.5, abs=0.01)
    whole = Flagged(risk, np.array([0.5]), FollowUp(life, np.ones(40_000, bool)), 180.0).outcome()
    assert whole.share[0] == flagged.mean()
    assert of.sensitivity[0] == pytest.approx(whole.sensitivity[0], abs=0.02)


@given(st.integers(0, 2**32 - 1), st.booleans())
def test_a_row_that_counts_twice_is_a_row_written_twice(seed: int, entries: bool) -> None:
    risk, followed = simulated(60, seed, entries=entries)
    copies = np.random.default_rng(seed).integers(0, 3, 60)
    parts = (None if each is None else np.repeat(each, copies) for each in (followed.times, followed.deaths, followed.entries))
    thresholds = np.array([0.2, 0.5])
    once = Flagged(risk, thresholds, followed, 180.0).outcome(copies.astype(float))
    twice = Flagged(np.repeat(risk, copies), thresholds, FollowUp(*parts), 180.0).outcome()
    for name in ("share", "risk", "risk_of_rest", "risk_of_everybody"):
        assert getattr(once, name) == pytest.approx(getattr(twice, name), nan_ok=True)


@given(st.integers(0, 2**32 - 1))
def test_where_nobody_is_lost_sensitivity_and_ppv_are_plain_shares_and_a_lower_threshold_finds_more(seed: int) -> None:
    risk, followed = simulated(80, seed)
    everybody, dead = FollowUp(followed.times, np.ones(80, bool)), followed.times <= 180
    thresholds = np.sort(np.unique(risk))[[5, 20]]
    of = Flagged(risk, thresholds, everybody, 180.0).outcome()
    for k, threshold in enumerate(thresholds):
        assert of.sensitivity[k] == pytest.approx((risk[dead] >= threshold).mean())
        assert of.risk[k] == pytest.approx(dead[risk >= threshold].mean())
    assert of.sensitivity[0] >= of.sensitivity[1]


def test_a_group_that_is_empty_or_was_not_followed_has_no_risk() -> None:
    followed = FollowUp(np.array([1.0, 2, 9, 9]), np.array([True, False, True, False]))
    of = Flagged(np.array([0.8, 0.7, 0.2, 0.1]), np.array([0.5, 0.9]), followed, 5.0).outcome()
    assert np.isnan(of.risk).tolist() == [True, True]
    assert of.share.tolist() == [0.5, 0]
    assert np.isnan(of.sensitivity[0])
    assert FlaggedOutcome(np.zeros(1), np.array([np.nan]), np.array([0.2]), 0.2).sensitivity[0] == 0


def test_a_flag_rate_flags_that_share_and_ties_together() -> None:
    risk = np.random.default_rng(3).permutation(np.arange(100) / 100)
    assert [(risk >= each).mean() for each in thresholds_of(risk, [0.05, 0.2, 0.5])] == pytest.approx([0.05, 0.2, 0.5])
    tied = np.repeat([0.1, 0.4], 50)
    assert (tied >= thresholds_of(tied, [0.05])[0]).mean() == 0.5


def test_what_a_few_patients_would_tell_of_is_not_told() -> None:
    risk, followed = simulated(150, 4)
    log_odds = np.log(np.clip(risk, 0.01, 0.99) / (1 - np.clip(risk, 0.01, 0.99)))[:, None]
    found = evaluate(sigmoid(log_odds), log_odds, followed, (180.0,), bootstrap=20, seed=1).horizons[180]
    assert found.flagging[0].flagged < 10 / 150
    assert found.flagging[0].ppv.value is None
    assert "fewer than 10 patients are flagged" in json.dumps(found.flagging[0].as_json())
    counts = [(each, (risk >= each.threshold).sum()) for each in found.net_benefit]
    few = [each for each, flagged in counts if 0 < flagged < 10 or 0 < 150 - flagged < 10]
    assert few
    assert all(each.model.value is None and each.treat_all.value is not None for each in few)


def test_a_rate_of_the_flagged_has_its_interval_and_needs_as_many_patients_as_it_says() -> None:
    risk, followed = simulated(800, 5)
    log_odds = np.log(np.clip(risk, 0.01, 0.99) / (1 - np.clip(risk, 0.01, 0.99)))[:, None]
    for each in evaluate(sigmoid(log_odds), log_odds, followed, (180.0,), bootstrap=60, seed=1).horizons[180].flagging:
        assert each.ppv.low < each.ppv.value < each.ppv.high
        assert each.sensitivity.low < each.sensitivity.value < each.sensitivity.high
        assert each.number_needed_to_evaluate.value == pytest.approx(1 / each.ppv.value)
        assert each.number_needed_to_evaluate.low == pytest.approx(1 / each.ppv.high, rel=0.02)
