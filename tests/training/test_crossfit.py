from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.design import DesignMatrix, columns_of
from training.learners.crossfit import cross_fit
from training.learners.fit_trees import TreeSettings
from training.learners.learn import learn
from training.statistics.censoring import FollowUp
from training.statistics.splits import grouped_folds

pytestmark = pytest.mark.usefixtures("one_thread")
GRID = (60.0, 180.0, 365.0)
DESIGN = columns_of(["ln_nlr", "albumin"], {})


def patients(n, seed=1):
    rng = np.random.default_rng(seed)
    x = np.c_[rng.normal(1.4, 0.6, n), rng.normal(38, 4, n)]
    times = np.ceil(rng.exponential(300 * np.exp(-0.8 * (x[:, 0] - 1.4))))
    lost = np.ceil(rng.uniform(30, 900, n))
    return DesignMatrix(x, np.zeros(x.shape, bool)), FollowUp(np.minimum(times, lost), times <= lost)


def crossed(matrix, follow_up, names=None, trees=None, **options):
    fit = partial(learn, DESIGN, grid=GRID, served=GRID, trees=trees)
    names = names or [f"P{row}" for row in range(len(follow_up))]
    return cross_fit(fit, matrix, follow_up, names, GRID, **{"folds": 4, "repeats": 1, "seed": 1} | options)


def test_the_judgement_of_a_patient_does_not_change_with_what_became_of_him():
    matrix, followed = patients(200)
    honest = crossed(matrix, followed, trees=TreeSettings(rounds=10, rate=0.3))
    row = int(np.flatnonzero(followed.deaths & (followed.times < 60))[0])
    times = followed.times.copy()
    times[row] = 800.0  # dead early, or dead late: the folds stay as they are
    changed = crossed(matrix, FollowUp(times, followed.deaths), trees=TreeSettings(rounds=10, rate=0.3))
    fold, other = honest.repeats[0].fold, changed.repeats[0].fold
    np.testing.assert_array_equal(fold, other)
    mates = fold == fold[row]
    for name in honest.repeats[0].raw:
        before, after = honest.repeats[0].raw[name], changed.repeats[0].raw[name]
        np.testing.assert_array_equal(before[mates], after[mates])
        assert (before[~mates] != after[~mates]).any()


def test_a_fold_is_judged_by_learners_of_the_other_folds():
    matrix, followed = patients(160)
    found = crossed(matrix, followed).repeats[0]
    inside = np.flatnonzero(found.fold != 2)
    part = FollowUp(followed.times[inside], followed.deaths[inside])
    alone = learn(
        DESIGN, DesignMatrix(matrix.x[inside], matrix.to_estimate[inside]), part, grid=GRID, served=GRID, trees=None, seed=1
    )
    outside = found.fold == 2
    expected = alone.log_odds(DesignMatrix(matrix.x[outside], matrix.to_estimate[outside]), np.array(GRID))["linear"]
    np.testing.assert_array_equal(found.raw["linear"][outside], expected)


@settings(max_examples=30, deadline=None)
@given(rows=st.lists(st.integers(0, 12), min_size=40, max_size=80), folds=st.integers(2, 5), seed=st.integers(0, 99))
def test_a_patient_is_never_on_both_sides_of_a_split(rows, folds, seed):
    names = [f"P{name}" for name in [*rows, *range(6)]]
    fold = grouped_folds(names, np.arange(len(names)) % 2 == 0, folds, seed)
    for name in set(names):
        assert len({int(fold[row]) for row in range(len(names)) if names[row] == name}) == 1


def test_rows_of_one_patient_are_judged_by_learners_that_saw_none_of_them():
    matrix, followed = patients(160)
    names = [f"P{row // 2}" for row in range(160)]
    fold = crossed(matrix, followed, names).repeats[0].fold
    assert (fold[::2] == fold[1::2]).all()


def test_calibration_is_fitted_on_other_folds_and_the_pooled_one_on_all():
    matrix, followed = patients(400)
    # a learner that is far too sure of itself
    class Boastful:
        def __init__(self, *given, seed):
            self.learned = learn(DESIGN, *given, grid=GRID, served=GRID, trees=None, seed=seed)

        def log_odds(self, matrix, days):
            return {name: 2.5 * values for name, values in self.learned.log_odds(matrix, days).items()}

    names = [f"P{row}" for row in range(400)]
    found = cross_fit(Boastful, matrix, followed, names, GRID, folds=4, repeats=1, seed=1)
    assert (found.calibration["linear"].slope < 0.7).all()
    raw, calibrated = found.repeats[0].raw["linear"], found.repeats[0].calibrated["linear"]
    assert calibrated.std() < 0.7 * raw.std()


def test_repeats_have_folds_of_their_own_and_a_patient_counts_once_in_the_calibration():
    matrix, followed = patients(160)
    one, two = crossed(matrix, followed), crossed(matrix, followed, repeats=2)
    np.testing.assert_array_equal(one.repeats[0].raw["linear"], two.repeats[0].raw["linear"])
    assert (two.repeats[0].fold != two.repeats[1].fold).any()
    # twice as many rows would halve the pull towards the identity; the mean of two judgements does not
    assert two.calibration["linear"].slope == pytest.approx(one.calibration["linear"].slope, abs=0.1)


def test_the_same_seed_gives_the_same_judgement_and_progress_is_told_fold_by_fold():
    matrix, followed = patients(160)
    steps = []
    one, same = crossed(matrix, followed, progress=steps.append), crossed(matrix, followed)
    np.testing.assert_array_equal(one.repeats[0].calibrated["linear"], same.repeats[0].calibrated["linear"])
    assert (crossed(matrix, followed, seed=2).repeats[0].fold != one.repeats[0].fold).any()
    assert steps == [1, 1, 1, 1]
