import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.risk import sigmoid
from training.cohort import followed
from training.comparing.beaten import beaten_sentence
from training.comparing.compared import Absent, Said, compare
from training.comparing.published_scores import said_by_scores
from training.comparing.recalibrated import cross_recalibrated, cross_recalibrated_each
from training.comparing.rivals import rivals_of
from training.statistics.censoring import FollowUp, survival, weights
from training.statistics.estimates import NotEstimable
from training.statistics.evaluate import evaluate, paired_difference

pytestmark = pytest.mark.usefixtures("one_thread")
DAYS = (90.0, 180.0)


def patients(n=160, seed=3):
    rng = np.random.default_rng(seed)
    ours = rng.normal(-0.6, 1.0, (n, 1)) + np.array([0.0, 0.7])
    theirs = ours + rng.normal(0, 1.0, (n, 1))
    times = np.ceil(rng.exponential(220 * np.exp(-ours[:, 0])))
    censored = np.ceil(rng.uniform(60, 900, n))
    return ours, theirs, FollowUp(np.minimum(times, censored), times <= censored)


def pairwise_auc(score, follow_up, day, copies):
    """Every pair, in a loop; weights from the censoring model of this very sample."""
    found = weights(follow_up, [day], multiplicity=copies)
    dead, weight = found.dead[:, 0], copies * found.weight[:, 0]
    above = total = 0.0
    for i in np.flatnonzero(dead & (weight > 0)):
        for j in np.flatnonzero(~dead & (weight > 0)):
            total += weight[i] * weight[j]
            above += weight[i] * weight[j] * (0.5 + 0.5 * np.sign(score[i] - score[j]))
    return above / total


def plain_ipa(log_odds, follow_up, day, copies):
    found = weights(follow_up, [day], multiplicity=copies)
    dead, weight = found.dead[:, 0], copies * found.weight[:, 0]
    null = 1 - survival(follow_up, copies).at(day)
    return 1 - weight @ (sigmoid(log_odds) - dead) ** 2 / (weight @ (null - dead) ** 2)


def test_a_paired_difference_is_that_of_a_loop_over_pairs_in_the_same_resamples():
    ours, theirs, follow_up = patients(130)
    rows = np.flatnonzero(np.arange(130) % 9)
    said = Said("x", "X", "simple", rows, theirs[rows], dict(zip(DAYS, theirs[rows].T, strict=True)))
    (found,) = compare(ours, follow_up, DAYS, [said], bootstrap=8, seed=5)
    part, rng, drawn = followed(follow_up, rows), np.random.default_rng(5), []
    for _ in range(8):
        copies = np.bincount(rng.integers(0, len(rows), len(rows)), minlength=len(rows)).astype(float)
        auc = [pairwise_auc(one[rows, 1], part, 180.0, copies) for one in (ours, theirs)]
        ipa = [plain_ipa(one[rows, 1], part, 180.0, copies) for one in (ours, theirs)]
        drawn.append((auc[0] - auc[1], ipa[0] - ipa[1]))
    at, once = found.horizons[180.0], np.ones(len(rows))
    assert at.auc.value == pytest.approx(pairwise_auc(theirs[rows, 1], part, 180.0, once))
    assert at.our_ipa.value == pytest.approx(plain_ipa(ours[rows, 1], part, 180.0, once))
    for column, cell in enumerate((at.auc_gain, at.ipa_gain)):
        assert (cell.low, cell.high) == pytest.approx(tuple(np.quantile(np.array(drawn)[:, column], [0.025, 0.975])))
    assert (found.n, found.whole) == (len(rows), 130)


def test_it_is_the_paired_difference_of_the_statistics_room_whoever_stands_beside():
    ours, theirs, follow_up = patients()
    everybody = np.arange(160)
    said = [Said(name, name, "simple", everybody, score) for name, score in (("a", theirs), ("b", -theirs))]
    found = compare(ours, follow_up, DAYS, [Absent("c", "c", "published", "not measured"), *said], bootstrap=20, seed=2)
    expected = paired_difference(ours[:, 0], theirs[:, 0], follow_up, 90.0, bootstrap=20, seed=2)
    assert [one.name for one in found] == ["c", "a", "b"]
    assert found[1].horizons[90.0].auc_gain == expected
    assert found[1].horizons[90.0].ipa.why == "the score states no risk, and was not recalibrated here"
    assert found[0].as_json() | {"n": 0} == {
        "name": "c", "label": "c", "kind": "published", "available": False, "why": "not measured", "n": 0, "horizons": {},
    }  # fmt: skip


def test_too_few_patients_are_no_comparison_and_small_groups_are_hidden():
    ours, theirs, follow_up = patients()
    few, most, none = np.arange(6), np.arange(155), np.arange(0)
    said = [Said(str(len(rows)), "x", "simple", rows, theirs[rows]) for rows in (few, most, none)]
    found = [one.as_json() for one in compare(ours, follow_up, DAYS, said, bootstrap=0, seed=1)]
    assert [one["n"] for one in found] == ["<10", "about 160", 0]
    assert [one["available"] for one in found] == [False, True, False]
    assert "at least 20 are needed" in found[0]["why"]
    assert "fewer than 10 deaths by day 90" in found[0]["why"]
    assert found[2]["why"] == "its inputs were measured in none of them"


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_what_is_said_within_some_patients_is_what_was_said_of_them(seed):
    _, theirs, _ = patients(50, seed)
    rng = np.random.default_rng(seed)
    rows, among = np.flatnonzero(rng.random(50) < 0.7), rng.random(50) < 0.5
    said = Said("x", "x", "simple", rows, theirs[rows], {90.0: theirs[rows, 0], 180.0: NotEstimable("why")})
    part = said.within(among)
    assert (np.flatnonzero(among)[part.rows] == rows[among[rows]]).all()
    assert (part.order == theirs[among][part.rows]).all()
    assert (part.theirs[90.0] == theirs[among][part.rows, 0]).all()
    assert isinstance(part.theirs[180.0], NotEstimable)


def test_the_question_is_answered_in_one_sentence_with_an_interval_for_each_simple_model(small_validation):
    found = small_validation.as_json()["evaluations"]["everybody"]["beats_them"]
    assert found.startswith("Does it beat them by day 90? albumin alone: ")
    assert found.count(" to +") == 3
    assert found.endswith(" patients.")
    assert "ln NLR alone" in found
    assert "Cox on ln NLR, albumin and age" in found
    assert beaten_sentence((), 90.0) == ""


def test_few_resamples_are_no_ground_for_a_verdict():
    ours, theirs, follow_up = patients(400)
    rows, by_day = np.arange(len(follow_up)), dict(zip(DAYS, theirs.T, strict=True))
    said = [Said("albumin_alone", "albumin alone", "simple", rows, theirs, by_day)]
    for drawn, verdict in ((2, "no verdict from 2 resamples (100 are needed), AUC"), (100, "albumin alone: yes, AUC")):
        assert verdict in beaten_sentence(compare(ours, follow_up, DAYS, said, bootstrap=drawn, seed=1), 90.0)


def test_a_comparator_that_was_not_judged_is_said_so():
    ours, _, follow_up = patients()
    absent = Absent("albumin_alone", "albumin alone", "simple", "3 patients")
    found = compare(ours, follow_up, DAYS, [absent], bootstrap=0, seed=1)
    assert beaten_sentence(found, 90.0) == "Does it beat them by day 90? albumin alone: cannot be said (fewer than 10 patients)."


def test_a_score_becomes_a_risk_by_other_folds_alone():
    ours, _, follow_up = patients()
    fold = np.arange(160) % 4
    made = cross_recalibrated(ours[:, 0], follow_up, 180.0, fold)
    other = FollowUp(np.where(fold == 2, 1.0, follow_up.times), follow_up.deaths | (fold == 2))
    assert (cross_recalibrated(ours[:, 0], other, 180.0, fold)[fold == 2] == made[fold == 2]).all()
    again = cross_recalibrated(10.0 * ours[:, 0] - 3.0, follow_up, 180.0, fold)
    assert again == pytest.approx(made, abs=1e-6)  # whatever its scale
    judged = evaluate(sigmoid(made)[:, None], made[:, None], follow_up, [180.0], bootstrap=0, seed=1).horizons[180.0]
    assert judged.calibration.observed_expected.value == pytest.approx(1.0, abs=0.05)
    (none,) = cross_recalibrated_each(np.ones((160, 1)), follow_up, [180.0], fold).values()
    assert isinstance(none, NotEstimable)


def test_published_scores_are_judged_in_those_whose_chart_answers_and_model_and_score_get_the_same_line(small_cohort, small_fit):
    log_odds, days = small_fit.cross.repeats[0].calibrated["ensemble"], small_fit.cross.horizons
    said = {one.name: one for one in said_by_scores(small_cohort, log_odds, days, small_fit.cross.repeats[0].fold)}
    score = next(one for name, one in said.items() if name.startswith("pni"))
    there = [row for row, one in enumerate(small_cohort.patients) if one.current("albumin") and one.current("alc")]
    assert score.rows.tolist() == there
    part, fold = followed(small_cohort.follow_up, np.array(there)), small_fit.cross.repeats[0].fold[there]
    assert (score.ours[90.0] == cross_recalibrated(log_odds[there, days.index(90.0)], part, 90.0, fold)).all()
    assert (score.theirs[90.0] == cross_recalibrated(score.order[:, 0], part, 90.0, fold)).all()
    found = {one.name: one for one in compare(log_odds, small_cohort.follow_up, days, list(said.values()), bootstrap=0, seed=1)}
    assert found[score.name].horizons[90.0].auc.value > 0.5  # a low index is worse, and stands turned
    assert isinstance(said["loris"], Absent)
    assert "was not given" in said["loris"].why


def test_other_families_stand_beside_it_when_asked(small_fit):
    log_odds = small_fit.cross.repeats[0].calibrated["ensemble"]
    said = {one.name: one for one in rivals_of(small_fit, log_odds, families=True, seed=1).said if one.kind == "family"}
    assert set(said) == {"cox_ridge", "xgboost_aft", "discrete_time"}
    follow_up, days = small_fit.plan.cohort.follow_up, small_fit.cross.horizons
    found = compare(log_odds, follow_up, days, list(said.values()), bootstrap=0, seed=1)
    assert all(0.65 < one.horizons[180.0].auc.value < 0.95 for one in found)
    assert all(one.horizons[180.0].ipa.value > 0 for one in found)
