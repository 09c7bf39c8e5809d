import numpy as np
import pytest

from models.design import columns_of
from training.learners.fit_linear import CHANGE, PENALTY, UNSIGNED, fit_linear, make_ramps
from training.learners.fit_trees import TreeSettings, fit_trees
from training.learners.leaf_tables import compile_leaf_tables
from training.learners.learn import stacked
from training.learners.refit import INFLATION, refit
from training.statistics.censoring import FollowUp

pytestmark = pytest.mark.usefixtures("one_thread")
DAYS = (180.0,)
DESIGN = columns_of(["age"], {})


def patients(n, seed=1):
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 5, (n, 1)).astype(float)
    dead = rng.random(n) < 1 / (1 + np.exp(-(0.5 * (x[:, 0] - 2))))
    return x, FollowUp(np.where(dead, 100.0, 400.0), dead)


def refitted(x, follow_up, penalty=None, count=60, seed=1, trees=None, share=0.0):
    ramps = make_ramps(x, x.min(axis=0), x.max(axis=0))
    rows = stacked(follow_up, DAYS)
    full = fit_linear(DESIGN, ramps, x, rows, np.array(DAYS))
    tables = None if trees is None else compile_leaf_tables(fit_trees(DESIGN, x, rows, trees, 1), x, DAYS)
    steps = []
    made = refit(
        DESIGN, x, follow_up, full, tables, grid=DAYS, served=DAYS, tree_share=share, trees=trees,
        count=count, tree_count=5, seed=seed, progress=steps.append,
    )  # fmt: skip
    assert steps == [1] * count
    return full, made


def test_the_spread_over_refits_is_the_posterior_that_theory_gives():
    # one straight line and one horizon: logistic regression under a normal prior, of which everything is known
    n = 1000
    x, followed = patients(n)
    full, made = refitted(x, followed, count=200)
    width = x.max() - x.min()
    slope = made.first[:, 0] / width
    risk = 1 / (1 + np.exp(-(full.model.base[0] + full.model.terms(x)[:, 0, 0])))
    z = (x[:, 0] - x.mean()) / x.std()
    ridge = PENALTY * UNSIGNED * (1 + CHANGE / (1 + CHANGE))
    information = np.sum(risk * (1 - risk) * z**2)
    expected = 1 / np.sqrt(information + ridge) / x.std()
    assert slope.std() == pytest.approx(expected, rel=0.15)  # without the prior it would be a quarter less
    assert np.sqrt(information) / (information + ridge) / x.std() < 0.76 * expected
    expected_base = 1 / np.sqrt(np.sum(risk * (1 - risk)))
    assert made.base[:, 0].std() == pytest.approx(expected_base, rel=0.2)
    assert slope.mean() == pytest.approx(full.model.first[0] / width, abs=4 * expected / np.sqrt(200))


def test_four_times_the_patients_halve_the_spread():
    spreads = [refitted(*patients(n), count=80)[1].base.std() for n in (500, 2000)]
    assert spreads[0] / spreads[1] == pytest.approx(2, rel=0.3)


def test_without_trees_nothing_is_inflated():
    made = refitted(*patients(300), count=3)[1]
    assert made.inflation.tolist() == [1.0]
    assert made.inflation_risk == 1.0


def test_trees_are_compared_with_the_linear_learner_about_the_full_fit():
    trees = TreeSettings(rounds=20, rate=0.3, least_child_weight=1.0)
    linear = refitted(*patients(400), count=5, trees=trees, share=0.0)[1]
    assert linear.inflation_risk == pytest.approx(1.0, abs=1e-9)  # trees that have no share change nothing
    mixed = refitted(*patients(400), count=5, trees=trees, share=0.5)[1]
    grown = refitted(*patients(400), count=5, trees=trees, share=1.0)[1]
    assert 1.0 < mixed.inflation_risk < grown.inflation_risk <= INFLATION[1]  # boosted steps move more than a straight line
    assert mixed.inflation.shape == (1,)


def test_the_same_seed_gives_the_same_refits():
    one, same, other = (refitted(*patients(300), count=3, seed=seed)[1] for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.first, same.first)
    assert (one.first != other.first).any()
