"""Patients become rows: a number, a level, or the reason why an estimate is owed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from models.design import Column, Design, columns_of, design_matrix, feature_named
from models.patient import GivenMeasurement as Given
from models.patient import Patient

MakePatient = Callable[..., Patient]
DESIGN = columns_of(
    ["albumin", "ln_nlr", "ca19_9_log10", "tumour", "extra.stage", "extra.tmb"],
    {"tumour": ("pancreatic", "nsclc"), "extra.stage": ("III", "IV")},
)


def test_columns_stand_in_the_order_of_their_features() -> None:
    assert [column.name for column in DESIGN.columns] == [
        "albumin",
        "ln_nlr",
        "ca19_9_log10",
        "tumour=pancreatic",
        "tumour=nsclc",
        "extra.stage=III",
        "extra.stage=IV",
        "extra.tmb",
    ]
    assert DESIGN.features == ("albumin", "ln_nlr", "ca19_9_log10", "tumour", "extra.stage", "extra.tmb")
    assert DESIGN.feature_of_column.tolist() == [0, 1, 2, 3, 3, 4, 4, 5]
    assert DESIGN.groups == (
        "nutrition and organ function",
        "lymphocytes and inflammation",
        "tumour burden",
        "patient",
        "site covariates",
    )
    assert DESIGN.group_of_feature.tolist() == [0, 1, 2, 3, 4, 4]


def test_a_row_holds_numbers_and_levels(make_patient: MakePatient) -> None:
    patient = make_patient(Given("albumin", 36, "g/L"), Given("nlr", 1, "1"), extra={"stage": "IV", "tmb": 3.0}, tumour="nsclc")
    matrix = design_matrix(DESIGN, [patient])
    np.testing.assert_array_equal(matrix.x, [[36, 0, np.nan, 0, 1, 0, 1, 3]])
    assert not matrix.to_estimate.any()  # CA19-9 is not applicable: nothing is owed


def test_what_was_not_measured_or_cannot_be_interpreted_is_owed_an_estimate(make_patient: MakePatient) -> None:
    patient = make_patient(Given("anc", 0.9, "10*9/L"), Given("alc", 1, "10*9/L"), extra={"tmb": 3.0})
    matrix = design_matrix(DESIGN, [patient])
    np.testing.assert_array_equal(matrix.x, [[np.nan, np.nan, np.nan, 1, 0, np.nan, np.nan, 3]])
    assert matrix.to_estimate.tolist() == [[True, True, True, False, False, True, True, False]]


def test_an_unknown_level_is_owed_an_estimate_and_another_level_is_none_of_those_named(make_patient: MakePatient) -> None:
    unknown, other = design_matrix(DESIGN, [make_patient(), make_patient(extra={"stage": "I"}, tumour="sarcoma")]).x
    assert np.isnan(unknown[5:7]).all()
    assert other[3:7].tolist() == [0, 0, 0, 0]


def test_readings_say_why_there_is_no_number(make_patient: MakePatient) -> None:
    _, readings = DESIGN.row(make_patient(extra={"stage": "IV"}))
    assert {name: reading.status for name, reading in readings.items()} == {
        "albumin": "not measured",
        "ln_nlr": "not measured",
        "ca19_9_log10": "not measured",
        "extra.tmb": "not measured",
    }


def test_nobody_is_an_empty_matrix() -> None:
    matrix = design_matrix(DESIGN, [])
    assert matrix.x.shape == matrix.to_estimate.shape == (0, 8)


def test_a_patient_has_one_row_whatever_the_company(make_patient: MakePatient) -> None:
    patients = [make_patient(Given("albumin", 30 + i, "g/L"), extra={"tmb": float(i)}) for i in range(4)]
    together = design_matrix(DESIGN, patients)
    for i, patient in enumerate(patients):
        np.testing.assert_array_equal(design_matrix(DESIGN, [patient]).x[0], together.x[i])


def test_a_feature_nobody_knows_is_named() -> None:
    with pytest.raises(ValueError, match="no feature is called lactate; there are ln_alc"):
        feature_named("lactate")
    assert feature_named("extra.tmb").label == "tmb"


@pytest.mark.parametrize(
    "columns",
    [
        (Column("albumin"), Column("albumin")),
        (Column("tumour", "nsclc"), Column("albumin"), Column("tumour", "breast")),
    ],
)
def test_columns_that_stand_twice_or_apart_are_no_design(columns: tuple[Column, ...]) -> None:
    with pytest.raises(ValueError, match="each stands once, those of one feature side by side"):
        Design(columns)
