"""The statistics against what scikit-survival and dcurves said of the same simulated patients, to 1e-6.

Their numbers are stored with versions, seed and calls in fixtures/independent.json. No two patients leave on the same day, and
nobody dies on a horizon: that is where definitions differ (here, deaths come first, and who dies on day t is dead by t).
"""

import json
from pathlib import Path

import numpy as np
import pytest

from training.statistics.censoring import FollowUp, censoring, survival, weights
from training.statistics.discrimination import auc, uno_c
from training.statistics.flagging import Flagged
from training.statistics.net_benefit import net_benefit, treat_all
from training.statistics.overall_fit import brier

SAID = json.loads((Path(__file__).parent / "fixtures" / "independent.json").read_text())
HORIZONS, LOG_ODDS, RISK = SAID["horizons"], np.array(SAID["lp"]), np.array(SAID["risk"])
COHORT = FollowUp(np.array(SAID["times"]), np.array(SAID["deaths"], bool))
THRESHOLDS = np.array(SAID["thresholds"])


def exactly(numbers):
    return pytest.approx(numbers, abs=1e-6, rel=0)


def test_the_two_kaplan_meier_curves() -> None:
    assert survival(COHORT).at(HORIZONS) == exactly(SAID["survival"])
    assert censoring(COHORT).at(HORIZONS) == exactly(SAID["censoring"])


@pytest.mark.parametrize("place", range(5))
def test_auc_and_brier_score(place: int) -> None:
    found = weights(COHORT, [HORIZONS[place]])
    dead, weight = found.dead[:, 0], found.weight[:, 0]
    assert auc(LOG_ODDS, dead, weight) == exactly(SAID["auc"][place])
    assert brier(RISK[:, place], dead, weight) == exactly(SAID["brier"][place])


@pytest.mark.parametrize("tau", ["180", "365"])
def test_unos_c(tau: str) -> None:
    assert uno_c(LOG_ODDS, COHORT, float(tau)) == exactly(SAID["uno_c"][tau])


@pytest.mark.parametrize("day", ["90", "180", "365"])
def test_net_benefit_under_censoring(day: str) -> None:
    risk = RISK[:, HORIZONS.index(float(day))]
    of = Flagged(risk, THRESHOLDS, COHORT, float(day)).outcome()
    assert net_benefit(of, THRESHOLDS) == exactly(SAID["net_benefit"][day]["model"])
    assert treat_all(of, THRESHOLDS) == exactly(SAID["net_benefit"][day]["all"])


def test_net_benefit_where_nobody_was_lost() -> None:
    dead, said = np.array(SAID["dead_by_180_were_nobody_lost"], bool), SAID["net_benefit_without_censoring"]
    everybody = FollowUp(np.where(dead, 100.0, 200.0), dead)
    of = Flagged(RISK[:, 3], THRESHOLDS, everybody, 180.0).outcome()
    assert net_benefit(of, THRESHOLDS) == exactly(said["model"])
    assert treat_all(of, THRESHOLDS) == exactly(said["all"])
