"""The pages in Chromium, as each role: at a desk and on a telephone, by keyboard, at night, on paper, without scripts; by axe."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from models.identity import Role

from .conftest import DESK, ERASED, PHONE, WHOLE, WIDER, House, entered, listening, violations

RECEIPT = f"/audit/receipts/{WHOLE}"
AUDITORS = ("/", "/audit?show=all", RECEIPT, f"/audit/receipts/{ERASED}", "/audit/verification", "/audit/export")
PAGES = {
    Role.AUDITOR: (*AUDITORS, "/audit", "/audit/mine", "/audit/receipts/1", f"{RECEIPT}/print", "/audit/receipts/999"),
    Role.ADMINISTRATOR: ("/", "/audit/verification", "/audit"),
    Role.CLINICIAN: ("/", RECEIPT, "/audit/mine", "/audit/receipts/4"),
    Role.DATA_SCIENTIST: ("/", RECEIPT),
}
EACH = [(role, path) for role, paths in PAGES.items() for path in paths]
TABBED = """() => [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, summary, [tabindex='0']")]
  .filter(one => one.checkVisibility() && !(one.type == "radio" && !one.checked))"""
OUTLINED = """() => {
  const one = document.activeElement, style = getComputedStyle(one);
  return style.outlineStyle != "none" && parseFloat(style.outlineWidth) >= 1 || one.tagName == "BODY";
}"""


@pytest.fixture(scope="module")
def url(shared: House) -> Iterator[str]:
    with listening(shared) as found:
        yield found


@pytest.fixture
def signed_in(browser: Browser, url: str) -> Callable[..., Any]:
    """A browser in which somebody of that role has signed in; leaving it, nothing may have been complained of."""

    return partial(entered, browser, url)


@pytest.mark.parametrize(("role", "path"), EACH)
def test_a_page_fits_and_axe_finds_nothing_wrong_with_it(signed_in: Callable[..., Any], role: Role, path: str) -> None:
    for size in (DESK, PHONE):
        with signed_in(role, size) as page:
            page.goto(path)
            assert page.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0
            assert page.evaluate(WIDER) == []
            if size == DESK or path == RECEIPT:
                assert violations(page) == []


@pytest.mark.parametrize("path", AUDITORS)
def test_at_night_the_contrast_is_enough_as_well(signed_in: Callable[..., Any], path: str) -> None:
    with signed_in(Role.AUDITOR, color_scheme="dark") as page:
        page.goto(path)
        assert page.evaluate("() => getComputedStyle(document.body).backgroundColor") == "rgb(20, 24, 29)"
        assert violations(page) == []


@pytest.mark.parametrize("path", ["/", "/audit", RECEIPT, "/audit/verification", "/audit/attributions", "/audit/export"])
def test_everything_can_be_reached_by_keyboard_and_shows_that_it_was(signed_in: Callable[..., Any], path: str) -> None:
    with signed_in(Role.AUDITOR) as page:
        page.goto(path)
        expected = page.evaluate(f"() => ({TABBED})().length")
        page.evaluate("() => { window.met = new Set() }")
        page.keyboard.press("Tab")
        assert page.evaluate("() => document.activeElement.className") == "skip"
        for _ in range(4 * expected):  # the parts of a date are stops of their own
            page.evaluate("() => { window.met.add(document.activeElement) }")
            assert page.evaluate(OUTLINED)
            page.keyboard.press("Tab")
        missed = f"() => ({TABBED})().filter(one => !window.met.has(one)).map(one => one.outerHTML.slice(0, 80))"
        assert page.evaluate(missed) == []


@pytest.mark.parametrize("scripts", [True, False])
def test_a_receipt_is_found_read_and_computed_again(signed_in: Callable[..., Any], scripts: bool) -> None:
    with signed_in(Role.AUDITOR, java_script_enabled=scripts) as page:
        page.goto("/")
        page.get_by_role("navigation").get_by_role("link", name="Receipts").click()
        page.get_by_label("Pseudonym of a patient").fill(f"p-{WHOLE}")
        page.get_by_role("button", name="Search").first.click()
        assert page.url.endswith("/audit/patient")
        page.get_by_role("link", name=str(WHOLE), exact=True).click()
        assert page.get_by_role("heading", level=1).inner_text() == f"Receipt {WHOLE}"
        page.get_by_role("button", name="Compute it again").click()
        assert "equal to the bit" in page.get_by_role("heading", name="Computed again just now").inner_text()


@pytest.mark.parametrize("scripts", [True, False])
def test_the_receipts_are_verified_while_one_waits(signed_in: Callable[..., Any], scripts: bool) -> None:
    with signed_in(Role.ADMINISTRATOR, java_script_enabled=scripts) as page:
        page.goto("/audit/verification")
        page.get_by_label("Everything, from the first record").check()
        page.get_by_role("button", name="Begin").click()
        page.get_by_role("heading", name="Every record is as it was written").wait_for(timeout=20_000)
        assert page.get_by_role("button", name="Copy").count() == scripts


def test_the_public_key_is_copied(signed_in: Callable[..., Any], shared: House) -> None:
    with signed_in(Role.AUDITOR, permissions=["clipboard-read", "clipboard-write"]) as page:
        page.goto("/audit/verification")
        page.get_by_role("button", name="Copy").click()
        page.get_by_role("button", name="Copied").wait_for()
        assert page.evaluate("() => navigator.clipboard.readText()") == shared.archive.store.public_key


def test_an_export_is_downloaded(signed_in: Callable[..., Any]) -> None:
    with signed_in(Role.AUDITOR) as page:
        page.goto("/audit/export")
        page.get_by_label("JSON Lines").check()
        with page.expect_download() as waiting:
            page.get_by_role("button", name="Record and download").click()
        assert waiting.value.suggested_filename.endswith(".jsonl")
        assert len(Path(waiting.value.path()).read_bytes().splitlines()) == 8


def test_on_paper_there_are_no_buttons_and_the_figures_are_whole(signed_in: Callable[..., Any]) -> None:
    with signed_in(Role.AUDITOR, (717, 1046)) as page:
        page.emulate_media(media="print")
        page.goto(RECEIPT)
        assert page.locator("nav, button, form").filter(visible=True).count() == 0
        assert page.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0
        assert page.pdf().startswith(b"%PDF")


def test_one_horizon_is_open_at_a_time_without_a_script(signed_in: Callable[..., Any]) -> None:
    with signed_in(Role.AUDITOR, java_script_enabled=False) as page:
        page.goto(RECEIPT)
        terms = page.locator("details[name=terms]")
        assert [one.get_attribute("open") is not None for one in terms.all()] == [False, True, False, False]
        terms.nth(3).locator("summary").click()
        assert [one.get_attribute("open") is not None for one in terms.all()] == [False, False, False, True]
