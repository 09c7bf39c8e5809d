"""The ten risks of OWASP's API Security Top 10 (2023), each tried against the whole service with keys, tokens and sessions."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from lymphorisk import EXAMPLE_PATIENT
from models.api_keys import make_key
from models.identity import Identity, Role
from models.seal_key import ACCESS, read_or_make_key
from serving.access.permissions import ROUTES, Action
from serving.access.settings import Oidc
from serving.limits import Rate, Rates
from serving.operating import Operation
from serving.protection import HEADERS

from .conftest import GROUPS, House, Issuer

C, D, A, M = Role.CLINICIAN, Role.DATA_SCIENTIST, Role.AUDITOR, Role.ADMINISTRATOR
CANARY, PATIENT = "canary-4711", "pat-90210"


def bearer(word: str) -> dict[str, str]:
    return {"authorization": f"Bearer {word}"}


def scored(house: House, headers: dict[str, str], **changes: Any) -> httpx.Response:
    return house.ask("POST", "/v1/scores", json=EXAMPLE_PATIENT | {"id": PATIENT} | changes, headers=headers)


def browser(house: House, role: Role, unit: str) -> dict[str, str]:
    """The headers of a browser in which somebody of that role has signed in."""
    who = Identity(f"{role} of {unit}", frozenset({role}), unit, "https://id.example")
    return {"cookie": house.sessions.begin(who).partition(";")[0]}


# API1: broken object level authorization


@pytest.mark.parametrize("shown", ["key", "token", "cookie"])
def test_api1_another_units_receipt_is_as_if_it_were_not_there_and_the_attempt_is_noted(
    house: House, token_of: Callable[..., str], shown: str
) -> None:
    here, there = bearer(house.key(C, "Ward 3")), bearer(house.key(C, "Ward 7"))
    elsewhere = {
        "key": there,
        "token": bearer(token_of(C, department="Ward 7")),
        "cookie": browser(house, C, "Ward 7"),
    }[shown]
    number = scored(house, here).json()["receipt"]["sequence"]
    assert house.ask("GET", f"/v1/receipts/{number}", headers=here).status_code == 200
    found, none = (house.ask("GET", f"/v1/receipts/{one}", headers=elsewhere) for one in (number, 10**9))
    assert found.status_code == none.status_code == 404
    assert found.content == none.content
    assert {name for name, _ in found.headers.items()} == {name for name, _ in none.headers.items()}
    (first, what, who), (second, *_) = house.noted(3)[-2:]
    assert (first, what, second) == ("looked for another unit's receipt", {"receipt": number}, "looked for no receipt")
    assert who is not None
    assert who["unit"] == "Ward 7"


def test_api1_two_who_have_no_unit_are_not_of_one(house: House, token_of: Callable[..., str]) -> None:
    lind, okoro = (bearer(token_of(C, department="", sub=name, name=name)) for name in ("C. Lind", "D. Okoro"))
    number = scored(house, lind).json()["receipt"]["sequence"]
    seen = [house.ask("GET", f"/v1/receipts/{number}", headers=who).status_code for who in (lind, okoro)]
    assert seen == [200, 404]
    assert house.noted(2)[-1][0] == "looked for another unit's receipt"


@pytest.mark.parametrize("path", ["/audit/receipts/{}", "/audit/receipts/{}/print", "/audit/receipts/{}/json"])
def test_api1_no_other_way_leads_to_another_units_receipt(house: House, path: str) -> None:
    number = scored(house, bearer(house.key(C, "Ward 3"))).json()["receipt"]["sequence"]
    for headers in (bearer(house.key(C, "Ward 7")), browser(house, C, "Ward 7"), bearer(house.key(C, "ward 3"))):
        answer = house.ask("GET", path.format(number), headers=headers)
        assert answer.status_code in (403, 404)
        assert PATIENT not in answer.text


# API2: broken authentication


@pytest.mark.parametrize("word", ["lr_00000000_" + "A" * 43, "admin", "password1234", "null", "undefined", "", "a" * 9000])
def test_api2_no_guessed_word_lets_anybody_in_and_none_is_repeated(house: House, word: str) -> None:
    for scheme in ("Bearer", "Basic", "bearer ", "Token"):
        answer = house.ask("GET", "/v1/me", headers={"authorization": f"{scheme} {word}"})
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert len(word) < 8 or word not in answer.text


def test_api2_what_proves_an_identity_is_taken_from_its_header_alone(house: House) -> None:
    key = house.key(A)
    for path in (f"/v1/me?access_token={key}", f"/v1/me?api_key={key}", f"/v1/me?authorization=Bearer+{key}"):
        assert house.ask("GET", path).status_code == 401
    for headers in ({"x-api-key": key}, {"cookie": f"access_token={key}"}, {"cookie": f"__Host-lymphorisk={key}"}):
        assert house.ask("GET", "/v1/me", headers=headers).status_code == 401
    twice = [("authorization", f"Bearer {key}"), ("authorization", f"Bearer {key}")]
    assert house.ask("GET", "/v1/me", headers=twice).status_code == 401
    assert house.ask("GET", "/v1/me", headers=bearer(key)).status_code == 200


def test_api2_a_session_that_somebody_else_chose_is_not_taken_over_by_signing_in(house: House) -> None:
    planted = "__Host-lymphorisk=" + "A" * 43
    headers = {"cookie": planted, "sec-fetch-site": "same-origin"}
    answer = house.ask("POST", "/sign-in/once", data={"word": house.links.word()}, headers=headers)
    assert answer.status_code == 200
    assert answer.headers["set-cookie"].partition(";")[0] != planted
    assert house.ask("GET", "/v1/me", headers={"cookie": planted}).status_code == 401


# API3: broken object property level authorization


@pytest.mark.parametrize("name", ["who", "unit", "roles", "site", "receipt", "model", "caller", "risk", "sequence", "__proto__"])
def test_api3_a_request_cannot_set_what_is_not_its_to_set(house: House, name: str) -> None:
    key = bearer(house.key(C, "Ward 3"))
    answer = scored(house, key, **{name: {"name": CANARY, "unit": "Ward 7", "roles": ["auditor"]}})
    assert answer.status_code in (400, 422)
    assert "receipt" not in answer.json()
    assert CANARY not in answer.text


def test_api3_who_asked_is_what_the_key_says_whatever_the_headers_say(house: House) -> None:
    claimed = {"x-user": CANARY, "x-role": "auditor", "x-forwarded-user": CANARY, "x-unit": "Ward 7", "x-remote-user": CANARY}
    number = scored(house, bearer(house.key(C, "Ward 3")) | claimed).json()["receipt"]["sequence"]
    seen = house.ask("GET", f"/v1/receipts/{number}", headers=bearer(house.key(A))).text
    assert CANARY not in seen
    assert '"unit":"Ward 3"' in seen


def test_api3_whoever_sees_many_patients_sees_none_of_them(house: House) -> None:
    scored(house, bearer(house.key(C)))
    for path in ("/metrics", "/v1/model", "/v1/me", "/", "/openapi.json"):
        for role in (D, M):
            assert PATIENT not in house.ask("GET", path, headers=bearer(house.key(role))).text


# API4: unrestricted resource consumption


def test_api4_whoever_asks_too_often_waits_and_the_others_do_not(
    open_house: Callable[..., House], oidc: Oidc
) -> None:
    house = open_house(oidc, Operation(waiting=Rates(Rate(0.5, 5)).waiting))
    one, other = bearer(house.key(A, "Ward 3")), bearer(house.key(C, "Ward 7"))
    answers = [house.ask("GET", "/v1/me", headers=one) for _ in range(8)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 3
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert house.ask("GET", "/v1/me", headers=other).status_code == 200


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b" " * (2**20 + 1), 413),
        (b'{"patients": [' + b",".join([b"{}"] * 1001) + b"]}", 400),
        (b"[" * 100_000, 400),
        (b'{"a":' * 5_000 + b"1" + b"}" * 5_000, 400),
        (b'{"id": "' + b"a" * 900_000 + b'"}', 400),
        (b'{"age_years": 1' + b"0" * 400_000 + b"}", 400),
    ],
    ids=["too large", "too many", "too deep", "too deep objects", "too long a text", "too long a number"],
)
def test_api4_what_is_too_much_is_refused_before_it_costs_anything(house: House, body: bytes, status: int) -> None:
    headers = bearer(house.key(C)) | {"content-type": "application/json"}
    answer = house.ask("POST", "/v1/scores", content=body, headers=headers)
    assert answer.status_code in (status, 422) if status == 400 else answer.status_code == status
    assert len(answer.content) < 20_000


# API5: broken function level authorization


@pytest.mark.parametrize("role", Role)
def test_api5_no_role_does_what_is_anothers_by_any_method_or_spelling(house: House, role: Role) -> None:
    key = bearer(house.key(role))
    closed = [path for (_, path), action in ROUTES.items() if action in _MAY and role is not _MAY[action]]
    for path in closed:
        exact = path.format(sequence=1)
        spellings = (f"{exact}/", f"{exact}//", exact.upper(), f"/v1/..{exact}", f"/static/..%2f..{exact}", f"{exact};a=b")
        for spelled in (exact, *spellings):
            assert house.ask("GET", spelled, headers=key).status_code in (403, 404), spelled
        for disguise in ({"x-http-method-override": "GET"}, {"x-original-url": exact}, {"x-rewrite-url": exact}):
            assert house.ask("GET", "/v1/me", headers=key | disguise).json()["roles"] == [role]
            assert house.ask("PUT", exact, headers=key | disguise).status_code == 405
    assert not closed or ("was denied" in {did for did, *_ in house.noted()})


_MAY = {Action.EXPORT: A, Action.WATCH: M}


def test_api5_nobody_alters_a_receipt_by_any_method(house: House) -> None:
    number = scored(house, bearer(house.key(C))).json()["receipt"]["sequence"]
    auditor = bearer(house.key(A))

    def seen() -> dict[str, Any]:
        found = house.ask("GET", f"/v1/receipts/{number}", headers=auditor).json()
        assert all(check["holds"] is not False for check in found.pop("checks"))
        return dict(found)

    before = seen()
    assert before["signed"]
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        for path in (f"/v1/receipts/{number}", f"/audit/receipts/{number}", f"/audit/receipts/{number}/json", "/v1/receipts"):
            for role in Role:
                assert house.ask(method, path, headers=bearer(house.key(role)), json={}).status_code in (404, 405)
    assert seen() == before


# API6: unrestricted access to sensitive business flows


def test_api6_whoever_walks_through_the_receipts_is_slowed_down_and_every_look_is_noted(
    open_house: Callable[..., House], oidc: Oidc
) -> None:
    house = open_house(oidc, Operation(waiting=Rates(Rate(0.1, 6)).waiting))
    clinician, auditor = bearer(house.key(C)), bearer(house.key(A))
    numbers = [scored(house, clinician).json()["receipt"]["sequence"] for _ in range(4)]
    statuses = [house.ask("GET", f"/v1/receipts/{one}", headers=auditor).status_code for one in numbers * 3]
    assert statuses == [200] * 6 + [429] * 6
    viewed = [what["receipt"] for did, what, _ in house.noted(6) if did == "viewed"]
    assert viewed == (numbers * 3)[:6]


def test_api6_a_link_to_sign_in_is_good_for_one_and_guessing_gets_slower(house: House) -> None:
    word = house.links.word()
    sent = {"sec-fetch-site": "same-origin"}
    taken = [house.ask("POST", "/sign-in/once", data={"word": word}, headers=sent).status_code for _ in range(2)]
    assert taken == [200, 403]
    guessed = [house.ask("POST", "/sign-in/once", data={"word": str(number)}, headers=sent).status_code for number in range(6)]
    assert guessed[-1] == 429


def test_api6_no_model_is_brought_to_patients_over_http(house: House) -> None:
    acting = {path for method, path in ROUTES if method != "GET"}
    assert acting == {
        "/v1/scores",
        "/fhir/$early-mortality",
        "/cds-services/early-mortality",
        "/cds-services/early-mortality/feedback",
        "/patient",
        "/sign-in/once",
        "/sign-out",
        "/audit/patient",
        "/audit/receipts/{sequence}/replay",
        "/audit/verification",
        "/audit/export",
    }


# API7: server side request forgery


def test_api7_no_address_that_is_given_is_ever_fetched(house: House, issuer: Issuer) -> None:
    planted = f"{issuer.url}/planted"
    issuer.lies["/planted"] = lambda sent: (200, {}, json.dumps({"keys": issuer.published}).encode())
    clinician, honest = bearer(house.key(C)), issuer.honest([GROUPS[A]])
    for head in ({"jku": planted}, {"x5u": planted}, {"kid": planted}):
        assert house.ask("GET", "/v1/me", headers=bearer(issuer.token(honest, head))).status_code == 401
    assert house.ask("GET", "/v1/me", headers=bearer(issuer.token(honest | {"iss": planted}))).status_code == 401
    for name in ("id", "fhirServer", "url", "callback", "jwks_uri", "tumour"):
        scored(house, clinician, **{name: planted})
    for path in (f"/sign-in?to={planted}", f"/sign-in/start?to={planted}", f"/sign-in/callback?code=x&state=y&iss={planted}"):
        house.ask("GET", path, headers={"cookie": f"__Host-lymphorisk-sign-in={'A' * 43}/{planted}"})
    names = ("referer", "origin", "x-forwarded-host", "x-forwarded-for", "forwarded", "x-original-url", "from", "link")
    house.ask("GET", "/v1/me", headers=clinician | dict.fromkeys(names, planted))
    assert [path for path in issuer.asked if path.startswith("/planted")] == []
    assert "/jwks" in issuer.asked


# API8: security misconfiguration


@pytest.fixture(scope="module")
def running(serving: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, dict[str, str]]:
    """The service as a process of its own, as a hospital starts it, and the key of a clinician."""
    folder = tmp_path_factory.mktemp("running")
    sealing = read_or_make_key(folder / "access.key", lambda said: None, ACCESS)
    key, _ = make_key(folder / "access", sealing, "Ward 3", [C], "Ward 3", 30, "root")
    (folder / "access" / "access.toml").write_text("[limits]\nrequests_per_second = 5\nburst = 20\n", encoding="utf-8")
    return serving("--access", folder / "access", "--access-key", folder / "access.key", dev=False), bearer(key)


PATHS = ("/livez", "/v1/me", "/v1/nothing", "/sign-in", "/audit", "/static/nothing", "/v1/receipts/1", "/%00", "/../etc/passwd")


@pytest.mark.parametrize("path", PATHS)
def test_api8_every_answer_is_protected_tells_nothing_of_what_is_inside_and_is_kept_by_no_cache(running: Any, path: str) -> None:
    service, key = running
    for headers in ({}, key, {"origin": "https://elsewhere.example"}, {"accept": "text/html"}):
        _, told, body = service.ask("GET", path, headers=headers)
        assert {name: told.get(name) for name, _ in HEADERS} == dict(HEADERS)
        assert told["cache-control"] == "no-store"
        assert {"server", "x-powered-by", "access-control-allow-origin", "set-cookie"}.isdisjoint(told)
        assert re.search(rb"Traceback|\.py\b|site-packages|starlette|uvicorn|sqlite|Python/", body, re.I) is None


def test_api8_nobody_elsewhere_is_let_read_and_unknown_hosts_and_methods_are_refused(running: Any) -> None:
    service, key = running
    asks = {"origin": "https://elsewhere.example", "access-control-request-method": "POST"}
    status, told, _ = service.ask("OPTIONS", "/v1/scores", headers=asks)
    assert status == 405
    assert not any(name.startswith("access-control") for name in told)
    assert service.ask("GET", "/livez", headers={"host": "elsewhere.example"})[0] == 400
    for method in ("TRACE", "CONNECT", "DEBUG", "PROPFIND"):
        assert service.ask(method, "/v1/me", headers=key)[0] in (400, 404, 405, 501)


def test_api8_without_a_key_or_a_provider_the_service_does_not_begin(model_folder: Path, tmp_path: Path) -> None:
    import subprocess
    import sys

    command = [sys.executable, "-m", "lymphorisk", "serve", "--model", model_folder, "--port", 0, "--access", tmp_path / "access"]
    kept = ["--receipts", tmp_path / "receipts", "--receipts-key", tmp_path / "receipts.key"]
    found = subprocess.run([str(word) for word in [*command, *kept]], capture_output=True, text=True, timeout=60, check=False)
    assert found.returncode == 1
    assert "nobody could be let in" in found.stderr
    assert not (tmp_path / "receipts").exists()


# API9: improper inventory management


def test_api9_what_answers_is_in_the_table_and_what_programs_may_ask_is_in_the_document(house: House) -> None:
    routes = {(method, route.path) for route in house.app.routes for method in route.methods}  # type: ignore[attr-defined]
    assert routes == set(ROUTES)
    document = house.ask("GET", "/openapi.json", headers=bearer(house.key(D))).json()["paths"]
    told = {(method.upper(), path) for path, methods in document.items() for method in methods}
    assert {row for row in ROUTES if row[1].startswith("/v1/")} <= told <= set(ROUTES)


@pytest.mark.parametrize(
    "path",
    ["/docs", "/redoc", "/swagger.json", "/admin", "/debug", "/v0/scores", "/v2/scores", "/.git/config", "/.env", "/invocations"],
)
def test_api9_there_is_no_older_newer_or_forgotten_door(house: House, path: str) -> None:
    for headers in ({}, *(bearer(house.key(role)) for role in Role)):
        for method in ("GET", "POST"):
            assert house.ask(method, path, headers=headers).status_code == 404


# API10: unsafe consumption of APIs


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "'; DROP TABLE sessions; --", "{{ 7*7 }}", "=cmd|' /C calc'!A0"])
def test_api10_a_name_the_provider_signed_is_shown_as_text_and_does_nothing(
    house: House, token_of: Callable[..., str], name: str
) -> None:
    answer = house.ask("GET", "/", headers=bearer(token_of(A, sub=name)) | {"accept": "text/html"})
    assert answer.status_code == 200
    assert "<script>alert" not in answer.text
    assert "49" not in answer.text.partition("</header>")[0]
    assert house.ask("GET", "/v1/me", headers=bearer(token_of(A, sub=name))).json()["name"] == name


@pytest.mark.parametrize(
    "claims",
    [{"roles": ["auditor"]}, {"role": "auditor"}, {"scope": "auditor"}, {"groups": ["auditor", "administrator", "*"]}],
    ids=str,
)
def test_api10_the_provider_gives_no_role_that_was_not_mapped_here(
    house: House, token_of: Callable[..., str], claims: dict[str, object]
) -> None:
    token = bearer(token_of(None, **claims))
    assert house.ask("GET", "/v1/me", headers=token).status_code == 403
    assert house.ask("GET", "/audit", headers=token).status_code == 403


@pytest.mark.parametrize(
    "endpoint", ["javascript:alert(1)", "//elsewhere.example/authorize", "http://elsewhere.example/authorize", "", 7, None]
)
def test_api10_a_browser_is_not_sent_to_an_unsafe_address_the_provider_names(
    house: House, issuer: Issuer, endpoint: object
) -> None:
    issuer.metadata = {"authorization_endpoint": endpoint}
    answer = house.ask("GET", "/sign-in/start")
    assert answer.status_code == 503
    assert {"location", "set-cookie"}.isdisjoint(answer.headers)


@pytest.mark.parametrize(
    "lie",
    [
        (500, {}, b""),
        (302, {"Location": "/planted"}, b""),
        (200, {}, b"[" * 10**6),
        (200, {}, CANARY.encode()),
        (200, {"Content-Encoding": "gzip"}, b"x"),
    ],
    ids=range(5),
)
def test_api10_a_provider_that_lies_or_fails_lets_nobody_in_and_the_keys_still_do(
    house: House, issuer: Issuer, token_of: Callable[..., str], lie: tuple[int, dict[str, str], bytes]
) -> None:
    issuer.lies["/jwks"] = lambda sent: lie
    answer = house.ask("GET", "/v1/me", headers=bearer(token_of(A)))
    assert answer.status_code == 503
    assert CANARY not in answer.text
    assert house.ask("GET", "/v1/me", headers=bearer(house.key(A))).status_code == 200
    assert "/planted" not in issuer.asked
