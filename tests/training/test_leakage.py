import pytest

from models.cohort_file import InvalidCohort
from training.cohort import read_cohort

EXTRA = '[extra]\nvisit = {{ column = "visit", kind = "{}" }}\n'


@pytest.fixture
def outcome(write_cohort):
    """What became of the made-up patients, and the days they were followed."""
    cohort = read_cohort(write_cohort())
    return cohort.follow_up.deaths.tolist(), cohort.follow_up.times.tolist()


def test_a_covariate_in_the_order_of_follow_up_is_an_outcome_under_another_name(write_cohort, outcome):
    _, times = outcome
    path = write_cohort(columns={"visit": [round(day / 30.4375, 1) for day in times]}, more=EXTRA.format("numeric"))
    said = r"column visit = values in the order of follow-up \(rank correlation 1\.00\): .* an outcome under another name"
    with pytest.raises(InvalidCohort, match=said):
        read_cohort(path)


@pytest.mark.parametrize(("kind", "codes"), [("numeric", (2, 1)), ("numeric", (0, 1)), ("categorical", ("alive", "gone"))])
def test_a_covariate_that_tells_who_died_is_one_too(write_cohort, outcome, kind, codes):
    deaths, _ = outcome
    path = write_cohort(columns={"visit": [codes[died] for died in deaths]}, more=EXTRA.format(kind))
    with pytest.raises(InvalidCohort, match=r"column visit = (values|levels) that tell who died"):
        read_cohort(path)


def test_a_strong_but_honest_covariate_is_not_suspected(write_cohort, outcome):
    deaths, times = outcome
    honest = [day * (1 + k % 7) for k, day in enumerate(times)]
    read_cohort(write_cohort(columns={"visit": honest}, more=EXTRA.format("numeric")))
    likely = ["ill" if died and k % 5 else "well" for k, died in enumerate(deaths)]
    read_cohort(write_cohort(columns={"visit": likely}, more=EXTRA.format("categorical")))


def test_names_that_differ_for_everybody_tell_nothing(write_cohort):
    read_cohort(write_cohort(columns={"visit": [f"V{k}" for k in range(120)]}, more=EXTRA.format("categorical")))


def test_few_patients_or_few_deaths_are_not_judged(write_cohort):
    days = list(range(100, 112))
    read_cohort(write_cohort(12, columns={"visit": days, "os": days}, more=EXTRA.format("numeric")))


def test_a_history_that_is_the_follow_up_under_another_name_is_found(write_cohort, outcome):
    _, times = outcome
    months = {'prior_lines = "lines"': 'prior_lines = "lines"\nmonths_on_therapy = "fu"'}
    path = write_cohort(columns={"fu": [day / 30.4375 for day in times]}, edits=months)
    with pytest.raises(InvalidCohort, match="column fu = values in the order of follow-up"):
        read_cohort(path)
