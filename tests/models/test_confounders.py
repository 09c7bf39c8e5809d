"""What is said beside a number: who confounds it, how old it is, and what of that is not known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.confounders import confounded, remarks_of
from models.courses import Treatment
from models.neutrophils import neutropenic
from models.patient import GivenMeasurement as Given
from models.patient import Patient, assemble
from models.quality import quality_of
from models.risk import RiskModel

ALC, ANC = Given("alc", 0.8, "10*9/L"), Given("anc", 4.0, "10*9/L")
RULED_OUT = {"steroids_14d": "no", "gcsf_14d": "no", "infection_14d": "no"}
CA19_9, JAUNDICE = Given("ca19_9", 500, "U/mL"), Given("bilirubin", 60, "umol/L")
NINES = "nothing but nines, which many sources write where nothing was measured; check the value"
AT_LEAST = "above the assay's upper limit: at least that"


def patient(
    *measurements: Given,
    tumour: str = "pancreatic",
    history: Mapping[str, object] | None = None,
    treatments: Sequence[Treatment] = (),
) -> Patient:
    known = RULED_OUT if history is None else history
    described = {"id": "p", "age_years": 61, "sex": "female", "tumour": tumour}
    return assemble(**described, measurements=measurements, treatments=treatments, history=known)


def beside(one: Patient) -> Mapping[str, tuple[str, ...]]:
    return remarks_of(one, neutropenic(one, one.current("nlr")))


@pytest.mark.parametrize(
    ("known", "said"),
    [
        (RULED_OUT, ()),
        ({}, ("steroids, G-CSF or infection within 14 days: not known",)),
        (RULED_OUT | {"steroids_14d": "yes"}, ("may be confounded by steroids within 14 days",)),
        (RULED_OUT | {"steroids_14d": "yes", "gcsf_14d": "yes"}, ("may be confounded by steroids and G-CSF within 14 days",)),
        (
            {"infection_14d": "yes", "gcsf_14d": "unknown", "steroids_14d": "no"},
            ("may be confounded by infection within 14 days", "G-CSF within 14 days: not known"),
        ),
    ],
)
def test_what_moves_the_blood_is_said_beside_each_number_of_it_and_no_other(known, said):
    found = beside(patient(ALC, ANC, Given("albumin", 36, "g/L"), history=known))
    assert [found.get(name, ()) for name in ("alc", "anc", "nlr", "albumin")] == [said, said, said, ()]


@pytest.mark.parametrize(
    ("course", "drawn", "there"),
    [
        (Treatment("steroid", 40.0), 0.0, True),  # it runs
        (Treatment("steroid", 40.0, 14.0), 0.0, True),
        (Treatment("steroid", 40.0, 15.0), 0.0, False),
        (Treatment("steroid", 40.0, 25.0), 20.0, True),  # ended eleven days ago, and five days before the draw
        (Treatment("steroid", 40.0, 25.0), 10.0, False),
        (Treatment("steroid", 5.0, 1.0), 10.0, True),  # after the draw, and within 14 days before the index date
        (Treatment("chemotherapy", 90.0, 3.0, agents=("docetaxel", "Prednisone")), 0.0, True),
        (Treatment("other", 5.0, 4.0, agents=("dexamethasone",)), 0.0, True),
        (Treatment("chemotherapy", 90.0, 3.0, agents=("gemcitabine",)), 0.0, False),
    ],
)
def test_a_dated_course_of_steroids_does_not_slip(course, drawn, there):
    (steroids, *_) = confounded(patient(ALC, history={}, treatments=[course]), drawn)
    assert steroids == (1.0 if there else None)


def test_growth_factors_of_ten_days_ago_are_said_beside_the_counts():
    for course in (Treatment("g-csf", 12.0, 10.0), Treatment("chemotherapy", 30.0, 10.0, agents=("pegfilgrastim-jmdb",))):
        one = patient(ALC, ANC, history={"steroids_14d": "no", "infection_14d": "no"}, treatments=[course])
        assert beside(one)["anc"] == ("may be confounded by G-CSF within 14 days",)


@given(st.floats(0, 28), st.floats(0, 200), st.floats(0, 200))
def test_whoever_had_steroids_in_the_two_weeks_before_a_draw_has_them_said(drawn, one_day, other_day):
    start, end = max(one_day, other_day), min(one_day, other_day)
    ran_before = start >= drawn and end <= drawn + 14
    (steroids, *_) = confounded(patient(ALC, history={}, treatments=[Treatment("steroid", start, end)]), drawn)
    assert steroids == (1.0 if ran_before or end <= 14 else None)


@pytest.mark.parametrize(
    ("measured", "said"),
    [
        ([CA19_9], ("bilirubin not measured: whether cholestasis raised it is not known",)),
        ([CA19_9, Given("bilirubin", 10, "umol/L")], ()),
        (
            [CA19_9, JAUNDICE],
            (
                "bilirubin above twice its upper limit of normal (the usual one: the laboratory's own was not given): "
                "not interpretable as tumour burden",
            ),
        ),
        (
            [CA19_9, Given("bilirubin", 60, "umol/L", uln=21)],
            ("bilirubin above twice its upper limit of normal: not interpretable as tumour burden",),
        ),
        ([Given("ca19_9", 1, "U/mL"), JAUNDICE], ("undetectable: possible Lewis-negative non-secretor, not a low burden",)),
        ([Given("ca19_9", ">12000", "U/mL"), Given("bilirubin", 10, "umol/L")], (AT_LEAST,)),
    ],
)
def test_what_confounds_a_tumour_marker_is_said_beside_it(measured, said):
    assert beside(patient(*measured)).get("ca19_9", ()) == said


def test_a_marker_that_the_tumour_does_not_secrete_is_confounded_by_nothing():
    assert "ca19_9" not in beside(patient(CA19_9, JAUNDICE, tumour="nsclc"))


@pytest.mark.parametrize(
    ("given_lab", "said"),
    [
        (Given("ldh", 300, "U/L"), ("given without its laboratory's upper limit of normal: not read",)),
        (Given("ldh", 300, "U/L", uln=250.0), ()),
        (Given("albumin", 36, "g/L", 20.0), ("stale: measured 20 days before the index date",)),
        (Given("albumin", 36, "g/L", 14.0), ()),
        (Given("albumin", 36, "g/L", 33.0), ("measured 33 days before the index date: history only",)),
        (Given("platelets", 999, "10*9/L"), (NINES,)),
    ],
)
def test_age_limits_and_doubts_are_said_beside_the_number(given_lab, said):
    assert beside(patient(given_lab)).get(given_lab.analyte, ()) == said


def test_few_neutrophils_are_said_beside_each_count_and_the_ratio_reassures_nobody():
    found = beside(patient(ALC, Given("anc", 0.9, "10*9/L")))
    assert found["alc"] == found["anc"] == ("neutrophils below 1.0 10*9/L, or possibly so",)
    assert found["nlr"] == ("neutrophils below 1.0 10*9/L, or possibly so: not interpretable, and a low one reassures nobody",)


def test_an_input_carries_the_remarks_of_the_lab_that_it_is_made_of(model: RiskModel):
    one = patient(ALC, ANC, CA19_9, history={})
    found = {quality.name: quality.remarks for quality in quality_of(model, one).inputs}
    of_lab = beside(one)
    assert (found["ln_alc"], found["ln_nlr"], found["ca19_9_log10"]) == (of_lab["alc"], of_lab["nlr"], of_lab["ca19_9"])
    assert found["albumin"] == found["prior_lines"] == ()
    assert "CA19-9: bilirubin not measured: whether cholestasis raised it is not known" in quality_of(model, one).warnings
