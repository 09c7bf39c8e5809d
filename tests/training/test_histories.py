"""A history is read whole, and what a patient is on a day is made of what was known on that day and of nothing else."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from models.design import columns_of, design_matrix
from models.features import FEATURES
from models.mapping import InvalidCohort
from models.patient import Patient
from training.histories import Histories, read_histories
from training.refused import NotSupported

FILE = """
name = "made up"
[tables]
patients = "patients.csv"
measurements = "measurements.csv"
treatments = "treatments.csv"
[follow_up]
time = { column = "os_days", unit = "d" }
died = { column = "died" }
[patient_fields]
age_years = "age"
tumour = { constant = "pancreatic" }
[treatment_history]
liver_metastases = "liver"
prior_radiotherapy = "rt"
steroids_14d = "steroids"
"""
PATIENTS = "patient,age,os_days,died,liver,rt,steroids\nA,60,120,1,yes,no,yes\nB,50,80,0,no,yes,no\n"
# out of order on purpose; the last row of A is dated after the death, one row of B stands twice
DRAWS = """patient,day,analyte,value,unit,method
A,28,alc,0.9,10*9/L,
A,0,alc,0.8,10*9/L,
A,0,anc,4.0,10*9/L,
A,28,anc,4.5,10*9/L,
A,56,alc,1.2,10*9/L,
A,56,anc,3.6,10*9/L,
A,64,alc,1.1,10*9/L,
A,64,anc,3.3,10*9/L,
A,-2,ca19_9,400,U/mL,one
A,50,ca19_9,200,U/mL,one
A,60,ca19_9,100,U/mL,two
A,130,alc,2.0,10*9/L,
B,0,alc,0.4,10*9/L,
B,0,anc,2.0,10*9/L,
B,0,alc,0.4,10*9/L,
"""
GIVEN = """patient,line,modality,agents,start,end,outcome
A,1,chemotherapy,gemcitabine,-200,-30,progression
A,2,chemotherapy,paclitaxel,1,40,toxicity
A,3,chemotherapy,irinotecan,60,,
A,,radiotherapy,external beam,70,80,completed
B,1,immunotherapy,pembrolizumab,-90,-10,progression
"""


def written(folder: Path, draws: str = DRAWS, given: str = GIVEN) -> Path:
    (folder / "patients.csv").write_text(PATIENTS)
    (folder / "measurements.csv").write_text(draws)
    (folder / "treatments.csv").write_text(given)
    (folder / "cohort.toml").write_text(FILE)
    return folder / "cohort.toml"


@pytest.fixture(scope="module")
def histories(tmp_path_factory: pytest.TempPathFactory) -> Histories:
    return read_histories(written(tmp_path_factory.mktemp("histories")))


def value(patient: Patient, name: str) -> float:
    return FEATURES[name].of(patient).value


def status(patient: Patient, name: str) -> str:
    return FEATURES[name].of(patient).status


def test_rows_are_placed_by_their_days_and_what_comes_after_the_end_is_counted(histories: Histories) -> None:
    first, second = histories
    assert [(draw.day, draw.value) for draw in first.draws("alc")] == [(0, 0.8), (28, 0.9), (56, 1.2), (64, 1.1)]
    assert first.draws("ca19_9")[0] == (-2, 400, "", "one")
    assert [(draw.day, draw.value) for draw in second.draws("alc")] == [(0, 0.4)]  # the same result twice counts once
    assert (first.days, first.died, second.days, second.died) == (120, True, 80, False)
    assert histories.beyond == {"measurements.csv": 1, "treatments.csv": 0}
    assert [(one.start, one.end) for one in first.courses] == [(-200, -30), (1, 40), (60, None), (70, 80)]


def test_on_the_index_date_a_patient_is_who_the_cohort_says(histories: Histories) -> None:
    for history, patient in zip(histories, histories.cohort.patients, strict=True):
        seen = history.as_of(0)
        for name, feature in FEATURES.items():
            if feature.of(patient).status != "not applicable":
                assert feature.of(seen) == feature.of(patient), name


def test_what_was_known_on_a_day_worked_by_hand(histories: Histories) -> None:
    seen = histories.of[0].as_of(63, 42)
    assert value(seen, "ln_alc") == math.log(1.2)  # of day 56: that of day 64 is not known
    assert value(seen, "alc_since_index") == pytest.approx(math.log(1.2 / 0.8))
    assert value(seen, "ln_alc_nadir") == math.log(0.8)
    assert value(seen, "days_alc_below_1") == 56  # .8 from day 0, .9 from day 28 to the draw of day 56
    assert value(seen, "days_alc_below_half") == 0
    assert value(seen, "alc_recovered") == 0
    assert status(seen, "ca19_9_since_index") == "not measured"  # the newest is of another assay
    assert value(seen, "on_therapy") == 1
    assert value(seen, "current_line") == 3
    assert value(seen, "prior_lines") == 2  # the second ended on day 40
    assert value(seen, "landmark_days") == 63
    assert seen.age_years == pytest.approx(60 + 63 / 365.25)
    assert value(seen, "ln_alc_early") == pytest.approx(math.log(1.2) * (1 - 63 / 180))


def test_a_recovery_is_known_from_its_second_draw_on(histories: Histories) -> None:
    assert value(histories.of[0].as_of(64), "alc_recovered") == 1
    assert value(histories.of[0].as_of(55), "ca19_9_since_index") == pytest.approx(math.log10(0.5))
    assert status(histories.of[1].as_of(10), "alc_recovered") == "measured"


def test_a_pace_is_the_change_as_if_it_had_taken_four_weeks(histories: Histories) -> None:
    first = histories.of[0]
    assert value(first.as_of(55), "ca19_9_pace") == pytest.approx(math.log10(0.5) * 28 / 52)  # of day -2 and day 50
    assert status(first.as_of(63), "ca19_9_pace") == "not measured"  # nor is a change told between two assays
    assert value(first.as_of(20), "ca19_9_pace") == 0  # of one draw alone, like the change
    assert status(first.as_of(0), "ldh_pace") == "not measured"


def test_draws_of_a_few_days_make_no_headlong_pace(tmp_path: Path) -> None:
    draws = DRAWS + "B,0,ldh,300,U/L,\nB,3,ldh,600,U/L,\n"
    seen = read_histories(written(tmp_path, draws)).of[1].as_of(5)
    assert value(seen, "ldh_since_index") == pytest.approx(math.log(2))
    assert value(seen, "ldh_pace") == pytest.approx(2 * math.log(2))  # as if they were 14 days apart, not three


def test_the_counts_of_the_index_date_stay_what_they_were(histories: Histories, tmp_path: Path) -> None:
    for day in (0, 28, 63):
        seen = histories.of[0].as_of(day, 42)
        assert value(seen, "ln_alc_at_index") == math.log(0.8)
        assert value(seen, "ln_nlr_at_index") == pytest.approx(math.log(4.0 / 0.8))
    few = read_histories(written(tmp_path, DRAWS.replace("A,0,anc,4.0", "A,0,anc,0.9"))).of[0]
    assert status(few.as_of(28), "ln_nlr_at_index") == "not interpretable"  # a low ratio of few neutrophils reassures nobody


def test_the_performance_status_of_the_index_date_is_known_on_every_later_day(tmp_path: Path) -> None:
    read = read_histories(written(tmp_path, DRAWS + "A,-3,ecog,1,score,\nA,10,ecog,2,score,\nB,-40,ecog,1,score,\n"))
    first, second = read
    for day, current in ((0, 1), (9, 1), (10, 2), (52, 2)):
        seen = first.as_of(day, 42)
        assert (value(seen, "ecog"), value(seen, "ecog_at_index")) == (current, 1)
    assert status(first.as_of(110), "ecog") == "not measured"  # older than it is carried
    assert value(first.as_of(110), "ecog_at_index") == 1
    assert status(second.as_of(5), "ecog_at_index") == "not measured"  # 40 days before the index date
    assert status(first.at_index, "ecog_at_index") == "not applicable"  # a patient who is not seen at a landmark


def test_a_line_runs_until_it_ends_and_its_outcome_is_not_known_before(histories: Histories) -> None:
    running, ended = histories.of[0].as_of(39), histories.of[0].as_of(40)
    assert [course.outcome for course in running.treatments] == ["progression", "unknown"]
    assert [course.outcome for course in ended.treatments] == ["progression", "toxicity"]
    assert value(running, "on_therapy") == 1
    assert value(ended, "on_therapy") == 1  # the next dose may still be due
    assert value(histories.of[1].as_of(19), "on_therapy") == 0  # 29 days after the last dose
    assert value(histories.of[0].as_of(50), "ln_days_since_therapy") == math.log(11)
    assert status(histories.of[0].as_of(69), "prior_radiotherapy") == "not measured"  # "no" was said of the index date alone
    assert value(histories.of[0].as_of(70), "prior_radiotherapy") == 1
    assert value(histories.of[1].as_of(70), "prior_radiotherapy") == 1  # "yes" lasts
    assert status(histories.of[0].as_of(20), "steroids_14d") == "not measured"
    assert value(histories.of[0].as_of(20), "liver_metastases") == 1


def test_a_value_is_carried_as_long_as_the_study_says_and_no_longer(histories: Histories) -> None:
    assert status(histories.of[1].as_of(42, 42), "ln_alc") == "measured"
    assert status(histories.of[1].as_of(43, 42), "ln_alc") == "not measured"
    assert value(histories.of[1].as_of(60, 42), "days_alc_below_half") == 42


@pytest.mark.parametrize("day", [-1, 121])
def test_a_day_outside_the_follow_up_is_refused(histories: Histories, day: float) -> None:
    with pytest.raises(ValueError, match="allowed is 0 to 120"):
        histories.of[0].as_of(day)


@pytest.mark.parametrize("day", ["28", "28.0", " 28"])
def test_different_results_of_one_later_day_refuse_the_file_and_name_the_rows(tmp_path: Path, day: str) -> None:
    with pytest.raises(InvalidCohort, match=r"measurements\.csv rows 2, 17, .* two values on day 28: allowed"):
        read_histories(written(tmp_path, DRAWS + f"A,{day},alc,1.9,10*9/L,\n"))


def test_counts_of_one_day_that_cannot_be_true_together_are_named_and_no_other_row(tmp_path: Path) -> None:
    with pytest.raises(InvalidCohort, match=r"measurements\.csv rows 6, 7, 17, .* 2 with ALC \+ ANC"):
        read_histories(written(tmp_path, DRAWS + "A,56,wbc,2.0,10*9/L,\n"))


def test_a_cohort_without_dated_draws_has_no_histories(small_file: Path) -> None:
    with pytest.raises(NotSupported, match=r"a cohort without histories: \[tables\] measurements"):
        read_histories(small_file)


DAY = st.integers(1, 119)
LATER = st.lists(st.tuples(DAY, st.sampled_from(["albumin", "hemoglobin", "crp"]), st.integers(50, 150)), max_size=12)


@settings(max_examples=40, deadline=None)
@given(day=st.integers(0, 110), later=LATER, died=st.booleans(), lines=st.lists(st.tuples(DAY, st.integers(1, 60)), max_size=3))
def test_nothing_that_comes_later_changes_a_feature(
    tmp_path_factory: pytest.TempPathFactory, day: int, later: list[Any], died: bool, lines: list[Any]
) -> None:
    """All that was measured after the day is taken away and other things are put in its place; so are drugs, and the end."""
    unit = {"albumin": (0.3, "g/L"), "hemoglobin": (0.1, "g/dL"), "crp": (0.5, "mg/L")}
    once = {(at, what): size for at, what, size in later if day + at <= 120}
    more = [f"A,{day + at},{what},{size * unit[what][0]:.2f},{unit[what][1]}," for (at, what), size in once.items()]
    kept = "\n".join(row for row in DRAWS.splitlines() if not row.startswith("A") or int(row.split(",")[1]) <= day)
    drugs = [f"A,{9 + n},chemotherapy,drug{n},{day + at},{day + at + long}," for n, (at, long) in enumerate(lines)]
    path = written(tmp_path_factory.mktemp("later"), "\n".join([kept, *more, ""]), GIVEN + "\n".join([*drugs, ""]))
    if not died:
        (path.parent / "patients.csv").write_text(PATIENTS.replace("120,1", "120,0"))
    assert rows_on(day, path) == rows_on(day, written(tmp_path_factory.mktemp("as_it_is")))


def rows_on(day: int, path: Path) -> list[str]:
    design = columns_of([name for name in FEATURES if name != "tumour"], {})
    matrix = design_matrix(design, [read_histories(path).of[0].as_of(day, 42)])
    return [repr(number) for number in matrix.x.ravel().tolist()]
