"""A learning curve judges the same patients by learners of fewer of the others, and says so where it is not drawn."""

from dataclasses import replace

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from training.fit import Fit
from training.telling.drawn_learning import draw_learning_curve
from training.telling.learning_curve import SHARES, _share, learning_curve


@pytest.fixture(scope="module")
def curve(small_fit: Fit) -> dict[str, object]:
    with threadpool_limits(1):
        return learning_curve(small_fit, seed=1)


def test_a_point_for_every_share_of_the_other_folds(curve: dict[str, object], small_fit: Fit) -> None:
    points = curve["points"]
    patients = len(small_fit.plan.cohort)
    assert isinstance(points, list)
    assert [one["patients"] for one in points] == [round(share * patients * 0.8) for share in SHARES]
    assert (curve["day"], curve["judged"]) == (90.0, patients)
    assert all(0.5 < one["auc"] < 1 for one in points)
    assert points[-1]["ipa"] > points[0]["ipa"], "simulated patients have something to be learned"


def test_a_larger_share_holds_a_smaller_one_and_as_many_of_the_dead() -> None:
    deaths = np.arange(100) % 4 == 0
    smaller, larger = _share(deaths, 0.4, 1), _share(deaths, 0.8, 1)
    assert set(smaller) < set(larger)
    assert (deaths[smaller].sum(), len(smaller)) == (10, 40)
    assert list(_share(deaths, 1.0, 1)) == list(range(100))


def test_a_cohort_too_small_or_too_large_is_told_why(small_fit: Fit) -> None:
    few = replace(small_fit, plan=replace(small_fit.plan, cohort=small_fit.plan.cohort.select(np.arange(60))))
    assert learning_curve(few, seed=1) == {"not available": "it is drawn for 100 to 2,000 patients, and these are 60"}


def test_it_is_drawn_as_it_was_found(curve: dict[str, object]) -> None:
    left, right = draw_learning_curve(curve, example="").axes
    points = curve["points"]
    assert isinstance(points, list)
    assert list(left.lines[0].get_ydata()) == [one["auc"] for one in points]
    assert list(right.lines[0].get_xdata()) == [one["patients"] for one in points]
