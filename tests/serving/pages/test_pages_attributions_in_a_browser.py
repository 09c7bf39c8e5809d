"""Attributions in Chromium, as auditor and as data scientist: at a desk, on a telephone, at night, without scripts; by axe."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from models.identity import Role

from .conftest import DESK, PHONE, WIDER, House, entered, listening, violations

D, A = Role.DATA_SCIENTIST, Role.AUDITOR
PATH = "/audit/attributions"
APART = f"{PATH}?from=2026-09-01&to=2026-09-30&by=line"
SHIFT = f"{PATH}?from=2026-09-01&to=2026-09-30&against_from=2026-10-01&against_to=2026-10-31&by=unit"
WRONG = f"{PATH}?from=2026-02-30&horizon=0&by=patient&against_model=x&p-1=1"
TOO_FEW = f"{PATH}?from=2026-08-01&to=2026-08-31"


@pytest.fixture(scope="module")
def url(many: House) -> Iterator[str]:
    with listening(many) as found:
        yield found


@pytest.fixture
def signed_in(browser: Browser, url: str) -> Callable[..., Any]:
    return partial(entered, browser, url)


@pytest.mark.parametrize(("role", "path"), [(D, PATH), (D, APART), (A, SHIFT), (D, TOO_FEW), (A, WRONG)])
def test_it_fits_and_axe_finds_nothing_wrong_with_it(signed_in: Callable[..., Any], role: Role, path: str) -> None:
    for size in (DESK, PHONE):
        with signed_in(role, size) as page:
            page.goto(path)
            assert page.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0
            assert page.evaluate(WIDER) == []
            if size == DESK or path in (SHIFT, WRONG):
                assert violations(page) == []


def test_at_night_the_contrast_is_enough_as_well(signed_in: Callable[..., Any]) -> None:
    with signed_in(A, color_scheme="dark") as page:
        for path in (SHIFT, WRONG):
            page.goto(path)
            assert violations(page) == []


def test_at_a_desk_no_table_is_wider_than_the_page(signed_in: Callable[..., Any]) -> None:
    with signed_in(A) as page:
        page.goto(SHIFT)
        assert page.locator(".frame").count() == 6
        assert page.evaluate("() => [...document.querySelectorAll('.frame')].every(one => one.scrollWidth <= one.clientWidth)")


@pytest.mark.parametrize(("role", "scripts"), [(A, True), (D, True), (D, False)])
def test_a_question_is_asked_answered_and_taken_away(signed_in: Callable[..., Any], role: Role, scripts: bool) -> None:
    with signed_in(role, java_script_enabled=scripts) as page:
        page.goto("/")
        page.get_by_role("navigation").get_by_role("link", name="Attributions").click()
        days = page.get_by_role("group", name="Period", exact=True)
        days.get_by_label("From (UTC)").fill("2026-09-01")
        days.get_by_label("Up to (UTC)").fill("2026-09-30")
        page.get_by_label("Groups of patients side by side").select_option(label="prior lines of systemic treatment")
        page.get_by_role("button", name="Show").click()
        assert "from=2026-09-01" in page.url
        page.get_by_role("img", name="By prior lines of systemic treatment: mean size of the change").wait_for()
        table = page.get_by_role("table", name="By clinical group, risk within 90 days: 2026-09-01 to 2026-09-30")
        assert table.get_by_role("rowheader").first.inner_text() == "nutrition and organ function"
        with page.expect_download() as waiting:
            page.get_by_role("link", name="Every number, as CSV").click()
        assert waiting.value.suggested_filename.startswith("attributions-")
        assert Path(waiting.value.path()).read_text(encoding="utf-8").startswith("part,by,level,name,")


def test_a_table_that_is_too_wide_for_a_telephone_is_moved_by_keyboard_in_its_frame(signed_in: Callable[..., Any]) -> None:
    with signed_in(D, PHONE) as page:
        page.goto(SHIFT)
        frame = page.get_by_role("region", name="Risks and terms")
        frame.focus()
        page.keyboard.press("ArrowRight")
        page.wait_for_function("one => one.scrollLeft > 0", arg=frame.element_handle())
