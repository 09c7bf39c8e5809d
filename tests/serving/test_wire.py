"""A request becomes patients; whatever is wrong with it is named at once and never repeated."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.fault import Fault
from models.patient import Patient
from serving.refused import Refused, pointed
from serving.strict_json import InvalidRequest, TooLarge
from serving.wire import read_line, read_request

CANARY = 73190.31337


def document(**changes: Any) -> dict[str, Any]:
    whole: dict[str, Any] = {
        "id": "p-1",
        "as_of": "2026-03-31",
        "age_years": 61,
        "sex": "female",
        "tumour": "pancreatic",
        "measurements": [
            {"analyte": "alc", "value": 800, "unit": "cells/uL", "date": "2026-03-31"},
            {"loinc": "751-8", "value": 4.0, "unit": "10*9/L", "date": "2026-03-31"},
            {"analyte": "ca19_9", "value": "<2.0", "unit": "U/mL", "date": "2026-03-24", "method": "roche"},
            {"analyte": "ldh", "value": 300, "unit": "U/L", "date": "2026-03-11", "uln": 250},
        ],
        "treatments": [
            {"line": 1, "modality": "chemotherapy", "agents": ["FOLFIRINOX"], "start": "2025-09-01", "end": "2026-02-01",
             "outcome": "progression"},
        ],
        "history": {"steroids_14d": "no", "metastatic_sites": 2},
        "extra": {"tmb": 4.0, "kras": "G12D"},
    }  # fmt: skip
    whole.update(changes)
    return {key: value for key, value in whole.items() if value is not ...}


TREATMENT = {"modality": "chemotherapy", "start": "2025-01-01", "end": "2025-03-01"}


def body(whole: object) -> bytes:
    return json.dumps(whole).encode()


def only(content: bytes) -> Patient | Refused:
    (one,) = read_request(content).patients
    return one


def pointers(one: Patient | Refused) -> list[str]:
    assert isinstance(one, Refused)
    return sorted(error["pointer"] for error in pointed(one.faults))


def with_measurement(**changes: Any) -> dict[str, Any]:
    whole = document()
    whole["measurements"][3] = {k: v for k, v in (whole["measurements"][3] | changes).items() if v is not ...}
    return whole


def test_a_request_is_a_patient_in_days_before_its_own_date() -> None:
    patient = only(body(document()))
    assert isinstance(patient, Patient)
    assert {m.analyte: (m.value, m.days_before_index) for m in patient.measurements} == {
        "alc": (0.8, 0.0),
        "anc": (4.0, 0.0),
        "ca19_9": (2.0, 7.0),
        "ldh": (300.0, 20.0),
        "nlr": (5.0, 0.0),
    }
    assert patient.treatments[0].end_days_before == 58.0
    assert (patient.history.prior_lines, patient.history.steroids_14d, patient.history.gcsf_14d) == (1.0, 0.0, None)
    assert patient.extra == {"tmb": 4.0, "kras": "G12D"}


def test_a_line_of_a_file_is_the_same_patient_as_a_request() -> None:
    assert read_line(body(document())) == only(body(document()))


def test_several_patients_keep_their_order_and_a_bad_one_leaves_the_others_alone() -> None:
    request = read_request(body({"patients": [document(id="a"), document(id="b", tumour="moon"), document(id="c")]}))
    assert request.many
    assert [one.id for one in request.patients] == ["a", "b", "c"]
    assert pointers(request.patients[1]) == ["/patients/1/tumour"]


@pytest.mark.parametrize(
    ("whole", "expected"),
    [
        (document(as_of=...), ["/as_of"]),
        (document(as_of="31.03.2026"), ["/as_of"]),
        (document(as_of="2026-02-30"), ["/as_of"]),
        (document(as_of="20260331"), ["/as_of"]),
        (document(age_years=...), ["/age_years"]),
        (document(age_years="61"), ["/age_years"]),
        (document(age_years=True), ["/age_years"]),
        (document(age_years=1961), ["/age_years"]),
        (document(tumour=...), ["/tumour"]),
        (document(tumour=7), ["/tumour"]),
        (document(sex="m/f"), ["/sex"]),
        (document(id="x" * 129), ["/id"]),
        (document(sterods_14d="yes"), [""]),
        (document(**{"Jane Doe 731903": 1}), [""]),
        (document(measurements={}), ["/measurements"]),
        (document(measurements=[3]), ["/measurements/0"]),
        (with_measurement(unit=...), ["/measurements/3/unit"]),
        (with_measurement(unit="furlong"), ["/measurements/3/unit"]),
        (with_measurement(value="300"), ["/measurements/3/value"]),
        (with_measurement(value=True), ["/measurements/3/value"]),
        (with_measurement(value=None), ["/measurements/3/value"]),
        (with_measurement(value=CANARY), ["/measurements/3/value"]),
        (with_measurement(date="2026-04-01"), ["/measurements/3/date"]),
        (with_measurement(date=..., unit="furlong"), ["/measurements/3/date", "/measurements/3/unit"]),
        (with_measurement(analyte="ldl"), ["/measurements/3/analyte"]),
        (with_measurement(loinc="718-7"), ["/measurements/3/loinc"]),
        (with_measurement(uln="250"), ["/measurements/3/uln"]),
        (with_measurement(colour="red"), ["/measurements/3"]),
        (document(treatments=[{"modality": "magic", "start": "2025-09-01"}]), ["/treatments/0/modality"]),
        (document(treatments=[{"modality": "surgery"}]), ["/treatments/0/start"]),
        (document(treatments=[{"modality": "surgery", "start": "2026-01-01", "end": "2025-01-01"}]), ["/treatments/0/end"]),
        (document(treatments=[{"modality": "surgery", "start": "2026-01-01", "line": 1.5}]), ["/treatments/0/line"]),
        (document(history={"prior_lines": "2"}), ["/history/prior_lines"]),
        (document(history={"steroids_14d": "maybe"}), ["/history/steroids_14d"]),
        (document(history={"stroids": "yes"}), ["/history"]),
        (document(history=[1]), ["/history"]),
        (document(extra={"tmb": None}), ["/extra"]),
    ],
)  # fmt: skip
def test_every_field_at_fault_is_named_by_its_pointer(whole: dict[str, Any], expected: list[str]) -> None:
    assert pointers(only(body(whole))) == expected


@pytest.mark.parametrize(
    "changes",
    [
        {"extra": {"JohnSmith": [1]}},
        {"extra": {"JohnSmith": "\0"}},
        {"JohnSmith": 1},
        {"history": {"JohnSmith": 1}},
        {"JohnSmith": {"x": "\0"}},
    ],
)
def test_a_name_that_is_no_fields_is_never_repeated(changes: dict[str, Any]) -> None:
    one = read_line(body(document(**changes)))
    assert isinstance(one, Refused)
    assert "JohnSmith" not in json.dumps(one.as_json())


def test_a_field_given_twice_is_repeated_only_where_it_is_one() -> None:
    one = read_line(b'{"extra": {"JohnSmith": 1, "JohnSmith": 2}}')
    assert pointers(one) == ["/extra"]


def test_a_misspelled_field_is_told_what_it_may_mean() -> None:
    one = only(body(document(history={"stroids_14d": "yes"})))
    assert isinstance(one, Refused)
    assert one.faults[0].likely == "another spelling of steroids_14d"


def test_all_faults_are_named_at_once() -> None:
    simple = {"age_years": "old", "sex": "x", "tumour": "moon", "history": {"gcsf_14d": "perhaps"}}
    whole = with_measurement(unit="furlong") | simple
    assert pointers(only(body(whole))) == ["/age_years", "/history/gcsf_14d", "/measurements/3/unit", "/sex", "/tumour"]


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"\xff{}", "UTF-8"),
        (b"", "one JSON document"),
        (b"{", "one JSON document"),
        (b"[" * 100_000, "32 levels"),
        (b'{"a":' * 40 + b"1" + b"}" * 40, "32 levels"),
        (b'{"age_years": NaN}', "finite"),
        (b'{"age_years": 1e999}', "finite"),
        (b'{"age_years": ' + b"9" * 5000 + b"}", "finite"),
        (b'{"age_years": 61, "age_years": 91}', "each field once"),
        (b'{"id": "\\ud800"}', "plain characters"),
        (b'{"id": "a\\u0000"}', "plain characters"),
        (b'{"patients": []}', "1 to 1000"),
        (b'{"patients": [{}], "id": "x"}', "either one patient"),
        (b'{"patients": [' + b",".join([b"{}"] * 1001) + b"]}", "1 to 1000"),
    ],
)
def test_what_can_be_read_in_two_ways_is_not_read(content: bytes, match: str) -> None:
    with pytest.raises(InvalidRequest, match=match):
        read_request(content)


def test_more_than_a_mebibyte_is_not_even_parsed() -> None:
    with pytest.raises(TooLarge, match="1 MiB"):
        read_request(b" " * (2**20 + 1))


def test_a_duplicate_key_is_named_where_it_stands() -> None:
    content = body(document()).replace(b'"uln": 250', b'"uln": 250, "uln": 205')
    with pytest.raises(InvalidRequest) as caught:
        read_request(content)
    assert [fault.field for fault in caught.value.faults] == ["/measurements/3/uln"]


json_values = st.recursive(
    st.none() | st.booleans() | st.just(CANARY) | st.just(f"x{CANARY}"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["value", "unit", "start"]), inner, max_size=3),
    max_leaves=6,
)


@given(field=st.sampled_from(sorted(document())), value=json_values)
def test_no_value_at_fault_comes_back(field: str, value: object) -> None:
    one = only(body(document(**{field: value})))
    if isinstance(one, Refused):
        assert "73190" not in json.dumps(one.as_json() | {"id": None})


@given(value=json_values, spoil=st.sampled_from([*sorted(document()["measurements"][0]), "uln", "loinc"]))
def test_no_value_of_a_measurement_comes_back(value: object, spoil: str) -> None:
    one = only(body(with_measurement(**{spoil: value})))
    if isinstance(one, Refused):
        assert "73190" not in json.dumps(one.as_json())


def test_an_unreadable_line_is_a_refused_patient() -> None:
    one = read_line(b'{"as_of": 1, "as_of": 2}')
    assert isinstance(one, Refused)
    assert one.why == "invalid"


def test_a_patient_who_stands_twice_for_one_day_is_refused_both_times_and_for_two_days_read() -> None:
    twice = read_request(body({"patients": [document(id="a"), document(id="b"), document(id="a")]})).patients
    assert [isinstance(one, Refused) for one in twice] == [True, False, True]
    assert pointers(twice[2]) == ["/patients/2/id"]
    other = document(id="a", as_of="2026-04-02")
    assert all(isinstance(one, Patient) for one in read_request(body({"patients": [document(id="a"), other]})).patients)


def test_the_day_is_known_only_to_whoever_says_it() -> None:
    content, today = body(document()), date(2026, 3, 30)
    assert isinstance(only(content), Patient)
    assert isinstance(read_line(content, today), Patient)  # tomorrow, which is today further east
    assert pointers(read_line(content, today - timedelta(days=1))) == ["/as_of"]
    late = read_line(content, today + timedelta(days=400))
    assert isinstance(late, Patient)
    assert "more than a year back" in late.doubts[0]


MANY = {
    "rows that are nothing": b'{"measurements": [' + b"{}," * 4000 + b"{}]}",
    "rows of unknown fields": b'{"measurements": [' + b'{"abcdefgh":1},' * 4000 + b"{}]}",
    "unknown fields": b"{" + b",".join(b'"k%d":1' % one for one in range(90_000)) + b"}",
    "no numbers": b'{"extra": {"a": [' + b"NaN," * 250_000 + b"1]}}",
    "a thousand patients of nothing": b'{"patients": [' + b"{}," * 999 + b"{}]}",
    "a thousand patients of rows": b'{"patients": [' + (b'{"measurements":[' + b"{}," * 300 + b"{}]},") * 999 + b"{}]}",
    "covariates": b'{"extra": {' + b",".join(b'"k%d":1' % one for one in range(90_000)) + b"}}",
    "treatments at the same time": body(document(treatments=[TREATMENT | {"agents": [str(one)]} for one in range(5000)])),
    "a number of a million digits": b'{"age_years": ' + b"9" * 1_000_000 + b"}",
    "a decimal of a million digits": b'{"age_years": 0.' + b"9" * 1_000_000 + b"}",
    "a name of a million letters": b'{"' + b"a" * 1_000_000 + b'": 1}',
}


@pytest.mark.parametrize("name", MANY)
def test_no_request_of_a_mebibyte_takes_long_to_refuse_or_is_answered_at_length(name: str) -> None:
    began = time.monotonic()
    refused = _refused(MANY[name])
    assert refused or name == "treatments at the same time"
    assert all(len(faults) <= 101 for faults in refused)
    assert len(json.dumps([pointed(faults) for faults in refused])) < 30 * 2**20
    assert time.monotonic() - began < 5


def _refused(content: bytes) -> list[Sequence[Fault]]:
    try:
        return [one.faults for one in read_request(content).patients if isinstance(one, Refused)]
    except InvalidRequest as error:
        return [error.faults]


def test_where_treatments_cannot_be_read_the_places_of_the_others_do_not_shift() -> None:
    swapped = TREATMENT | {"end": "2024-01-01"}
    one = only(body(document(treatments=[{"modality": 3, "start": "2025-09-01"}, swapped])))
    assert pointers(one) == ["/treatments/0/modality", "/treatments/1/end"]


def test_a_patient_who_is_followed_says_since_when() -> None:
    found = only(body(document(index_date="2026-02-03")))
    assert isinstance(found, Patient)
    assert (found.landmark, found.day) == (56.0, "landmark")
    assert isinstance(at_index := only(body(document())), Patient)
    assert (at_index.landmark, at_index.day) == (None, "index date")


@pytest.mark.parametrize("day", ["2026-04-01", "3 February", 56])
def test_a_follow_up_that_begins_later_or_on_no_day_is_refused(day: object) -> None:
    assert pointers(only(body(document(index_date=day)))) == ["/index_date"]
