"""Which hospital system asks, by a token that it signed for this address and shows once; who may ask stands in access.toml."""

from __future__ import annotations

import json
import time
from contextlib import closing
from pathlib import Path

import pytest
import typer
from joserfc import jwt
from joserfc.jwk import KeySet, OctKey
from starlette.exceptions import HTTPException

from models.api_keys import make_key
from models.identity import Role
from models.seal_key import ACCESS as ACCESS_KEY
from models.seal_key import read_or_make_key
from serving.access.door import Unproved
from serving.access.proofs import Proofs
from serving.access.settings import InvalidSettings
from serving.admitting import admitting
from serving.cds.callers import CdsCallers
from serving.cds.settings import read_cds
from serving.cds.shown import NAME, Shown
from serving.receipts.record import SCORE

from .conftest import (
    CLINIC,
    CLINIC_KEY,
    EHR,
    KEY,
    OTHER,
    PATH,
    RSA,
    SERVICE,
    SETTINGS,
    House,
    claims,
    hook,
    patient,
    today,
    token,
)


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


def test_nobody_signs_in_the_name_of_another_system(house: House) -> None:
    assert house.post(PATH, hook(), token(CLINIC_KEY)).status_code == 401
    assert house.post(PATH, hook(), token(CLINIC_KEY, iss=CLINIC)).status_code == 200


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
