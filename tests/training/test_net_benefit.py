"""Net benefit worked by hand, and the laws it obeys; against dcurves in test_independent.py."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.statistics.censoring import FollowUp
from training.statistics.flagging import Flagged, FlaggedOutcome
from training.statistics.net_benefit import THRESHOLDS, net_benefit, treat_all


def test_ten_patients_worked_by_hand() -> None:
    """Four flagged at 20 %, of whom three die: 3/10 - 1/10 x 1/4. Four of all ten die: 4/10 - 6/10 x 1/4."""
    dead = np.array([True] * 3 + [False] + [True] + [False] * 5)
    risk = np.where(np.arange(10) < 4, 0.3, 0.1)
    of = Flagged(risk, np.array([0.2]), FollowUp(np.where(dead, 50.0, 200.0), dead), 180.0).outcome()
    assert net_benefit(of, np.array([0.2]))[0] == pytest.approx(0.275)
    assert treat_all(of, np.array([0.2]))[0] == pytest.approx(0.25)


def test_nobody_flagged_is_acting_on_nobody_and_everybody_flagged_is_acting_on_all() -> None:
    followed = FollowUp(np.array([5.0, 9, 9, 9]), np.array([True, False, False, False]))
    thresholds = np.array([0.1, 0.5])
    of = Flagged(np.full(4, 0.3), thresholds, followed, 8.0).outcome()
    assert net_benefit(of, thresholds).tolist() == pytest.approx([treat_all(of, thresholds)[0], 0])


@given(st.floats(0.01, 0.99))
def test_acting_on_all_at_the_risk_of_all_is_worth_nothing(risk: float) -> None:
    of = FlaggedOutcome(np.ones(1), np.array([risk]), np.array([np.nan]), risk)
    assert treat_all(of, np.array([risk]))[0] == pytest.approx(0, abs=1e-12)


def test_risks_that_are_true_are_worth_at_least_acting_on_all_or_nobody() -> None:
    random = np.random.default_rng(1)
    risk = random.beta(1, 2, 50_000)
    life = -180 * np.log(1 - random.random(50_000)) / -np.log1p(-risk)
    lost = random.uniform(100, 400, 50_000)
    followed = FollowUp(np.minimum(life, lost), life <= lost)
    of = Flagged(risk, np.array(THRESHOLDS), followed, 180.0).outcome()
    gain = net_benefit(of, np.array(THRESHOLDS)) - np.maximum(treat_all(of, np.array(THRESHOLDS)), 0)
    assert gain.min() > -0.001
    assert gain.max() > 0.05
