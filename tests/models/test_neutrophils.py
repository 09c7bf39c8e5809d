"""An NLR never reassures where neutrophils are few, whoever says so: a count, the white cells, or the ratio itself."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from models.features import FEATURES
from models.neutrophils import neutropenic, undecided
from models.patient import GivenMeasurement, Patient
from models.population import ineligibility

MakePatient = Callable[..., Patient]


def given(analyte: str, value: float | str, day: float = 0.0) -> GivenMeasurement:
    return GivenMeasurement(analyte, value, "1" if analyte == "nlr" else "10*9/L", day)


def draw(day: float = 0.0, **values: float | str) -> list[GivenMeasurement]:
    return [given(analyte, value, day) for analyte, value in values.items()]


FEW = [
    draw(nlr=0.7, alc=0.8),
    draw(nlr=5, wbc=0.9),
    draw(nlr=0.5, wbc=1.8),  # neutrophils are a third of them at most
    draw(nlr=5, anc="<1.5"),
    draw(nlr=5, anc=0.9),
    [*draw(nlr=5, day=4), *draw(wbc=0.9)],
    [*draw(nlr=0.7, alc=0.8, day=4), *draw(anc=4)],  # recovered since: the ratio was drawn before
    draw(nlr=5, alc="<0.3"),  # at most 1.5
]


@pytest.mark.parametrize("measurements", FEW)
def test_a_ratio_of_few_neutrophils_is_not_interpretable(
    make_patient: MakePatient, measurements: list[GivenMeasurement]
) -> None:
    patient = make_patient(*measurements)
    assert neutropenic(patient, patient.current("nlr"))
    assert FEATURES["ln_nlr"].of(patient).status == "not interpretable"


@pytest.mark.parametrize(
    "measurements",
    [draw(nlr=5), draw(nlr=1.25, alc=0.8), draw(nlr=5, wbc=1.5), draw(nlr=5, anc=1.0)],
)
def test_a_ratio_of_enough_neutrophils_is_read(make_patient: MakePatient, measurements: list[GivenMeasurement]) -> None:
    patient = make_patient(*measurements)
    assert not neutropenic(patient, patient.current("nlr"))
    assert FEATURES["ln_nlr"].of(patient).status == "measured"


def test_a_change_from_or_to_an_implied_neutropenia_is_not_interpretable(make_patient: MakePatient) -> None:
    enough, few = {"nlr": 5.0, "alc": 0.8}, {"nlr": 0.7, "alc": 0.8}
    for now, then in ((enough, few), (few, enough)):
        patient = make_patient(*draw(**now), *draw(day=30, **then))
        assert FEATURES["nlr_change"].of(patient).status == "not interpretable"


@pytest.mark.parametrize(
    ("measurements", "asked"),
    [
        (draw(nlr=0.7, alc=0.8), True),
        (draw(nlr=0.5, wbc=1.8), True),
        ([*draw(nlr=0.7, alc=0.8, day=4), *draw(anc=4)], True),
        (draw(nlr=1.25, alc=0.8), False),
        (draw(nlr=0.7, alc=0.6, wbc=0.95), False),  # few, whatever the ratio
        ([*draw(nlr=0.7, alc=0.8), *draw(anc=0.8, day=4)], False),
        (draw(anc=0.7, alc=0.8), False),
        (draw(alc=0.8), False),
    ],
)
def test_the_count_is_asked_for_where_nothing_but_the_ratio_speaks_of_it(
    make_patient: MakePatient, measurements: list[GivenMeasurement], asked: bool
) -> None:
    assert undecided(make_patient(*measurements)) == asked


@pytest.mark.parametrize(
    ("measurements", "acute"),
    [
        (draw(nlr=0.5, alc=0.8), True),
        (draw(nlr=0.5, wbc=0.9), True),
        (draw(wbc=0.4), True),
        (draw(wbc="<0.5"), True),
        (draw(nlr=0.7, alc=0.8), False),
        (draw(nlr=5, wbc=0.9), False),
        (draw(anc="<1.5"), False),
        ([*draw(wbc=0.4, day=4), *draw(anc=2.0)], False),
        ([*draw(nlr=0.5, alc=0.8, day=4), *draw(anc=2.0)], False),
        ([*draw(nlr=0.5, alc=0.8), *draw(anc=2.0, day=4)], True),
    ],
)
def test_an_acute_state_is_seen_without_a_count(
    make_patient: MakePatient, measurements: list[GivenMeasurement], acute: bool
) -> None:
    assert [fault.field for fault in ineligibility(make_patient(*measurements))] == ["anc"] * acute


def test_an_acute_state_is_told_once_and_by_what(make_patient: MakePatient) -> None:
    (fault,) = ineligibility(make_patient(*draw(nlr=0.5, alc=0.8)))
    assert str(fault).startswith("anc = 0.4 10*9/L")
    assert fault.without_value().endswith("(neutrophils not counted; told by NLR x ALC)")
