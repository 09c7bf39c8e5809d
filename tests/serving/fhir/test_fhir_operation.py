"""The operation as a hospital system asks it: the same risk as over HTTP to the bit, valid resources, reasons for refusals."""

from __future__ import annotations

import asyncio
import json
import os
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from fhir.resources.R4B import get_fhir_model_class
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette

from models.artifact import Artifact
from models.example import EXAMPLE
from serving.access.desk import Desk
from serving.app import create_app
from serving.fhir.reading_json import LONGEST
from serving.receipts.payload import unpack

from .bundles import bundle_of

JSON = "application/fhir+json"
PATH, AS_OF = "/fhir/$early-mortality", "2026-05-20"
BORN = "1961-06-02"  # 64 on the index date


def patient(**changes: Any) -> dict[str, Any]:
    labs = {"alc": (800, "cells/uL"), "anc": (4.0, "10*9/L"), "albumin": (3.6, "g/dL"), "ca19_9": (">120000", "U/mL")}
    measured = [{"analyte": name, "value": value, "unit": unit, "date": "2026-05-18"} for name, (value, unit) in labs.items()]
    measured.append({"analyte": "ldh", "value": 310, "unit": "U/L", "date": "2026-05-18", "uln": 250})
    earlier = ((1.1, "2026-04-01"), (1.4, "2026-03-01"))
    measured += [{"analyte": "alc", "value": value, "unit": "10*9/L", "date": day} for value, day in earlier]
    drugs = ["gemcitabine", "nab-paclitaxel"]
    lines = [{"modality": "chemotherapy", "line": 1, "start": "2026-01-12", "end": "2026-04-06", "agents": drugs}]
    rest = {"as_of": AS_OF, "age_years": 64, "sex": "female", "tumour": "pancreatic", "treatments": lines}
    return rest | {"measurements": measured, "history": {"liver_metastases": "yes"}} | changes


@pytest.fixture
def app(loaded: Artifact, receipts: Any) -> Starlette:
    return create_app(loaded, receipts, site="St. Elsewhere", access=Desk())


def ask(app: Starlette, path: str, content: bytes | object, media: str = JSON) -> httpx.Response:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()

    async def once() -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as asking:
            return await asking.post(path, content=body, headers={"content-type": media})

    return asyncio.run(once())


def valid(resource: dict[str, Any]) -> dict[str, Any]:
    """The resource, once a library that is not ours has found nothing wrong with it."""
    get_fhir_model_class(resource["resourceType"]).model_validate(resource)
    return resource


def operation(app: Starlette, bundle: object, as_of: str = AS_OF) -> dict[str, Any]:
    answer = ask(app, f"{PATH}?asOf={as_of}", bundle)
    assert answer.status_code == 200, answer.text
    assert (answer.headers["content-type"], answer.headers["cache-control"]) == (JSON, "no-store")
    return valid(answer.json())


def risks(answer: dict[str, Any]) -> list[float]:
    return [one["risk"] for one in answer["risks"].values()]


def test_the_risk_is_the_one_of_the_service_to_the_bit(app: Starlette, receipts: Any) -> None:
    native = ask(app, "/v1/scores", patient(), "application/json").json()
    found = operation(app, bundle_of(patient(), BORN))
    recorded = unpack(receipts.drafts[-1].content)["answer"]
    assert risks(recorded) == risks(native)
    assert recorded["explanation"] == native["explanation"]
    told = [one["probabilityDecimal"] for one in found["prediction"]]
    assert told == [float(Decimal(repr(risk)) * 100) for risk in risks(native)]


def test_there_is_a_prediction_for_every_horizon_with_its_period_outcome_and_interval(app: Starlette, loaded: Artifact) -> None:
    found = operation(app, bundle_of(patient(), BORN))
    assert len(found["prediction"]) == len(loaded.model.days)
    for days, one in zip(loaded.model.days, found["prediction"], strict=True):
        end = date.fromisoformat(AS_OF) + timedelta(days)
        assert one["whenPeriod"] == {"start": AS_OF, "end": end.isoformat()}
        assert one["outcome"]["coding"][0]["code"] == "419099009"
        interval = one["extension"][0]["valueRange"]
        assert 0 < interval["low"]["value"] < one["probabilityDecimal"] < interval["high"]["value"] < 100
        assert one["probabilityDecimal"] > 1  # a percentage, and no fraction
        assert "whenRange" not in one
    assert "mitigation" not in found


def test_it_names_what_it_rests_on_the_model_and_the_receipt(app: Starlette, loaded: Artifact) -> None:
    found = operation(app, bundle_of(patient(), BORN))
    assert found["subject"] == {"reference": "Patient/p1"}
    assert {one["reference"] for one in found["basis"]} == {f"Observation/o{place}" for place in range(7)}
    assert found["method"]["coding"][0]["code"] == loaded.digest
    assert (found["status"], found["occurrenceDateTime"]) == ("final", AS_OF)
    assert found["identifier"][0]["value"] == "1"
    notes = [one["text"] for one in found["note"]]
    assert any(note.startswith("For clinicians") for note in notes)
    assert any(note.startswith("calibration: not checked") for note in notes)
    assert any("as R4 defines it" in note for note in notes)
    assert "not distinguishable" in json.dumps(found) or "percentage points" in found["prediction"][0]["rationale"]


def test_what_came_in_and_what_was_left_aside_is_in_the_receipt_and_in_the_notes(app: Starlette, receipts: Any) -> None:
    bundle = bundle_of(patient(), BORN)
    glucose = {"coding": [{"system": "http://loinc.org", "code": "2339-0"}]}
    other = {"resourceType": "Observation", "id": "g", "status": "final", "code": glucose, "subject": {"reference": "Patient/p1"}}
    bundle["entry"].append({"resource": other})
    found = operation(app, bundle)
    caller = unpack(receipts.drafts[-1].content)["caller"]
    assert caller["by"] == "FHIR"
    assert len(caller["source"]["sha256"]) == 64
    assert "Observation/o0" in caller["source"]["used"]
    assert [one["resource"] for one in caller["source"]["listed"]] == ["Observation/g"]
    assert "Not used: Observation/g: LOINC 2339-0: no input of a model" in [one["text"] for one in found["note"]]


def test_a_model_of_simulated_patients_is_preliminary_and_tagged_as_a_test(simulated: Artifact, receipts: Any) -> None:
    found = operation(create_app(simulated, receipts, access=Desk()), bundle_of(patient(), BORN))
    assert found["status"] == "preliminary"
    assert found["meta"]["tag"][0]["code"] == "HTEST"
    assert found["note"][0]["text"] == EXAMPLE


def test_parameters_may_hold_the_bundle_and_the_day(app: Starlette) -> None:
    bundle = bundle_of(patient(), BORN)
    told = [{"name": "asOf", "valueDate": AS_OF}, {"name": "bundle", "resource": bundle}]
    found = ask(app, PATH, {"resourceType": "Parameters", "parameter": told}).json()
    assert [one["probabilityDecimal"] for one in found["prediction"]] == [
        one["probabilityDecimal"] for one in operation(app, bundle)["prediction"]
    ]


def test_without_a_day_it_is_today_and_said(app: Starlette) -> None:
    found = ask(app, PATH, bundle_of(patient(), BORN))
    assert found.status_code == 422  # by now every value of it is history
    assert "insufficient data" in found.text


def issues(answer: httpx.Response, status: int) -> list[dict[str, Any]]:
    assert (answer.status_code, answer.headers["content-type"]) == (status, JSON), answer.text
    return list(valid(answer.json())["issue"])


def test_insufficient_data_is_no_number_and_names_what_is_missing(app: Starlette) -> None:
    lacking = [one for one in patient()["measurements"] if one["analyte"] != "albumin"]
    found = issues(ask(app, f"{PATH}?asOf={AS_OF}", bundle_of(patient(measurements=lacking), BORN)), 422)
    assert found[0]["code"] == "required"
    assert found[0]["details"]["text"] == "insufficient data: there is no risk for this patient"
    assert "albumin" in found[1]["details"]["text"].lower()


def test_what_was_left_aside_several_times_is_counted_in_a_refusal_too(app: Starlette) -> None:
    bundle = bundle_of(patient(), "2010-01-01")
    glucose = {"coding": [{"system": "http://loinc.org", "code": "2339-0"}]}
    other = {"resourceType": "Observation", "status": "final", "code": glucose, "subject": {"reference": "Patient/p1"}}
    bundle["entry"] += [{"resource": other | {"id": f"g{number}"}} for number in range(3)]
    found = issues(ask(app, f"{PATH}?asOf={AS_OF}", bundle), 422)
    told = [one for one in found if one["details"]["text"] == "not used: LOINC 2339-0 (3 times): no input of a model"]
    assert [one["expression"] for one in told] == [["Observation/g0"]]


@pytest.mark.parametrize(("born", "code"), [("2010-01-01", "business-rule")])
def test_who_is_outside_the_population_is_refused(app: Starlette, born: str, code: str) -> None:
    found = issues(ask(app, f"{PATH}?asOf={AS_OF}", bundle_of(patient(), born)), 422)
    assert {one["code"] for one in found} == {code}


def test_a_fault_between_values_names_the_observation(app: Starlette) -> None:
    labs = [*patient()["measurements"], {"analyte": "wbc", "value": 2.0, "unit": "10*9/L", "date": "2026-05-18"}]
    found = issues(ask(app, f"{PATH}?asOf={AS_OF}", bundle_of(patient(measurements=labs), BORN)), 422)
    assert "Observation/o7" in [place for one in found for place in one.get("expression", ())]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b'{"resourceType": "Bundle", "resourceType": "Bundle"}', 400),
        (b'{"x": NaN}', 400),
        (b'{"x": 1e999}', 400),
        (b"\xff\xfe", 400),
        (b"[" * 5000 + b"]" * 5000, 400),
        (b"{}", 422),
        (b"[]", 422),
        (b"null", 422),
        (b'{"resourceType": "Bundle", "entry": []}', 422),
    ],
)
def test_what_cannot_be_read_is_an_operation_outcome(app: Starlette, body: bytes, status: int) -> None:
    assert issues(ask(app, PATH, body), status)


def test_what_is_too_large_or_of_another_kind_is_refused_before_it_is_read(app: Starlette) -> None:
    assert issues(ask(app, PATH, b" " * (LONGEST + 1)), 413)[0]["code"] == "too-long"
    assert issues(ask(app, PATH, b"{}", "text/plain"), 415)[0]["code"] == "not-supported"


@pytest.mark.parametrize("day", ["tomorrow", "2026-05", "2026-13-01", ""])
def test_a_day_that_is_none_is_refused(app: Starlette, day: str) -> None:
    assert issues(ask(app, f"{PATH}?asOf={day}", bundle_of(patient(), BORN)), 400)


def test_the_service_says_what_it_can_do(app: Starlette) -> None:
    async def once() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as asking:
            return await asking.get("/fhir/metadata")

    found = valid(asyncio.run(once()).json())
    assert found["rest"][0]["operation"][0]["name"] == "early-mortality"


def test_no_score_is_shown_that_could_not_be_recorded(app: Starlette, receipts: Any) -> None:
    receipts.fault = "the disk is full"
    answer = ask(app, f"{PATH}?asOf={AS_OF}", bundle_of(patient(), BORN))
    assert issues(answer, 503)[0]["code"] == "transient"
    assert answer.headers["retry-after"] == "2"


FIELDS = ["subject", "code", "status", "valueQuantity", "effectiveDateTime", "id", "birthDate"]
ODD: list[Any] = [None, "", 0, -1, True, [], {}, "x" * 300, "<script>", ["x"], {"coding": [None]}, "2026-02-30"]


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 8), st.sampled_from(FIELDS), st.sampled_from(ODD))
def test_a_damaged_resource_is_never_an_accident(odd_app: Starlette, place: int, name: str, odd: Any) -> None:
    bundle = bundle_of(patient(), BORN)
    bundle["entry"][place]["resource"][name] = odd
    answer = ask(odd_app, f"{PATH}?asOf={AS_OF}", bundle)
    assert answer.status_code in (200, 422)
    valid(answer.json())


@pytest.fixture(scope="module")
def odd_app(loaded: Artifact, remembering: Any) -> Starlette:
    return create_app(loaded, remembering(), access=Desk())


def samples() -> list[Path]:
    folder = os.environ.get("LYMPHORISK_COHORTS")
    return sorted(Path(folder).glob("fhir_*/**/*.json")) if folder else []


@pytest.mark.skipif(not samples(), reason="the published samples are not beside this checkout (LYMPHORISK_COHORTS)")
def test_the_published_samples_lack_what_is_needed_and_are_told_so(app: Starlette) -> None:
    for path in samples():
        answer = ask(app, f"{PATH}?asOf=2021-06-01", path.read_bytes())
        assert answer.status_code == 422, path.name
        assert valid(answer.json())["issue"][0]["severity"] == "error"
