"""Every feature is one function of a patient: a number on the model's scale, or the reason why there is none."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from models.courses import Treatment
from models.features import (
    FEATURES,
    GROUPS,
    NLR_CAP,
    OF_A_LANDMARK,
    Feature,
    Reading,
    cholestasis,
    level_of,
    site_feature,
    undetectable,
)
from models.history import HISTORY_FIELDS
from models.measurements import ALC_FLOOR
from models.neutrophils import neutropenic
from models.patient import GivenMeasurement as Given
from models.patient import Measurement, Patient

MakePatient = Callable[..., Patient]
COUNT = "10*9/L"


def read(name: str, patient: Patient) -> Reading:
    return FEATURES[name].of(patient)


@pytest.mark.parametrize(
    ("name", "given", "value"),
    [
        ("ln_alc", Given("alc", 0.8, COUNT), math.log(0.8)),
        ("ln_alc", Given("alc", 0, COUNT), math.log(ALC_FLOOR)),
        ("ln_alc", Given("alc", "<0.1", COUNT), math.log(0.1)),
        ("ln_nlr", Given("nlr", 5, "1"), math.log(5)),
        ("ln_nlr", Given("nlr", 120, "1"), math.log(NLR_CAP)),
        ("ln_crp", Given("crp", 0, "mg/L"), math.log(0.1)),
        ("ca19_9_log10", Given("ca19_9", ">120000", "U/mL"), math.log10(120000)),
        ("ca19_9_undetectable", Given("ca19_9", 500, "U/mL"), 0.0),
        ("ca19_9_undetectable", Given("ca19_9", 2, "U/mL"), 1.0),
        ("ln_ldh_ratio", Given("ldh", 500, "U/L", uln=250), math.log(2)),
        ("ln_ldh_ratio", Given("ldh", 500 / 60, "ukat/L", uln=250 / 60), math.log(2)),
        ("albumin", Given("albumin", 3.6, "g/dL"), 36.0),
        ("hemoglobin", Given("hemoglobin", 10, "g/dL"), 10.0),
        ("ln_platelets", Given("platelets", 250, COUNT), math.log(250)),
        ("ln_bilirubin", Given("bilirubin", 1, "mg/dL"), math.log(17.1)),
        ("bmi", Given("bmi", 22, "kg/m2"), 22.0),
        ("ecog", Given("karnofsky", 80, "%"), 1.0),
    ],
)
def test_a_lab_is_read_on_the_scale_of_the_model(make_patient: MakePatient, name: str, given: Given, value: float) -> None:
    assert read(name, make_patient(given)) == Reading(pytest.approx(value, rel=1e-12), "measured")


@pytest.mark.parametrize(
    ("name", "history", "value"),
    [
        ("prior_lines", {"prior_lines": 3}, 3.0),
        ("prior_systemic_therapy", {"prior_lines": 3}, 1.0),
        ("prior_chemotherapy", {"prior_chemotherapy": "yes"}, 1.0),
        ("prior_radiotherapy", {"days_since_radiotherapy": 9}, 1.0),
        ("ln_days_since_radiotherapy", {"days_since_radiotherapy": 9}, math.log(10)),
        ("prior_immunotherapy", {"prior_immunotherapy": "no"}, 0.0),
        ("months_on_therapy", {"months_on_therapy": 7.5}, 7.5),
        ("last_line_months", {"last_line_months": 2}, 2.0),
        ("last_line_progressed", {"last_line_outcome": "progression"}, 1.0),
        ("last_line_progressed", {"last_line_outcome": "toxicity"}, 0.0),
        ("steroids_14d", {"steroids_14d": "yes"}, 1.0),
        ("liver_metastases", {"liver_metastases": "no"}, 0.0),
        ("metastatic_sites", {"metastatic_sites": 4}, 4.0),
    ],
)
def test_the_history_is_read(make_patient: MakePatient, name: str, history: dict[str, object], value: float) -> None:
    assert read(name, make_patient(history=history)) == Reading(pytest.approx(value), "measured")


def test_what_was_not_said_or_measured_is_no_number(make_patient: MakePatient) -> None:
    patient = make_patient(sex=None)
    for name, feature in FEATURES.items():
        found = feature.of(patient)
        known = name in ("age", "tumour") or feature in OF_A_LANDMARK
        assert known or (math.isnan(found.value) and found.status == "not measured"), name


def test_an_old_lab_is_not_measured(make_patient: MakePatient) -> None:
    assert read("albumin", make_patient(Given("albumin", 36, "g/L", 29))).status == "not measured"


@pytest.mark.parametrize("name", ["months_on_therapy", "last_line_months", "last_line_progressed"])
def test_what_only_the_treated_have_does_not_apply_to_the_untreated(make_patient: MakePatient, name: str) -> None:
    assert read(name, make_patient(history={"prior_lines": 0})).status == "not applicable"


def test_days_since_radiotherapy_do_not_apply_to_whom_had_none(make_patient: MakePatient) -> None:
    assert read("ln_days_since_radiotherapy", make_patient(history={"prior_radiotherapy": "no"})).status == "not applicable"


@pytest.mark.parametrize("name", ["ca19_9_log10", "ca19_9_undetectable", "ca19_9_change"])
def test_ca19_9_does_not_apply_where_the_tumour_does_not_secrete_it(make_patient: MakePatient, name: str) -> None:
    draws = Given("ca19_9", 500, "U/mL"), Given("ca19_9", 100, "U/mL", 30)
    assert read(name, make_patient(*draws, tumour="nsclc")).status == "not applicable"
    assert read(name, make_patient(*draws, tumour="colorectal")).status == "measured"


@pytest.mark.parametrize("value", [0, "<2.0", "<37", 1.9, 2])
def test_an_undetectable_ca19_9_is_a_stratum_and_never_a_low_burden(make_patient: MakePatient, value: float | str) -> None:
    patient = make_patient(Given("ca19_9", value, "U/mL"))
    assert read("ca19_9_log10", patient).status == "not applicable"
    assert read("ca19_9_undetectable", patient).value == 1.0


@pytest.mark.parametrize(
    ("bilirubin", "jaundiced"),
    [
        (Given("bilirubin", 42, "umol/L"), True),
        (Given("bilirubin", 41, "umol/L"), False),
        (Given("bilirubin", 2.5, "mg/dL", uln=1.2), True),
        (Given("bilirubin", 2.3, "mg/dL", uln=1.2), False),
        (Given("bilirubin", 42, "umol/L", uln=25), False),
    ],
)
def test_ca19_9_says_nothing_of_the_burden_in_cholestasis(make_patient: MakePatient, bilirubin: Given, jaundiced: bool) -> None:
    patient = make_patient(bilirubin, Given("ca19_9", 500, "U/mL"))
    assert cholestasis(patient) == jaundiced
    assert read("ca19_9_log10", patient).status == ("not interpretable" if jaundiced else "measured")


@pytest.mark.parametrize(
    ("now", "then", "status"),
    [
        (Given("ca19_9", 1000, "U/mL", 0), Given("ca19_9", 100, "U/mL", 30), "measured"),
        (Given("ca19_9", 1000, "U/mL", 0, method="A"), Given("ca19_9", 100, "U/mL", 30, method="B"), "not measured"),
        (Given("ca19_9", 1000, "U/mL", 0), Given("ca19_9", 100, "U/mL", 10), "not measured"),
        (Given("ca19_9", 1000, "U/mL", 0), Given("ca19_9", "<2", "U/mL", 30), "not applicable"),
        (Given("ca19_9", ">1000", "U/mL", 0), Given("ca19_9", ">1000", "U/mL", 30), "not interpretable"),
    ],
)
def test_changes_are_taken_within_one_assay(make_patient: MakePatient, now: Given, then: Given, status: str) -> None:
    found = read("ca19_9_change", make_patient(now, then))
    assert found.status == status
    assert status != "measured" or found.value == 1.0


def test_changes_of_counts_are_ratios_on_the_log_scale(make_patient: MakePatient) -> None:
    patient = make_patient(
        *(Given("alc", alc, COUNT, day) for alc, day in ((0.5, 0), (1.0, 30))),
        *(Given("anc", anc, COUNT, day) for anc, day in ((4.0, 0), (2.0, 30))),
    )
    assert read("alc_change", patient).value == pytest.approx(math.log(0.5))
    assert read("nlr_change", patient).value == pytest.approx(math.log(4))


def test_a_neutropenic_ratio_is_not_interpretable_wherever_the_neutropenia_stands(make_patient: MakePatient) -> None:
    same_draw = make_patient(Given("alc", 1, COUNT), Given("anc", 0.9, COUNT))
    newer_count = make_patient(Given("nlr", 3, "1", 5), Given("anc", "<1.0", COUNT, 0))
    recovered_since = make_patient(Given("alc", 1, COUNT, 5), Given("anc", 0.9, COUNT, 5), Given("anc", 4, COUNT, 0))
    no_neutrophils_then = make_patient(Given("alc", 1, COUNT, 5), Given("anc", 0, COUNT, 5), Given("anc", 4, COUNT, 0))
    for patient in (same_draw, newer_count, recovered_since, no_neutrophils_then):
        assert read("ln_nlr", patient).status == "not interpretable"
        assert neutropenic(patient, patient.current("nlr"))
    assert read("ln_nlr", make_patient(Given("alc", 1, COUNT), Given("anc", 1.0, COUNT))).status == "measured"


def test_a_change_from_a_neutropenic_ratio_is_not_interpretable(make_patient: MakePatient) -> None:
    counts = [Given("alc", 1, COUNT, 0), Given("anc", 4, COUNT, 0), Given("alc", 1, COUNT, 30), Given("anc", 0.9, COUNT, 30)]
    assert read("nlr_change", make_patient(*counts)).status == "not interpretable"
    assert read("ln_nlr", make_patient(*counts)).status == "measured"


def test_ldh_without_its_upper_limit_is_not_read(make_patient: MakePatient) -> None:
    assert read("ln_ldh_ratio", make_patient(Given("ldh", 500, "U/L"))).status == "not measured"


def test_dated_treatments_are_read_like_a_summary(make_patient: MakePatient) -> None:
    dated = make_patient(treatments=[Treatment("chemotherapy", 200, 100, outcome="progression")])
    stated = make_patient(history={"prior_lines": 1, "last_line_months": 100 / 30.4375, "last_line_outcome": "progression"})
    for name in ("prior_lines", "prior_systemic_therapy", "last_line_months", "last_line_progressed"):
        assert read(name, dated) == read(name, stated)


@pytest.mark.parametrize(
    ("ca19_9", "expected"),
    [
        (Measurement("ca19_9", 2.0, 0.0), True),
        (Measurement("ca19_9", 2.1, 0.0), False),
        (Measurement("ca19_9", 37.0, 0.0, "<"), True),
    ],
)
def test_what_is_undetectable(ca19_9: Measurement, expected: bool) -> None:
    assert undetectable(ca19_9) == expected


def test_a_sites_own_covariate_is_a_number_or_a_level(make_patient: MakePatient) -> None:
    patient = make_patient(extra={"tmb": 4.0, "stage": "IV"})
    number, level = site_feature("tmb", levels=False), site_feature("stage", levels=True)
    assert number.of(patient).value == 4.0
    assert number.group == "site covariates"
    assert site_feature("pdl1", levels=False).of(patient).status == "not measured"
    assert (level_of(level, patient), level_of(FEATURES["tumour"], patient)) == ("IV", "pancreatic")
    assert level_of(site_feature("tmb", levels=True), patient) == "4"  # as a cohort file reads it
    assert level_of(site_feature("tmb", levels=True), make_patient(extra={"tmb": "4.0"})) == "4"
    assert level_of(site_feature("tmb", levels=True), make_patient(extra={"tmb": " "})) is None


@pytest.mark.parametrize("feature", FEATURES.values(), ids=lambda feature: feature.name)
def test_every_feature_has_its_group_and_is_shown_in_a_unit_a_reader_knows(feature: Feature) -> None:
    assert feature.group in GROUPS
    assert feature.label
    expected = {"ln": math.exp(0.5), "log10": 10**0.5}.get(feature.scale, 0.5)
    assert feature.shown(0.5) == pytest.approx(expected)


def test_every_field_of_the_history_is_read_by_a_feature() -> None:
    named = {"ln_days_since_radiotherapy": "days_since_radiotherapy", "last_line_progressed": "last_line_outcome"}
    assert {named.get(name, name) for name in FEATURES} >= set(HISTORY_FIELDS)


def test_what_the_clinic_is_sure_of_is_signed() -> None:
    signs = {name: feature.sign for name, feature in FEATURES.items()}
    assert [signs[name] for name in ("ln_nlr", "nlr_change", "ln_alc", "alc_change", "albumin", "hemoglobin")] == [
        1,
        1,
        -1,
        -1,
        -1,
        -1,
    ]
    # two-sided in the literature, or a marker of who gets treated: no sign is claimed
    assert not any(signs[name] for name in ("age", "bmi", "ln_platelets", "ca19_9_log10", "months_on_therapy"))
