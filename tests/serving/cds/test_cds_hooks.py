"""A hospital system asks for a card: from what it sends along alone, silent where there is nothing to say."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import hooks
import httpx
import pytest

from models.analytes import BY_LOINC
from models.artifact import Artifact
from serving.app import create_app
from serving.cds.card import REASONS
from serving.cds.names import LONGEST_SUMMARY
from serving.cds.prefetch import TEMPLATES
from serving.receipts.record import SCORE

from .conftest import (
    EHR,
    PATH,
    SERVICE,
    House,
    hook,
    patient,
    today,
)


def test_the_service_is_discovered_with_what_it_wants_sent_along(house: House) -> None:
    async def once() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(house.app), base_url=SERVICE) as asking:
            return await asking.get("/cds-services")

    (found,) = asyncio.run(once()).json()["services"]
    assert (found["hook"], found["id"], found["prefetch"]) == ("patient-view", "early-mortality", dict(TEMPLATES))
    for template in TEMPLATES.values():
        assert "{{context.patientId}}" in template
    for code in (*BY_LOINC, "97509-4"):  # every analyte, and what became of the disease
        assert f"http://loinc.org|{code}" in TEMPLATES["observations"].replace("&", ",").split("code=")[1].split(",")


def test_one_card_says_that_there_is_a_prognosis_and_leads_to_its_page(house: House) -> None:
    card = house.card(hook())
    record = house.records(SCORE)[-1]
    assert len(card["summary"]) < LONGEST_SUMMARY
    assert not any(sign.isdigit() or sign == "%" for sign in card["summary"])
    assert card["indicator"] in ("info", "warning")
    (link,) = card["links"]
    assert (link["url"], link["type"]) == (f"{SERVICE}/patient/{record.sequence}", "absolute")
    assert [one["code"] for one in card["overrideReasons"]] == list(REASONS)
    assert "Association, not cause." in card["detail"]
    assert "For clinicians" in card["detail"]
    assert "above about" in card["detail"]
    assert "suggestions" not in card
    assert None not in card.values()


def test_the_receipt_tells_who_asked_for_whom_and_what_was_sent(house: House) -> None:
    house.card(hook())
    caller = house.archive.receipt(house.records(SCORE)[-1]).document["caller"]
    assert (caller["by"], caller["on_behalf_of"]) == ("CDS Hooks", "Practitioner/9")
    assert caller["who"] == {"name": "ehr", "roles": ["clinician"], "unit": "Ward 3", "by": EHR}
    assert "Observation/o0" in caller["source"]["used"]


def test_the_number_is_the_one_of_the_same_resources_asked_in_fhir(house: House, loaded: Artifact, receipts: Any) -> None:
    from serving.access.desk import Desk

    house.card(hook())
    ours = house.archive.receipt(house.records(SCORE)[-1]).document["answer"]["risks"]
    app = create_app(loaded, receipts, site="St. Elsewhere", access=Desk())
    native = patient(as_of=today(), age_years=_age("1961-06-02"))

    async def once() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as asking:
            return await asking.post("/v1/scores", json=native)

    assert asyncio.run(once()).json()["risks"] == ours


def _age(born: str) -> int:
    birth, now = datetime.fromisoformat(born).date(), datetime.now(UTC).date()
    return now.year - birth.year - ((now.month, now.day) < (birth.month, birth.day))


@pytest.mark.parametrize(
    "document",
    [
        hook(patient(tumour="breast")),  # fewer than twenty deaths behind it
        hook(born="2012-01-01"),
        hook(patient(measurements=[])),
        hook(patient(measurements=[one | {"date": "2026-01-01"} for one in patient()["measurements"]])),
    ],
    ids=["outside the population", "a child", "nothing measured", "old values"],
)
def test_it_is_silent_where_there_is_nothing_to_say(house: House, document: dict[str, Any]) -> None:
    before = len(house.records(SCORE))
    answer = house.post(PATH, document)
    assert (answer.status_code, answer.json()) == (200, {"cards": []})
    assert len(house.records(SCORE)) == before


@pytest.mark.parametrize("name", ["patient", "conditions", "observations"])
@pytest.mark.parametrize("sent", ["left out", None, {"resourceType": "OperationOutcome", "issue": []}, {}, "x"])
def test_without_what_it_needs_it_says_what_was_missing(house: House, name: str, sent: Any) -> None:
    document = hook()
    if sent == "left out":
        del document["prefetch"][name]
    else:
        document["prefetch"][name] = sent
    answer = house.post(PATH, document | {"fhirServer": "http://127.0.0.1:9/"})
    assert answer.status_code == 412
    assert name in answer.json()["title"]


def test_what_was_not_sent_or_cut_is_said(house: House) -> None:
    document = hook()
    document["prefetch"]["observations"]["link"] = [{"relation": "next", "url": "https://ehr.example/next"}]
    card = house.card(document)
    assert card["indicator"] == "warning"
    assert "not sent, and not known here: administrations, orders, procedures" in card["detail"]
    assert "only the first page was sent of: observations" in card["detail"]


@pytest.mark.parametrize(
    "changes",
    [
        {"hook": "order-sign"},
        {"hookInstance": None},
        {"context": {"userId": "Practitioner/9"}},
        {"context": {"patientId": "p1"}},
        {"context": {"userId": "Practitioner/9", "patientId": "somebody else"}},
        {"context": None},
    ],
)
def test_what_is_no_such_hook_is_refused(house: House, changes: dict[str, Any]) -> None:
    assert house.post(PATH, hook() | changes).status_code == 400


def samples(kind: str) -> list[Path]:
    folder = os.environ.get("LYMPHORISK_COHORTS")
    return sorted(Path(folder).glob(f"cds_hooks/{kind}/*.json")) if folder else []


@pytest.mark.skipif(not samples("*"), reason="the published samples are not beside this checkout (LYMPHORISK_COHORTS)")
def test_the_published_requests_are_answered_or_refused_with_the_reason(house: House) -> None:
    for path in [*samples("hl7_spec"), *samples("opioid_cds_r4"), *samples("malformed_as_published")]:
        answer = house.post(PATH, None, content=path.read_bytes())
        assert answer.status_code in ((400,) if path in samples("malformed_as_published") else (200, 400, 412)), path.name
        if answer.status_code == 200:
            assert answer.json() == {"cards": []}
        else:
            assert answer.json()["title"]


def test_a_round_trip_over_the_network_takes_less_than_a_quarter_of_a_second(tmp_path: Path) -> None:
    marks = {mark.what: mark for mark in hooks.sit(tmp_path, lambda *told: None, patients=40, screens=2)}
    assert [name for name, mark in marks.items() if mark.falls_short] == []
