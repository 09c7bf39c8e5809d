import json
from dataclasses import replace

import pytest

from training.cohort import read_cohort
from training.judge import judge
from training.simulation.files import write
from training.simulation.simulate import simulate
from training.telling.account import account_json, account_text, standings


def test_the_account_is_json_and_begins_as_an_example_where_patients_are_simulated(small_cohort):
    told = json.loads(json.dumps(account_json(small_cohort), allow_nan=False))
    assert next(iter(told)) == "example"
    assert (told["n"], told["deaths"]) == (len(small_cohort), int(small_cohort.follow_up.deaths.sum()))
    assert [step["left"] for step in told["flow"]] == [step.left for step in small_cohort.flow]
    assert set(told["horizons"]) | set(told["refused"]) == {"30", "60", "90", "180", "365"}
    assert told["horizons"]["180"].keys() == {"level", "deaths", "survivors", "censored_before", "min_g"}


@pytest.mark.parametrize("source", ["Simulated", " simulated "])
def test_the_word_simulated_counts_however_it_is_written(small_cohort, small_fit, source):
    cohort = replace(small_cohort, source=source)
    assert next(iter(account_json(cohort))) == "example"
    assert account_text(cohort).startswith("EXAMPLE")
    real = replace(small_fit.model, trained_on="a hospital")
    assert next(iter(judge(real, cohort, bootstrap=0, seed=1))) == "example"


def test_the_text_says_who_left_why_and_how_those_who_remain_differ(small_cohort):
    text = account_text(small_cohort)
    assert text.startswith("EXAMPLE: simulated patients, not a real risk\nsimulated-500-3: 491 patients")
    assert "  rows read; 500 remain (median age" in text
    assert "  - 3 left: under 18; 497 remain (median age" in text
    assert "median albumin" in text
    assert "prior_systemic_therapy is yes for all" in text


def test_a_real_cohort_is_no_example(write_cohort):
    cohort = read_cohort(write_cohort(columns={"nlr": 6.2}), accept="by protocol")
    assert "example" not in account_json(cohort)
    assert "Accepted\n  patients.csv, column nlr = 6.2" in account_text(cohort)
    assert account_json(cohort)["accepted"] == list(cohort.accepted)


def test_a_follow_up_that_is_too_short_is_told_with_the_number_that_is_short(tmp_path):
    cut = read_cohort(write(simulate(300, 4, accrual_days=200, closing_day=330), tmp_path))
    assert standings(cut)[365.0].level == "not identifiable"
    assert account_json(cut)["refused"]["365"].startswith("not identifiable: nobody is known to be alive on day 365")
    assert "   365 d  not identifiable: " in account_text(cut)
