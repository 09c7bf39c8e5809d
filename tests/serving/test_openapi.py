"""The OpenAPI document: exact enough to write a client from, and in nothing else than the reader itself."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker
from schemathesis import Case, GenerationMode
from starlette.applications import Starlette

from models.analytes import ANALYTES, BY_LOINC, InvalidQuantity, quantity
from models.artifact import Artifact, load
from models.example import EXAMPLE
from models.patient import InvalidPatient, assemble
from models.risk import RiskModel
from models.tumours import SPELLINGS
from serving.access.desk import Desk
from serving.app import create_app
from serving.openapi.document import document
from serving.openapi.examples import EXAMPLES
from serving.problems import PROBLEM
from serving.receipts.payload import Receipts
from serving.refused import Refused
from serving.score import admit
from serving.wire import read_patient, read_request

RELEASED = Path(__file__).parents[2] / "models" / "released" / "example"
RELEASE = load(RELEASED)
DOCUMENT = document(RELEASE.model)
SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]
ASKED = DOCUMENT["paths"]["/v1/scores"]["post"]["requestBody"]["content"]["application/json"]
PATIENT = ASKED["schema"]["anyOf"][0]
OPERATION = schemathesis.openapi.from_dict(DOCUMENT)["/v1/scores"]["POST"]
BY_ANALYTE = [(name, branch) for name in ANALYTES for branch in SCHEMAS[f"Measurement.{name}"]["allOf"][1].get("anyOf", [])]
BY_ANALYTE += [(name, SCHEMAS[f"Measurement.{name}"]["allOf"][1]) for name in ANALYTES if name not in dict(BY_ANALYTE)]
drawn = settings(max_examples=100, deadline=None, database=None, suppress_health_check=list(HealthCheck))


def valid(schema: dict[str, Any], value: object) -> bool:
    """Whether an ordinary validator takes it, `schema` being a part of the document."""
    whole = {**schema, "components": DOCUMENT["components"]}
    return Draft202012Validator(whole, format_checker=FormatChecker()).is_valid(value)


def component(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def call(app: Starlette, method: str, path: str, **options: Any) -> httpx.Response:
    async def once() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
            return await client.request(method, path, **options)

    return asyncio.run(once())


@pytest.fixture
def app(receipts: Receipts) -> Starlette:
    return create_app(RELEASE, receipts, site="St. Elsewhere", access=Desk())


def references(part: object) -> Iterator[str]:
    if isinstance(part, dict):
        yield from [part["$ref"]] if "$ref" in part else []
        for one in part.values():
            yield from references(one)
    elif isinstance(part, list):
        for one in part:
            yield from references(one)


def test_an_ordinary_validator_loads_every_schema_and_finds_all_that_it_refers_to() -> None:
    for schema in SCHEMAS.values():
        Draft202012Validator.check_schema(schema)
    assert {name.removeprefix("#/components/schemas/") for name in references(DOCUMENT)} == set(SCHEMAS)


def test_the_service_serves_its_document_and_the_document_describes_every_route(app: Starlette) -> None:
    assert call(app, "GET", "/openapi.json").json() == json.loads(json.dumps(DOCUMENT))
    routes = {(route.path, *route.methods) for route in app.routes}  # type: ignore[attr-defined]  # each is an API route
    told = {(path, method.upper()) for path, methods in DOCUMENT["paths"].items() for method in methods}
    with_receipts = {("/v1/receipts/{sequence}", "GET")}  # only where there is an archive to read
    in_fhir = {("/fhir/metadata", "GET"), ("/fhir/$early-mortality", "POST")}  # whose own description is the first of them
    assert routes - {("/openapi.json", "GET"), ("/metrics", "GET")} - in_fhir == told - with_receipts
    assert "/fhir/metadata" in DOCUMENT["info"]["description"]
    assert "/cds-services" in DOCUMENT["info"]["description"]


@pytest.mark.parametrize(
    ("path", "method", "problems"),
    [
        ("/v1/scores", "post", {400, 401, 403, 408, 413, 415, 422, 429, 431, 500, 503}),
        ("/v1/receipts/{sequence}", "get", {400, 401, 403, 404, 408, 429, 431, 500, 503}),
        ("/v1/model", "get", {400, 401, 403, 408, 429, 431, 500, 503}),
        ("/v1/me", "get", {400, 401, 403, 408, 429, 431, 500, 503}),
        ("/livez", "get", {400, 408, 431, 500, 503}),
        ("/readyz", "get", {400, 408, 431, 500, 503}),
    ],
)
def test_every_status_of_an_operation_is_told_with_its_schema(path: str, method: str, problems: set[int]) -> None:
    responses = DOCUMENT["paths"][path][method]["responses"]
    assert set(responses) == {"200", *map(str, problems)}
    assert list(responses["200"]["content"]) == ["application/json"]
    for status in problems:
        assert list(responses[str(status)]["content"]) == [PROBLEM]
    assert all("Retry-After" in responses["503"]["headers"] for _ in [0] if 503 in problems)


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_fits_its_schema_and_is_scored_whole(app: Starlette, name: str) -> None:
    example = ASKED["examples"][name]["value"]
    assert valid(ASKED["schema"], example)
    found = call(app, "POST", "/v1/scores", json=example)
    assert found.status_code == 200
    answers = found.json()["scores"] if "patients" in example else [found.json()]
    assert all(valid(component("Answer"), answer) for answer in answers)


def test_an_example_that_a_model_does_not_score_is_not_shown_with_it(model: RiskModel) -> None:
    shown = document(model)["paths"]["/v1/scores"]["post"]["requestBody"]["content"]["application/json"]["examples"]
    assert {"complete", "coded"} <= set(shown)
    assert "few" not in shown  # the ratio alone, and this model requires the count and albumin


def test_the_schema_of_a_patient_asks_for_what_the_model_requires(model: RiskModel) -> None:
    schema = document(model)["paths"]["/v1/scores"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    asked = Draft202012Validator({**schema["anyOf"][0], "components": DOCUMENT["components"]})
    complete = EXAMPLES["complete"][1]
    assert asked.is_valid(complete)
    for lost in ("alc", "albumin"):
        rest = [one for one in complete["measurements"] if one["analyte"] != lost]
        assert not asked.is_valid({**complete, "measurements": rest})
    assert not asked.is_valid({name: value for name, value in complete.items() if name != "measurements"})


def test_what_is_answered_fits_its_schema_whatever_it_is(app: Starlette, loaded: Artifact, receipts: Receipts) -> None:
    young = EXAMPLES["few"][1] | {"age_years": 17}
    several = {"patients": [EXAMPLES["limits"][1], young, 3]}
    answered = call(app, "POST", "/v1/scores", json=several).json()
    assert [list(one)[:2] for one in answered["scores"]] == [["example", "id"], ["id", "refused"], ["id", "refused"]]
    assert valid(component("Scores"), answered)
    assert valid(component("Problem"), call(app, "POST", "/v1/scores", json=young).json())
    assert valid(component("Model"), call(app, "GET", "/v1/model").json())
    of_patients = document(loaded.model)["components"]
    told = call(create_app(loaded, receipts, access=Desk()), "GET", "/v1/model").json()
    assert Draft202012Validator({**component("Model"), "components": of_patients}).is_valid(told)


def test_the_document_of_a_model_of_simulated_patients_says_so_first(loaded: Artifact) -> None:
    assert DOCUMENT["info"]["description"].startswith(EXAMPLE)
    assert {"Answer", "Scores", "Model"} <= {name for name, one in SCHEMAS.items() if "example" in one.get("required", [])}
    assert EXAMPLE not in json.dumps(document(loaded.model))


@pytest.mark.parametrize(("analyte", "branch"), BY_ANALYTE)
def test_the_bounds_of_an_analyte_are_the_last_numbers_that_the_reader_accepts(analyte: str, branch: dict[str, Any]) -> None:
    fields = branch["properties"]
    (name,) = references(fields["unit"])
    units = SCHEMAS[name.rpartition("/")[2]]["enum"]
    if "enum" in fields["value"]:
        for unit in units:
            assert [quantity(analyte, one, unit).value for one in fields["value"]["enum"]] == fields["value"]["enum"]
        assert not accepted(analyte, fields["value"]["enum"][-1] + ANALYTES[analyte].step, units[0])
        return
    numbers = next(one for one in fields["value"]["anyOf"] if one.get("type") == "number")
    low, high = float(numbers["minimum"]), float(numbers["maximum"])
    for unit in units:
        assert accepted(analyte, low, unit)
        assert accepted(analyte, high, unit)
        assert not accepted(analyte, math.nextafter(high, math.inf), unit)
        assert low == 0 or not accepted(analyte, math.nextafter(low, 0), unit)


def accepted(analyte: str, value: float, unit: str) -> bool:
    try:
        quantity(analyte, value, unit)
    except InvalidQuantity:
        return False
    return True


def test_the_schema_names_every_analyte_unit_and_code_that_the_reader_knows_and_no_other() -> None:
    for name, analyte in ANALYTES.items():
        schema = SCHEMAS[f"Measurement.{name}"]
        branches = [branch for known, branch in BY_ANALYTE if known == name]
        units = [unit for branch in branches for unit in SCHEMAS[branch["properties"]["unit"]["$ref"].rpartition("/")[2]]["enum"]]
        assert sorted(units) == sorted(analyte.units)
        assert schema["properties"]["analyte"]["enum"] == [name, None]
        assert schema["properties"]["loinc"]["enum"] == [*[code for code in BY_LOINC if BY_LOINC[code] == name], None]


@pytest.mark.parametrize("field", ["tumour", "sex"])
def test_every_word_of_a_patient_in_the_schema_is_understood(field: str) -> None:
    words = PATIENT["properties"][field]["enum"]
    for word in words:
        assert isinstance(read_patient(EXAMPLES["few"][1] | {field: word}), Refused) is False
    assert field != "tumour" or words == list(SPELLINGS)


def test_every_word_of_a_history_in_the_schema_is_understood() -> None:
    for field, schema in SCHEMAS["History"]["properties"].items():
        for word in schema.get("enum", [None, schema.get("minimum"), schema.get("maximum")]):
            assemble(id="", age_years=120, sex=None, tumour="nsclc", history={field: word})
        for wrong in ("73190", 1e9, -1):
            if wrong not in schema.get("enum", []):
                with pytest.raises(InvalidPatient, match=field):
                    assemble(id="", age_years=120, sex=None, tumour="nsclc", history={field: wrong})


@seed(20261123)
@drawn
@given(OPERATION.as_strategy(generation_mode=GenerationMode.POSITIVE))
def test_what_fits_the_schema_is_never_refused_for_its_shape(case: Case) -> None:
    body = json.dumps(case.body).encode()
    asked = read_request(body)  # raises InvalidRequest, a 400, where the shape is not one of a request
    assert asked.many == ("patients" in case.body)


@given(st.sampled_from(sorted(EXAMPLES)), st.data())
def test_an_example_that_is_broken_so_that_it_does_not_fit_is_never_scored(name: str, data: st.DataObject) -> None:
    broken = json.loads(json.dumps(EXAMPLES[name][1]))
    patient = data.draw(st.sampled_from(broken.get("patients", [broken])))
    parts = [patient, *patient["measurements"], *patient.get("treatments", []), patient.get("history", {})]
    place = data.draw(st.sampled_from(parts))
    _break(place, data.draw)
    if not valid(PATIENT, patient):
        assert isinstance(_read(patient), Refused)


def _break(place: dict[str, Any], draw: Callable[[st.SearchStrategy[Any]], Any]) -> None:
    """One field less, one more, or another value of one."""
    name = draw(st.sampled_from([*place, "comment"]))
    worth = [None, "", "x", True, -1, 0, 0.5, 1e6, "2026-02-30", "2026-11-21", [], {}, "<1", "yes", "1", 10**14]
    if draw(st.booleans()):
        place.pop(name, None)
    else:
        place[name] = draw(st.sampled_from(worth))


def _read(document: object) -> object:
    return admit(RELEASE.model, read_patient(document))
