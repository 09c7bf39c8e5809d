"""Signing in with Chromium, from the page that was wanted to the identity provider and back; what others cannot do to it."""

from __future__ import annotations

import os
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import axe_playwright_python
import pytest
import uvicorn
from playwright.sync_api import Browser, Page, sync_playwright

from serving.access.settings import Oidc
from serving.protection import HEADERS

from .conftest import House, Issuer

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Place:
    """Where the service answers, what lies behind it, and a page of a browser that has nothing of it yet."""

    url: str
    house: House
    issuer: Issuer
    page: Page

    def sign_in(self) -> None:
        """At the identity provider."""
        self.page.goto(f"{self.url}/sign-in")
        self.page.click("text=Sign in at")
        self.page.wait_for_url(f"{self.url}/")

    @property
    def cookies(self) -> dict[str, Any]:
        return {one["name"]: one for one in self.page.context.cookies()}

    def violations(self) -> list[str]:
        """What axe finds wrong with the page."""
        self.page.evaluate(AXE)
        return [one["id"] for one in self.page.evaluate("() => axe.run()")["violations"]]


@pytest.fixture(scope="module")
def browser(debian: Callable[[str, str | None], str]) -> Iterator[Browser]:
    program = debian("chromium", os.environ.get("CHROMIUM_PATH") or shutil.which("chromium"))
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        yield chromium
        chromium.close()


@pytest.fixture
def place(browser: Browser, issuer: Issuer, oidc: Oidc, open_house: Callable[[Oidc], House]) -> Iterator[Place]:
    """The service at 127.0.0.1 and its provider at localhost, which to a browser are two sites."""
    at = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{at.getsockname()[1]}"
    issuer.url = f"http://localhost:{urlsplit(issuer.url).port}"
    house = open_house(replace(oidc, issuer=issuer.url, service=url))
    server = uvicorn.Server(uvicorn.Config(house.app, log_level="error", lifespan="off", headers=list(HEADERS)))
    thread = threading.Thread(target=server.run, args=([at],), daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    context = browser.new_context()
    yield Place(url, house, issuer, context.new_page())
    context.close()
    server.should_exit = True
    thread.join()


def test_a_browser_that_wants_a_page_signs_in_at_the_provider_and_comes_to_it(place: Place) -> None:
    page = place.page
    page.goto(f"{place.url}/audit")
    assert page.url == f"{place.url}/sign-in?to=/audit"
    assert place.violations() == []
    page.click("text=Sign in at")
    page.wait_for_url(f"{place.url}/audit")
    assert "/authorize" in place.issuer.asked
    assert page.inner_text(".who strong") == "a.frey"
    page.goto(f"{place.url}/sign-in")
    assert "signed in as a.frey" in page.inner_text("main")
    assert place.violations() == []


def test_the_cookie_is_as_chromium_says_kept_from_scripts_and_other_sites(place: Place) -> None:
    place.sign_in()
    assert list(place.cookies) == ["__Host-lymphorisk"]  # that of the attempt is gone
    cookie = place.cookies["__Host-lymphorisk"]
    flags = {name: cookie[name] for name in ("secure", "httpOnly", "sameSite", "path", "domain", "expires")}
    assert flags == {
        "secure": True,
        "httpOnly": True,
        "sameSite": "Strict",
        "path": "/",
        "domain": "127.0.0.1",
        "expires": -1,
    }
    assert place.page.evaluate("() => document.cookie") == ""


def test_whoever_leaves_the_desk_is_signed_off_and_told_so(place: Place) -> None:
    place.sign_in()
    place.house.clock.ahead += 15 * 60 + 1
    place.page.goto(f"{place.url}/audit/verification")
    assert place.page.url == f"{place.url}/sign-in?to=/audit/verification"
    assert "signed off after 15 minutes" in place.page.inner_text("main")
    assert place.violations() == []
    place.page.click("text=Sign in at")
    place.page.wait_for_url(f"{place.url}/audit/verification")


def test_a_page_that_is_left_open_leaves_the_screen_by_itself(place: Place) -> None:
    place.sign_in()
    answer = place.page.goto(f"{place.url}/audit")
    assert answer is not None
    assert answer.headers["refresh"] == "901; url=/sign-in?to=/audit"
    signed_off = place.page.goto(f"{place.url}/sign-in")
    assert signed_off is not None
    place.page.click("text=Sign out")
    place.page.wait_for_url(f"{place.url}/sign-in")
    answer = place.page.goto(f"{place.url}/sign-in")
    assert answer is not None
    assert "refresh" not in answer.headers


def test_signing_out_ends_the_session_and_leaves_no_page_behind(place: Place) -> None:
    place.sign_in()
    kept = place.page.context.cookies()
    place.page.goto(f"{place.url}/audit")
    place.page.click("text=Sign out")
    place.page.wait_for_url(f"{place.url}/sign-in")
    assert place.cookies == {}
    place.page.go_back()
    assert place.page.url.startswith(f"{place.url}/sign-in")
    place.page.context.add_cookies(kept)  # type: ignore[arg-type]  # what was read is what can be set
    place.page.goto(f"{place.url}/audit")
    assert place.page.url == f"{place.url}/sign-in?to=/audit"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_page_of_another_origin_can_act_in_nobodys_name(place: Place, host: str) -> None:
    """From another port of the same host the cookie is sent along, which SameSite does not prevent."""
    place.sign_in()
    token = place.page.get_attribute("input[name=csrf]", "value")
    form = f'<form method="post" action="{place.url}/sign-out"><input name="csrf" value="{token}"><button>x</button></form>'
    place.issuer.lies["/planted"] = lambda sent: (200, {"Content-Type": "text/html"}, form.encode())
    place.page.goto(f"http://{host}:{urlsplit(place.issuer.url).port}/planted")
    with place.page.expect_response(f"{place.url}/sign-out") as answered:
        place.page.click("button")
    sent = answered.value.request.all_headers()
    assert ("cookie" in sent, answered.value.status) == ((True, 403) if host == "127.0.0.1" else (False, 401))
    place.page.goto(f"{place.url}/audit")
    assert place.page.url == f"{place.url}/audit"


def test_a_link_printed_once_signs_in_once_and_its_word_stays_nowhere(place: Place) -> None:
    word = place.house.links.word()
    asked: list[str] = []
    place.page.on("request", lambda request: asked.append(request.url))
    place.page.goto(f"{place.url}/sign-in/once#{word}")
    place.page.wait_for_url(f"{place.url}/")
    assert place.page.inner_text(".who strong") == "dev"
    place.page.go_back()
    assert word not in "".join([*asked[1:], place.page.url])
    place.page.context.clear_cookies()
    place.page.goto(f"{place.url}/sign-in/once#{word}")
    place.page.wait_for_selector("[role=alert]")
    assert "has been used" in place.page.inner_text("main")
    assert place.violations() == []
    assert place.cookies == {}


def test_without_scripts_the_word_of_the_link_is_pasted(place: Place, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page, word = context.new_page(), place.house.links.word()
    page.goto(f"{place.url}/sign-in/once#{word}")
    page.fill("#word", word)
    page.click("main button")
    page.wait_for_url(f"{place.url}/")
    assert page.inner_text(".who strong") == "dev"
    context.close()
