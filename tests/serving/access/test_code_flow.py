"""Signing in at the identity provider: one attempt of one browser, and of nobody else."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
import pytest

from serving.access.code_flow import COOKIE

HTML = {"accept": "text/html"}


def begun(house: Any, to: str = "") -> tuple[str, str]:
    """Where the browser is sent, and the cookie it is given."""
    answer = house.ask("GET", "/sign-in/start", params={"to": to} if to else {})
    assert answer.status_code == 303
    return answer.headers["location"], answer.headers["set-cookie"]


def sent_back(location: str, **changes: str | None) -> str:
    """The path and query with which the provider sends the browser back, with changes of the query."""
    back = urlsplit(httpx.get(location, follow_redirects=False).headers["location"])
    assert f"{back.scheme}://{back.netloc}" == "https://risk.example"
    told = {name: value for name, value in (dict(parse_qsl(back.query)) | changes).items() if value is not None}
    return f"{back.path}?{urlencode(told)}"


def come_back(house: Any, path: str, cookie: str) -> httpx.Response:
    found: httpx.Response = house.ask("GET", path, headers={**HTML, "cookie": cookie.partition(";")[0]})
    return found


def signed_in(house: Any, to: str = "") -> httpx.Response:
    location, cookie = begun(house, to)
    return come_back(house, sent_back(location), cookie)


def test_a_browser_is_sent_with_a_challenge_a_state_and_a_nonce_and_no_secret(house: Any, issuer: Any) -> None:
    location, cookie = begun(house)
    asked = dict(parse_qsl(urlsplit(location).query))
    assert location.startswith(f"{issuer.url}/authorize?")
    assert (asked["response_type"], asked["scope"], asked["code_challenge_method"]) == ("code", "openid", "S256")
    assert asked["redirect_uri"] == "https://risk.example/sign-in/callback"
    assert len({asked["state"], asked["nonce"], asked["code_challenge"]}) == 3
    assert re.fullmatch(
        r"__Host-lymphorisk-sign-in=[\w-]{43}/; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=600", cookie
    )
    assert "client_secret" not in location
    assert cookie[len(COOKIE) + 1 :].partition("/")[0] not in location
    assert begun(house)[0] != location


def test_whoever_comes_back_is_signed_in_with_the_roles_the_provider_signed(house: Any, issuer: Any) -> None:
    answer = signed_in(house)
    assert answer.status_code == 200
    session, over = answer.headers.get_list("set-cookie")
    assert re.fullmatch(r"__Host-lymphorisk=[\w-]{43}; Path=/; Secure; HttpOnly; SameSite=Strict", session)
    assert over == f"{COOKIE}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0"
    assert 'content="0; url=/"' in answer.text
    me = house.ask("GET", "/v1/me", headers={"cookie": session.partition(";")[0]}).json()
    assert me == {"name": "a.frey", "roles": ["auditor"], "unit": "Ward 3", "by": issuer.url}
    assert house.noted()[-1] == ("signed in", {"way": issuer.url}, me)


def test_whoever_wanted_a_page_comes_to_it(house: Any) -> None:
    sent = house.ask("GET", "/audit/verification", headers=HTML)
    assert (sent.status_code, sent.headers["location"]) == (303, "/sign-in?to=/audit/verification")
    page = house.ask("GET", sent.headers["location"], headers=HTML).text
    assert 'href="/sign-in/start?to=/audit/verification"' in page
    assert 'content="0; url=/audit/verification"' in signed_in(house, "/audit/verification").text


@pytest.mark.parametrize("to", ["//elsewhere.example", "https://elsewhere.example", "/\\elsewhere.example", "javascript:x"])
def test_nobody_is_sent_to_another_host(house: Any, to: str) -> None:
    for path in ("/sign-in", "/sign-in/start"):
        assert house.ask("GET", path, params={"to": to}).status_code == 400
    location, cookie = begun(house)
    planted = cookie.partition(";")[0].partition("/")[0] + to
    answer = come_back(house, sent_back(location), planted)
    assert answer.status_code == 403
    assert "elsewhere" not in answer.text


def test_the_page_one_goes_on_to_is_the_one_that_was_asked_for(house: Any) -> None:
    location, cookie = begun(house, "/audit")
    path = sent_back(location)
    assert come_back(house, path, cookie.replace("/audit;", "/audit/export;")).status_code == 403
    assert come_back(house, path, cookie).status_code == 200


def test_an_answer_is_good_once_and_in_the_browser_that_asked(house: Any) -> None:
    location, cookie = begun(house)
    path = sent_back(location)
    assert come_back(house, path, begun(house)[1]).status_code == 403
    assert come_back(house, path, "other=1").status_code == 403
    assert come_back(house, path, cookie).status_code == 200
    assert come_back(house, path, cookie).status_code == 403


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"state": "0" * 64}, "did not begin to sign in here"),
        ({"state": None}, "did not begin to sign in here"),
        ({"state": "é"}, "did not begin to sign in here"),
        ({"iss": "https://id.elsewhere.example"}, "of another identity provider"),
        ({"iss": None}, "of another identity provider"),
        ({"code": None, "error": "access_denied<script>"}, "did not sign anybody in"),
        ({"code": None}, "gave no code"),
        ({"code": ""}, "gave no code"),
        ({"code": "x" * 3000}, "gave no code"),
        ({"code": "guessed"}, "did not take its code back"),
    ],
    ids=range(10),
)
def test_an_answer_that_was_altered_signs_nobody_in(house: Any, changes: dict[str, str | None], why: str) -> None:
    location, cookie = begun(house)
    answer = come_back(house, sent_back(location, **changes), cookie)
    assert answer.status_code == 403
    assert why in answer.text
    assert "script>" not in answer.text
    assert "set-cookie" not in answer.headers
    did, what, who = house.noted()[-1]
    assert (did, who) == ("failed to sign in", None)
    assert why in what["why"]


def test_a_name_that_stands_twice_in_the_answer_signs_nobody_in(house: Any) -> None:
    location, cookie = begun(house)
    path = sent_back(location)
    assert come_back(house, f"{path}&state={dict(parse_qsl(urlsplit(path).query))['state']}", cookie).status_code == 403


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"nonce": "0" * 64}, "for another attempt"),
        ({"nonce": None}, "for another attempt"),
        ({"aud": "lymphorisk"}, "not for this service"),
        ({"aud": ["lymphorisk-pages", "another"]}, "for another client"),
        ({"azp": "another"}, "for another client"),
        ({"iss": "https://id.elsewhere.example"}, "not of its identity provider"),
        ({"exp": 1}, "expired"),
        ({"sub": None}, "not for this service"),
    ],
    ids=str,
)
def test_a_token_that_is_not_for_this_attempt_signs_nobody_in(house: Any, issuer: Any, claims: dict[str, Any], why: str) -> None:
    issuer.claims = claims
    answer = signed_in(house)
    assert answer.status_code == 403
    assert why in answer.text


def test_the_code_is_exchanged_with_the_verifier_that_only_this_service_knows(house: Any, issuer: Any) -> None:
    location, cookie = begun(house)
    path = sent_back(location)
    told: list[str] = []
    issuer.lies["/token"] = lambda body: (told.append(body), (400, {}, b"{}"))[1]
    come_back(house, path, cookie)
    form = dict(parse_qsl(told[0]))
    challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).decode().rstrip("=")
    assert challenge == dict(parse_qsl(urlsplit(location).query))["code_challenge"]
    assert form["code_verifier"] not in location
    assert form["code_verifier"] not in cookie


@pytest.mark.parametrize(
    ("status", "body", "shown"),
    [(500, b"", 503), (302, b"", 503), (200, b"[]", 503), (200, b"{}", 403), (200, b'{"id_token": 7}', 403), (401, b"{}", 403)],
)
def test_a_provider_that_gives_no_token_signs_nobody_in(house: Any, issuer: Any, status: int, body: bytes, shown: int) -> None:
    issuer.lies["/token"] = lambda sent: (status, {}, body)
    answer = signed_in(house)
    assert answer.status_code == shown
    assert "set-cookie" not in answer.headers


def test_a_secret_may_be_posted_where_the_provider_wants_it_so(house: Any, issuer: Any) -> None:
    issuer.metadata = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    told: list[str] = []
    issuer.lies["/token"] = lambda body: (told.append(body), (400, {}, b"{}"))[1]
    signed_in(house)
    assert dict(parse_qsl(told[0]))["client_secret"] == "s%cret:with signs"


def test_whoever_signs_in_anew_is_signed_off_before(house: Any) -> None:
    first = signed_in(house).headers.get_list("set-cookie")[0].partition(";")[0]
    location, cookie = begun(house)
    both = f"{cookie.partition(';')[0]}; {first}"
    second = house.ask("GET", sent_back(location), headers={"cookie": both}).headers.get_list("set-cookie")[0].partition(";")[0]
    assert house.ask("GET", "/v1/me", headers={"cookie": first}).status_code == 401
    assert house.ask("GET", "/v1/me", headers={"cookie": second}).status_code == 200


def test_a_page_elsewhere_that_makes_browsers_come_back_keeps_nobody_waiting(house: Any) -> None:
    location, cookie = begun(house)
    for _ in range(6):
        assert house.ask("GET", "/sign-in/callback?state=x&code=y", headers=HTML).status_code == 403
        assert come_back(house, sent_back(location, state="x"), cookie).status_code == 403
    assert come_back(house, sent_back(location), cookie).status_code == 200
    assert {did for did, _, _ in house.noted(10)[:10]} == {"failed to sign in"}


def test_whoever_began_and_shows_one_bad_code_after_the_other_waits(house: Any) -> None:
    found = []
    for _ in range(5):
        location, cookie = begun(house)
        found.append(come_back(house, sent_back(location, code="guessed"), cookie).status_code)
    assert found == [403, 403, 403, 429, 429]
