"""A patient as known on the index date: every fault at once, how old a lab may be, and no summary against dated treatments."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from models.courses import Treatment
from models.fault import Fault
from models.patient import GivenMeasurement as Given
from models.patient import InvalidPatient, Patient, assemble

MakePatient = Callable[..., Patient]


def faults_of(make_patient: MakePatient, *measurements: Given, **changes: object) -> dict[str, Fault]:
    with pytest.raises(InvalidPatient, match=r"allowed is") as caught:
        make_patient(*measurements, **changes)
    return {fault.field: fault for fault in caught.value.faults}


def test_every_fault_is_named_at_once_and_where_it_stands() -> None:
    with pytest.raises(InvalidPatient, match=r"/age_years.*/sex") as caught:
        assemble(
            id="p",
            age_years=1958,
            sex="3",
            tumour="pancreatci",
            measurements=[
                Given("alc", 1200, "10*9/L", field="/measurements/0/value"),
                Given("albumin", 36, None, field="/measurements/1/unit"),
                Given("crp", 12, "mg/L", -3.0, field="/measurements/2/date"),
            ],
            treatments=[Treatment("chemo", 100.0, 200.0)],
            history={"prior_lines": -1, "steroids_14d": "perhaps"},
            fields={name: f"/{name}" for name in ("age_years", "sex", "tumour", "prior_lines", "steroids_14d", "treatments")},
            faults=[Fault("/as_of", "nothing", "a date")],
        )
    assert {fault.field for fault in caught.value.faults} == {
        "/as_of",
        "/measurements/0/value",
        "/measurements/1/unit",
        "/measurements/2/date",
        "/treatments/0/end",
        "/treatments/0/modality",
        "/prior_lines",
        "/steroids_14d",
        "/age_years",
        "/sex",
        "/tumour",
    }


def test_what_leaves_the_house_holds_nothing_that_was_given(make_patient: MakePatient) -> None:
    measurements = [Given("alc", 731.731, "10*9/L"), Given("ldh", 400, "U/L", uln=-731.0), Given("albumin", "73l", "g/L")]
    measurements += [Given("wbc", 4, "10*9/L"), Given("anc", 7.31, "10*9/L"), Given("nlr", 7.31, "zz731"), Given("zz731", 1, "1")]
    history = {"prior_lines": 731, "last_line_outcome": "zz731", "gcsf_14d": "zz731", "days_since_radiotherapy": -731}
    treatments = [Treatment("zz731", -731.0, 7310.0, outcome="zz731")]
    found = faults_of(
        make_patient, *measurements, age_years=731, sex="zz731", tumour="zz731", history=history, treatments=treatments
    )
    assert len(found) >= 14
    assert not [sentence for sentence in (fault.without_value() for fault in found.values()) if "731" in sentence]


@pytest.mark.parametrize(("day", "current", "stale"), [(0, True, False), (14, True, False), (15, True, True), (28, True, True)])
def test_a_lab_of_two_weeks_is_current_and_one_of_four_is_stale(
    make_patient: MakePatient, day: float, current: bool, stale: bool
) -> None:
    found = make_patient(Given("albumin", 36, "g/L", day)).current("albumin")
    assert (found is not None) == current
    assert found is not None
    assert found.stale == stale


def test_a_lab_older_than_four_weeks_is_history_only(make_patient: MakePatient) -> None:
    patient = make_patient(Given("albumin", 36, "g/L", 29))
    assert patient.current("albumin") is None
    assert patient.series["albumin"][0].value == 36


def test_the_newest_lab_counts_whatever_the_order(make_patient: MakePatient) -> None:
    draws = [Given("albumin", 30 + day, "g/L", day) for day in (3, 1, 2)]
    found = make_patient(*draws).current("albumin")
    assert found is not None
    assert found.value == 31


def test_an_earlier_lab_lies_apart_and_not_too_far(make_patient: MakePatient) -> None:
    patient = make_patient(*(Given("alc", 1 + day / 100, "10*9/L", day) for day in (2, 10, 16, 40, 130)))
    earlier = patient.earlier("alc")
    assert earlier is not None
    assert earlier.days_before_index == 16
    assert make_patient(Given("alc", 1, "10*9/L", 2), Given("alc", 1, "10*9/L", 130)).earlier("alc") is None
    assert make_patient(Given("alc", 1, "10*9/L", 40)).earlier("alc") is None


def test_a_day_is_found_by_its_number(make_patient: MakePatient) -> None:
    patient = make_patient(Given("alc", 1, "10*9/L", 2), Given("alc", 2, "10*9/L", 9))
    found = patient.on_day("alc", 9.0)
    assert found is not None
    assert found.value == 2
    assert patient.on_day("alc", 3.0) is None
    assert patient.on_day("anc", 9.0) is None


@pytest.mark.parametrize(
    ("given", "sex"), [("F", "female"), ("male ", "male"), (None, "unknown"), ("other", "unknown"), ("W", "female")]
)
def test_the_sex_is_read_in_the_usual_words(make_patient: MakePatient, given: object, sex: str) -> None:
    assert make_patient(sex=given).sex == sex


@pytest.mark.parametrize("age", [None, "old", True, -1, 121, float("nan"), 1958])
def test_an_age_that_is_none_is_refused(make_patient: MakePatient, age: object) -> None:
    fault = faults_of(make_patient, age_years=age)["age_years"]
    assert ("year of birth" in fault.likely) == (age == 1958)


def test_a_tumour_is_required_and_a_near_miss_is_named(make_patient: MakePatient) -> None:
    assert faults_of(make_patient, tumour=None)["tumour"].given == "nothing"
    assert "perhaps pancreatic" in faults_of(make_patient, tumour="pancreatci")["tumour"].allowed


COURSES = (Treatment("chemotherapy", 200.0, 100.0, line=1, outcome="progression"), Treatment("steroid", 60.0, 40.0))


def test_dated_treatments_fill_the_history(make_patient: MakePatient) -> None:
    history = make_patient(treatments=COURSES, history={"liver_metastases": "yes", "last_line_months": 3}).history
    assert (history.prior_lines, history.last_line_outcome, history.liver_metastases) == (1.0, "progression", 1.0)
    assert history.last_line_months == pytest.approx(100 / 30.4375)


@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("prior_lines", 2),
        ("prior_systemic_therapy", "no"),
        ("prior_immunotherapy", "yes"),
        ("prior_chemotherapy", "no"),
        ("last_line_outcome", "response"),
    ],
)
def test_a_summary_that_contradicts_dated_treatments_is_refused(make_patient: MakePatient, field: str, given: object) -> None:
    assert field in faults_of(make_patient, treatments=COURSES, history={field: given})


def test_an_old_course_of_steroids_does_not_overrule_a_recent_one(make_patient: MakePatient) -> None:
    assert make_patient(treatments=COURSES, history={"steroids_14d": "yes"}).history.steroids_14d == 1.0
    assert make_patient(treatments=COURSES).history.steroids_14d is None


def test_a_summary_that_says_the_same_is_no_contradiction(make_patient: MakePatient) -> None:
    same = {"prior_lines": 1, "prior_systemic_therapy": "yes", "last_line_outcome": "PD", "prior_chemotherapy": 1}
    assert make_patient(treatments=COURSES, history=same).history.prior_lines == 1.0
