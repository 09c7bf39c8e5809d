"""Who is in the cohort: first lines, late entries, early deaths, the same patient twice, patients lost because they die."""

from dataclasses import replace

import numpy as np
import pytest
from lifelines import KaplanMeierFitter

from training.cohort import Cohort, read_cohort
from training.diagnosis.informative import bounds, informative
from training.diagnosis.lookalikes import lookalikes
from training.diagnosis.outcome import deaths
from training.diagnosis.overlap import overlap
from training.diagnosis.participants import delayed_entry, early_deaths, index_dates, prior_therapy, twice
from training.simulation.files import write
from training.simulation.simulate import simulate
from training.statistics.censoring import FollowUp
from training.statistics.standing import standing


@pytest.fixture(scope="module")
def development(tmp_path_factory) -> Cohort:
    return read_cohort(write(simulate(500, 21), tmp_path_factory.mktemp("development")))


@pytest.fixture(scope="module")
def validation(tmp_path_factory) -> Cohort:
    return read_cohort(write(simulate(500, 22), tmp_path_factory.mktemp("validation")))


def mixed(development: Cohort, validation: Cohort, rename: str = "") -> Cohort:
    """The validation cohort with its first 25 patients (5 %) taken from the development cohort, perhaps under other names."""
    taken = [replace(one, id=f"{rename}{k}" if rename else one.id) for k, one in enumerate(development.patients[100:125])]
    return replace(validation, patients=(*taken, *validation.patients[25:]))


def test_cohorts_that_share_nobody_pass(development, validation):
    assert [one.verdict for one in overlap(development, validation)] == ["Pass", "Pass"]


def test_one_in_twenty_under_the_same_name_is_a_fail_with_its_rows(development, validation):
    names, looks = overlap(development, mixed(development, validation))
    assert (names.verdict, names.number, names.rows) == ("Fail", 25, validation.rows[:25])
    assert (looks.verdict, looks.rows) == ("Fail", validation.rows[:25])


def test_one_in_twenty_under_other_names_is_found_by_the_look(development, validation):
    names, looks = overlap(development, mixed(development, validation, "NEW-"))
    assert names.verdict == "Pass"
    assert (looks.verdict, looks.number, looks.rows) == ("Fail", 25, validation.rows[:25])
    assert "chance makes about" in looks.why


def test_values_written_more_coarsely_in_one_table_are_compared_as_coarsely(development, validation):
    def coarse(one):
        return replace(one, measurements=tuple(m._replace(value=float(f"{m.value:.2g}")) for m in one.measurements))

    joined = mixed(development, validation, "NEW-")
    found = lookalikes(development, replace(joined, patients=tuple(map(coarse, joined.patients))))
    assert found.rows == validation.rows[:25]


def test_hospitals_that_count_alike_share_names_and_no_patients(development, validation):
    first, second = (
        replace(one, patients=tuple(replace(patient, id=str(k)) for k, patient in enumerate(one.patients)))
        for one in (development, validation)
    )
    names, looks = overlap(first, second)
    assert (names.verdict, names.number) == ("Unknown", 500)
    assert "hospitals that count alike" in names.why
    assert looks.verdict == "Pass"


def test_a_patient_who_stands_twice_in_a_cohort_is_found(development):
    again = (replace(one, id=f"{one.id}x") for one in development.patients[:5])
    doubled = replace(development, patients=(*development.patients[:-5], *again))
    found = twice(doubled)
    assert (found.verdict, found.number) == ("Fail", 10)
    assert found.rows == (*development.rows[:5], *development.rows[-5:])
    assert twice(development).verdict == "Pass"


def test_look_alikes_that_chance_makes_are_no_fail(write_cohort):
    rng = np.random.default_rng(0)
    few = {"nlr": rng.choice([2, 3, 4], 120).tolist(), "albumin": rng.choice([36, 38, 40], 120).tolist()}
    cohort = read_cohort(write_cohort(columns=few | {"age": rng.choice([60, 61, 62], 120).tolist()}))
    found = twice(cohort)
    assert lookalikes(cohort, cohort).pairs > 50
    assert found.verdict == "Unknown"
    assert "too many to tell" in found.why


def test_nothing_to_compare_is_unknown(write_cohort):
    cohort = read_cohort(write_cohort())
    bare = replace(cohort, patients=tuple(replace(one, measurements=()) for one in cohort.patients))
    assert (twice(bare).verdict, twice(bare).number) == ("Unknown", None)


@pytest.mark.parametrize(("lines", "verdict"), [([0] * 120, "Fail"), ([0, 1] * 60, "Pass"), ([""] * 61 + [2] * 59, "Unknown")])
def test_a_first_line_cohort_is_not_whom_the_model_is_meant_for(write_cohort, lines, verdict):
    cohort = read_cohort(write_cohort(columns={"lines": lines}))
    found = prior_therapy(cohort)
    assert found.verdict == verdict
    assert found.rows == (cohort.rows if verdict == "Fail" else ())


def followed(cohort: Cohort, follow_up: FollowUp) -> Cohort:
    patients = tuple(replace(cohort.patients[0], id=str(k)) for k in range(len(follow_up)))
    return replace(cohort, patients=patients, follow_up=follow_up, rows=tuple(range(2, len(follow_up) + 2)), censor_reasons=())


def test_nobody_dying_early_where_many_die_later_is_guarantee_time(development):
    rng = np.random.default_rng(3)
    times = np.ceil(rng.exponential(200, 2000))
    honest = FollowUp(times, np.ones(2000, bool))
    assert early_deaths(followed(development, honest)).verdict == "Pass"
    late = times > 30
    found = early_deaths(followed(development, FollowUp(times[late], np.ones(late.sum(), bool))))
    assert (found.verdict, found.number) == ("Fail", 0)
    few = early_deaths(followed(development, FollowUp(times[:20], np.ones(20, bool))))
    assert few.verdict == "Unknown"


def test_delayed_entry_is_told_and_fails_where_half_enter_after_the_primary_horizon(development):
    times, died = np.full(100, 400.0), np.ones(100, bool)
    none = followed(development, FollowUp(times, died))
    some = followed(development, FollowUp(times, died, np.repeat([0.0, 20.0], 50)))
    most = followed(development, FollowUp(times, died, np.repeat([0.0, 120.0], [40, 60])))
    assert [delayed_entry(one, 90).verdict for one in (none, some, most)] == ["Pass", "Pass", "Fail"]
    assert delayed_entry(most, 90).rows == most.rows[40:]


def test_delayed_entry_fails_where_few_had_entered_when_the_first_died(development):
    rng = np.random.default_rng(4)
    died_on, entered = rng.exponential(300, 500), rng.uniform(0, 20, 500)
    times, entered = np.maximum(died_on, 1.0), np.where(died_on > entered + 1, entered, 0.5)
    seen = times > entered
    late = np.flatnonzero(seen & (entered > 0.6))
    few = FollowUp(np.append(1.2, times[late]), np.ones(late.size + 1, bool), np.append(0.0, entered[late]))
    found = delayed_entry(followed(development, few), 90)
    assert (found.verdict, found.unit) == ("Fail", "probability")
    assert f"on day 1.2 only {(few.entries < 1.2).sum()} of {len(few)} patients had come under observation" in found.why
    assert standing(few, 365).why.startswith("on day 1.2 only ")
    assert standing(few, 365).level == "not identifiable"


def test_rows_of_one_patient_are_no_several_patients(development):
    rows = np.array([0, 0, 1, 2, 3])
    found = index_dates(development.select(rows))
    assert (found.verdict, found.number, found.rows) == ("Fail", 2, (development.rows[0],) * 2)


def test_nobody_dead_is_a_fail_and_everybody_dead_is_unknown(write_cohort):
    assert [deaths(read_cohort(write_cohort(columns={"died": one}))).verdict for one in (0, 1)] == ["Fail", "Unknown"]


def test_the_bounds_are_kaplan_meier_of_both_extremes():
    rng = np.random.default_rng(5)
    died_on, lost_on = rng.exponential(200, 400), rng.exponential(300, 400)
    follow_up = FollowUp(np.minimum(died_on, lost_on), died_on <= lost_on)
    lost = ~follow_up.deaths & (follow_up.times < 90)

    def risk(times, dead):
        return 1 - KaplanMeierFitter().fit(times, dead).predict(90)

    found = bounds(follow_up, lost, 90)
    assert found.weighted == pytest.approx(risk(follow_up.times, follow_up.deaths))
    assert found.lived == pytest.approx(risk(np.where(lost, 90, follow_up.times), follow_up.deaths))
    assert found.died == pytest.approx(risk(follow_up.times, follow_up.deaths | lost))
    assert found.lived < found.weighted < found.died


REASONS = {"hospice": "Fail", "transferred to another hospital": "Fail", "end of study": "Pass", "": "Unknown"}


@pytest.mark.parametrize("reason", REASONS)
def test_hospice_and_transfer_leave_the_risk_open_the_end_of_a_study_does_not_and_silence_is_unknown(development, reason):
    times = np.repeat([30.0, 60.0, 400.0], [20, 30, 50])
    cohort = followed(development, FollowUp(times, times == 60))
    cohort = replace(cohort, censor_reasons=(reason,) * 20 + ("",) * 80)
    found = informative(cohort, 90)
    assert found.verdict == REASONS[reason]
    if found.verdict == "Fail":
        assert found.number == pytest.approx(0.5 - 0.375)  # 30 of 80 weighted, 30 of 100 and 50 of 100 at the extremes
        assert f"{reason}: 20 patients" in found.why
        assert "37.5% weighted, 30.0% had they all lived to it, 50.0% had they all died" in found.why
        assert found.rows == cohort.rows[:20]


def test_a_few_lost_for_no_stated_reason_cannot_move_the_risk(development):
    times = np.repeat([30.0, 60.0, 400.0], [2, 30, 68])
    found = informative(followed(development, FollowUp(times, times == 60)), 90)
    assert found.verdict == "Pass"
    assert found.number < 0.05
