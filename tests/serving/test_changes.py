"""What changed between two scores, for any two patients: it adds up, and what cannot be compared is told or refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.artifact import Artifact
from models.patient import Patient
from models.risk import Calibration
from serving.answer import Answer
from serving.changes import Earlier, excerpt, with_change
from serving.receipts.payload import plain
from serving.refused import Refused
from serving.score import score
from serving.wire import read_patient

Made = Callable[[float, float], Artifact]
LABS = {"alc": "10*9/L", "anc": "10*9/L", "albumin": "g/L", "ldh": "U/L", "ca19_9": "U/mL"}
VALUES = {
    "alc": st.floats(0.1, 4.0),
    "anc": st.floats(1.1, 20.0),
    "albumin": st.floats(20.0, 48.0),
    "ldh": st.none() | st.floats(120.0, 900.0),
    "ca19_9": st.none() | st.floats(5.0, 90_000.0),
}
PATIENTS = st.fixed_dictionaries({**VALUES, "lines": st.integers(0, 5), "age": st.integers(20, 90)})


def patient(values: dict[str, Any]) -> Patient:
    measured = [
        {"analyte": name, "value": values[name], "unit": unit, "date": "2026-03-30", **({"uln": 250} if name == "ldh" else {})}
        for name, unit in LABS.items()
        if values[name] is not None
    ]
    person = {"id": "p-1", "as_of": "2026-03-31", "age_years": values["age"], "tumour": "pancreatic", "measurements": measured}
    read = read_patient(person | {"history": {"prior_lines": values["lines"]}})
    assert isinstance(read, Patient)
    return read


def answer(artifact: Artifact, one: Patient) -> Answer:
    (found,) = score(artifact, [one])
    assert isinstance(found, Answer)
    return found


def earlier(artifact: Artifact, one: Patient, **otherwise: Any) -> Earlier:
    model = {"name": artifact.model.name, "digest": artifact.digest}
    document = {"answer": plain(answer(artifact, one).as_json()), "given": {"as_of": "2026-03-31"}, "model": model}
    return Earlier(excerpt(7, "d" * 64, "2026-03-31T00:00:00Z", document) | otherwise, artifact)


def compared(then: Earlier, artifact: Artifact, one: Patient) -> dict[str, Any]:
    found = with_change(answer(artifact, one), one, then)
    assert isinstance(found, Answer)
    told: dict[str, Any] = plain(found.as_json()["change"])
    return told


@pytest.fixture(scope="module")
def other(loaded: Artifact) -> Made:
    """Another model: its log-odds moved and stretched."""
    of = loaded.model.calibration

    def made(intercept: float, slope: float) -> Artifact:
        calibration = Calibration(of.intercept + intercept, of.slope * slope)
        return replace(loaded, model=replace(loaded.model, calibration=calibration), digest="e" * 64)

    return made


@settings(max_examples=60, deadline=None)
@given(PATIENTS, PATIENTS, st.floats(-1, 1), st.floats(0.4, 1.6))
def test_whoever_is_compared_the_parts_sum_to_the_difference_that_is_shown(
    loaded: Artifact, other: Made, then: dict[str, Any], now: dict[str, Any], moved: float, slope: float
) -> None:
    before, after, model = patient(then), patient(now), other(moved, slope)
    told = compared(earlier(loaded, before), model, after)
    assert list(told["horizons"]) == ["30", "90", "180", "365"]
    for days, shown in zip(told["horizons"], answer(model, after).horizons, strict=True):
        one = told["horizons"][days]
        assert one["to"] == shown.risk
        assert abs(sum(one["patient"].values()) + sum(one["model"].values()) - 100 * (one["to"] - one["from"])) <= 1e-7


@settings(max_examples=30, deadline=None)
@given(PATIENTS, PATIENTS, st.floats(0.1, 1))
def test_one_model_has_no_part_and_one_patient_has_none(
    loaded: Artifact, other: Made, then: dict[str, Any], now: dict[str, Any], moved: float
) -> None:
    before, after = patient(then), patient(now)
    for one in compared(earlier(loaded, before), loaded, after)["horizons"].values():
        assert set(one["model"].values()) == {0.0}
    for one in compared(earlier(loaded, before), other(moved, 1.0), before)["horizons"].values():
        assert set(one["patient"].values()) == {0.0}
        assert one["to"] > one["from"]


BEFORE: dict[str, Any] = {"alc": 0.5, "anc": 8.0, "albumin": 30.0, "ldh": None, "ca19_9": 800.0, "lines": 1, "age": 60}
AFTER = BEFORE | {"alc": 1.5, "anc": 4.0}


def test_a_horizon_of_one_score_alone_is_told_and_not_compared(loaded: Artifact) -> None:
    then = earlier(loaded, patient(BEFORE))
    sums = then.told["horizons"]
    fewer = {"45": sums["30"], **{days: one for days, one in sums.items() if days != "180"}}
    told = compared(Earlier({**then.told, "horizons": fewer}, loaded), loaded, patient(AFTER))
    assert list(told["horizons"]) == ["30", "90", "365"]
    assert told["not_compared"] == {
        "45": "this score tells no risk within that time",
        "180": "the earlier score tells no risk within that time",
    }


def test_where_no_horizon_is_of_both_scores_the_comparison_is_refused(loaded: Artifact) -> None:
    then = earlier(loaded, patient(BEFORE))
    alone = Earlier({**then.told, "horizons": {"45": then.told["horizons"]["30"]}}, loaded)
    refused = with_change(answer(loaded, patient(AFTER)), patient(AFTER), alone)
    assert isinstance(refused, Refused)
    assert refused.why == "not comparable"
    assert "one that tells the risk within a time that the model of now tells, too" in str(refused)


def test_where_the_model_of_then_gives_the_patient_of_now_no_risk_the_comparison_is_refused_with_its_reason(
    loaded: Artifact, other: Made
) -> None:
    one = patient(AFTER)
    demanding = replace(loaded, model=replace(loaded.model, required=("ln_alc", "ln_ldh_ratio")))
    refused = with_change(answer(other(0.2, 1.0), one), one, Earlier(earlier(loaded, patient(BEFORE)).told, demanding))
    assert isinstance(refused, Refused)
    assert refused.why == "not comparable"
    assert "whose model gives the patient of now a risk, which it does not (ldh: allowed is " in str(refused)
    assert "1.5" not in refused.faults[0].without_value()  # no value leaves with it


def test_what_moved_through_estimates_alone_is_told_as_that_and_what_was_measured_is_not(loaded: Artifact) -> None:
    then = earlier(loaded, patient(BEFORE | {"ca19_9": None, "ldh": None}))
    one = compared(then, loaded, patient(AFTER | {"ca19_9": None, "ldh": None}))["horizons"]["90"]
    assert abs(one["patient"]["tumour burden"]) >= 0.05  # though nobody measured any of it: its estimate follows the lymphocytes
    assert "tumour burden" in one["estimated"]
    assert "lymphocytes and inflammation" not in one["estimated"]
    assert one["text"].endswith(")")
    assert "tumour burden" in one["text"].partition("through estimates of what was not measured: ")[2]


def test_what_did_not_move_is_not_said_to_have_moved_through_estimates(loaded: Artifact) -> None:
    one = compared(earlier(loaded, patient(BEFORE | {"ca19_9": None})), loaded, patient(BEFORE | {"ca19_9": None}))
    assert [told["estimated"] for told in one["horizons"].values()] == [[], [], [], []]
    assert "estimates" not in one["horizons"]["90"]["text"]


def test_the_group_that_is_told_to_have_moved_through_estimates_moved_more_by_them_than_by_what_was_measured(
    loaded: Artifact,
) -> None:
    before, after = patient(BEFORE | {"ca19_9": None}), patient(AFTER)
    one = compared(earlier(loaded, before), loaded, after)["horizons"]["90"]
    then, now = (answer(loaded, one).primary.terms for one in (before, after))
    estimated = {
        found.name for one in (before, after) for found in answer(loaded, one).quality if "estimated" in found.states
    }
    expected = []
    for group in dict.fromkeys(used.group for used in answer(loaded, after).inputs):
        steps = {
            used.feature: abs(now[used.feature] - then[used.feature])
            for used in answer(loaded, after).inputs
            if used.group == group
        }
        if sum(step for feature, step in steps.items() if feature in estimated) > sum(steps.values()) / 2:
            expected.append(group)
    assert one["estimated"] == expected
    assert expected
