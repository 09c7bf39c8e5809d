"""Whom no model of this kind may score, and who lies outside the development population."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from models.courses import Treatment
from models.patient import GivenMeasurement as Given
from models.patient import Patient
from models.population import Ineligible, Population, ineligibility, prior_line

MakePatient = Callable[..., Patient]


def test_an_adult_with_a_solid_tumour_is_eligible(make_patient: MakePatient) -> None:
    patient = make_patient(Given("anc", 0.5, "10*9/L"), age_years=18, treatments=[Treatment("chemotherapy", 7)])
    assert Population().seen(patient) is patient


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"age_years": 17.9}, "age_years"),
        ({"tumour": "myeloma"}, "tumour"),
        ({"treatments": [Treatment("targeted", 8)]}, "treatments"),
    ],
)
def test_whom_the_models_are_not_for_is_refused(make_patient: MakePatient, changes: dict[str, object], field: str) -> None:
    assert [fault.field for fault in ineligibility(make_patient(**changes))] == [field]


@pytest.mark.parametrize(("anc", "refused"), [(0.49, True), ("<0.5", True), (0.5, False), ("<1.0", False)])
def test_hardly_any_neutrophils_are_an_acute_state(make_patient: MakePatient, anc: object, refused: bool) -> None:
    assert [fault.field for fault in ineligibility(make_patient(Given("anc", anc, "10*9/L")))] == ["anc"] * refused  # type: ignore[arg-type]


def test_a_count_that_is_history_only_is_no_acute_state(make_patient: MakePatient) -> None:
    assert not ineligibility(make_patient(Given("anc", 0.2, "10*9/L", 29.0)))


def test_every_reason_is_named_at_once(make_patient: MakePatient) -> None:
    patient = make_patient(Given("anc", 0.1, "10*9/L"), age_years=9, tumour="leukaemia", treatments=[Treatment("targeted", 90)])
    with pytest.raises(Ineligible, match=r"age_years.*tumour.*anc.*treatments") as caught:
        Population().seen(patient)
    assert len(caught.value.faults) == 4
    assert not [fault for fault in caught.value.faults if "0.1" in fault.without_value() or "90" in fault.without_value()]


@pytest.mark.parametrize(
    ("history", "line"),
    [({}, "unknown"), ({"prior_lines": 0}, "no"), ({"prior_lines": 3}, "yes"), ({"prior_systemic_therapy": "yes"}, "yes")],
)
def test_having_had_a_line_is_yes_no_or_unknown(make_patient: MakePatient, history: dict[str, object], line: str) -> None:
    assert prior_line(make_patient(history=history)) == line


def test_fewer_than_twenty_deaths_behind_a_stratum_put_a_patient_outside(make_patient: MakePatient) -> None:
    population = Population({"pancreatic": 20, "nsclc": 19}, {"yes": 300, "no": 19})
    assert population.outside(make_patient(history={"prior_lines": 1})) == []
    assert population.outside(make_patient()) == []
    (tumour,) = population.outside(make_patient(tumour="nsclc"))
    assert tumour.startswith("only 19 development deaths with a non-small cell lung tumour")
    (line,) = population.outside(make_patient(history={"prior_lines": 0}))
    assert "with no prior line" in line
    assert len(population.outside(make_patient(tumour="sarcoma", history={"prior_lines": 0}))) == 2
