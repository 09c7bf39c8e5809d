from dataclasses import replace

import numpy as np
import pytest

from models.design import design_matrix
from models.risk import Calibration
from training.recalibration.child import OrderChanged, child_of, require_same_order
from training.recalibration.shift import Recalibration

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def pair(small_cohort, small_fit):
    """A parent whose risks are held up by earlier horizons in some patients, its child, and their scores."""
    calibration = small_fit.model.calibration
    parent = replace(small_fit.model, calibration=Calibration(calibration.intercept - [0, 0, 0, 0, 1.2], calibration.slope))
    child = child_of(parent, Recalibration(-1.0, 0.6, 0.8, 0.3), "Northern", {"parent": {"digest": "d"}})
    matrix = design_matrix(parent.design, small_cohort.patients)
    return parent, child, parent.score(matrix), child.score(matrix)


def test_the_order_of_the_patients_is_the_parents_at_every_horizon_even_where_the_time_bound_holds(pair):
    _, _, before, after = pair
    assert (before.time_bound[:, -1] > 0).mean() > 0.05
    assert (before.time_bound[:, -1] == 0).mean() > 0.05
    for old, new in zip(before.log_odds.T, after.log_odds.T, strict=True):
        np.testing.assert_array_equal(np.argsort(old, kind="stable"), np.argsort(new, kind="stable"))
    require_same_order(before.log_odds, after.log_odds)
    np.testing.assert_allclose(after.log_odds, -1.0 + 0.6 + 0.8 * (before.log_odds + 1.0), atol=1e-9)


def test_terms_are_the_parents_times_the_slope_and_still_add_up(pair):
    _, _, before, after = pair
    np.testing.assert_allclose(after.terms, 0.8 * before.terms, atol=1e-12)
    after.require_additive()


def test_the_interval_grows_by_what_is_not_known_of_the_shift(pair):
    parent, child, before, _ = pair
    narrow, wide = (model.spreads(before.filled.x)[1] for model in (parent, child))
    # four refits: their own shifts are not quite at right angles to what else moves them
    np.testing.assert_allclose(np.median(wide**2 - (0.8 * narrow) ** 2), 0.3**2, rtol=0.5)
    groups = [model.spreads(before.filled.x)[0] for model in (parent, child)]
    np.testing.assert_allclose(groups[1], 0.8 * groups[0], atol=1e-12)


def test_a_child_says_what_it_is_and_a_simulated_parent_stays_simulated(pair):
    parent, child, _, _ = pair
    assert child.name == f"{parent.name} recalibrated for Northern"
    assert child.recalibrated == {"site": "Northern", "parent": {"digest": "d"}}
    assert parent.recalibrated == {}
    assert child.simulated
    assert child.facts["patients"] == parent.facts["patients"]


def test_a_map_that_ranks_patients_otherwise_is_refused():
    before = np.array([[-2.0], [-1.0], [-1.0]])
    for after in ([[-1.0], [-2.0], [-2.0]], [[-2.0], [-1.0], [-0.9]]):
        with pytest.raises(OrderChanged, match="ranks patients otherwise"):
            require_same_order(before, np.array(after))
    require_same_order(before, before + 0.3)
