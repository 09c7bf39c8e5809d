"""What the diagnosis says of five real cohorts: every Fail is one that the cohort deserves."""

from pathlib import Path

import pytest

from training.cohort import read_cohort
from training.diagnosed import before_training
from training.diagnosis.overlap import overlap
from training.learners.plan import Settings

COHORTS = Path(__file__).parents[1] / "cohorts"
PRIMARY = "horizon 90 d, primary"
# What each deserves: first-line cohorts, too few deaths by day 90, and one whose patients had to live to be sequenced. By Riley's
# default (15 % of what can be explained) only the cohort of four columns is large enough.
DESERVED = {
    "chowell_train": {"sample size"},
    "msk_nonicb": {"prior therapy", "early deaths", PRIMARY, "sample size"},
    "pacto": {"prior therapy", PRIMARY, "sample size"},
    "pantheia": {"prior therapy", PRIMARY, "sample size"},
    "support2_lung": set(),
}


@pytest.mark.parametrize("name", DESERVED)
def test_a_real_cohort_fails_in_what_it_deserves_and_in_nothing_else(cohort_tables, name):
    cohort = read_cohort(COHORTS / f"{name}.toml", data=cohort_tables)
    assert {one.item for one in before_training(cohort, Settings()).fails} == DESERVED[name]


PAIRS = [("chowell_train", "msk_nonicb"), ("msk_nonicb", "chowell_train"), ("pacto", "pantheia")]


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_real_cohorts_of_other_patients_share_nobody(cohort_tables, one, other):
    first, second = (read_cohort(COHORTS / f"{name}.toml", data=cohort_tables) for name in (one, other))
    assert "Fail" not in {found.verdict for found in overlap(first, second)}
