"""A service that hospital systems may ask, and what they send: signed tokens and hooks."""

from __future__ import annotations

import asyncio
import json
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey
from starlette.applications import Starlette

from models.artifact import Artifact
from serving.access.proofs import Proofs
from serving.access.session_store import SessionStore
from serving.access.sessions import Sessions
from serving.app import create_app
from serving.cds.callers import CdsCallers
from serving.cds.settings import Caller, CdsSettings
from serving.cds.shown import Shown
from serving.keeping import Keeping, opened_receipts
from serving.receipts.archive import Archive
from serving.receipts.keys import read_keys

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
