"""Patients become answers: the same numbers in any company, reasons that add up, and a refusal that leaves the others alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.artifact import Artifact
from models.courses import Treatment
from models.example import EXAMPLE
from models.patient import GivenMeasurement as Given
from models.patient import Patient, assemble
from models.published import PUBLISHED
from models.risk import RiskModel
from serving.answer import Answer
from serving.refused import Refused, pointed
from serving.score import admit, score

several = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def patient(
    *measurements: Given, id: str = "p", age: float = 61, tumour: str = "pancreatic", treatments: tuple[Treatment, ...] = ()
) -> Patient:
    return assemble(
        id=id, age_years=age, sex="female", tumour=tumour, measurements=measurements, treatments=treatments,
        history={} if treatments else {"prior_lines": 2},
    )  # fmt: skip


ALC, ANC, ALBUMIN = Given("alc", 0.8, "10*9/L"), Given("anc", 4.0, "10*9/L"), Given("albumin", 36, "g/L")


def only(artifact: Artifact, one: Patient | Refused) -> Answer:
    (answer,) = score(artifact, [one])
    assert isinstance(answer, Answer)
    return answer


def labs(*, albumin: float, alc: float, anc: float, **more: float) -> list[Given]:
    units = {"ca19_9": "U/mL", "ecog": "{score}"}
    found = [Given("albumin", albumin, "g/L"), Given("alc", alc, "10*9/L"), Given("anc", anc, "10*9/L")]
    return found + [Given(name, value, units[name]) for name, value in more.items()]


ca19_9 = st.integers(0, 10**5).map(lambda whole: whole + 0.5)  # 99999 is a code for "missing"
patients = st.builds(
    lambda age, tumour, some, more: patient(*labs(**some, **more), age=age, tumour=tumour),
    st.floats(18, 95).map(lambda age: round(age, 1)),
    st.sampled_from(["pancreatic", "nsclc", "colorectal", "sarcoma"]),
    st.fixed_dictionaries({"albumin": st.floats(20, 50), "alc": st.floats(0.1, 4), "anc": st.floats(0.6, 20)}),
    st.fixed_dictionaries({}, optional={"ca19_9": ca19_9, "ecog": st.integers(0, 4).map(float)}),
)


@several
@given(company=st.lists(patients, min_size=1, max_size=9))
def test_a_patient_is_the_same_number_alone_and_in_company(loaded: Artifact, company: list[Patient]) -> None:
    together = [answer.as_json() for answer in score(loaded, company)]
    assert together == [only(loaded, one).as_json() for one in company]


@several
@given(one=patients)
def test_the_explanation_adds_up_to_the_number_it_explains(loaded: Artifact, one: Patient) -> None:
    for horizon in only(loaded, one).horizons:
        assert abs(horizon.base + sum(horizon.terms.values()) + horizon.time_bound - horizon.log_odds) < 1e-9
        assert abs(1 / (1 + np.exp(-horizon.log_odds)) - horizon.risk) < 1e-12
        assert abs(sum(group.points for group in horizon.groups) - (horizon.risk - horizon.reference)) < 1e-9
        assert horizon.low <= horizon.risk <= horizon.high


@several
@given(one=patients)
def test_risk_never_falls_as_the_horizon_grows(loaded: Artifact, one: Patient) -> None:
    assert all(early.risk <= late.risk for early, late in pairwise(only(loaded, one).horizons))


@several
@given(alc=st.integers(10, 600), albumin=st.integers(200, 500))
def test_units_spelled_differently_are_one_patient_to_the_bit(loaded: Artifact, alc: int, albumin: int) -> None:
    spellings = [
        (Given("alc", alc / 100, "10*9/L"), Given("albumin", albumin / 10, "g/L")),
        (Given("alc", alc * 10, "/mm3"), Given("albumin", albumin / 100, "g/dL")),
        (Given("alc", float(alc * 10), "cells/uL"), Given("albumin", albumin / 100, "g/dL")),
    ]
    answers = [only(loaded, patient(*spelling)) for spelling in spellings]
    assert answers[0].horizons == answers[1].horizons == answers[2].horizons


def test_the_horizons_are_those_of_the_model_and_the_others_say_why(loaded: Artifact) -> None:
    body = only(loaded, patient(ALC, ANC, ALBUMIN)).as_json()
    assert list(body["risks"]) == ["30", "90", "180", "365"]  # type: ignore[call-overload]
    assert body["refused_horizons"] == {"60": "not asked for"}
    assert any("not promotable at 30 days: 60 deaths" in line for line in body["standing"])  # type: ignore[attr-defined]


def test_an_answer_is_json_and_names_its_model(loaded: Artifact) -> None:
    body = json.loads(json.dumps(only(loaded, patient(ALC, ANC, ALBUMIN)).as_json(), allow_nan=False))
    assert body["model"] == {"name": "hand-made", "digest": loaded.digest}
    assert body["lymphopenia"] == {"grade": 1, "scale": "CTCAE 5.0", "since_days_before_as_of": 0.0}
    assert "calibration: not checked at this site" in body["standing"]
    assert "example" not in body
    assert "Prognostic" in body["text"]


def test_every_word_about_simulated_patients_begins_by_saying_so(simulated: Artifact) -> None:
    answer = only(simulated, patient(ALC, ANC, ALBUMIN))
    assert next(iter(answer.as_json().items())) == ("example", EXAMPLE)
    assert answer.text.startswith(EXAMPLE)
    assert answer.standing[0] == EXAMPLE


def test_a_refused_patient_leaves_the_others_alone(loaded: Artifact) -> None:
    unreadable = Refused("x", "invalid", ())
    first, child, last = (patient(ALC, ALBUMIN, id=id, age=age) for id, age in (("a", 61), ("b", 17), ("c", 61)))
    found = score(loaded, [first, unreadable, child, last])
    assert [type(one).__name__ for one in found] == ["Answer", "Refused", "Refused", "Answer"]
    assert [one.id for one in found] == ["a", "x", "b", "c"]


@pytest.mark.parametrize(
    ("one", "why", "field"),
    [
        (patient(ALC, ALBUMIN, age=17.9), "not eligible", "age_years"),
        (patient(ALC, ALBUMIN, tumour="lymphoma"), "not eligible", "tumour"),
        (patient(ALC, ALBUMIN, Given("anc", 0.4, "10*9/L")), "not eligible", "anc"),
        (patient(ALC, ALBUMIN, treatments=(Treatment("chemotherapy", 30.0),)), "not eligible", "treatments"),
        (patient(ALC), "insufficient data", "albumin"),
        (patient(ALC, Given("albumin", 36, "g/L", 29.0)), "insufficient data", "albumin"),
    ],
)
def test_whoever_may_not_be_scored_is_refused_with_the_reason(loaded: Artifact, one: Patient, why: str, field: str) -> None:
    (found,) = score(loaded, [one])
    assert isinstance(found, Refused)
    assert (found.why, [fault.field for fault in found.faults]) == (why, [field])


def test_a_ratio_that_alone_implies_neutropenia_is_not_read_without_the_count(loaded: Artifact) -> None:
    (found,) = score(loaded, [patient(ALC, ALBUMIN, Given("nlr", 0.7, "1"))])
    assert isinstance(found, Refused)
    (error,) = pointed(found.faults, "/patients/3")
    assert (found.why, error["pointer"]) == ("insufficient data", "/patients/3/measurements")
    assert error["detail"].startswith("anc: allowed is the neutrophil count of the draw of the NLR")
    only(loaded, patient(ALC, ALBUMIN, Given("anc", 0.56, "10*9/L")))


def test_counts_of_different_days_make_no_ratio_and_the_refusal_says_so(loaded: Artifact) -> None:
    model = replace(loaded.model, required=("ln_nlr",))
    found = admit(model, patient(ALC, Given("anc", 4.0, "10*9/L", 3.0)))
    assert isinstance(found, Refused)
    assert [fault.likely for fault in found.faults] == ["neutrophils and lymphocytes of different days: a ratio is of one draw"]
    assert [fault.likely for fault in admit(model, patient(ALC)).faults] == [""]  # type: ignore[union-attr]


def test_every_missing_required_input_is_named(loaded: Artifact) -> None:
    (found,) = score(loaded, [patient(ANC)])
    assert isinstance(found, Refused)
    required = "at most 28 days before the index date: this model requires it"
    assert found.as_json()["errors"] == [
        {"pointer": "/measurements", "detail": f"alc: allowed is absolute lymphocyte count, {required}"},
        {"pointer": "/measurements", "detail": f"albumin: allowed is albumin, {required}"},
    ]


def test_an_unmeasured_lab_is_estimated_with_the_risks_at_both_ends(loaded: Artifact) -> None:
    answer = only(loaded, patient(ALC, ALBUMIN))
    estimate = next(one for one in answer.estimates if one.feature == "ln_nlr")
    assert 0 < estimate.low < estimate.value < estimate.high
    assert all(estimate.risk_at_low[days] <= estimate.risk_at_high[days] for days in (30, 90, 180, 365))
    assert "not known, estimated" in answer.text
    assert {one.feature for one in answer.estimates} == {"ln_nlr", "ca19_9_log10", "ln_ldh_ratio", "ecog"}


def test_a_group_that_is_mostly_estimated_is_not_named_as_a_reason(loaded: Artifact) -> None:
    answer = only(loaded, patient(ALC, ALBUMIN))
    burden = next(group for group in answer.primary.groups if group.group == "tumour burden")
    assert burden.estimated_share > 0.5
    assert "tumour burden: mostly not measured" in answer.text


def test_outside_the_development_population_is_said(loaded: Artifact) -> None:
    answer = only(loaded, patient(ALC, ALBUMIN, tumour="sarcoma"))
    assert any(line.startswith("outside the development population: fewer than 10 ") for line in answer.standing)


def test_without_anything_to_score_there_is_nothing(loaded: Artifact) -> None:
    assert score(loaded, []) == []


def test_a_model_without_trees_scores_by_the_same_path(make_model: Callable[..., RiskModel]) -> None:
    linear = Artifact(make_model(trees=None, tree_share=0.0), "0" * 64, {})
    assert len(only(linear, patient(ALC, ALBUMIN)).horizons) == 4


def test_an_answer_with_estimates_says_that_its_intervals_leave_them_out(loaded: Artifact) -> None:
    answer = only(loaded, patient(ALC, ANC, ALBUMIN))
    assert answer.estimates, "CA19-9 and more were not measured"
    assert "nor what is not known of this patient" in answer.text
    assert answer.text.index(answer.warnings[0]) < answer.text.index("Why, within"), "doubts come before reasons"


def test_published_scores_stand_in_the_answer_with_their_reasons(loaded: Artifact) -> None:
    body = json.loads(json.dumps(only(loaded, patient(ALC, ANC, ALBUMIN, Given("crp", 12, "mg/L"))).as_json(), allow_nan=False))
    entries = {entry["name"]: entry for entry in body["published_scores"]}
    assert list(entries) == list(PUBLISHED)
    assert (entries["mps"]["value"], entries["mps"]["why"]) == (2.0, "")
    assert (entries["grim"]["value"], entries["grim"]["why"]) == (None, "not available: LDH was not measured")
    assert all(entry["source"] and entry["label"] for entry in entries.values())
    assert entries["loris"]["higher_is_worse"] is False


def test_only_available_scores_are_put_into_words(loaded: Artifact) -> None:
    answer = only(loaded, patient(ALC, ANC, ALBUMIN, Given("crp", 12, "mg/L")))
    (line,) = (one for one in answer.sentences() if one.startswith("Published"))
    assert line == (
        "Published scores, for comparison and no part of the risk: NLR > 5: no; ALC < 1.0 x 10^9/L: yes; "
        "CTCAE lymphopenia grade 1; PNI 40 (higher is better); mGPS 1; MPS 2"
    )
    assert not any(one.startswith("Published") for one in replace(answer, published={}).sentences())
