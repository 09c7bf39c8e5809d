"""A hospital system asks for a card: from what it sends along alone, silent where there is nothing to say; feedback is kept."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import hooks
import httpx
import pytest
import typer
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey, RSAKey
from starlette.applications import Starlette
from starlette.exceptions import HTTPException

from models.analytes import BY_LOINC
from models.api_keys import make_key
from models.artifact import Artifact
from models.identity import Role
from models.seal_key import ACCESS as ACCESS_KEY
from models.seal_key import read_or_make_key
from serving.access.door import Unproved
from serving.access.proofs import Proofs
from serving.access.session_store import SessionStore
from serving.access.sessions import Sessions
from serving.access.settings import InvalidSettings
from serving.admitting import admitting
from serving.app import create_app
from serving.cds.callers import CdsCallers
from serving.cds.card import REASONS, card_id, sequence_in
from serving.cds.names import LONGEST_SUMMARY
from serving.cds.prefetch import TEMPLATES
from serving.cds.settings import Caller, CdsSettings, read_cds
from serving.cds.shown import NAME, Shown
from serving.keeping import Keeping, opened_receipts
from serving.pages.noted import about
from serving.receipts.archive import Archive
from serving.receipts.keys import read_keys
from serving.receipts.record import ACCESS, SCORE

sys.path.insert(0, str(Path(__file__).parents[1] / "fhir"))
from bundles import bundle_of

SERVICE, EHR = "https://risk.example", "https://ehr.example"
PATH = "/cds-services/early-mortality"
KEY = ECKey.generate_key("P-384", {"kid": "one"})
OTHER = ECKey.generate_key("P-384", {"kid": "one"})
RSA = RSAKey.generate_key(2048, {"kid": "two"})
CLINIC = "https://clinic.example"
CLINIC_KEY = ECKey.generate_key("P-384", {"kid": "clinic"})
CALLERS = (Caller("ehr", EHR, KeySet([KEY, RSA]), "Ward 3"), Caller("clinic", CLINIC, KeySet([CLINIC_KEY]), "Ward 3"))
SETTINGS = CdsSettings(SERVICE, {one.issuer: one for one in CALLERS})


def claims(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    usual = {"iss": EHR, "aud": SERVICE + PATH, "iat": now, "exp": now + 60, "jti": str(uuid.uuid4())}
    return {name: value for name, value in (usual | changes).items() if value is not None}


def token(key: Any = KEY, alg: str = "ES384", head: Mapping[str, Any] | None = None, **changes: Any) -> str:
    return jwt.encode({"alg": alg, "kid": key.kid, **(head or {})}, claims(**changes), key, algorithms=[alg])


def today(ago: int = 0) -> str:
    return (datetime.now(UTC).date() - timedelta(ago)).isoformat()


def patient(**changes: Any) -> dict[str, Any]:
    labs = {"alc": (800, "cells/uL"), "anc": (4.0, "10*9/L"), "albumin": (3.6, "g/dL")}
    measured = [{"analyte": name, "value": value, "unit": unit, "date": today(2)} for name, (value, unit) in labs.items()]
    lines = [{"modality": "chemotherapy", "line": 1, "start": today(200), "end": today(30), "agents": ["gemcitabine"]}]
    return {"sex": "female", "tumour": "pancreatic", "treatments": lines, "measurements": measured} | changes


def hook(document: dict[str, Any] | None = None, born: str = "1961-06-02", **changes: Any) -> dict[str, Any]:
    every = [one["resource"] for one in bundle_of(document or patient(), born)["entry"]]
    kinds = {"conditions": "Condition", "observations": "Observation", "statements": "MedicationStatement"}
    sent: dict[str, Any] = {"patient": every[0]}
    for name, kind in kinds.items():
        of_kind = [{"resource": one} for one in every if one["resourceType"] == kind]
        sent[name] = {"resourceType": "Bundle", "type": "searchset", "entry": of_kind}
    context = {"userId": "Practitioner/9", "patientId": "p1"}
    return {"hook": "patient-view", "hookInstance": str(uuid.uuid4()), "context": context, "prefetch": sent} | changes


class House:
    """A service with receipts and a hospital system that may ask it."""

    def __init__(self, app: Starlette, archive: Archive):
        self.app, self.archive = app, archive

    def post(self, path: str, document: object, shown: str | None = None, content: bytes | None = None) -> httpx.Response:
        shown = token(aud=SERVICE + path) if shown is None else shown
        headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {shown}"} if shown else {})
        body = content if content is not None else json.dumps(document).encode()

        async def once() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url=SERVICE) as asking:
                return await asking.post(path, content=body, headers=headers)

        return asyncio.run(once())

    def card(self, document: object) -> dict[str, Any]:
        answer = self.post(PATH, document)
        assert answer.status_code == 200, answer.text
        (found,) = answer.json()["cards"]
        return dict(found)

    def records(self, kind: str) -> list[Any]:
        return [one for one in self.archive.store.records() if one.kind == kind]


@contextmanager
def built(artifact: Artifact, model: Path, folder: Path) -> Iterator[House]:
    keeping = Keeping(folder / "receipts", folder / "receipts.key")
    with opened_receipts(keeping, artifact, model, "St. Elsewhere", lambda said: None) as writer:
        archive = Archive.open(keeping.folder, read_keys(keeping.key))
        store = SessionStore(folder / "access")
        shown = Shown(folder)
        access = Proofs(sessions=Sessions(store), systems=CdsCallers(SETTINGS, shown))
        app = create_app(artifact, writer, "St. Elsewhere", access=access, archive=archive, address=SERVICE)
        yield House(app, archive)
        shown.close()
        store.close()


@pytest.fixture(scope="module")
def house(loaded: Artifact, model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with built(loaded, model_folder, tmp_path_factory.mktemp("cds")) as found:
        yield found


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


@pytest.mark.parametrize(
    "shown",
    [
        "",
        "x",
        "a.b.c",
        token(OTHER),
        token(iss="https://evil.example"),
        token(aud=SERVICE),
        token(aud=f"{SERVICE}{PATH}/feedback"),
        token(exp=int(time.time()) - 100),
        token(exp=int(time.time()) + 3600),
        token(jti=None),
        token(exp=None),
        token(head={"jku": "https://evil.example/keys"}),
        jwt.encode({"alg": "HS256", "kid": "one"}, claims(), OctKey.import_key(json.dumps(KEY.as_dict(private=False)))),
        ".".join(["eyJhbGciOiJub25lIiwia2lkIjoib25lIn0", token().split(".")[1], "x"]),
    ],
)
def test_who_cannot_prove_to_be_a_system_that_may_ask_is_not_answered(house: House, shown: str) -> None:
    before = len(house.records(SCORE))
    assert house.post(PATH, hook(), shown).status_code == 401
    assert len(house.records(SCORE)) == before


def test_a_token_is_good_once_and_nowhere_else(house: House) -> None:
    one = token(RSA, "RS384")
    assert house.post(PATH, hook(), one).status_code == 200
    assert house.post(PATH, hook(), one).status_code == 401
    assert house.post("/v1/scores", patient(as_of=today(), age_years=64), token(aud=f"{SERVICE}/v1/scores")).status_code == 401


def test_a_token_shown_to_one_process_is_good_in_no_other_and_not_after_a_restart(tmp_path: Path) -> None:
    one = token()
    with closing(Shown(tmp_path)) as first, closing(Shown(tmp_path)) as second:
        CdsCallers(SETTINGS, first).identity(one, PATH)
        with pytest.raises(Unproved, match="shown before"):
            CdsCallers(SETTINGS, second).identity(one, PATH)
    with closing(Shown(tmp_path)) as again, pytest.raises(Unproved, match="shown before"):
        CdsCallers(SETTINGS, again).identity(one, PATH)
    assert (tmp_path / NAME).stat().st_mode & 0o077 == 0


def test_two_systems_may_use_the_same_id_and_a_token_is_forgotten_once_it_has_expired(tmp_path: Path) -> None:
    with closing(Shown(tmp_path)) as shown:
        assert [shown.first(issuer, "1", 100, 50) for issuer in (EHR, f"{EHR}/other", EHR)] == [True, True, False]
        assert shown.first(EHR, "1", 300, 101)


def test_where_it_cannot_be_told_whether_a_token_was_shown_nobody_is_let_in(tmp_path: Path) -> None:
    shown = Shown(tmp_path)
    shown.close()
    with pytest.raises(HTTPException, match="cannot be told now"):
        CdsCallers(SETTINGS, shown).identity(token(), PATH)


def feedback(card: str, **changes: Any) -> dict[str, Any]:
    return {"feedback": [{"card": card, "outcome": "accepted", "outcomeTimestamp": "2026-11-23T10:00:00Z"} | changes]}


def test_feedback_stands_beside_the_receipt_without_its_comment(house: House) -> None:
    card = house.card(hook())
    number = house.records(SCORE)[-1].sequence
    why = {"reason": {"code": "acute", "system": "urn:lymphorisk:override-reason"}, "userComment": "Mrs Hollis has sepsis"}
    answer = house.post(f"{PATH}/feedback", feedback(card["uuid"], outcome="overridden", overrideReason=why))
    assert answer.status_code == 200
    note = json.loads(house.records(ACCESS)[-1].payload)
    assert note["did"] == "gave feedback"
    at = "2026-11-23T10:00:00"
    assert note["what"] == {"receipt": number, "outcome": "overridden", "reason": "acute", "at": at, "comment": "not kept"}
    assert b"Hollis" not in house.records(ACCESS)[-1].payload


def test_feedback_on_a_card_that_was_never_given_is_not_taken(house: House) -> None:
    record = house.records(SCORE)[-1]
    for forged in (card_id(record.sequence, "0" * 64), card_id(10**9, record.digest), card_id(1, record.digest)):
        assert house.post(f"{PATH}/feedback", feedback(forged)).status_code == 404


def test_feedback_is_taken_from_no_other_system_than_the_one_that_the_card_was_given_to(house: House) -> None:
    card, path = house.card(hook())["uuid"], f"{PATH}/feedback"
    number = house.records(SCORE)[-1].sequence
    stranger = token(CLINIC_KEY, iss=CLINIC, aud=SERVICE + path)
    assert house.post(path, feedback(card), stranger).status_code == 404
    assert about(house.archive.store, number) == []
    assert house.post(path, feedback(card)).status_code == 200
    (told,) = about(house.archive.store, number)  # what the page of the receipt tells
    assert "ehr (clinician) gave feedback" in told.told
    assert "outcome accepted" in told.told


def test_nobody_signs_in_the_name_of_another_system(house: House) -> None:
    assert house.post(PATH, hook(), token(CLINIC_KEY)).status_code == 401
    assert house.post(PATH, hook(), token(CLINIC_KEY, iss=CLINIC)).status_code == 200


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"feedback": []},
        {"feedback": [{}]},
        {"feedback": [3]},
        feedback("not-a-uuid"),
        feedback(str(uuid.uuid4())),
        feedback(card_id(1, "0" * 64), outcome="shrugged"),
        feedback(card_id(1, "0" * 64), outcomeTimestamp="late"),
    ],
)
def test_feedback_that_cannot_be_read_is_refused(house: House, document: dict[str, Any]) -> None:
    assert house.post(f"{PATH}/feedback", document).status_code == 400


@pytest.mark.parametrize("sequence", [1, 255, 2**40])
def test_a_card_s_identifier_holds_the_number_of_its_receipt(sequence: int) -> None:
    found = card_id(sequence, "f" * 64)
    assert (sequence_in(found), uuid.UUID(found).version) == (sequence, 8)
    assert sequence_in(found.upper()) is None


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


def write(folder: Path, text: str, keys: object = None) -> Path:
    (folder / "ehr.json").write_text(json.dumps(KeySet([KEY]).as_dict(private=False) if keys is None else keys), "utf-8")
    (folder / "access.toml").write_text(text, "utf-8")
    return folder / "access.toml"


GOOD = f"""[cds]
service = "{SERVICE}"
[cds.callers.ehr]
issuer = "{EHR}"
keys_file = "ehr.json"
unit = "Ward 3"
"""


def test_who_may_ask_is_read_from_access_toml(tmp_path: Path) -> None:
    found = read_cds(write(tmp_path, GOOD))
    assert found is not None
    assert (found.service, found.callers[EHR].unit) == (SERVICE, "Ward 3")
    with closing(Shown(tmp_path)) as shown:
        assert CdsCallers(found, shown).identity(token(), PATH).name == "ehr"
        with pytest.raises(Unproved, match="not signed"):
            CdsCallers(found, shown).identity(token(OTHER), PATH)
    assert read_cds(tmp_path / "nowhere.toml") is None


def test_a_service_that_begins_lets_in_the_systems_of_its_access_folder(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    key = tmp_path / "access.key"
    make_key(tmp_path, read_or_make_key(key, lambda said: None, ACCESS_KEY), "ward", [Role.CLINICIAN], "Ward 3", 30, "root")
    with admitting(tmp_path, key) as admitted:
        assert admitted.address == SERVICE
        assert isinstance(admitted.access, Proofs)
        assert isinstance(admitted.access.systems, CdsCallers)
        assert admitted.access.systems.identity(token(), PATH).name == "ehr"
    (tmp_path / NAME).unlink()
    (tmp_path / NAME).mkdir()
    with pytest.raises(typer.Exit), admitting(tmp_path, key):
        pytest.fail("a service that cannot remember tokens must not begin")


def test_who_names_no_systems_has_none(tmp_path: Path) -> None:
    assert read_cds(write(tmp_path, "[limits]\nburst = 3\n")) is None


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (SERVICE, "http://risk.example", "cds.service"),
        (SERVICE, f"{SERVICE}/path", "cds.service"),
        ('unit = "Ward 3"', "", "cds.callers.ehr.unit"),
        ('unit = "Ward 3"', 'unit = "Ward 3"\ncolour = "red"', "cds.callers.ehr.colour"),
        ("[cds.callers.ehr]", "[cds.other]", "cds.other"),
        (GOOD, "cds = 3", "cds"),
    ],
)
def test_settings_at_fault_are_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(InvalidSettings, match=said):
        read_cds(write(tmp_path, GOOD.replace(old, new)))


def test_keys_that_are_none_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings, match="JSON Web Key Set"):
        read_cds(write(tmp_path, GOOD, {"keys": [{"kty": "none"}]}))
