"""Every case of the table of bad input, posted to the service: its verdict, its places, and nothing given in an error.

The table is the TOML files in `bad_input`; every case changes something of one patient in good order ("alc.value",
"history.prior_lines", "treatments.0.end"), and says what must become of it: `refused` (422) or `unreadable` (400) with exactly
the places in `at`, `warned` (scored, with `says` among the warnings or the standing), or `accepted` (scored, no new warning).
"""

from __future__ import annotations

import asyncio
import json
import re
import time
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from models.analytes import ANALYTES
from models.artifact import Artifact
from models.courses import MODALITIES
from models.history import OUTCOMES
from serving import scoring as service
from serving.access.desk import Desk
from serving.app import create_app
from serving.field_names import FIELDS
from serving.problems import PROBLEM

TABLE = Path(__file__).parent / "bad_input"
STATUS = {"accepted": 200, "warned": 200, "refused": 422, "unreadable": 400}
Json = Any
_RAW = re.compile(r'"\\u0000([0-9a-f]*)\\u0000"')  # JSON text that stands in a document as it is


@dataclass(frozen=True)
class Case:
    """One request and its verdict."""

    name: str
    verdict: str
    body: bytes
    at: tuple[str, ...] = ()  # JSON pointers of the faults
    says: tuple[str, ...] = ()
    status: int = 200
    given: tuple[str, ...] = ()  # texts and numbers that no refusal may repeat
    headers: Mapping[str, str] = field(default_factory=dict)
    method: str = "POST"
    path: str = "/v1/scores"


def groups() -> Iterator[tuple[str, dict[str, Any]]]:
    """Each group of cases with the name of its file."""
    for path in sorted(TABLE.glob("*.toml")):
        for group in tomllib.loads(path.read_text(encoding="utf-8")).get("group", []):
            yield path.stem, group


def good() -> dict[str, Json]:
    """The patient in good order."""
    found = tomllib.loads((TABLE / "patient.toml").read_text(encoding="utf-8"))["patient"]
    return json.loads(json.dumps(found, default=str))  # type: ignore[no-any-return]  # days become texts


def cases() -> list[Case]:
    """Every case; one that stands for several fields or values is one for each."""
    return [case for stem, group in groups() for told in _spread(group) for case in _cases(stem, group, told)]


def _spread(group: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The cases of a group; `fields` with a `value`, with `text` or with `null` make one case a field."""
    for told in group["cases"]:
        for name in told.get("fields", [""]):
            yield told | ({"name": f"{name}: {told['name']}", "field": name} if name else {})


def _cases(stem: str, group: Mapping[str, Any], told: dict[str, Any]) -> Iterator[Case]:
    document, name = good(), told.get("field", "")
    change = dict(told.get("change", {})) | ({name: told["value"]} if name and "value" in told else {})
    texts = dict(told["text"]) if isinstance(told.get("text"), dict) else {name: told["text"]} if name and "text" in told else {}
    gone = [*told.get("remove", []), *([name] if name and told.get("missing") else [])]
    null = [*told.get("null", []), *([name] if name and told.get("is_null") else [])]
    labs = {one["analyte"] for one in document["measurements"]} & set(gone)
    document["measurements"] = [one for one in document["measurements"] if one["analyte"] not in labs]
    document["measurements"] += [{"date": "2026-11-18", **one} for one in told.get("add", [])]
    document["treatments"] += told.get("treat", [])
    at = told.get("at", [name] if name else [*change, *texts, *gone, *null])
    pointers = tuple(_pointer(document, place) for place in at)
    for place, value in [*change.items(), *((place, None) for place in null)]:
        _put(document, place, value)
    for place, text in texts.items():
        _put(document, place, f"\0{text.encode().hex()}\0")
    for place in set(gone) - labs:
        _drop(document, place)
    verdict = told.get("verdict", group["verdict"])
    yield Case(
        name=f"{stem}: {told['name']}",
        verdict=verdict,
        body=_body(document, told),
        at=pointers if verdict in ("refused", "unreadable") else (),
        says=tuple([told["says"]] if isinstance(told.get("says"), str) else told.get("says", [])),
        status=told.get("status", STATUS[verdict]),
        given=tuple(_given([*change.values(), told.get("add", []), told.get("treat", []), *told.get("canary", [])])),
        headers=group.get("headers", {}) | told.get("headers", {}),
        method=told.get("method", "POST"),
        path=told.get("path", "/v1/scores"),
    )


def _body(document: Json, told: Mapping[str, Any]) -> bytes:
    if "hex" in told:
        return bytes.fromhex(told["hex"])
    written = _RAW.sub(lambda raw: bytes.fromhex(raw[1]).decode(), json.dumps(document, default=str))
    body = str(told.get("body", written)).replace("{patient}", written)
    if "middle" in told:
        body += told["middle"] * told["times"] + told["end"]
    return body.encode(told.get("encoding", "utf-8")) * (1 if "middle" in told else told.get("times", 1))


def _where(document: Json, place: str) -> tuple[Json, list[str | int]]:
    """The object that holds the last step of an address, and the steps to it; a laboratory value is told by its analyte."""
    steps: list[str | int] = [int(step) if step.lstrip("-").isdecimal() else step for step in place.split(".")] if place else []
    labs = [one.get("analyte") or one.get("loinc") for one in document["measurements"]]
    if steps and steps[0] in labs:
        last = len(labs) - 1 - labs[::-1].index(steps[0])
        steps = ["measurements", last, *steps[1:]]
    found = document
    for step in steps[:-1]:
        if isinstance(found, dict) and step not in found:
            found[step] = {}
        found = found[step]
    return found, steps


def _pointer(document: Json, place: str) -> str:
    if place.startswith("/"):
        return place
    _, steps = _where(deepcopy(document), place)
    return "".join(f"/{step}" for step in steps)


def _put(document: Json, place: str, value: Json) -> None:
    if not place:
        document.clear()
        document.update(value)
        return
    holder, steps = _where(document, place)
    holder[steps[-1]] = json.loads(json.dumps(value, default=str))


def _drop(document: Json, place: str) -> None:
    holder, steps = _where(document, place)
    holder.pop(steps[-1], None)


def _given(values: Json) -> Iterator[str]:
    """What stands in a request and could be told from our own words, were it repeated."""
    if isinstance(values, dict):
        yield from _given([*values.values()])
    elif isinstance(values, list):
        for one in values:
            yield from _given(one)
    elif not isinstance(values, bool) and len(str(values)) >= 5:
        yield str(values)


CASES = cases()
PLANTED = good()["id"]
# our own words, which an error may hold though they were given
OURS = " ".join((*FIELDS, *ANALYTES, *MODALITIES, *OUTCOMES, *(unit for analyte in ANALYTES.values() for unit in analyte.units)))
LONGEST = 10.0  # seconds


class Then(datetime):
    """The day on which the table was written: its dates do not grow old."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Then:
        return cls(2026, 11, 23, 12, tzinfo=tz or UTC)


@pytest.fixture(scope="module")
def asked(loaded: Artifact, remembering: Callable[[], Any]) -> Iterator[tuple[Starlette, Any]]:
    """The service with what it recorded."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(service, "datetime", Then)
        receipts = remembering()
        yield create_app(loaded, receipts, access=Desk()), receipts


def post(app: Starlette, case: Case) -> httpx.Response:
    async def once() -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            headers = {"Content-Type": "application/json", **case.headers}
            return await client.request(case.method, case.path, content=case.body, headers=headers)

    return asyncio.run(once())


@pytest.fixture(scope="module")
def usual(asked: tuple[Starlette, Any]) -> set[str]:
    """What is said of the patient in good order."""
    found = post(asked[0], Case("good", "accepted", json.dumps(good()).encode()))
    assert found.status_code == 200, found.text
    return {*found.json()["standing"], *found.json()["warnings"]}


def test_the_patient_in_good_order_is_scored_without_a_warning(asked: tuple[Starlette, Any]) -> None:
    found = post(asked[0], Case("good", "accepted", json.dumps(good()).encode()))
    assert (found.status_code, found.json()["warnings"]) == (200, [])


def test_the_table_holds_three_hundred_cases_each_once_and_every_group_says_why() -> None:
    assert len(CASES) >= 300
    assert [name for name, often in Counter(case.name for case in CASES).items() if often > 1] == []
    assert [case.name for case in CASES if case.verdict == "warned" and not case.says] == []
    for stem, group in groups():
        assert group["why"].strip().endswith("."), (stem, group["kind"])


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_case_gets_its_verdict(case: Case, asked: tuple[Starlette, Any], usual: set[str]) -> None:
    app, receipts = asked
    before, began = len(receipts.drafts), time.monotonic()
    found = post(app, case)
    assert time.monotonic() - began < LONGEST
    assert found.status_code == case.status, found.text[:500]
    scored = case.status == 200
    assert len(receipts.drafts) - before == scored
    if scored:
        _is_answered(case, found.json(), usual)
    else:
        _is_refused(case, found)


def _is_answered(case: Case, answer: dict[str, Any], usual: set[str]) -> None:
    said = [*answer["standing"], *answer["warnings"]]
    if case.verdict == "accepted":
        assert set(said) <= usual
        assert all(words in answer["text"] for words in case.says)
    else:
        new = "\n".join(words for words in said if words not in usual)
        assert all(words in new for words in case.says), new


def _is_refused(case: Case, found: httpx.Response) -> None:
    assert found.headers["content-type"] == PROBLEM
    problem = found.json()
    assert problem["status"] == case.status
    assert sorted({error["pointer"] for error in problem["errors"]}) == sorted(set(case.at)), problem["errors"]
    assert "Traceback" not in found.text
    for given in (PLANTED, *case.given):
        assert given in OURS or given not in found.text
