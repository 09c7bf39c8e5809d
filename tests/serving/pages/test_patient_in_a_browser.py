"""A clinician at a browser: a patient entered, refused, answered, on a telephone, on paper; without JavaScript, by keyboard."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Request

from models.artifact import Artifact, load
from models.identity import Role

from .conftest import DESK, HERE, PHONE, WIDER, built, entered, listening, scored, violations

EXAMPLE_MODEL = Path(__file__).parents[3] / "models" / "released" / "example"
FILLED = {
    "as_of": "2026-11-20",
    "age_years": "66",
    "drawn": "2026-11-18",
    "alc": "0.7",
    "anc": "6300",
    "ca19_9": "4120",
    "albumin": "3.3",
    "id": "p-7",
    "t0_line": "1",
    "t0_agents": "fluorouracil, irinotecan",
    "t0_start": "2026-01-12",
    "t0_end": "2026-06-15",
    "draws": "2026-10-20 ALC 0.6 10*9/L\n2026-09-20 ALC 900 cells/uL",
}
CHOSEN = {
    "sex": "female",
    "tumour": "pancreatic",
    "alc_unit": "10*9/L",
    "anc_unit": "cells/uL",
    "ca19_9_unit": "U/mL",
    "albumin_unit": "g/dL",
    "t0_modality": "chemotherapy",
}
CONTROLS = "main form :is(input, select, textarea):not([type=hidden])"
LIGHTEST, SOONEST = 150_000, 0.3  # bytes of a page with all it fetches; seconds to the answer, at best of three


@pytest.fixture(scope="module")
def url(loaded: Artifact, model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A service without a receipt in it."""
    folder = tmp_path_factory.mktemp("entered")
    with built(loaded, model_folder, folder, fill=lambda writer: None) as house, listening(house) as at:
        yield at


def fill(page: Page, **changes: str) -> None:
    for name, value in (FILLED | changes).items():
        page.fill(f"#{name}", value)
    for name, value in CHOSEN.items():
        page.select_option(f"#{name}", value)


def ask(page: Page) -> None:
    with page.expect_navigation():
        page.get_by_role("button", name="Show the risk").click()


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_a_patient_is_entered_refused_mended_and_answered(
    browser: Browser, url: str, size: tuple[int, int], script: bool
) -> None:
    with entered(browser, url, Role.CLINICIAN, size, java_script_enabled=script) as page:
        page.goto("/patient")
        whole(page, script)
        fill(page, alc="700", age_years="")
        ask(page)
        assert page.get_by_role("alert").is_visible()
        assert page.input_value("#draws").startswith("2026-10-20 ALC")
        assert page.get_attribute("#age_years", "aria-invalid") == page.get_attribute("#alc", "aria-invalid") == "true"
        page.get_by_role("alert").get_by_role("link").first.click()
        whole(page, script)
        fill(page)
        ask(page)
        assert re.search(r"/patient/\d+$", page.url)
        assert page.get_by_role("heading", name="Risk of early death").is_visible()
        whole(page, script)


def whole(page: Page, script: bool) -> None:
    """Nothing is amiss for whoever cannot see it well, and nothing reaches beyond the screen."""
    if script:
        assert violations(page) == []
        assert page.evaluate(WIDER) == []


def test_no_unit_is_chosen_before_somebody_chooses_it(browser: Browser, url: str) -> None:
    with entered(browser, url, Role.CLINICIAN) as page:
        page.goto("/patient")
        assert set(page.eval_on_selector_all("select", "all => all.map(one => one.value)")) == {""}
        fill(page)
        page.select_option("#alc_unit", "")
        ask(page)
        assert page.get_attribute("#alc_unit", "aria-invalid") == "true"
        assert "never guessed" in page.inner_text("#alc_unit-fault")


def test_the_form_is_filled_in_and_sent_by_keyboard_alone(browser: Browser, url: str) -> None:
    with entered(browser, url, Role.CLINICIAN) as page:
        page.goto("/patient")
        every = page.eval_on_selector_all(CONTROLS, "all => all.map(one => one.id)")
        reached: list[Any] = []
        while every[-1] not in reached and len(reached) < 400:  # a day is three stops
            page.keyboard.press("Tab")
            reached.append(page.evaluate("() => document.activeElement.id"))
        assert set(every) <= set(reached)
        order = [one for one in dict.fromkeys(reached) if one in set(every)]
        assert order == every
        fill(page)
        page.focus("#alc")
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile(r"/patient/\d+$"))


def test_more_rows_keep_what_was_filled_in(browser: Browser, url: str) -> None:
    with entered(browser, url, Role.CLINICIAN) as page:
        page.goto("/patient")
        fill(page)
        before = page.locator("fieldset legend", has_text="Treatment").count()
        page.get_by_role("button", name="More rows").click()
        page.wait_for_load_state()
        assert page.locator("fieldset legend", has_text="Treatment").count() == before + 2
        assert page.input_value("#t0_agents") == FILLED["t0_agents"]
        assert page.input_value("#alc_unit") == "10*9/L"


def test_a_refusal_still_tells_how_low_the_lymphocytes_are(browser: Browser, url: str) -> None:
    with entered(browser, url, Role.CLINICIAN) as page:
        page.goto("/patient")
        fill(page, albumin="")
        page.select_option("#albumin_unit", "")
        ask(page)
        assert "Insufficient data" in page.inner_text("main")
        assert "Lymphopenia, CTCAE grade 2" in page.inner_text("main")
        assert violations(page) == []


def test_an_answer_is_one_sheet_of_paper(browser: Browser, url: str) -> None:
    with entered(browser, url, Role.CLINICIAN) as page:
        page.goto("/patient")
        fill(page)
        ask(page)
        sheet = page.pdf(prefer_css_page_size=True)
        assert len(re.findall(rb"/Type\s*/Page[^s]", sheet)) == 1


MUCH_TO_SAY: dict[str, Any] = {  # outside the development population in two ways, most not measured, what there is old or odd
    "as_of": "2026-11-20",
    "age_years": 97,
    "tumour": "cns",
    "measurements": [
        {"analyte": "alc", "value": 0.7, "unit": "10*9/L", "date": "2026-11-18"},
        {"analyte": "anc", "value": 4.5, "unit": "10*9/L", "date": "2026-11-18"},
        {"analyte": "albumin", "value": 33, "unit": "g/L", "date": "2026-11-01"},
        {"analyte": "crp", "value": 400, "unit": "mg/L", "date": "2026-11-01"},
        {"analyte": "platelets", "value": 40, "unit": "10*9/L", "date": "2026-09-01"},
        {"analyte": "bilirubin", "value": 90, "unit": "umol/L", "date": "2026-11-18", "uln": 17},
    ],
}


def test_an_answer_of_which_there_is_much_to_say_is_one_sheet_and_fits_a_telephone(browser: Browser, tmp_path: Path) -> None:
    released = load(EXAMPLE_MODEL)

    def record(writer: Any) -> None:
        writer.record([scored(released, MUCH_TO_SAY, HERE)])

    with (
        built(released, EXAMPLE_MODEL, tmp_path, fill=record) as house,
        listening(house) as at,
        entered(browser, at, Role.CLINICIAN, PHONE) as page,
    ):
        page.goto("/patient/2")
        whole(page, script=True)
        assert "outside the development population" in page.inner_text(".first")
        assert page.locator(".told.doubt li").count() >= 6
        sheet = page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page[^s]", sheet)) == 1


def weight(fetched: list[Request]) -> int:
    return sum(one.sizes()["responseBodySize"] for one in fetched)


def test_the_pages_are_light_and_the_answer_is_there_at_once(browser: Browser, url: str) -> None:
    with entered(browser, url, Role.CLINICIAN) as page:
        fetched: list[Request] = []  # sizes are asked for afterwards: a body is gone once the page has moved on
        page.on("requestfinished", lambda one: fetched.append(one))
        page.goto("/patient")
        assert 0 < weight(fetched) < LIGHTEST
        took = []
        for _ in range(3):
            page.goto("/patient")
            fill(page)
            fetched.clear()
            began = time.perf_counter()
            ask(page)
            took.append(time.perf_counter() - began)
            assert 0 < weight(fetched) < LIGHTEST
        assert min(took) < SOONEST


def test_an_answer_leads_to_its_receipt_and_to_another_patient(browser: Browser, url: str) -> None:
    with entered(browser, url, Role.CLINICIAN) as page:
        page.goto("/patient")
        fill(page)
        ask(page)
        page.get_by_role("link", name="Every number, and what came in").click()
        page.wait_for_load_state()
        assert "/audit/receipts/" in page.url
        page.go_back()
        page.get_by_role("link", name="Another patient").click()
        page.wait_for_load_state()
        assert page.input_value("#alc") == ""
