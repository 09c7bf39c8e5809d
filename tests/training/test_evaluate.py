"""The whole judgement of a model on simulated patients whose true risks are known, and what it says when it cannot judge."""

import json
import time

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from training.statistics.calibration import sigmoid
from training.statistics.censoring import FollowUp
from training.statistics.estimates import Estimate, NotEstimable, estimate, resamples
from training.statistics.evaluate import evaluate, paired_difference

HORIZONS = (30.0, 60.0, 90.0, 180.0, 365.0)


def simulated(n: int, seed: int, last_cut: float = 900.0) -> tuple[np.ndarray, np.ndarray, FollowUp]:
    """True risks and log-odds (n, 5) of patients with exponential survival, followed for 100 to `last_cut` days at most."""
    random = np.random.default_rng(seed)
    hazard = np.exp(0.8 * random.normal(size=n)) / 300
    life, cut = random.exponential(1 / hazard), random.uniform(100, last_cut, n)
    risks = -np.expm1(-np.outer(hazard, HORIZONS))
    log_odds = np.log(risks / (1 - risks))
    return sigmoid(log_odds), log_odds, FollowUp(np.ceil(np.minimum(life, cut)), life <= cut)


def test_true_risks_are_found_calibrated_at_every_horizon() -> None:
    found = evaluate(*simulated(4000, 1), HORIZONS, bootstrap=40, seed=1)
    assert list(found.horizons) == list(HORIZONS)
    for each in found.horizons.values():
        for statistic, ideal, tolerance in (("intercept", 0, 0.2), ("slope", 1, 0.2), ("observed_expected", 1, 0.15)):
            measured = getattr(each.calibration, statistic)
            assert measured.value == pytest.approx(ideal, abs=tolerance)
            assert measured.low < measured.value < measured.high
        assert each.calibration.ici.value < 0.03
        assert each.calibration.ici.value <= each.calibration.e90.value
        assert each.ipa.low > 0


def test_the_json_has_the_promised_shape() -> None:
    found = evaluate(*simulated(400, 2), HORIZONS, bootstrap=20, seed=1).as_json()
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert list(found) == ["n", "uno_c", "horizons", "refused"]
    assert list(found["uno_c"]) == ["value", "low", "high", "tau"]
    assert found["uno_c"]["tau"] == 365
    ninety = found["horizons"]["90"]
    counts, use = ["deaths", "survivors", "censored_before", "min_g"], ["net_benefit", "flagging", "naive"]
    assert list(ninety) == [*counts, "auc", "brier", "ipa", "calibration", *use]
    line = ninety["calibration"]
    assert list(line) == ["intercept", "slope", "observed_expected", "ici", "e50", "e90", "curve"]
    curve = line.pop("curve")
    assert all(list(ninety[name]) == ["value", "low", "high"] for name in ("auc", "brier", "ipa"))
    assert all(list(each) == ["value", "low", "high"] for each in line.values())
    assert len(curve) == 20
    assert all(list(point) == ["stated", "observed", "low", "high"] for point in curve)
    assert ninety["deaths"] + ninety["survivors"] + ninety["censored_before"] == found["n"] == 400


def test_the_json_of_decisions_has_the_promised_shape() -> None:
    ninety = evaluate(*simulated(400, 2), HORIZONS, bootstrap=20, seed=1).as_json()["horizons"]["90"]
    assert [each["threshold"] for each in ninety["net_benefit"]] == pytest.approx(np.arange(0.05, 0.601, 0.025))
    assert all(list(each) == ["threshold", "model", "treat_all"] for each in ninety["net_benefit"])
    statistics = ["sensitivity", "ppv", "number_needed_to_evaluate"]
    assert all(list(each) == ["flag_rate", "flagged", "threshold", *statistics] for each in ninety["flagging"])
    assert all(list(each[name]) == ["value", "low", "high"] for each in ninety["flagging"] for name in statistics)
    assert list(ninety["naive"]) == ["weighted", "dropped", "called_alive"]


def test_dropping_the_lost_says_too_much_and_calling_them_alive_too_little() -> None:
    _, log_odds, cohort = simulated(4000, 16, last_cut=500.0)
    found = evaluate(sigmoid(log_odds), log_odds, cohort, HORIZONS, bootstrap=0, seed=1).horizons[365]
    whole = sigmoid(log_odds[:, 4]).mean()
    assert found.naive.weighted == pytest.approx(whole, abs=0.02)
    assert found.naive.dropped > whole + 0.1
    assert found.naive.called_alive < whole - 0.08


def test_the_curve_of_true_risks_is_the_diagonal_and_its_intervals_hold_it() -> None:
    curve = evaluate(*simulated(4000, 1), HORIZONS, bootstrap=40, seed=1).horizons[180].calibration.curve
    assert [point.observed.value for point in curve] == pytest.approx([point.stated for point in curve], abs=0.05)
    assert sum(point.observed.low <= point.stated <= point.observed.high for point in curve) >= 15
    assert (np.diff([point.stated for point in curve]) > 0).all()


def test_a_follow_up_cut_before_the_horizon_is_refused_and_the_concordance_looks_less_far() -> None:
    found = evaluate(*simulated(1500, 3, last_cut=300.0), HORIZONS, bootstrap=10, seed=1).as_json()
    assert list(found["horizons"]) == ["30", "60", "90", "180"]
    assert found["refused"]["365"].startswith("not identifiable: nobody is known to be alive on day 365")
    assert found["uno_c"]["tau"] == 180


def test_a_cohort_that_can_answer_nothing_is_told_so() -> None:
    found = evaluate(*simulated(30, 4), HORIZONS, bootstrap=10, seed=1)
    assert found.uno_c is None
    assert not found.horizons
    assert found.as_json()["refused"]["30"].startswith("not evaluable: ")


def test_without_censoring_the_statistics_are_the_plain_ones() -> None:
    risks, log_odds, cohort = simulated(500, 5)
    everybody = FollowUp(cohort.times, np.ones(500, bool))
    found = evaluate(risks, log_odds, everybody, HORIZONS, bootstrap=0, seed=1).horizons[90]
    dead = cohort.times <= 90
    assert found.auc.value == pytest.approx(roc_auc_score(dead, log_odds[:, 2]))
    brier, null = np.mean((risks[:, 2] - dead) ** 2), dead.mean() * (1 - dead.mean())
    assert found.ipa.value == pytest.approx(1 - brier / null)
    assert found.calibration.observed_expected.value == pytest.approx(dead.mean() / risks[:, 2].mean())


def test_the_order_of_the_rows_does_not_change_what_is_found() -> None:
    risks, log_odds, cohort = simulated(600, 6)
    order, names = np.random.default_rng(1).permutation(600), np.arange(600)
    shuffled = FollowUp(cohort.times[order], cohort.deaths[order])
    one = evaluate(risks, log_odds, cohort, HORIZONS, groups=names, bootstrap=10, seed=1)
    other = evaluate(risks[order], log_odds[order], shuffled, HORIZONS, groups=names[order], bootstrap=10, seed=1)
    for horizon in HORIZONS:
        for statistic in ("auc", "ipa"):
            mine, theirs = getattr(one.horizons[horizon], statistic), getattr(other.horizons[horizon], statistic)
            assert (mine.value, mine.low, mine.high) == pytest.approx((theirs.value, theirs.low, theirs.high))


def test_rows_of_a_patient_are_drawn_together() -> None:
    risks, log_odds, cohort = simulated(300, 7)
    twice = FollowUp(np.repeat(cohort.times, 2), np.repeat(cohort.deaths, 2))
    rows = (np.repeat(risks, 2, axis=0), np.repeat(log_odds, 2, axis=0), twice, HORIZONS)
    alone = evaluate(risks, log_odds, cohort, HORIZONS, bootstrap=50, seed=1)
    grouped = evaluate(*rows, groups=np.repeat(np.arange(300), 2), bootstrap=50, seed=1)
    careless = evaluate(*rows, bootstrap=50, seed=1)
    assert grouped.n == alone.n == 300
    mine, theirs = grouped.horizons[180].auc, alone.horizons[180].auc
    assert (mine.value, mine.low, mine.high) == pytest.approx((theirs.value, theirs.low, theirs.high))
    assert careless.horizons[180].auc.high - careless.horizons[180].auc.low < 0.85 * (theirs.high - theirs.low)


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    _, log_odds, cohort = simulated(60_000, 8)
    better, worse = log_odds[:, 3], log_odds[:, 3] + np.random.default_rng(4).normal(0, 0.7, 60_000)
    truth = paired_difference(better, worse, cohort, 180, bootstrap=0, seed=1).value
    covered = 0
    for part in np.arange(60_000).reshape(100, 600):
        followed = FollowUp(cohort.times[part], cohort.deaths[part])
        found = paired_difference(better[part], worse[part], followed, 180, bootstrap=60, seed=2)
        covered += found.low <= truth <= found.high
    assert covered >= 87


def test_a_paired_difference_is_narrower_than_either_part_and_has_its_sign() -> None:
    _, log_odds, cohort = simulated(1000, 9)
    noisy = log_odds[:, 3] + np.random.default_rng(3).normal(0, 0.5, 1000)
    better = paired_difference(log_odds[:, 3], noisy, cohort, 180, bootstrap=100, seed=1)
    worse = paired_difference(noisy, log_odds[:, 3], cohort, 180, bootstrap=100, seed=1)
    alone = evaluate(sigmoid(log_odds), log_odds, cohort, HORIZONS, bootstrap=100, seed=1).horizons[180].auc
    assert better.value > 0
    assert (worse.low, worse.high) == pytest.approx((-better.high, -better.low))
    assert better.high - better.low < alone.high - alone.low


def test_a_paired_difference_in_overall_fit_is_the_difference_of_the_two() -> None:
    _, log_odds, cohort = simulated(500, 10)
    found = [
        evaluate(sigmoid(each), each, cohort, HORIZONS, bootstrap=0, seed=1).horizons[180].ipa.value
        for each in (log_odds, log_odds / 2)
    ]
    difference = paired_difference(log_odds[:, 3], log_odds[:, 3] / 2, cohort, 180, statistic="ipa", bootstrap=0, seed=1)
    assert difference.value == pytest.approx(found[0] - found[1])
    assert difference.why == "no interval: no resamples were drawn"


def test_a_paired_difference_at_a_refused_horizon_is_refused() -> None:
    _, log_odds, cohort = simulated(30, 11)
    with pytest.raises(NotEstimable, match=r"day 30 is not evaluable: \d+ deaths by day 30: at least 20 are needed"):
        paired_difference(log_odds[:, 0], log_odds[:, 1], cohort, 30, seed=1)


def test_a_statistic_that_does_not_exist_is_null_and_says_why() -> None:
    _, log_odds, cohort = simulated(300, 12)
    alike = np.zeros_like(log_odds) - 1.0
    found = evaluate(sigmoid(alike), alike, cohort, HORIZONS, bootstrap=5, seed=1).as_json()["horizons"]["180"]
    assert found["auc"]["value"] is None
    assert "nobody is ranked before another" in found["auc"]["why"]
    assert found["calibration"]["curve"] == []
    assert found["calibration"]["slope"]["value"] is None
    assert "the same risk was stated for everybody" in found["calibration"]["slope"]["why"]


def test_an_interval_is_withheld_when_many_resamples_fail_and_failures_are_counted() -> None:
    few, many = [np.nan] + [0.5] * 19, [np.nan] * 3 + [0.5] * 17
    assert estimate(0.5, few) == Estimate(0.5, 0.5, 0.5, "", failed=1, resamples=20)
    assert estimate(0.5, many) == Estimate(0.5, None, None, "no interval: 3 of 20 resamples do not determine it", 3, 20)
    refused = estimate(NotEstimable("nobody died"), many).as_json()
    assert refused == {"value": None, "low": None, "high": None, "why": "nobody died"}


def test_resamples_draw_whole_patients_as_many_as_there_are() -> None:
    patients = np.array([0, 0, 1, 2, 2, 2])
    for drawn in resamples(patients, 20, seed=1):
        assert drawn[0] == drawn[1]
        assert drawn[3] == drawn[4] == drawn[5]
        assert drawn[[0, 2, 3]].sum() == 3


def test_progress_is_told_of_every_resample_and_a_seed_gives_the_same_interval() -> None:
    told: list[int] = []
    first = evaluate(*simulated(200, 13), HORIZONS, bootstrap=7, seed=5, progress=told.append)
    assert told == [1] * 7
    assert evaluate(*simulated(200, 13), HORIZONS, bootstrap=7, seed=5).as_json() == first.as_json()


def test_arrays_that_do_not_belong_together_are_refused() -> None:
    risks, log_odds, cohort = simulated(100, 14)
    with pytest.raises(ValueError, match=r"allowed is \(100, 4\), patients by horizons"):
        evaluate(risks, log_odds, cohort, HORIZONS[:4], seed=1)
    with pytest.raises(ValueError, match="risks are not those of the log-odds; likely columns in another order"):
        evaluate(risks[:, ::-1], log_odds, cohort, HORIZONS, seed=1)
    with pytest.raises(ValueError, match="each day once"):
        evaluate(risks, log_odds, cohort, (30.0, 30.0, 60.0, 90.0, 180.0), seed=1)
    log_odds[3, 0] = np.inf
    with pytest.raises(ValueError, match=r"log-odds of 1 row\(s\) are not finite"):
        evaluate(risks, log_odds, cohort, HORIZONS, seed=1)


def test_two_hundred_resamples_of_a_thousand_patients_take_seconds() -> None:
    start = time.process_time()
    evaluate(*simulated(1000, 15), HORIZONS, bootstrap=200, seed=1)
    assert time.process_time() - start < 12
