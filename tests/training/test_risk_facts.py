"""How stated risks are spread is counted by what became of the patients; no share and no curve tells of fewer than ten."""

from typing import Any

import numpy as np
import pytest

from models.risk import sigmoid
from training.cohort import Cohort
from training.fit import Fit
from training.statistics.censoring import known_by, survival
from training.telling.evidence import RISKS
from training.telling.risk_facts import BINS, QUARTERS, risk_facts
from training.validate import EVERYBODY


@pytest.fixture(scope="module")
def told(small_evidence: dict[str, dict[str, Any]]) -> Any:
    return small_evidence[RISKS]["populations"][EVERYBODY]


def _risk(fit: Fit, place: int) -> Any:
    return sigmoid(np.mean([one.calibrated[fit.learner] for one in fit.cross.repeats], axis=0))[:, place]


def test_the_histogram_counts_everybody_once(told: Any, small_fit: Fit, small_cohort: Cohort) -> None:
    counted = told["horizons"]["90"]["histogram"]
    known, risk = known_by(small_cohort.follow_up, 90.0), _risk(small_fit, 2)
    for name, flag in (("died", known.dead), ("alive", known.alive), ("censored_before", known.censored)):
        expected, _ = np.histogram(risk[flag], bins=BINS, range=(0.0, 1.0))
        for shown, count in zip(counted[name], expected.tolist(), strict=True):
            assert shown == count or shown == ("<10" if 0 < count < 10 else f"about {round(count, -1)}")


def test_groups_hold_ten_deaths_and_their_share_is_kaplan_meier(told: Any) -> None:
    for found in told["horizons"].values():
        for group in found["groups"]:
            assert group["low"] < group["observed"] < group["high"]
            assert group["observed"] * group["patients"] > 9
    stated = [group["stated"] for group in told["horizons"]["180"]["groups"]]
    assert stated == sorted(stated)


def test_curves_are_those_of_the_quarters_from_the_tenth_death_on(told: Any, small_fit: Fit, small_cohort: Cohort) -> None:
    quarters, order = told["survival"]["quarters"], np.argsort(_risk(small_fit, 2), kind="stable")
    assert [one["name"] for one in quarters] == list(QUARTERS)
    for one, rows in zip(quarters, np.array_split(order, 4), strict=True):
        part = small_cohort.select(rows).follow_up
        assert one["patients"] == len(rows)
        assert one["alive"] == pytest.approx(survival(part).at(one["days"]), abs=1e-4)
        deaths = [known_by(part, day).dead.sum() for day in one["days"]]
        assert all(count == 0 or count >= 10 for count in deaths)
        assert (part.times >= one["days"][-1]).sum() >= 10


def test_a_population_nobody_knows_is_refused(small_cohort: Cohort, small_fit: Fit) -> None:
    with pytest.raises(ValueError, match="population of the tall: allowed are previously treated and everybody"):
        risk_facts(small_cohort, small_fit, ["of the tall"])
