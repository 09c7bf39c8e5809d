"""What becomes of every input, and the warnings beside it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from models.patient import GivenMeasurement as Given
from models.patient import Patient, assemble
from models.quality import quality_of
from models.risk import RiskModel

ALC, ANC, ALBUMIN = Given("alc", 0.8, "10*9/L"), Given("anc", 4.0, "10*9/L"), Given("albumin", 36, "g/L")


def patient(
    *measurements: Given, tumour: str = "pancreatic", history: Mapping[str, object] | None = None, **extra: float
) -> Patient:
    return assemble(
        id="p", age_years=61, sex="female", tumour=tumour, measurements=measurements, history=history or {}, extra=extra
    )


def states(model: RiskModel, one: Patient) -> dict[str, tuple[str, ...]]:
    return {quality.name: quality.states for quality in quality_of(model, one).inputs}


def test_every_feature_of_the_model_is_listed_in_its_order(model: RiskModel) -> None:
    assert tuple(states(model, patient(ALC, ANC, ALBUMIN)))[: len(model.design.features)] == model.design.features


@pytest.mark.parametrize(
    ("given", "feature", "expected"),
    [
        (Given("albumin", 36, "g/L"), "albumin", ("ok",)),
        (Given("albumin", 3.6, "g/dL"), "albumin", ("converted",)),
        (Given("albumin", 36, "g/L", 20.0), "albumin", ("stale",)),
        (Given("albumin", 36, "g/L", 29.0), "albumin", ("not measured", "estimated")),
        (Given("albumin", 66, "g/L"), "albumin", ("implausible", "out of range")),
        (Given("ca19_9", ">12000", "U/mL"), "ca19_9_log10", ("at least",)),
        (Given("ca19_9", "<2.0", "U/mL"), "ca19_9_log10", ("not applicable",)),
        (Given("ca19_9", "<2.0", "U/mL"), "ca19_9_undetectable", ("below detection",)),
        (Given("ldh", 300, "U/L"), "ln_ldh_ratio", ("not measured", "estimated")),
        (Given("ldh", 300, "U/L", uln=250.0), "ln_ldh_ratio", ("ok",)),
    ],
)
def test_a_lab_says_what_became_of_it(model: RiskModel, given: Given, feature: str, expected: tuple[str, ...]) -> None:
    assert states(model, patient(given))[feature] == expected


def test_a_neutropenic_ratio_is_not_interpretable_and_reassures_nobody(model: RiskModel) -> None:
    neutropenic = patient(ALC, Given("anc", 0.9, "10*9/L"))
    assert states(model, neutropenic)["ln_nlr"] == ("not interpretable", "estimated")
    assert any("reassures nobody" in warning for warning in quality_of(model, neutropenic).warnings)


def test_ca19_9_is_not_applicable_where_the_tumour_does_not_secrete_it(model: RiskModel) -> None:
    lung = patient(Given("ca19_9", 500, "U/mL"), tumour="nsclc")
    assert states(model, lung)["ca19_9_log10"] == ("not applicable",)


def test_an_undetectable_ca19_9_is_never_called_a_low_burden(model: RiskModel) -> None:
    assert any("not a low burden" in warning for warning in quality_of(model, patient(Given("ca19_9", 0, "U/mL"))).warnings)


def test_cholestasis_takes_the_meaning_of_ca19_9_away(model: RiskModel) -> None:
    jaundiced = patient(Given("ca19_9", 500, "U/mL"), Given("bilirubin", 60, "umol/L"))
    assert states(model, jaundiced)["ca19_9_log10"] == ("not interpretable", "estimated")
    assert any("not interpretable as tumour burden" in warning for warning in quality_of(model, jaundiced).warnings)
    assert "bilirubin" not in states(model, jaundiced)


def test_what_no_feature_reads_is_given_but_not_used(model: RiskModel) -> None:
    found = states(model, patient(ALC, Given("crp", 12, "mg/L"), history={"liver_metastases": "yes"}, tmb=4.0))
    unused = [name for name, what in found.items() if what == ("given but not used",)]
    assert unused == ["crp", "liver_metastases", "extra.tmb"]


def test_the_parts_of_a_used_count_are_used(model: RiskModel) -> None:
    found = states(model, patient(Given("wbc", 8, "10*9/L"), Given("lymphocyte_pct", 10, "%")))
    assert found.keys().isdisjoint({"wbc", "lymphocyte_pct"})
    assert found["ln_alc"] == ("converted",)


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        ({}, "steroids within 14 days: not known; NLR may be confounded"),
        ({"gcsf_14d": "yes"}, "G-CSF within 14 days: yes; NLR may be confounded"),
        ({"infection_14d": "unknown"}, "infection within 14 days: not known; NLR may be confounded"),
    ],
)
def test_what_confounds_a_count_is_said_beside_the_ratio(model: RiskModel, history: dict[str, object], expected: str) -> None:
    assert expected in quality_of(model, patient(ALC, ANC, history=history)).warnings


def test_nothing_confounds_a_ratio_that_is_not_there_or_where_all_is_ruled_out(model: RiskModel) -> None:
    ruled_out = dict.fromkeys(("steroids_14d", "gcsf_14d", "infection_14d"), "no")
    for one in (patient(ALC), patient(ALC, ANC, history=ruled_out)):
        assert not any("confounded" in warning for warning in quality_of(model, one).warnings)


def test_an_unknown_level_of_a_tumour_is_out_of_range(model: RiskModel) -> None:
    assert states(model, patient(tumour="sarcoma"))["tumour"] == ("out of range",)
    assert states(model, patient(tumour="breast"))["tumour"] == ("ok",)


def test_warnings_hold_no_value_that_was_given(model: RiskModel) -> None:
    odd = patient(Given("albumin", 66.731, "g/L", 20.0), Given("ldh", 731, "U/L"), Given("crp", 600.731, "mg/L", 33.0))
    assert not any("731" in warning for warning in quality_of(model, odd).warnings)
