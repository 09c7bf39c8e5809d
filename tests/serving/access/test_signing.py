"""Signing in by a link, signing out, and what is said to whoever is signed off."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import httpx
import pytest

from models.identity import Identity, Role
from serving.access.one_time import SECONDS

FREY = Identity("A. Frey", frozenset({Role.AUDITOR}), "Ward 3", "https://id.example")
HTML = {"accept": "text/html"}
OURS = {**HTML, "sec-fetch-site": "same-origin"}


def cookie_of(house: Any) -> dict[str, str]:
    """The headers of a browser in which somebody has signed in."""
    return {**OURS, "cookie": house.sessions.begin(FREY).partition(";")[0]}


def token_on(house: Any, browser: dict[str, str]) -> str:
    found = re.search(r'name="csrf" value="([0-9a-f]{64})"', house.ask("GET", "/", headers=browser).text)
    assert found is not None
    return found[1]


def take(house: Any, word: str, **headers: str) -> httpx.Response:
    found: httpx.Response = house.ask("POST", "/sign-in/once", data={"word": word}, headers={**OURS, **headers})
    return found


def test_a_link_signs_in_once_with_all_roles_and_that_is_noted(house: Any) -> None:
    word = house.links.word()
    answer = take(house, word)
    assert answer.status_code == 200
    session = answer.headers["set-cookie"].partition(";")[0]
    me = house.ask("GET", "/v1/me", headers={"cookie": session}).json()
    assert me == {"name": "dev", "roles": sorted(Role), "unit": "", "by": "this computer"}
    assert house.noted() == [("signed in", {"way": "one-time link"}, me)]
    again = take(house, word)
    assert (again.status_code, "set-cookie" in again.headers) == (403, False)
    assert house.noted(2)[1][0] == "failed to sign in"
    assert word not in str(house.noted(2))
    assert word not in again.text


def test_a_link_is_good_for_five_minutes(house: Any) -> None:
    words = house.links.word(), house.links.word()
    house.clock.ahead += SECONDS - 1
    assert take(house, words[0]).status_code == 200
    house.clock.ahead += 2
    assert take(house, words[1]).status_code == 403


def test_looking_at_the_page_of_a_link_takes_it_not(house: Any) -> None:
    word = house.links.word()
    assert house.ask("GET", f"/sign-in/once?word={word}", headers=HTML).status_code == 200
    assert take(house, word).status_code == 200


def test_a_page_elsewhere_cannot_sign_a_browser_in(house: Any) -> None:
    word = house.links.word()
    assert take(house, word, **{"sec-fetch-site": "cross-site"}).status_code == 403
    assert take(house, word, origin="https://elsewhere.example").status_code == 403
    assert take(house, word).status_code == 200


def test_whoever_guesses_waits_longer_and_longer(house: Any) -> None:
    found = [take(house, f"guess {number}") for number in range(6)]
    statuses = [one.status_code for one in found]
    assert statuses[:3] == [403] * 3
    assert statuses[-1] == 429
    assert int(found[-1].headers["retry-after"]) >= 1
    assert take(house, house.links.word()).status_code == 429
    assert {did for did, _, _ in house.noted(3)} == {"failed to sign in"}


def test_whoever_signs_out_is_signed_out_and_that_is_noted(house: Any) -> None:
    browser = cookie_of(house)
    answer = house.ask("POST", "/sign-out", data={"csrf": token_on(house, browser)}, headers=browser)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert answer.headers["set-cookie"].startswith("__Host-lymphorisk=; ")
    assert "Max-Age=0" in answer.headers["set-cookie"]
    assert house.ask("GET", "/v1/me", headers={"cookie": browser["cookie"]}).status_code == 401
    assert house.noted()[-1] == ("signed out", {}, FREY.as_json())


def test_who_has_no_role_can_sign_out_all_the_same(house: Any) -> None:
    browser = {**OURS, "cookie": house.sessions.begin(replace(FREY, roles=frozenset())).partition(";")[0]}
    answer = house.ask("POST", "/sign-out", data={"csrf": token_on(house, browser)}, headers=browser)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert house.ask("GET", "/v1/me", headers={"cookie": browser["cookie"]}).status_code == 401


@pytest.mark.parametrize(
    "changed",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://elsewhere.example"},
        {"csrf": "0" * 64},
    ],
    ids=str,
)
def test_nobody_is_signed_out_by_a_page_elsewhere(house: Any, changed: dict[str, str]) -> None:
    browser = cookie_of(house)
    token = changed.get("csrf") or token_on(house, browser)
    headers = {name: value for name, value in {**browser, **changed}.items() if name != "csrf"}
    answer = house.ask("POST", "/sign-out", data={"csrf": token}, headers=headers)
    assert answer.status_code == 403
    assert house.ask("GET", "/v1/me", headers=browser).status_code == 200


def test_whoever_is_idle_for_a_quarter_of_an_hour_is_sent_to_sign_in_and_told_why(house: Any) -> None:
    browser = cookie_of(house)
    assert house.ask("GET", "/audit", headers=browser).status_code == 200
    house.clock.ahead += 15 * 60 + 1
    answer = house.ask("GET", "/audit", headers=browser)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?to=/audit")
    assert "signed off after 15 minutes" in house.ask("GET", "/sign-in", headers=browser).text
    problem = house.ask("GET", "/v1/me", headers={"cookie": browser["cookie"]})
    assert (problem.status_code, problem.json()["title"][:29]) == (401, "signed off after 15 minutes i")


def test_the_page_says_who_is_signed_in_and_looking_at_it_keeps_nobody_signed_in(house: Any) -> None:
    browser = cookie_of(house)
    assert "A. Frey" in house.ask("GET", "/sign-in", headers=browser).text
    house.clock.ahead += 10 * 60
    house.ask("GET", "/sign-in", headers=browser)
    house.clock.ahead += 6 * 60
    assert "signed off after 15 minutes" in house.ask("GET", "/sign-in", headers=browser).text


def test_a_script_of_another_page_can_do_nothing_with_the_cookie(house: Any) -> None:
    browser = {"cookie": house.sessions.begin(FREY).partition(";")[0], "content-type": "application/json"}
    sites = ({"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-origin"})
    for headers in ({}, {"origin": "https://elsewhere.example"}, *sites):
        answer = house.ask("POST", "/v1/scores", content=b"{}", headers={**browser, **headers})
        assert answer.status_code == 403
        assert "the request" in answer.json()["title"]
