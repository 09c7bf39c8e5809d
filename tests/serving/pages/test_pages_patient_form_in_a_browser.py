"""The patient's form in Chromium: filled in, refused, mended and answered; by keyboard alone, without scripts, on a telephone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from models.identity import Role

from .conftest import DESK, PHONE, WIDER, House, entered, listening, violations

LABS = {"alc": ("0.6", "10*9/L"), "anc": ("4.5", "10*9/L"), "albumin": ("34", "g/L")}
STOPS = """() => [...document.querySelector("main form").querySelectorAll("input, select, textarea, button")]
  .filter(one => one.tabIndex >= 0 && one.type != "hidden").map(one => one.id || one.value)"""


@pytest.fixture(scope="module")
def url(shared: House) -> Iterator[str]:
    with listening(shared) as found:
        yield found


@pytest.fixture
def signed_in(browser: Browser, url: str) -> Callable[..., Any]:
    return partial(entered, browser, url, Role.CLINICIAN)


def fill(page: Page) -> None:
    page.get_by_label("Age in years").fill("66")
    page.get_by_label("Tumour", exact=True).select_option(label="pancreatic")
    page.get_by_label("Day of the draw").fill(page.get_by_label("Index date").input_value())
    for name, (value, unit) in LABS.items():
        page.fill(f"#{name}", value)
        page.select_option(f"#{name}_unit", unit)


def ask(page: Page) -> None:
    page.get_by_role("button", name="Show the risk").click()


@pytest.mark.parametrize(("size", "scripts"), [(DESK, True), (PHONE, True), (DESK, False)], ids=["desk", "phone", "no scripts"])
def test_a_refusal_is_mended_and_answered(signed_in: Callable[..., Any], size: tuple[int, int], scripts: bool) -> None:
    with signed_in(size, java_script_enabled=scripts) as page:
        page.goto("/patient")
        fill(page)
        page.fill("#alc", "0,6")
        page.fill("#draws", "2026-05-01 ALC 0.9 10*9/L\n2026-05-01 ALT 35 U/L")
        ask(page)
        assert page.title().startswith("Error: Risk of one patient")
        summary = page.get_by_role("alert")
        assert summary.get_by_role("link").all_inner_texts() == ["Absolute lymphocyte count", "Earlier draws"]
        if scripts:
            assert page.evaluate("() => document.activeElement.getAttribute('role')") == "alert"
            assert page.evaluate(WIDER) == []
            assert violations(page) == []
        summary.get_by_role("link", name="Absolute lymphocyte count").click()
        assert page.url.endswith("#alc")
        page.fill("#alc", "0.6")
        page.fill("#draws", "2026-05-01 ALC 0.9 10*9/L")
        ask(page)
        page.wait_for_url("**/patient/*")
        assert "CTCAE grade 2" in page.inner_text("main")


@pytest.mark.parametrize(("size", "scheme"), [(DESK, "light"), (PHONE, "dark")], ids=["desk", "phone at night"])
def test_the_empty_form_fits_and_axe_finds_nothing_wrong_with_it(
    signed_in: Callable[..., Any], size: tuple[int, int], scheme: str
) -> None:
    with signed_in(size, color_scheme=scheme) as page:
        page.goto("/patient")
        assert page.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0
        assert page.evaluate(WIDER) == []
        assert violations(page) == []


def test_the_key_of_the_end_of_a_line_asks_for_the_risk_and_not_for_more_rows(signed_in: Callable[..., Any]) -> None:
    with signed_in() as page:
        page.goto("/patient")
        page.locator("#age_years").press("Enter")
        assert page.get_by_role("alert").is_visible()
        assert page.locator("#t2_modality").count() == 0


def test_by_keyboard_alone_a_patient_is_entered_and_the_answer_reached(signed_in: Callable[..., Any]) -> None:
    keys = {"age_years": "66", "tumour": "pancreatic", "alc": "0.6", "alc_unit": "10*9/L", "albumin": "34", "albumin_unit": "g/L"}
    keys |= {"drawn": "01012026"}  # the same whichever comes first, the day or the month
    with signed_in() as page:
        page.goto("/patient")
        page.focus("#as_of")
        page.keyboard.type("01012026")
        order, met = page.evaluate(STOPS), ["as_of"]
        for _ in range(4 * len(order)):  # the parts of a day are stops of their own
            page.keyboard.press("Tab")
            name = page.evaluate("() => document.activeElement.id || document.activeElement.value || ''")
            if name != met[-1]:
                met.append(name)
                page.keyboard.type(keys.get(name, ""))
            if name == "ask":
                break
        assert met == order
        page.keyboard.press("Enter")
        page.wait_for_url("**/patient/*")
