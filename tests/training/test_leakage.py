import numpy as np
import pandas as pd
import pytest

from models.cohort_file import InvalidCohort
from training.cohort import read_cohort
from training.reading.leakage import told
from training.simulation.files import write
from training.simulation.simulate import simulate

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
    honest = [day * 2 ** (7 * k % 11) for k, day in enumerate(times)]
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
    treated = [1 + row % 3 for row in range(len(times))]  # months on therapy belong to somebody who had a line
    path = write_cohort(columns={"fu": [day / 30.4375 for day in times], "lines": treated}, edits=months)
    with pytest.raises(InvalidCohort, match="column fu = values in the order of follow-up"):
        read_cohort(path)


@pytest.mark.parametrize(("kind", "codes"), [("numeric", ("0", "1")), ("categorical", ("home", "hospice"))])
def test_a_column_that_knows_the_deaths_by_day_90_and_nothing_of_later_ones_is_found(tmp_path, kind, codes):
    path = write(simulate(500, 3), tmp_path)
    table = pd.read_csv(tmp_path / "patients.csv", dtype=str)
    soon = (table.died == "1") & (pd.to_numeric(table.os_days) <= 90)
    table.assign(hospice=np.where(soon, codes[1], codes[0])).to_csv(tmp_path / "patients.csv", index=False)
    path.write_text(path.read_text() + f'\n[extra]\nhospice = {{ column = "hospice", kind = "{kind}" }}\n')
    with pytest.raises(InvalidCohort, match=r"column hospice = (values|levels) that tell who died by day 90 \(AUC 1\.00\)"):
        read_cohort(path)


@pytest.mark.parametrize("noise", [0.0, 0.15])
def test_a_measurement_of_a_tidy_cohort_that_follows_survival_is_found(tmp_path, noise):
    path = write(simulate(500, 3), tmp_path, "tidy")
    days = pd.read_csv(tmp_path / "patients.csv", dtype=str).set_index("patient").os_days.astype(float)
    rank = days.rank(pct=True) + noise * np.random.default_rng(1).standard_normal(len(days))
    measured = pd.read_csv(tmp_path / "measurements.csv", dtype=str)
    blood = measured.analyte == "hemoglobin"
    leaked = (7 + 8 * measured.patient.map(rank).clip(0, 1)).round(2).astype(str)
    measured.assign(value=measured.value.where(~blood, leaked)).to_csv(tmp_path / "measurements.csv", index=False)
    with pytest.raises(InvalidCohort, match=r"measurements\.csv, hemoglobin = values .*an outcome under another name"):
        read_cohort(path)


@pytest.mark.parametrize("form", ["one-row", "tidy"])
def test_what_was_measured_before_the_index_date_is_judged_in_either_form_and_nothing_is_suspected(tmp_path, form):
    for seed in range(3):
        cohort = read_cohort(write(simulate(400, seed), tmp_path / str(seed), form))
        found = list(told(cohort.file, cohort.patients, cohort.follow_up))
        assert len(found) > 8
        assert max(one.strength for one in found) < 0.9


def test_levels_say_nothing_where_hardly_anybody_died(write_cohort):
    died = [int(k % 20 == 0) for k in range(120)]
    path = write_cohort(columns={"visit": ["abc"[k % 3] for k in range(120)], "died": died}, more=EXTRA.format("categorical"))
    cohort = read_cohort(path)
    assert not [one for one in told(cohort.file, cohort.patients, cohort.follow_up) if one.strength > 0.8]
