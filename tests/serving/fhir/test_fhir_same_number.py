"""Whoever is told in FHIR gets the number that they get in the service's own words, to the bit: made-up patients, and real."""

from __future__ import annotations

import asyncio
import csv
import json
import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from models.analytes import ANALYTES
from models.artifact import Artifact
from serving.access.desk import Desk
from serving.app import create_app
from serving.receipts.payload import unpack
from training.gate.parity_patients import AS_OF, made_up

from .bundles import CODES, bundle_of

MADE_UP, SEED = 60, 11
PATH = "/fhir/$early-mortality"
PACTO = {  # column: analyte, unit
    "alc_10e9_l": ("alc", "10*9/L"),
    "anc_10e9_l": ("anc", "10*9/L"),
    "albumin_g_l": ("albumin", "g/L"),
    "crp_mg_l": ("crp", "mg/L"),
    "ldh_u_l": ("ldh", "U/L"),
    "hemoglobin_mmol_l": ("hemoglobin", "mmol/L"),
    "platelets_10e9_l": ("platelets", "10*9/L"),
    "bilirubin_umol_l": ("bilirubin", "umol/L"),
    "ca19_9_u_ml": ("ca19_9", "U/mL"),
}
LINE = {"modality": "chemotherapy", "line": 1, "start": "2025-11-03", "end": "2026-03-30", "agents": ["gemcitabine"]}
SENTINELS = {"", "-999", "-99", "-88"}


@pytest.fixture
def app(loaded: Artifact, receipts: Any) -> Starlette:
    return create_app(loaded, receipts, access=Desk())


def both(app: Starlette, receipts: Any, document: dict[str, Any], born: str) -> tuple[Any, Any]:
    """What is answered in the service's own words and what FHIR's receipt holds; None where there is no risk."""
    __tracebackhide__ = True  # no patient is printed where something fails

    async def asked() -> tuple[httpx.Response, httpx.Response]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as asking:
            body = json.dumps(bundle_of(document, born)).encode()
            fhir = await asking.post(
                f"{PATH}?asOf={document['as_of']}", content=body, headers={"content-type": "application/fhir+json"}
            )
            return await asking.post("/v1/scores", json=document), fhir

    native, fhir = asyncio.run(asked())
    if native.status_code != 200:  # in FHIR an impossible value is left aside and listed, and the rest may be enough
        assert fhir.status_code == 422 or "not a possible result" in fhir.text, "refused, and scored without a word"
        return None, None
    assert (native.status_code, fhir.status_code) == (200, 200), "one of the two refuses"
    return native.json(), unpack(receipts.drafts[-2].content)["answer"]


def born(age: int, as_of: date) -> str:
    return as_of.replace(year=as_of.year - age).isoformat()


def told(document: dict[str, Any]) -> dict[str, Any]:
    """The patient without what FHIR has no word for: a history in summary, covariates of a site, a ratio without its counts."""
    measured = [one for one in document["measurements"] if ANALYTES[one["analyte"]].loinc]
    kept = {name: document[name] for name in ("as_of", "age_years", "sex", "tumour")}
    liver = document.get("history", {}).get("liver_metastases") == "yes"
    return kept | {"measurements": measured} | ({"history": {"liver_metastases": "yes"}} if liver else {})


def test_made_up_patients_get_the_same_number(app: Starlette, receipts: Any, loaded: Artifact, tmp_path: Path) -> None:
    compared = 0
    for document in made_up(loaded.model, MADE_UP, SEED, tmp_path).patients:
        if document["tumour"] not in CODES:
            continue
        native, fhir = both(app, receipts, told(document), born(document["age_years"], AS_OF))
        if native is not None:
            assert fhir["risks"] == native["risks"]
            assert fhir["explanation"] == native["explanation"]
            compared += 1
    assert compared >= MADE_UP // 3


def pacto() -> Iterator[dict[str, Any]]:
    folder = os.environ.get("LYMPHORISK_COHORTS")
    path = Path(folder) / "pacto" / "pacto_baseline.csv" if folder else None
    if path is None or not path.is_file():
        return
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            day = {"date": "2026-05-18"}
            measured = [
                {"analyte": analyte, "value": float(row[column]), "unit": unit} | day
                for column, (analyte, unit) in PACTO.items()
                if row[column] not in SENTINELS
            ]
            sex = {"M": "male", "F": "female"}[row["sex"]]
            lines = [LINE]
            who = {"as_of": "2026-05-20", "age_years": int(float(row["age_years"])), "sex": sex, "tumour": "pancreatic"}
            yield who | {"measurements": measured, "treatments": lines}


@pytest.mark.skipif(not any(True for _ in pacto()), reason="no real cohort is beside this checkout (LYMPHORISK_COHORTS)")
def test_real_patients_with_their_lymphocytes_and_ca19_9_get_the_same_number(app: Starlette, receipts: Any) -> None:
    compared = 0
    for document in pacto():
        native, fhir = both(app, receipts, document, born(document["age_years"], date(2026, 5, 20)))
        if native is not None:
            assert (fhir["risks"] == native["risks"]) is True, "another number for a real patient"
            compared += 1
    assert compared > 100
