"""A patient written down is read again as the very same patient, to the bit; what is not as it was written is refused."""

from __future__ import annotations

import json
import math
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.analytes import ANALYTES
from models.courses import Treatment
from models.history import History
from models.measurements import Measurement
from models.patient import SEXES, InvalidPatient, Patient
from models.patient_document import patient_document, patient_from

number = st.floats(allow_nan=False, allow_infinity=False)
text = st.text(max_size=8)
measurements = st.builds(
    Measurement,
    analyte=st.sampled_from(sorted(ANALYTES)),
    value=number,
    days_before_index=number,
    limit=st.sampled_from(["", "<", ">"]),
    converted=st.booleans(),
    plausible=st.booleans(),
    uln=st.none() | number,
    method=text,
    given=text,
)
treatments = st.builds(
    Treatment, text, number, st.none() | number, st.none() | st.integers(1, 30), st.lists(text, max_size=3).map(tuple), text
)
histories = st.builds(
    History, **{one.name: st.none() | (text if "str" in str(one.type) else number) for one in fields(History)}
)  # fmt: skip
patients = st.builds(
    Patient,
    id=text,
    age_years=number,
    sex=st.sampled_from(SEXES),
    tumour=text,
    measurements=st.lists(measurements, max_size=4).map(tuple),
    treatments=st.lists(treatments, max_size=3).map(tuple),
    history=histories,
    extra=st.dictionaries(text, number | text, max_size=3),
    site=text,
    audit=st.dictionaries(text, text, max_size=2),
    doubts=st.lists(text, max_size=2).map(tuple),
)


def through_json(patient: Patient) -> Any:
    return json.loads(json.dumps(patient_document(patient), allow_nan=False))


@settings(max_examples=200, deadline=None)
@given(patient=patients)
def test_a_patient_is_read_again_to_the_bit(patient: Patient) -> None:
    again = patient_from(through_json(patient))
    assert again == patient
    assert repr(again) == repr(patient)  # which tells -0.0 from 0.0, and 1 from 1.0


SOMEBODY = Patient(
    "p-1", 61.5, "female", "pancreatic", (Measurement("alc", 0.1 + 0.2, 3.0, uln=5e-324),),
    (Treatment("chemotherapy", 90.0, 30.0, 1, ("gemcitabine",), "progression"),), History(prior_lines=2.0), {"tmb": 7.5},
)  # fmt: skip


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("format",), 2, "/format"),
        (("format",), True, "/format"),
        (("id",), 7, "/id"),
        (("age_years",), "61.5", "/age_years"),
        (("age_years",), True, "/age_years"),
        (("age_years",), math.nan, "/age_years"),
        (("sex",), "f", "/sex"),
        (("measurements",), {}, "/measurements"),
        (("measurements", 0), None, "/measurements/0"),
        (("measurements", 0, "analyte"), "alk", "/measurements/0/analyte"),
        (("measurements", 0, "value"), None, "/measurements/0/value"),
        (("measurements", 0, "limit"), "~", "/measurements/0/limit"),
        (("measurements", 0, "converted"), 1, "/measurements/0/converted"),
        (("measurements", 0, "shade"), 1, "/measurements/0"),
        (("treatments", 0, "line"), 1.0, "/treatments/0/line"),
        (("treatments", 0, "agents"), "gemcitabine", "/treatments/0/agents"),
        (("treatments", 0, "agents"), [1], "/treatments/0/agents"),
        (("history",), None, "/history"),
        (("history", "prior_lines"), "2", "/history/prior_lines"),
        (("history", "last_line_outcome"), 2, "/history/last_line_outcome"),
        (("extra",), [], "/extra"),
        (("extra", "tmb"), None, "/extra"),
        (("audit", "race"), 1.0, "/audit"),
        (("doubts",), "slip", "/doubts"),
        (("doubts",), [1], "/doubts"),
        (("name",), "somebody", "patient"),
    ],
)
def test_what_is_not_as_it_was_written_is_refused_with_its_place_and_without_its_value(
    path: tuple[str | int, ...], value: object, said: str
) -> None:
    document = through_json(SOMEBODY)
    at = document
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    with pytest.raises(InvalidPatient, match="allowed is") as refused:
        patient_from(document)
    assert [fault.field for fault in refused.value.faults] == [said]
    assert refused.value.faults[0].given in ("another", "another kind", "an unknown field")


@pytest.mark.parametrize("name", ["id", "age_years", "measurements", "treatments", "history", "extra", "audit", "site"])
def test_what_is_missing_is_refused(name: str) -> None:
    document = through_json(SOMEBODY)
    del document[name]
    with pytest.raises(InvalidPatient, match=f"/{name} = nothing: allowed is a value"):
        patient_from(document)


def test_no_object_is_no_patient() -> None:
    with pytest.raises(InvalidPatient, match="patient = another kind: allowed is an object"):
        patient_from([])


def test_a_field_added_since_takes_the_value_of_not_being_known() -> None:
    document = through_json(SOMEBODY)
    del document["doubts"]
    del document["history"]["metastatic_sites"]
    del document["measurements"][0]["method"]
    assert patient_from(document) == SOMEBODY
    del document["measurements"][0]["value"]
    with pytest.raises(InvalidPatient, match="/measurements/0/value = nothing"):
        patient_from(document)


def test_a_number_that_is_none_is_not_written() -> None:
    with pytest.raises(ValueError, match="Out of range float"):
        json.dumps(patient_document(Patient("", math.nan, "unknown", "nsclc")), allow_nan=False)
