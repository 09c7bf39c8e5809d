"""Kaplan-Meier curves and censoring weights against lifelines, hand-worked patients, and a truth that is known."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from lifelines import KaplanMeierFitter

from training.statistics.censoring import FollowUp, censoring, effective_size, known_by, observation, survival, weights

UNTRUNCATED = 1e-12


@st.composite
def follow_ups(draw: st.DrawFn, *, delayed: bool = False) -> FollowUp:
    """Up to 30 patients with many ties; entries fall between the days, where every convention agrees."""
    n = draw(st.integers(2, 30))
    times = np.array(draw(st.lists(st.integers(1, 12), min_size=n, max_size=n)), dtype=float)
    deaths = np.array(draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    if not delayed:
        return FollowUp(times, deaths)
    entries = np.array(draw(st.lists(st.integers(0, 11), min_size=n, max_size=n))) + 0.5
    return FollowUp(times, deaths, np.minimum(entries, times - 0.5))


def test_curves_of_five_patients_worked_by_hand() -> None:
    five = FollowUp(np.array([1.0, 2.0, 2.0, 3.0, 4.0]), np.array([True, True, False, False, True]))
    alive, followed = survival(five), censoring(five)
    assert alive.at([0, 1, 2, 3, 4]).tolist() == pytest.approx([1, 4 / 5, 3 / 5, 3 / 5, 0])
    # On day 2 four are at risk; the one who dies is not at risk of being censored that day.
    assert followed.at([1, 2, 3, 9]).tolist() == pytest.approx([1, 2 / 3, 1 / 3, 1 / 3])
    assert followed.before([2, 3, 3.5]).tolist() == pytest.approx([1, 2 / 3, 1 / 3])


def test_weights_of_five_patients_worked_by_hand() -> None:
    five = FollowUp(np.array([1.0, 2.0, 2.0, 3.0, 4.0]), np.array([True, True, False, False, True]))
    found = weights(five, [2.0, 3.0], floor=0.01)
    assert found.dead[:, 1].tolist() == [True, True, False, False, False]
    assert found.weight[:, 0].tolist() == pytest.approx([1, 1, 1, 1, 1])
    assert found.weight[:, 1].tolist() == pytest.approx([1, 1, 0, 1.5, 1.5])
    assert found.min_g.tolist() == pytest.approx([1, 2 / 3])
    assert found.largest.tolist() == pytest.approx([1, 1.5])
    assert found.effective_survivors.tolist() == pytest.approx([3, 2])


def test_who_is_known_to_be_dead_or_alive_on_the_day_itself() -> None:
    four = FollowUp(np.array([90.0, 90.0, 89.0, 91.0]), np.array([True, False, False, True]), np.array([0.0, 0.0, 0.0, 90.0]))
    known = known_by(four, 90)
    assert known.dead.tolist() == [True, False, False, False]
    assert known.alive.tolist() == [False, True, False, False]
    assert known.censored.tolist() == [False, False, True, False]


@given(follow_ups())
def test_survival_is_that_of_lifelines(cohort: FollowUp) -> None:
    fitted = KaplanMeierFitter().fit(cohort.times, cohort.deaths)
    days = np.arange(0.0, 13.0)
    assert survival(cohort).at(days) == pytest.approx(fitted.survival_function_at_times(days).to_numpy(), abs=1e-12)


@given(follow_ups(delayed=True))
def test_survival_with_delayed_entry_is_that_of_lifelines(cohort: FollowUp) -> None:
    # One patient followed from first to last, because lifelines warns where nobody is at risk in between.
    times, deaths, entries = np.append(cohort.times, 13.0), np.append(cohort.deaths, False), np.append(cohort.entries, 0.0)
    fitted = KaplanMeierFitter().fit(times, deaths, entry=entries)
    days = np.arange(0.0, 13.0)
    expected = fitted.survival_function_at_times(days).to_numpy()
    assert survival(FollowUp(times, deaths, entries)).at(days) == pytest.approx(expected, abs=1e-12)


@given(follow_ups())
def test_censoring_is_that_of_lifelines_when_deaths_are_a_moment_earlier(cohort: FollowUp) -> None:
    fitted = KaplanMeierFitter().fit(cohort.times - 0.01 * cohort.deaths, ~cohort.deaths)
    days = np.arange(0.0, 13.0)
    assert censoring(cohort).at(days) == pytest.approx(fitted.survival_function_at_times(days).to_numpy(), abs=1e-12)


@given(follow_ups(), st.integers(1, 12))
def test_weights_stand_for_all_patients_and_give_the_kaplan_meier_risk(cohort: FollowUp, horizon: int) -> None:
    assume(not (known_by(cohort, horizon).censored.any() and not known_by(cohort, horizon).alive.any()))
    found = weights(cohort, [horizon], floor=UNTRUNCATED)
    assert found.weight.sum() == pytest.approx(len(cohort))
    assert found.weight[found.dead].sum() / len(cohort) == pytest.approx(1 - survival(cohort).at(horizon), abs=1e-12)


@given(follow_ups(delayed=True), st.integers(1, 12))
def test_with_delayed_entry_too_the_weighted_share_of_deaths_is_the_kaplan_meier_risk(cohort: FollowUp, horizon: int) -> None:
    found = weights(cohort, [horizon], floor=UNTRUNCATED)
    assume(found.min_g[0] > 0 and known_by(cohort, horizon).alive.any())
    share = found.weight[found.dead].sum() / found.weight.sum()
    assert share == pytest.approx(1 - survival(cohort).at(horizon), abs=1e-12)


@given(follow_ups(), st.data())
def test_entering_on_the_index_date_is_no_delay(cohort: FollowUp, data: st.DataObject) -> None:
    entered = FollowUp(cohort.times, cohort.deaths, np.zeros(len(cohort)))
    day = data.draw(st.integers(1, 12))
    assume(survival(cohort).before(day) > 0)
    assert observation(entered).before(day) == pytest.approx(observation(cohort).before(day))


@pytest.mark.parametrize("delayed", [False, True])
@given(data=st.data())
def test_a_multiplicity_is_a_repetition(delayed: bool, data: st.DataObject) -> None:
    cohort = data.draw(follow_ups(delayed=delayed))
    copies = np.array(data.draw(st.lists(st.integers(0, 3), min_size=len(cohort), max_size=len(cohort))))
    assume(copies.any())
    entries = None if cohort.entries is None else np.repeat(cohort.entries, copies)
    repeated = FollowUp(np.repeat(cohort.times, copies), np.repeat(cohort.deaths, copies), entries)
    days = np.arange(1.0, 13.0)
    assert survival(cohort, copies.astype(float)).at(days) == pytest.approx(survival(repeated).at(days))
    counted, written_out = weights(cohort, days, multiplicity=copies.astype(float)), weights(repeated, days)
    assert np.repeat(counted.weight, copies, axis=0) == pytest.approx(written_out.weight)
    assert counted.min_g == pytest.approx(written_out.min_g)
    assert counted.largest == pytest.approx(written_out.largest)
    assert counted.effective_deaths == pytest.approx(written_out.effective_deaths)


@given(follow_ups(delayed=True), st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(cohort: FollowUp, random: object) -> None:
    order = np.arange(len(cohort))
    random.shuffle(order)  # type: ignore[attr-defined]
    shuffled = FollowUp(cohort.times[order], cohort.deaths[order], cohort.entries[order])
    assert weights(shuffled, [5.0]).weight == pytest.approx(weights(cohort, [5.0]).weight[order])


def test_without_censoring_every_weight_is_one() -> None:
    everybody = FollowUp(np.array([5.0, 8.0, 8.0, 20.0]), np.ones(4, bool))
    assert (weights(everybody, [1.0, 8.0, 30.0]).weight == 1).all()


def test_weights_are_truncated_at_the_floor_and_the_smallest_g_is_kept() -> None:
    times = np.arange(1.0, 101.0)
    cohort = FollowUp(times, times > 99)
    found = weights(cohort, [99.0], floor=0.05)
    assert found.min_g[0] == pytest.approx(0.02)
    assert found.largest[0] == pytest.approx(20)


def test_weighting_is_unbiased_where_dropping_and_calling_alive_are_not() -> None:
    random = np.random.default_rng(20240229)
    life, cut = random.exponential(400, 40_000), random.uniform(0, 600, 40_000)
    cohort = FollowUp(np.minimum(life, cut), life <= cut)
    truth, found, known = 1 - np.exp(-365 / 400), weights(cohort, [365.0]), known_by(cohort, 365)
    weighted = found.weight[known.dead, 0].sum() / found.weight.sum()
    assert weighted == pytest.approx(truth, abs=0.01)
    assert known.dead.sum() / (known.dead | known.alive).sum() > truth + 0.1
    assert known.dead.mean() < truth - 0.1


def test_weighting_is_unbiased_with_delayed_entry() -> None:
    random = np.random.default_rng(7)
    life, entry = random.exponential(300, 60_000), random.choice([0.0, 60.0, 120.0], 60_000)
    cut = entry + random.uniform(50, 900, 60_000)
    seen = life > entry
    cohort = FollowUp(np.minimum(life, cut)[seen], (life <= cut)[seen], entry[seen])
    found = weights(cohort, [180.0])
    dead = found.weight[found.dead].sum() / found.weight.sum()
    assert dead == pytest.approx(1 - np.exp(-180 / 300), abs=0.01)
    assert observation(cohort).before(180.0) == pytest.approx(np.mean((entry < 180) & (cut >= 180)), abs=0.01)


def test_a_survival_curve_lost_before_others_enter_leaves_nobody_observed() -> None:
    lost = FollowUp(np.array([10.0, 200.0, 300.0]), np.array([True, True, False]), np.array([0.0, 50.0, 60.0]))
    assert weights(lost, [100.0]).min_g[0] == 0


def test_effective_size_is_the_number_of_equal_weights_and_less_of_unequal_ones() -> None:
    assert effective_size(np.array([3.0, 3.0, 3.0])) == pytest.approx(3)
    assert effective_size(np.array([1.0, 1.0, 10.0])) == pytest.approx(144 / 102)
    assert effective_size(np.zeros(3)) == 0


@pytest.mark.parametrize(
    ("times", "deaths", "entries", "fault"),
    [
        ([1.0, -3.0], [True, False], None, r"times in 1 row\(s\) \(1\): allowed is 0 days or more"),
        ([1.0, np.nan], [True, False], None, "likely missing, or follow-up before the index date"),
        ([1.0, 2.0], [1, 2], None, "allowed is True or False; likely an indicator 0/1/2"),
        ([1.0, 2.0], [True], None, "one time, one death"),
        ([], [], None, "at least one patient"),
        ([1.0, 2.0], [True, False], [0.0, 2.0], r"entries in 1 row\(s\) \(1\): allowed is before the end of follow-up"),
        ([1.0, 2.0], [True, False], [-1.0, 0.0], "entries .* allowed is 0 days or more"),
        ([-1.0, 2.0], [0, 1], None, "deaths of type .*; times in"),
    ],
)
def test_a_follow_up_that_cannot_be_is_refused(
    times: list[float], deaths: list[object], entries: list[float] | None, fault: str
) -> None:
    with pytest.raises(ValueError, match=fault):
        FollowUp(np.array(times), np.array(deaths), None if entries is None else np.array(entries))


def test_impossible_horizons_and_floors_are_refused() -> None:
    cohort = FollowUp(np.array([1.0, 2.0]), np.array([True, False]))
    with pytest.raises(ValueError, match="days above 0"):
        weights(cohort, [0.0])
    with pytest.raises(ValueError, match="a weight was given instead of a probability"):
        weights(cohort, [1.0], floor=20)
