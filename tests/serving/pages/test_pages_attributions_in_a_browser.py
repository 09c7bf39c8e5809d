"""Attributions in Chromium, as an auditor and as a data scientist: at a desk, on a telephone, at night, without scripts; by axe."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from models.identity import Role

from .conftest import DESK, PHONE, WIDER, House, entered, listening, violations

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


def test_shots(signed_in: Callable[..., Any]) -> None:
    for size in (DESK, PHONE):
        with signed_in(Role.DATA_SCIENTIST, size) as page:
            for name, path in {"empty": PATH, "apart": APART, "shift": SHIFT, "wrong": WRONG, "few": TOO_FEW}.items():
                page.goto(path)
                page.screenshot(path=f"/tmp/attr/{name}-{size[0]}.png", full_page=True)
                print(name, size, page.evaluate("() => document.documentElement.scrollWidth - innerWidth"), page.evaluate(WIDER), violations(page))
